#include "cli/present/export.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <sstream>

#include "cli/present/output_file.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

v1::Sweep SweepByF1() {
  v1::Sweep sweep;
  sweep.set_metric("val/f1");
  sweep.set_maximize(true);
  return sweep;
}

v1::Trial Example() {
  v1::Trial trial;
  trial.set_name("sweeps/s/trials/3");
  trial.set_number(3);
  trial.set_configuration(3);
  trial.set_seed(18446744073709551615u);
  trial.set_model("net, \"wide\"");
  trial.set_epoch(2);
  trial.set_epochs(5);
  MeasureSummaries summaries;
  AddToSummaries({{"val/f1", 0.1 + 0.2}, {"loss", kNaN}}, &summaries);
  AddToSummaries({{"val/f1", 0.25}}, &summaries);
  *trial.mutable_measures() = ToProto(summaries);
  trial.set_state(v1::TRIAL_STATE_FAILED);
  trial.set_reason("loss is NaN\nat epoch 3");
  (*trial.mutable_parameters())["lr"].set_double_value(0.05);
  (*trial.mutable_parameters())["nesterov"].set_bool_value(true);
  return trial;
}

std::string Write(Format format, const std::vector<ExportRow>& rows,
                  const std::vector<std::string>& parameters = {"lr", "step_epochs", "nesterov"}) {
  std::ostringstream out;
  ExportWriter writer(format, TrialExportRow({}, {}),
                      {.parameters = parameters, .measures = {"validation_loss", "val/f1"}}, &out);
  for (const ExportRow& row : rows) writer.Write(row);
  writer.Finish();
  return out.str();
}

TEST(ExportCsv, HasAHeaderAndRawValues) {
  const std::string csv = Write(Format::kCsv, {TrialExportRow(SweepByF1(), Example())});
  EXPECT_THAT(csv, StartsWith("trial,number,configuration,replicate,seed,model,network_parameters,"
                              "fully_connected,parameters.lr,parameters.step_epochs,"
                              "parameters.nesterov,defaults,state,epoch,epochs,best,best_epoch,"
                              "last,last.validation_loss,low.validation_loss,high.validation_loss,"
                              "last.val/f1,low.val/f1,high.val/f1,"));
  EXPECT_THAT(csv, HasSubstr("s/3,3,3,0,18446744073709551615,\"net, \"\"wide\"\"\",,,0.05,,true,,"
                             "failed,2,5,0.30000000000000004,,0.25,,,,0.25,0.25,"
                             "0.30000000000000004,"));
  EXPECT_THAT(csv, HasSubstr("\"loss is NaN\nat epoch 3\""));
}

TEST(ExportCsv, WhatIsNotFiniteOrNotKnownIsEmpty) {
  const ExportRow row = TrialExportRow(SweepByF1(), Example());
  for (const char* key : {"best_epoch", "epochs_to_target", "end_time", "worker",
                          "network_parameters", "fully_connected", "evaluation_images"}) {
    EXPECT_TRUE(row.at(key).is_null()) << key;
  }
  EXPECT_TRUE(row.at("measures").at("validation_loss").at("last").is_null());
  EXPECT_TRUE(TrialExportRow({}, {}).at("best").is_null()) << "nothing measured yet";
  EXPECT_TRUE(TrialExportRow({}, {}).at("measures").empty());
  v1::Trial network;
  network.set_network_parameters(820);
  EXPECT_EQ(TrialExportRow({}, network).at("fully_connected"), false);
  EXPECT_EQ(Write(Format::kCsv, {row}).find("null"), std::string::npos);
}

TEST(ExportJson, IsAnArrayWithOneObjectToALine) {
  EXPECT_EQ(Write(Format::kJson, {}), "[]\n");
  const std::string text = Write(Format::kJson, {TrialExportRow(SweepByF1(), Example()),
                                                 TrialExportRow(SweepByF1(), Example())});
  const nlohmann::json rows = nlohmann::json::parse(text);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["seed"], "18446744073709551615") << "readers would round a number";
  EXPECT_EQ(rows[0]["parameters"]["lr"], 0.05);
  EXPECT_EQ(rows[1]["measures"]["val/f1"]["last"], 0.25);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST(ExportJson, BytesThatAreNoUtf8AreReplaced) {
  v1::Trial trial = Example();
  ExportRow row = TrialExportRow({}, trial);
  row["reason"] = std::string("caf\xe9");
  EXPECT_THAT(Write(Format::kJson, {row}), HasSubstr("caf\xEF\xBF\xBD"));
  EXPECT_THAT(Write(Format::kCsv, {row}), HasSubstr("caf\xEF\xBF\xBD"));
}

TEST(ExportEpochs, RepeatTheParameters) {
  const v1::Epoch epoch =
      ToProto(EpochMetrics{.epoch = 2, .values = {{kTrainLoss, kNaN}, {"val/f1", 0.99}}});
  const ExportRow row = EpochExportRow(TrialExportRow(SweepByF1(), Example()), epoch);
  EXPECT_EQ(row.at("parameters").at("lr"), 0.05);
  EXPECT_EQ(row.at("epoch"), 2);
  EXPECT_EQ(row.at("values").at("val/f1"), 0.99);
  EXPECT_TRUE(row.at("values").at("train_loss").is_null());
  EXPECT_EQ(row.at("values").size(), 2u) << "what was not reported is absent";
}

TEST(ExportEpochs, HaveAColumnForEachMeasureUnderItsOwnName) {
  const ExportRow trial = TrialExportRow(SweepByF1(), Example());
  const ExportRow shape = EpochExportRow(trial, {});
  std::ostringstream out;
  ExportWriter writer(Format::kCsv, shape,
                      {.parameters = {"lr"}, .measures = {"train_loss", "val/f1", "seed"}}, &out);
  writer.Write(EpochExportRow(
      trial, ToProto(EpochMetrics{.epoch = 1, .values = {{"val/f1", 0.5}, {"seed", 7}}})));
  EXPECT_THAT(out.str(),
              HasSubstr(",defaults,attempt,epoch,train_loss,val/f1,values.seed,report_"));
  EXPECT_THAT(out.str(), HasSubstr(",0,1,,0.5,7.0,\n"));
}

class OutputFileTest : public ::testing::Test {
 protected:
  OutputFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sweep-test-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~OutputFileTest() override { std::filesystem::remove_all(folder_); }
  std::string Read(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::ptrdiff_t Files() const {
    const std::filesystem::directory_iterator files(folder_);
    return std::distance(begin(files), end(files));
  }
  std::string folder_;
};

TEST_F(OutputFileTest, IsThereOnlyAfterCommit) {
  std::ofstream(folder_ + "/x.csv") << "old";
  {
    auto file = OutputFile::Create(folder_ + "/x.csv");
    ASSERT_TRUE(file.ok()) << file.status();
    (*file)->stream() << "half";
    (*file)->stream().flush();
    EXPECT_EQ(Read("x.csv"), "old");
  }
  EXPECT_EQ(Read("x.csv"), "old");
  EXPECT_EQ(Files(), 1) << "nothing is left of what was not committed";
  auto file = OutputFile::Create(folder_ + "/x.csv");
  ASSERT_TRUE(file.ok());
  (*file)->stream() << "new";
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(Read("x.csv"), "new");
  EXPECT_EQ(Files(), 1);
}

TEST_F(OutputFileTest, WhatIsNoRegularFileIsWrittenToAndNotReplaced) {
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  auto file = OutputFile::Create(pipe);
  ASSERT_TRUE(file.ok()) << file.status();
  (*file)->stream() << "through";
  ASSERT_TRUE((*file)->Commit().ok());
  char text[16] = {};
  EXPECT_EQ(read(reader, text, sizeof text), 7);
  EXPECT_STREQ(text, "through");
  close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST_F(OutputFileTest, ALinkStaysALink) {
  std::ofstream(folder_ + "/real.csv") << "old";
  std::filesystem::create_symlink("real.csv", folder_ + "/link.csv");
  auto file = OutputFile::Create(folder_ + "/link.csv");
  ASSERT_TRUE(file.ok()) << file.status();
  (*file)->stream() << "new";
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ + "/link.csv"));
  EXPECT_EQ(Read("real.csv"), "new");
}

TEST_F(OutputFileTest, NamesWhatCannotBeWritten) {
  EXPECT_THAT(std::string(OutputFile::Create(folder_ + "/no/such/x.csv").status().message()),
              HasSubstr("no/such/x.csv"));
  EXPECT_FALSE(OutputFile::Create(folder_).ok());
}

}  // namespace
}  // namespace sweep::cli

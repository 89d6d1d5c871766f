// Other data under the same name: people get a message, and nothing is trained. A stand-in replaces
// sweep-trainer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Process;
using testing::Result;

std::string Idx(const std::string& dimensions, std::size_t size, char first) {
  std::string bytes("\0\0\x08", 3);
  bytes += static_cast<char>(dimensions.size() / 4);
  bytes += dimensions;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i == 0 ? first : i % 3);
  return bytes;
}

class DataProcessTest : public ::testing::Test {
 protected:
  DataProcessTest() {
    std::filesystem::create_directory(Data());
    WriteData(0);
    sweep_file_ =
        folder_.Write("digits.yaml",
                      "name: digits\nmodel: cnn-18718\nmethod: random\nrun_cap: 2\n"
                      "parameters:\n  lr: {distribution: log_uniform_values, min: 0.01, max: 0.1}\n"
                      "epochs: 2\nmax_failures: 1\n"
                      "dataset: {format: idx, path: " +
                          Data() + "}\n");
  }
  ~DataProcessTest() override {
    for (const auto& process : processes_) process->Signal(SIGKILL);
  }

  std::string Data() const { return folder_.path() + "/digits"; }
  // Writes data whose first training label is `label` and whose rest is always the same.
  void WriteData(char label) const {
    const std::string images("\0\0\0\3\0\0\0\4\0\0\0\4", 12), labels("\0\0\0\3", 4);
    folder_.Write("digits/train-images-idx3-ubyte", Idx(images, 48, 0));
    folder_.Write("digits/train-labels-idx1-ubyte", Idx(labels, 3, label));
    folder_.Write("digits/t10k-images-idx3-ubyte", Idx(images, 48, 0));
    folder_.Write("digits/t10k-labels-idx1-ubyte", Idx(labels, 3, 0));
  }

  std::map<std::string, std::string> Environment() const {
    return {{"SWEEP_TRAINER", FAKE_TRAINER}, {"XDG_CACHE_HOME", folder_.path() + "/cache"}};
  }
  Result Sweep(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "sweep");
    return testing::Run(
        {.command = arguments, .folder = folder_.path(), .environment = Environment()},
        std::chrono::seconds(90));
  }
  json Ask(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = arguments;
    command.insert(command.end(), {"--format", "json"});
    const Result result = Sweep(command);
    EXPECT_EQ(result.code, 0) << result.output;
    return json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  }
  // The processes share a folder, in which each writes its output to a subfolder.
  Process& Start(const std::vector<std::string>& command) {
    const std::string name = "process-" + std::to_string(processes_.size());
    std::filesystem::create_directory(folder_.path() + "/" + name);
    processes_.push_back(std::make_unique<Process>(Process::Options{
        .command = command, .folder = folder_.path() + "/" + name, .environment = Environment()}));
    return *processes_.back();
  }

  testing::TemporaryFolder folder_;
  std::string sweep_file_;
  std::vector<std::unique_ptr<Process>> processes_;
};

TEST_F(DataProcessTest, RunTrainsNothingOnOtherDataThanASweepWasBegunOn) {
  ASSERT_EQ(Sweep({"run", sweep_file_}).code, 0);
  const std::string first = Ask({"show", "digits"})["data_sha256"];
  EXPECT_EQ(first.size(), 64u);
  ASSERT_EQ(Sweep({"extend", "digits", "--run-cap", "4"}).code, 0);
  WriteData(1);
  const Result refused = Sweep({"run", sweep_file_});
  EXPECT_EQ(refused.code, 1) << refused.output;
  EXPECT_THAT(refused.output, AllOf(HasSubstr("sweep digits was begun on other data"),
                                    HasSubstr(first), HasSubstr(Data() + " has ")));
  EXPECT_EQ(Ask({"show", "digits"})["trials"]["completed"], 2);
  EXPECT_EQ(Ask({"show", "digits"})["data_sha256"], first);

  WriteData(0);
  const Result allowed = Sweep({"run", sweep_file_});
  EXPECT_EQ(allowed.code, 0) << allowed.output;
  EXPECT_EQ(Ask({"show", "digits"})["trials"]["completed"], 4);
}

TEST_F(DataProcessTest, AWorkerWithOtherDataLeavesTheTrialsToOthers) {
  Process& coordinator =
      Start({"sweep-coordinator", "--http", "off", "--listen", "127.0.0.1:0", "--db", "sweep.db"});
  const std::string address = testing::WaitForAddress(coordinator);
  const auto ask = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--coordinator", address});
    return Ask(arguments);
  };
  const auto completed = [&](int count) {
    return testing::Eventually(
        [&] { return ask({"show", "digits"})["trials"]["completed"] == count; });
  };
  const std::string to = "--coordinator";
  ASSERT_EQ(Sweep({"submit", sweep_file_, to, address}).code, 0);
  Process& first = Start({"sweep-worker", to, address, "--name", "first", "--slots", "1"});
  ASSERT_TRUE(completed(2));
  first.Signal(SIGTERM);
  EXPECT_EQ(first.Wait(), 0);

  WriteData(1);
  ASSERT_EQ(Sweep({"extend", "digits", "--run-cap", "4", to, address}).code, 0);
  Process& other = Start({"sweep-worker", to, address, "--name", "other", "--slots", "2"});
  ASSERT_TRUE(testing::Eventually([&] {
    return other.Output().find("worker other has other data than sweep digits") !=
           std::string::npos;
  })) << other.Output();
  json rows = ask({"workers"});
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [](const json& one) { return one["worker"] == "other"; });
  ASSERT_NE(row, rows.end()) << rows;
  EXPECT_EQ((*row)["other_data"][0]["sweep"], "digits");
  EXPECT_EQ((*row)["failed"], 0);
  EXPECT_THAT(Sweep({"workers", to, address}).output,
              HasSubstr("other gets no trials of digits: it has other data"));
  ASSERT_TRUE(testing::Eventually([&] {
    const std::string why = ask({"explain", "digits/4"})["reasons"].dump();
    return why.find("worker other has other data: sweep digits is trained on") != std::string::npos;
  }));
  EXPECT_EQ(ask({"trial", "digits/3"})["failures"], 0);
  EXPECT_LE(ask({"trial", "digits/4"})["attempt"].get<int>(), 1) << "it is not tried in a loop";

  WriteData(0);
  Start({"sweep-worker", to, address, "--name", "right", "--slots", "1"});
  EXPECT_TRUE(completed(4));
}

int CountOf(const std::string& word, const std::string& text) {
  int count = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}

TEST_F(DataProcessTest, AWorkerTrainsOnDataThatLieOnTheMachineOfWhoSubmitsOnly) {
  Process& coordinator =
      Start({"sweep-coordinator", "--http", "off", "--listen", "127.0.0.1:0", "--db", "sweep.db"});
  const std::string address = testing::WaitForAddress(coordinator);
  const std::string to = "--coordinator";
  const auto completed = [&](const std::string& sweep) {
    return testing::Eventually(
        [&] { return Ask({"show", sweep, to, address})["trials"]["completed"] == 2; });
  };
  const Result submitted = Sweep({"submit", sweep_file_, "--upload-data", to, address});
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  EXPECT_THAT(submitted.output, HasSubstr("uploaded"));
  const Result again = Sweep({"submit", sweep_file_, "--upload-data", to, address});
  ASSERT_EQ(again.code, 0) << again.output;
  EXPECT_THAT(again.output, AllOf(HasSubstr("is at the coordinator already"),
                                  HasSubstr("the file is unchanged: nothing was submitted")));
  const std::string away = folder_.path() + "/away";
  std::filesystem::rename(Data(), away);  // as on another machine
  Process& worker = Start({"sweep-worker", to, address, "--name", "far", "--slots", "2"});
  ASSERT_TRUE(completed("digits")) << worker.Output();
  EXPECT_EQ(CountOf("data set fetched", worker.Output()), 1) << "once for both slots";

  // Another sweep on the same data, from anywhere.
  std::filesystem::rename(away, Data());
  folder_.Write("more.yaml",
                "name: more\nmodel: cnn-18718\nmethod: grid\nepochs: 1\n"
                "parameters:\n  lr: {values: [0.1, 0.2]}\n"
                "dataset:\n  format: idx\n  path: digits\n");
  const Result more = Sweep({"submit", "more.yaml", "--upload-data", to, address});
  ASSERT_EQ(more.code, 0) << more.output;
  EXPECT_THAT(more.output, HasSubstr("is at the coordinator already"));
  std::filesystem::rename(Data(), away);
  ASSERT_TRUE(completed("more")) << worker.Output();
  EXPECT_EQ(CountOf("data set fetched", worker.Output()), 1) << "it is on the machine";
  EXPECT_EQ(Ask({"show", "digits", to, address})["data_sha256"],
            Ask({"show", "more", to, address})["data_sha256"]);
}

TEST_F(DataProcessTest, RunTakesUploadedDataFromItsDatabase) {
  const Result first = Sweep({"run", sweep_file_, "--upload-data"});
  ASSERT_EQ(first.code, 0) << first.output;
  ASSERT_EQ(Sweep({"extend", "digits", "--run-cap", "4"}).code, 0);
  const Result second = Sweep({"run", sweep_file_, "--upload-data"});
  EXPECT_EQ(second.code, 0) << second.output;
  EXPECT_EQ(Ask({"show", "digits"})["trials"]["completed"], 4);

  const std::string cache = folder_.path() + "/cache/sweep/data";
  std::filesystem::remove_all(cache);
  const Result replayed = Sweep({"replay", "digits/1"});
  EXPECT_TRUE(std::filesystem::exists(cache)) << "a replay fetches the data: " << replayed.output;

  // A file that names uploaded data works without the folder, where the data are.
  std::string name;
  for (const auto& entry : std::filesystem::directory_iterator(cache)) {
    if (entry.is_directory()) name = entry.path().filename();
  }
  ASSERT_EQ(name.size(), 64u);
  std::filesystem::remove_all(Data());
  std::filesystem::remove_all(cache);
  const auto file_on = [&](const std::string& data) {
    return "name: named\nmodel: cnn-18718\nmethod: grid\nepochs: 1\n"
           "parameters:\n  lr: {values: [0.1]}\ndataset: {format: idx, path: \"sha256:" +
           data + "\"}\n";
  };
  folder_.Write("named.yaml", file_on(name));
  const Result named = Sweep({"run", "named.yaml"});
  EXPECT_EQ(named.code, 0) << named.output;
  folder_.Write("lost.yaml", file_on(std::string(64, 'a')));
  const Result lost = Sweep({"run", "lost.yaml", "--new"});
  EXPECT_EQ(lost.code, 1) << lost.output;
  EXPECT_THAT(lost.output,
              AllOf(HasSubstr("sha256:" + std::string(64, 'a')),
                    HasSubstr("is not at this coordinator"), HasSubstr("--upload-data")));
}

TEST_F(DataProcessTest, WhatCannotBeUploadedIsRefusedBeforeAnythingIsSubmitted) {
  folder_.Write("synthetic.yaml",
                "name: s\nmodel: cnn-18718\nmethod: grid\nepochs: 1\ndataset: synthetic\n"
                "parameters:\n  lr: {values: [0.1]}\n");
  Process& coordinator =
      Start({"sweep-coordinator", "--http", "off", "--listen", "127.0.0.1:0", "--db", "sweep.db"});
  const std::string address = testing::WaitForAddress(coordinator);
  const Result other =
      Sweep({"submit", "synthetic.yaml", "--upload-data", "--coordinator", address});
  EXPECT_NE(other.code, 0);
  EXPECT_THAT(other.output,
              AllOf(HasSubstr("--upload-data is for files of your own"), HasSubstr("synthetic")));
  folder_.Write("digits/t10k-labels-idx1-ubyte", "no labels");
  const Result damaged = Sweep({"submit", sweep_file_, "--upload-data", "--coordinator", address});
  EXPECT_NE(damaged.code, 0);
  EXPECT_THAT(damaged.output, HasSubstr(Data() + "/t10k-labels-idx1-ubyte: "));
  EXPECT_EQ(Ask({"list", "--coordinator", address}).size(), 0u);
}

}  // namespace
}  // namespace sweep

// `sweep report` as a person uses it. A stand-in replaces sweep-trainer, so it needs no libtorch.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/report/report.h"
#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Result;

// The label would end the script element if it were not escaped.
constexpr char kReportSweep[] = R"(name: tiny
model: cnn-18718
dataset: {name: synthetic, train: 64, test: 200}
method: grid
labels: {note: "</script><script>alert(1)</script>"}
parameters: {lr: {values: [0.02, 0.05, 0.1]}}
epochs: 3
require: {accuracy: ">= 0.902", epochs: "< 3"}
)";
constexpr char kOpening[] = R"(<script type="application/json" id="sweep-report">)";

class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Result run = Sweep({"run", folder_.Write("tiny.yaml", kReportSweep)});
    ASSERT_EQ(run.code, 0) << run.output;
  }
  Result Sweep(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "sweep");
    return testing::Run({.command = arguments,
                         .folder = folder_.path(),
                         .environment = {{"SWEEP_TRAINER", FAKE_TRAINER}}},
                        std::chrono::seconds(90));
  }
  // Writes a report. False when this build has no pages.
  bool Write(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"report", "tiny"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Result result = Sweep(command);
    if (result.output.find("built without the pages") != std::string::npos) {
      EXPECT_EQ(result.code, 1);
      return false;
    }
    EXPECT_EQ(result.code, 0) << result.output;
    return true;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(folder_.path() + "/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  // The documents inside a report.
  json Documents(const std::string& name) const {
    const std::string report = Read(name);
    const std::size_t opening = report.find(kOpening);
    EXPECT_NE(opening, std::string::npos);
    const std::size_t begin = opening + sizeof(kOpening) - 1;
    return json::parse(report.substr(begin, report.find("</script>", begin) - begin));
  }
  testing::TemporaryFolder folder_;
};

TEST_F(ReportTest, IsOneFileWithEveryDocumentOfTheSweep) {
  if (!Write({"-o", "r.html", "--details", "2"})) GTEST_SKIP() << "built without the pages";
  const json documents = Documents("r.html");
  const std::string base = "/api/sweeps/tiny";
  for (const char* path : {"", "/curves?metric=validation_accuracy",
                           "/curves?metric=validation_loss", "/points?metric=validation_accuracy",
                           "/importance", "/model", "/ranking", "/trials", "/attempts"}) {
    EXPECT_TRUE(documents.contains(base + path)) << path;
  }
  EXPECT_EQ(documents[base]["labels"]["note"], "</script><script>alert(1)</script>");
  EXPECT_EQ(documents[base + "/ranking"]["rows"].size(), 3u);
  EXPECT_EQ(documents[base + "/trials"]["rows"].size(), 3u);
  EXPECT_EQ(documents[base + "/attempts"]["rows"][2]["trial"], 3);
  EXPECT_EQ(documents[base + "/attempts"]["rows"][2]["outcome"], "completed");
  EXPECT_TRUE(documents[base + "/curves?metric=validation_loss"]["ready"].get<bool>());
  int details = 0;
  for (int number = 1; number <= 3; ++number) {
    const std::string trial = base + "/trials/" + std::to_string(number);
    if (!documents.contains(trial)) continue;
    ++details;
    EXPECT_EQ(documents[trial]["epoch_rows"].size(), 3u);
    EXPECT_FALSE(documents[trial]["replay"].empty());
  }
  EXPECT_EQ(details, 2);
  EXPECT_FALSE(documents["/api/report"]["time"].get<std::string>().empty());
}

TEST_F(ReportTest, AsksNoOtherHostForAnything) {
  if (!Write({})) GTEST_SKIP() << "built without the pages";
  const std::string report = Read("tiny.html");
  EXPECT_THAT(report, AllOf(Not(HasSubstr("src=\"http")), Not(HasSubstr("href=\"http")),
                            Not(HasSubstr("@import")), Not(HasSubstr("</script><script>alert"))));
}

TEST_F(ReportTest, WhatCannotBeWrittenIsSaidAndLeavesNothing) {
  if (!Write({"-o", "kept.html"})) GTEST_SKIP() << "built without the pages";
  const Result unknown = Sweep({"report", "tinyy", "-o", "kept.html"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.output, HasSubstr("'tiny'"));
  EXPECT_THAT(Read("kept.html"), HasSubstr(kOpening)) << "the old file stays";
  const Result nowhere = Sweep({"report", "tiny", "-o", "no/such/r.html"});
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_THAT(nowhere.output, HasSubstr("no/such/r.html"));
  EXPECT_EQ(Sweep({"report", "tiny", "--details", "0"}).code, 2);
  EXPECT_EQ(Sweep({"report"}).code, 0) << "of the newest sweep";
}

TEST(FillReport, LeavesNoWayOutOfItsElement) {
  const std::string page = std::string("<body>") + kOpening + "{}</script></body>";
  const auto report = cli::FillReport(page, {{"a", "</script><!--"}});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(*report, std::string("<body>") + kOpening +
                         R"({"a":"\u003c/script>\u003c!--"}</script></body>)");
  EXPECT_FALSE(cli::FillReport("<body></body>", json::object()).ok());
}

}  // namespace
}  // namespace sweep

// Runs the programs in examples/ with the real client, coordinator and worker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using testing::Eventually;
using ::testing::HasSubstr;
using testing::Process;
using testing::Result;

constexpr std::chrono::seconds kPatience{110};

std::string Example(const std::string& name) { return SWEEP_SOURCE_DIR "/examples/" + name; }

std::string TextOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class ExamplesTest : public ::testing::Test {
 protected:
  // The folders of the dependencies that deploy/install-deps.sh has fetched.
  static std::map<std::string, std::string> Environment() {
    std::string path;
    for (const char* folder : {"/.deps", "/.deps/python"}) {
      if (std::filesystem::exists(SWEEP_SOURCE_DIR + std::string(folder))) {
        path += (path.empty() ? SWEEP_SOURCE_DIR : ":" SWEEP_SOURCE_DIR) + std::string(folder);
      }
    }
    std::map<std::string, std::string> environment = {{"SWEEP_TRAINER", "/nowhere/trainer"}};
    if (!path.empty()) environment["PYTHONPATH"] = path;
    return environment;
  }

  Result Sweep(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "sweep");
    return testing::Run(
        {.command = std::move(arguments), .folder = folder_.path(), .environment = Environment()},
        kPatience);
  }

  json Best(const std::string& sweep) {
    const Result best = Sweep({"best", sweep, "--format", "json"});
    return json::parse(best.output, nullptr, /*allow_exceptions=*/false);
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ExamplesTest, TheShellScriptTrainsAndIsRanked) {
  const Result run = Sweep({"run", Example("shell.yaml"), "--slots", "2"});
  ASSERT_EQ(run.code, 0) << run.output;
  const json rows = Best("shell");
  ASSERT_EQ(rows.size(), 9u) << rows;
  EXPECT_EQ(rows[0]["qualifies"], true);
  EXPECT_GT(rows[0]["value"].get<double>(), 0.93);
  EXPECT_LT(rows[8]["value"].get<double>(), 0.8) << "a line cannot part a circle";
  EXPECT_EQ(rows[8]["parameters"]["degree"], 1) << rows[8];
}

TEST_F(ExamplesTest, TheShellScriptTravelsToAWorkerThatAllowsIt) {
  const std::string place = folder_.path() + "/coordinator";
  std::filesystem::create_directories(place);
  Process coordinator(
      {.command = {"sweep-coordinator", "--http", "off", "--listen", "127.0.0.1:0", "--db", "c.db"},
       .folder = place});
  std::string address;
  ASSERT_TRUE(Eventually([&] {
    const std::string output = coordinator.Output();
    const std::size_t begin = output.find("127.0.0.1:");
    const std::size_t end = output.find('\n', begin);
    if (begin == std::string::npos || end == std::string::npos) return false;
    address = output.substr(begin, end - begin);
    return true;
  })) << coordinator.Output();
  ASSERT_EQ(Sweep({"submit", Example("shell.yaml"), "--coordinator", address}).code, 0);
  // Runs in a folder of its own, without the script.
  const std::string elsewhere = folder_.path() + "/worker";
  std::filesystem::create_directories(elsewhere);
  Process worker({.command = {"sweep-worker", "--coordinator", address, "--slots", "2", "--trainer",
                              "/bin/true", "--allow-program"},
                  .folder = elsewhere});
  const Result watch = Sweep({"watch", "shell", "--coordinator", address});
  EXPECT_EQ(watch.code, 0) << watch.output << worker.Output();
  const Result trials = Sweep({"trials", "shell", "--coordinator", address, "--format", "json"});
  EXPECT_THAT(trials.output, HasSubstr("completed"));
  EXPECT_EQ(trials.output.find("failed"), std::string::npos) << trials.output;
  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.Wait(), 0);
}

TEST_F(ExamplesTest, ThePyTorchScriptTrainsAndIsRanked) {
  const std::string import_torch =
      "PYTHONPATH='" + Environment()["PYTHONPATH"] + "' python3 -c 'import torch'";
  if (std::system((import_torch + " 2> /dev/null").c_str()) != 0) {
    GTEST_SKIP() << "python3 has no torch";
  }
  std::string text = TextOf(Example("pytorch.yaml"));
  const auto replace = [&](const std::string& from, const std::string& to) {
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
  };
  replace("{name: mnist, train: 6000, test: 1000}", "{name: synthetic, train: 600, test: 200}");
  replace("run_cap: 8", "run_cap: 2");
  replace("epochs: 3", "epochs: 2");
  replace(">= 0.95", ">= 0.2");
  folder_.Write("pytorch_train.py", TextOf(Example("pytorch_train.py")));
  const Result run = Sweep({"run", folder_.Write("pytorch.yaml", text), "--slots", "1"});
  ASSERT_EQ(run.code, 0) << run.output;
  const json rows = Best("pytorch");
  ASSERT_EQ(rows.size(), 2u) << rows;
  EXPECT_EQ(rows[0]["qualifies"], true);
  const Result trial = Sweep({"trial", "pytorch/1", "--format", "json"});
  const json document = json::parse(trial.output, nullptr, /*allow_exceptions=*/false);
  ASSERT_EQ(document["epoch_rows"].size(), 2u) << trial.output;
  EXPECT_GT(document["epoch_rows"][1]["values"]["images_per_second"].get<double>(), 0);
}

}  // namespace
}  // namespace sweep

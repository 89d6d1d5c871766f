// The services with their settings in files, and what is told of these settings.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/process.h"

namespace sweep {
namespace {

using ::testing::AllOf;
using testing::Eventually;
using ::testing::HasSubstr;
using testing::Process;
using testing::Result;

std::string TextOfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class ConfigurationProcessTest : public ::testing::Test {
 protected:
  Process::Options Command(std::vector<std::string> words,
                           std::map<std::string, std::string> environment = {}) const {
    return {.command = std::move(words),
            .folder = folder_.path(),
            .environment = std::move(environment)};
  }
  Result Run(std::vector<std::string> words,
             std::map<std::string, std::string> environment = {}) const {
    return testing::Run(Command(std::move(words), std::move(environment)));
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(ConfigurationProcessTest, AWorkerOfAnOlderBuildIsRefusedOrToldOf) {
  Process strict(Command({"sweep-coordinator", "--listen", "127.0.0.1:0", "--http", "off", "--db",
                          "strict.db", "--min-worker-build", "999"}));
  const Result refused = Run({"sweep-worker", "--coordinator", testing::WaitForAddress(strict),
                              "--name", "old", "--trainer", FAKE_TRAINER, "--work-dir", "."});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.output, HasSubstr("this coordinator takes none before 999"));

  Process kind(Command({"sweep-coordinator", "--listen", "127.0.0.1:0", "--http", "off", "--db",
                        "kind.db", "--warn-worker-build", "999.1"}));
  const std::string address = testing::WaitForAddress(kind);
  Process worker(Command({"sweep-worker", "--coordinator", address, "--name", "old", "--trainer",
                          FAKE_TRAINER, "--work-dir", "."}));
  EXPECT_TRUE(Eventually([&] {
    const std::string workers = Run({"sweep", "workers", "--coordinator", address}).output;
    return workers.find("the coordinator expects 999.1 or later") != std::string::npos;
  }));
  const Result wrong = Run({"sweep-coordinator", "--min-worker-build", "new"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.output, HasSubstr("must be a version, such as 0.2 or 0.2.1"));
}

TEST_F(ConfigurationProcessTest, TheServicesRunFromFilesAlone) {
  folder_.Write("coordinator.yaml",
                "listen: 127.0.0.1:0\nhttp: off\ndb: filed.db\nlease_term: 90\n");
  Process coordinator(Command({"sweep-coordinator", "--config", "coordinator.yaml"}));
  const std::string address = testing::WaitForAddress(coordinator);
  EXPECT_EQ(coordinator.Output().find("dashboard"), std::string::npos);

  folder_.Write("worker.yaml", "coordinator: " + address +
                                   "\nname: filed\nslots: 3\nlabel: [rack=3, 'zone=b, c']\n"
                                   "trainer: " FAKE_TRAINER "\nwork_dir: .\n");
  Process worker(Command({"sweep-worker"}, {{"SWEEP_WORKER_CONFIG", "worker.yaml"}}));
  const auto workers = [&] {
    return Run({"sweep", "workers", "--coordinator", address, "--format", "json"}).output;
  };
  EXPECT_TRUE(Eventually([&] { return workers().find("\"filed\"") != std::string::npos; }))
      << worker.Output();
  EXPECT_THAT(workers(), AllOf(HasSubstr("rack"), HasSubstr("b, c")));

  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.Wait(), 0) << worker.Output();
  coordinator.Signal(SIGTERM);
  EXPECT_EQ(coordinator.Wait(), 0) << coordinator.Output();
  // Actions know the file's settings too.
  const Result check = Run({"sweep-coordinator", "--config", "coordinator.yaml", "--check"});
  EXPECT_EQ(check.code, 0);
  EXPECT_THAT(check.output, HasSubstr("database 'filed.db'"));
}

TEST_F(ConfigurationProcessTest, WrongSettingsEndTheServicesWithTwo) {
  const struct {
    std::string program, text, complaint;
  } cases[] = {
      {"sweep-coordinator", "\nlistne: 0.0.0.0:7077\n", ":2: 'listne' is no setting of"},
      {"sweep-coordinator", "listen: 7077\n", ":1: listen: cannot listen on '7077'"},
      {"sweep-coordinator", "http: 0.0.0.0\n", ":1: http: cannot listen on '0.0.0.0'"},
      {"sweep-coordinator", "lease_term: nan\n", ":1: lease_term: nan is not above 0"},
      {"sweep-coordinator", "log_level: loud\n", ":1: log_level: 'loud' is not one of debug"},
      {"sweep-coordinator", "backup: b.db\n", ":1: 'backup' is no setting: --backup is only for"},
      {"sweep-coordinator", "check: true\n", ":1: 'check' is no setting: --check is only for"},
      {"sweep-worker", "slots: 0\n", ":1: slots: Value 0 not in range 1 to 1024"},
      {"sweep-worker", "coordinator: http://a:1\n",
       ":1: coordinator: 'http://a:1' is no HOST:PORT"},
      {"sweep-worker", "name: a b\n", ":1: name: 'a b' is not 1 to 63 letters"},
      {"sweep-worker", "device: tpu\n", ":1: device: 'tpu' is not auto, cpu or cuda:N"},
      {"sweep-worker", "label: [a=1, =b]\n", ":1: label: '=b' is not of the form KEY or KEY=VALUE"},
      {"sweep-worker", "data_cache_limit: 20\n",
       ":1: data_cache_limit: '20' is not a size such as 500 MB or 20 GB"},
      {"sweep-worker", "silence_timeout: soon\n", ":1: silence_timeout: 'soon' is not a duration"},
      {"sweep-worker", "db: a.db\n",
       ":1: 'db' is no setting of sweep-worker; there are coordinator"},
  };
  for (const auto& wrong : cases) {
    folder_.Write("wrong.yaml", wrong.text);
    const Result result = Run({wrong.program, "--config", "wrong.yaml"});
    EXPECT_EQ(result.code, 2) << wrong.text;
    EXPECT_THAT(result.output, HasSubstr(wrong.program + ": wrong.yaml" + wrong.complaint));
  }
  const Result missing = Run({"sweep-worker", "--config", "none.yaml"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.output, HasSubstr("sweep-worker: none.yaml: no such file"));
}

TEST_F(ConfigurationProcessTest, WhatIsPrintedIsAFileThatSaysTheSame) {
  const std::map<std::string, std::vector<std::string>> given = {
      {"sweep-coordinator", {"--listen", "[::1]:7077", "--lease-term", "90.5"}},
      {"sweep-worker",
       {"--coordinator", "alpha", "--allow-program", "--label", "note=a, b: # c", "--slots", "2"}}};
  for (const auto& [program, words] : given) {
    std::vector<std::string> command = {program, "--print-config"};
    command.insert(command.end(), words.begin(), words.end());
    const Result first = Run(command);
    ASSERT_EQ(first.code, 0) << first.output;
    folder_.Write("printed.yaml", first.output);
    const Result second = Run({program, "--config", "printed.yaml", "--print-config"});
    ASSERT_EQ(second.code, 0) << second.output;
    const auto without_origins = [](const std::string& text) {
      std::string rest;
      std::istringstream lines(text);
      for (std::string line; std::getline(lines, line);) {
        rest += line.substr(0, line.rfind("  # ")) + "\n";
      }
      return rest.substr(rest.find("none\n") == std::string::npos ? 0 : rest.find("none\n") + 5);
    };
    EXPECT_THAT(second.output, HasSubstr("# Configuration file: printed.yaml (--config)\n"));
    EXPECT_THAT(without_origins(second.output), HasSubstr(without_origins(first.output)));
  }
}

TEST_F(ConfigurationProcessTest, OlderVariablesAndThoseOfOthersDoNoHarm) {
  const Result worker =
      Run({"sweep-worker", "--print-config"},
          {{"SWEEP_COORDINATOR", "alpha:7077"},
           {"SWEEP_DATA_DIR", "/srv/mnist"},
           {"SWEEP_ALLOW_PROGRAM", "1"},
           {"SWEEP_WORKER_FOLDER", "/tmp/another"},  // of a worker around this one
           {"SWEEP_WORKER_OPTIONS", "--slots 2"}});
  EXPECT_EQ(worker.code, 0);
  EXPECT_THAT(worker.output, AllOf(HasSubstr("coordinator: alpha:7077  # SWEEP_COORDINATOR\n"),
                                   HasSubstr("data_dir: /srv/mnist  # SWEEP_DATA_DIR\n"),
                                   HasSubstr("allow_program: true  # SWEEP_ALLOW_PROGRAM\n")));
  const Result coordinator = Run({"sweep-coordinator", "--print-config"},
                                 {{"SWEEP_COORDINATOR", "alpha:7077"},
                                  {"SWEEP_COORDINATOR_OPTIONS", "--db a.db"},
                                  {"SWEEP_COORDINATOR_PORT", "tcp://10.0.0.1:7077"},
                                  {"SWEEP_COORDINATOR_PORT_7077_TCP_ADDR", "10.0.0.1"},
                                  {"SWEEP_COORDINATOR_SERVICE_HOST", "10.0.0.1"}});
  EXPECT_EQ(coordinator.code, 0) << coordinator.output;
}

// The text with every setting that is commented out made one.
std::string WithAllSettings(const std::string& text) {
  std::string all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool is_setting = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    all += (is_setting ? line.substr(1) : line) + "\n";
  }
  return all;
}

TEST_F(ConfigurationProcessTest, TheFilesOfThePackagesAreRight) {
  for (const std::string service : {"coordinator", "worker"}) {
    const std::string text =
        TextOfFile(SWEEP_SOURCE_DIR "/deploy/packages/settings/" + service + ".yaml");
    ASSERT_NE(text, "") << service;
    const std::string all = WithAllSettings(text);
    EXPECT_NE(all, text);
    for (const std::string& written : {text, all}) {
      folder_.Write("packaged.yaml", written);
      const Result result =
          Run({"sweep-" + service, "--config", "packaged.yaml", "--print-config"});
      EXPECT_EQ(result.code, 0) << result.output;
    }
  }
}

TEST_F(ConfigurationProcessTest, ThePageListsEverySetting) {
  const std::string path = SWEEP_SOURCE_DIR "/docs/configuration.md";
  std::string page = TextOfFile(path);
  for (const std::string program : {"sweep-coordinator", "sweep-worker"}) {
    const std::string table = Run({program, "__settings"}).output;
    const std::string begin = "<!-- begin " + program + " -->\n", end = "<!-- end -->\n";
    const std::size_t from = page.find(begin), to = page.find(end, from);
    ASSERT_TRUE(from != std::string::npos && to != std::string::npos) << program;
    const std::size_t first = from + begin.size();
    if (std::getenv("SWEEP_UPDATE_GOLDEN") != nullptr) {
      page.replace(first, to - first, table);
      std::ofstream(path, std::ios::binary) << page;
    } else {
      EXPECT_EQ(page.substr(first, to - first), table)
          << "docs/configuration.md is not what the program says; make it anew with\n"
             "  SWEEP_UPDATE_GOLDEN=1 ctest -R ConfigurationProcess";
    }
  }
}

}  // namespace
}  // namespace sweep

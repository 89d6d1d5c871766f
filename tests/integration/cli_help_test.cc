// Help, docs/cli.md, completion, the configuration file and suggestions: how the client explains
// itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/present/text.h"
#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using testing::Result;

std::string ReadText(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class CliHelpTest : public ::testing::Test {
 protected:
  Result Sweep(std::vector<std::string> arguments,
               std::map<std::string, std::string> environment = {}) {
    arguments.insert(arguments.begin(), "sweep");
    return testing::Run(
        {.command = arguments, .folder = folder_.path(), .environment = std::move(environment)});
  }
  // The words that the shell would offer for the last word.
  std::vector<std::string> Completions(std::vector<std::string> words) {
    words.insert(words.begin(), {"__complete", "--"});
    std::vector<std::string> candidates;
    for (const std::string& line : Lines(Sweep(words).output)) {
      candidates.push_back(line.substr(0, line.find('\t')));
    }
    return candidates;
  }
  std::map<std::string, std::string> WithConfig() {
    return {{"SWEEP_CONFIG", folder_.path() + "/config.yaml"}};
  }
  testing::TemporaryFolder folder_;
};

using CliDocsTest = CliHelpTest;

TEST_F(CliHelpTest, TheOverviewFitsAScreenAndNamesEveryCommandThatExists) {
  const Result help = Sweep({"--help"});
  ASSERT_EQ(help.code, 0);
  const std::vector<std::string> lines = Lines(help.output);
  EXPECT_LE(lines.size(), 23u) << "one line is for the prompt\n" << help.output;
  for (const std::string& line : lines) EXPECT_LE(cli::DisplayWidth(line), 80) << line;
  for (const char* command :
       {"run",      "submit",  "watch",   "list",   "show",   "best",  "pause",   "resume",
        "cancel",   "retry",   "confirm", "extend", "trials", "trial", "explain", "networks",
        "validate", "preview", "workers", "worker", "config", "report"}) {
    EXPECT_THAT(help.output, HasSubstr("  " + std::string(command) + " ")) << command;
  }
  for (const char* special :
       {"compare", "edit", "ask", "tell", "suggest", "replay", "completion"}) {
    EXPECT_THAT(lines[lines.size() - 2], HasSubstr(special));
  }
  for (const char* later : {"__complete", "__docs", "__man"}) {
    EXPECT_THAT(help.output, Not(HasSubstr(later)));
  }
  EXPECT_EQ(Sweep({"help"}).output, help.output);
}

TEST_F(CliHelpTest, EveryCommandHasAPageWithUsageAndExamples) {
  for (const std::string& command : Completions({""})) {
    if (command == "help") continue;
    const Result page = Sweep({"help", command});
    EXPECT_EQ(page.code, 0) << command;
    EXPECT_THAT(page.output,
                AllOf(HasSubstr("Usage: sweep " + command), HasSubstr("Examples:\n  ")))
        << command;
    EXPECT_EQ(Sweep({command, "--help"}).output, page.output);
    for (const std::string& line : Lines(page.output))
      EXPECT_LE(cli::DisplayWidth(line), 100) << line;
  }
  EXPECT_THAT(Sweep({"help", "worker", "drain"}).output,
              HasSubstr("Usage: sweep worker drain WORKER [OPTIONS]"));
  for (const char* topic : {"options", "coordinator", "environment", "output", "exit-codes"}) {
    EXPECT_EQ(Sweep({"help", topic}).code, 0) << topic;
  }
  const Result wrong = Sweep({"help", "puase"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.output, HasSubstr("did you mean 'pause'?"));
}

// The entry of a flag on a page of help: "--db FILE database file [default: sweep.db]" for --db.
std::string EntryOf(const std::string& page, const std::string& flag) {
  std::string entry;
  for (const std::string& line : Lines(page)) {
    const bool begins = line.starts_with("  -");
    if (begins && !entry.empty()) break;
    if (entry.empty() && (!begins || (line + " ").find(flag + " ") == std::string::npos)) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) entry += (entry.empty() ? "" : " ") + word;
  }
  return entry;
}

TEST_F(CliHelpTest, TheServicesNameEveryOptionWithItsDefault) {
  const std::map<std::string, std::map<std::string, std::string>> defaults = {
      {"sweep-coordinator",
       {{"--listen", "127.0.0.1:7077"},
        {"--http", "127.0.0.1:7078"},
        {"--db", "sweep.db"},
        {"--lease-term", "60"},
        {"--log-level", "info"}}},
      {"sweep-worker",
       {{"--device", "auto"},
        {"--silence-timeout", "10m"},
        {"--drain-grace", "10s"},
        {"--data-cache-limit", "20 GB"},
        {"--log-level", "info"}}}};
  for (const auto& [program, expected] : defaults) {
    const auto run = [&, program = program](const std::vector<std::string>& words) {
      std::vector<std::string> command = {program};
      command.insert(command.end(), words.begin(), words.end());
      return testing::Run({.command = command, .folder = folder_.path()});
    };
    const Result help = run({"--help"});
    EXPECT_EQ(help.code, 0) << program;
    EXPECT_THAT(help.output, HasSubstr("\n\nUsage: " + program + " [OPTIONS]\n")) << program;
    EXPECT_EQ(run({"-h"}).output, help.output);
    for (const std::string& line : Lines(help.output))
      EXPECT_LE(cli::DisplayWidth(line), 80) << line;
    const std::vector<std::string> offered = Lines(run({"__complete", "--", "--"}).output);
    EXPECT_GT(offered.size(), expected.size());
    for (const std::string& line : offered) {
      const std::string flag = line.substr(0, line.find('\t'));
      const std::string entry = EntryOf(help.output, flag);
      EXPECT_THAT(entry, HasSubstr(line.substr(line.find('\t') + 1))) << program << " " << flag;
      const auto fallback = expected.find(flag);
      const std::size_t at = entry.find("[default: ");
      EXPECT_EQ(at == std::string::npos ? "" : entry.substr(at),
                fallback == expected.end() ? "" : "[default: " + fallback->second + "]")
          << program << " " << flag;
    }
    for (const auto& [flag, fallback] : expected) EXPECT_NE(EntryOf(help.output, flag), "") << flag;
  }
  const std::string worker =
      testing::Run({.command = {"sweep-worker", "--help"}, .folder = folder_.path()}).output;
  // The defaults of these flags depend on the machine.
  for (const char* flag :
       {"--name", "--slots", "--threads", "--backend", "--trainer", "--work-dir"}) {
    EXPECT_THAT(EntryOf(worker, flag), HasSubstr("default: ")) << flag;
  }
  EXPECT_THAT(EntryOf(worker, "--coordinator"), HasSubstr("[env: SWEEP_COORDINATOR]"));
}

TEST_F(CliDocsTest, ThePageIsWhatTheProgramSays) {
  const std::string path = SWEEP_SOURCE_DIR "/docs/cli.md";
  const std::string now = Sweep({"__docs"}).output;
  if (std::getenv("SWEEP_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << now;
  EXPECT_TRUE(ReadText(path) == now)
      << "docs/cli.md is not what the program's help says; make it anew with\n"
         "  SWEEP_UPDATE_GOLDEN=1 ctest -R CliDocs";
}

TEST_F(CliHelpTest, WrongWordsNameTheNearestRightOne) {
  const struct {
    std::vector<std::string> words;
    std::string hint;
  } cases[] = {
      {{"puase", "x"}, "did you mean 'pause'?"},
      {{"--format", "json", "lsit"}, "did you mean 'list'?"},
      {{"pause", "x", "--nwo"}, "did you mean '--now'?"},
      {{"list", "--fromat", "json"}, "did you mean '--format'?"},
      {{"list", "--format", "tabel"}, "did you mean 'table'?"},
      {{"list", "--color=alwais"}, "did you mean 'always'?"},
      {{"trials", "x", "--state", "runing"}, "did you mean 'running'?"},
      {{"worker", "dran", "x"}, "did you mean 'drain'?"},
      {{"config", "set", "fromat", "json"}, "did you mean 'format'?"},
      {{"config", "set", "format", "jsno"}, "did you mean 'json'?"},
      {{"completion", "zhs"}, "did you mean 'zsh'?"},
      {{"networks", "cnn-18717"}, "did you mean 'cnn-18718'?"},
      {{"ls"}, "did you mean 'list'?"},
      {{"status"}, "did you mean 'list' or 'show'?"},
      {{"stop", "x"}, "did you mean 'pause' or 'cancel'?"},
      {{"rm", "x"}, "did you mean 'delete' or 'cancel'?"},
      {{"mv", "x", "y"}, "did you mean 'rename'?"},
      {{"diff", "x.yaml"}, "'sweep submit' shows how a file differs"},
      {{"unpause", "x"}, "did you mean 'resume'?"},
      {{"restart", "x"}, "did you mean 'resume' or 'retry'?"},
      {{"try", "x.yaml"}, "did you mean 'sweep run FILE --first'?"},
      {{"-v"}, "did you mean '--version'?"},
      {{"run", "x.yaml", "-j", "3"}, "did you mean '--slots'?"},
      {{"run", "-f", "x.yaml"}, "the file stands alone: sweep run FILE"},
      {{"run", "x.yaml", "--dry-run"}, "did you mean 'sweep preview'?"},
      {{"list", "--json"}, "did you mean '--format json'?"},
      {{"list", "--format", "JSON"}, "did you mean 'json'?"},
      {{"trials", "x", "-n", "3"}, "did you mean '--limit'?"},
      {{"worker", "stop", "x"}, "did you mean 'drain'?"},
      {{"workers", "drain", "x"}, "did you mean 'sweep worker drain'?"},
      {{"trial", "x", "2"}, "did you mean 'x/2'?"},
  };
  for (const auto& wrong : cases) {
    const Result result = Sweep(wrong.words);
    EXPECT_EQ(result.code, 2) << result.output;
    EXPECT_THAT(result.output, HasSubstr(wrong.hint));
  }
}

TEST_F(CliHelpTest, WhatIsMissingIsSaidWithTheUsage) {
  EXPECT_THAT(Sweep({}).output, HasSubstr("a command is missing"));
  EXPECT_THAT(Sweep({"pause"}).output,
              AllOf(HasSubstr("NAME"), HasSubstr("usage: sweep pause NAME [OPTIONS]")));
  EXPECT_THAT(Sweep({"extend", "x"}).output, HasSubstr("--run-cap"));
  EXPECT_THAT(Sweep({"worker"}).output, HasSubstr("'sweep worker' needs a command: list, drain"));
  EXPECT_THAT(Sweep({"list", "x"}).output, HasSubstr("takes no further argument 'x'"));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, {"pause"}, {"extend", "x"}, {"worker"}, {"list", "x"}}) {
    EXPECT_EQ(Sweep(words).code, 2);
  }
}

TEST_F(CliHelpTest, SettingsComeFromTheFlagThenTheEnvironmentThenTheFile) {
  std::map<std::string, std::string> environment = WithConfig();
  const auto setting = [&](const std::string& key, std::vector<std::string> words) {
    words.insert(words.begin(), {"config", "--format", "json"});
    for (const json& row : json::parse(Sweep(words, environment).output)) {
      if (row["key"] == key) return row;
    }
    return json();
  };
  EXPECT_EQ(setting("db", {})["source"], "default");
  ASSERT_EQ(Sweep({"config", "set", "db", "file.db"}, environment).code, 0);
  ASSERT_EQ(Sweep({"config", "set", "coordinator", "far:7077"}, environment).code, 0);
  EXPECT_EQ(setting("db", {})["value"], "file.db");
  EXPECT_EQ(setting("db", {})["source"], folder_.path() + "/config.yaml:1");
  environment["SWEEP_DB"] = "environment.db";
  EXPECT_EQ(setting("db", {})["value"], "environment.db");
  EXPECT_EQ(setting("db", {"--db", "flag.db"})["value"], "flag.db");
  EXPECT_EQ(setting("coordinator", {"--db", "flag.db"})["value"], nullptr)
      << "a database on the command line is meant more than a coordinator in the file";
  EXPECT_EQ(setting("coordinator", {})["value"], "far:7077");
  environment["SWEEP_FORMAT"] = "csv";
  EXPECT_THAT(Sweep({"config"}, environment).output, HasSubstr("format,csv,SWEEP_FORMAT"));
}

TEST_F(CliHelpTest, TheConfigurationFileKeepsItsCommentsAndRefusesMistakes) {
  const std::string path =
      folder_.Write("config.yaml", "# mine\nformat: json  # for jq\n# the end\n");
  ASSERT_EQ(Sweep({"config", "set", "color", "never"}, WithConfig()).code, 0);
  ASSERT_EQ(Sweep({"config", "set", "format", "csv"}, WithConfig()).code, 0);
  EXPECT_EQ(ReadText(path), "# mine\nformat: 'csv'\n# the end\ncolor: 'never'\n");
  ASSERT_EQ(Sweep({"config", "unset", "format"}, WithConfig()).code, 0);
  ASSERT_EQ(Sweep({"config", "unset", "format"}, WithConfig()).code, 0) << "twice is harmless";
  EXPECT_EQ(ReadText(path), "# mine\n# the end\ncolor: 'never'\n");
  folder_.Write("config.yaml", "{format: json, color: never}\n");
  ASSERT_EQ(Sweep({"config", "set", "format", "csv"}, WithConfig()).code, 0);
  EXPECT_THAT(ReadText(path), AllOf(HasSubstr("format: 'csv'"), HasSubstr("color: 'never'")));

  folder_.Write("config.yaml", "format: json\ncolour: never\n");
  const Result unknown = Sweep({"list"}, WithConfig());
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.output,
              AllOf(HasSubstr("config.yaml:2"), HasSubstr("colour"), HasSubstr("color")));
  folder_.Write("config.yaml", "\nformat: jsno\n");
  const Result bad = Sweep({"list"}, WithConfig());
  EXPECT_EQ(bad.code, 2);
  EXPECT_THAT(bad.output, AllOf(HasSubstr("config.yaml:2"), HasSubstr("jsno"),
                                HasSubstr("did you mean 'json'?")));
  EXPECT_EQ(Sweep({"config", "set", "color", "auto"}, WithConfig()).code, 2)
      << "and nothing is written over";
  EXPECT_EQ(Sweep({"--help"}, WithConfig()).code, 0) << "help needs no settings";
  EXPECT_EQ(Sweep({"list", "--coordinator", "http://nonsense"}).code, 2);
}

TEST_F(CliHelpTest, CompletesCommandsFlagsAndValues) {
  EXPECT_THAT(Completions({""}), IsSupersetOf({"run", "pause", "worker", "help"}));
  EXPECT_THAT(Completions({"res"}), ::testing::ElementsAre("resume"));
  EXPECT_THAT(Completions({"worker", ""}), ::testing::ElementsAre("list", "drain"));
  EXPECT_THAT(Completions({"pause", "x", "--n"}), ::testing::ElementsAre("--now"));
  EXPECT_THAT(Completions({"list", "--fo"}), ::testing::ElementsAre("--format"));
  EXPECT_THAT(Completions({"list", "--format", ""}),
              ::testing::ElementsAre("table", "json", "csv"));
  EXPECT_THAT(Completions({"list", "--format=j"}), ::testing::ElementsAre("--format=json"));
  EXPECT_THAT(Completions({"list", "--format", "=", "j"}), ::testing::ElementsAre("json"))
      << "as bash splits it";
  EXPECT_THAT(Completions({"trials", "x", "--state", "c"}),
              ::testing::ElementsAre("completed", "cancelled"));
  EXPECT_THAT(Completions({"run", ""}), Contains(":files"));
  EXPECT_THAT(Completions({"networks", "cnn-1871"}), IsSupersetOf({"cnn-18718"}));
  EXPECT_THAT(Completions({"config", "set", "co"}), ::testing::ElementsAre("coordinator", "color"));
  EXPECT_THAT(Completions({"export", "s", "--form"}), ::testing::ElementsAre("--format")) << "once";
  EXPECT_THAT(Completions({"export", "s", "--format", ""}),
              ::testing::ElementsAre("csv", "json", "optuna"));
}

TEST_F(CliHelpTest, CompletionOfLiveNamesNeverWaits) {
  const auto start = std::chrono::steady_clock::now();
  // A documentation address that swallows all packets, and a port that refuses connections.
  for (const char* address : {"192.0.2.1:7077", "127.0.0.1:1"}) {
    EXPECT_THAT(Completions({"--coordinator", address, "show", ""}), ::testing::IsEmpty());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(2500));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/sweep.db"));
}

class ShellTest : public CliHelpTest {
 protected:
  // Runs a script in a shell in which `sweep` is our program.
  std::string Shell(const std::string& command) {
    const std::string path = folder_.path() + "/shell-output";
    const std::string whole = "cd '" + folder_.path() + "' && PATH='" SWEEP_BIN_FOLDER "':$PATH " +
                              command + " > '" + path + "' 2>&1";
    EXPECT_EQ(std::system(whole.c_str()), 0) << ReadText(path);
    return ReadText(path);
  }
  static bool Has(const std::string& shell) {
    return std::system(("command -v " + shell + " > /dev/null").c_str()) == 0;
  }
};

TEST_F(ShellTest, BashCompletes) {
  if (!Has("bash")) GTEST_SKIP() << "there is no bash";
  folder_.Write("mine.yaml", "");
  const auto complete = [&](const std::string& words, int at) {
    return Shell("bash -c 'source <(sweep completion bash); COMP_WORDS=(" + words +
                 "); COMP_CWORD=" + std::to_string(at) + "; _sweep; echo \"${COMPREPLY[@]}\"'");
  };
  EXPECT_EQ(complete("sweep resu", 1), "resume\n");
  EXPECT_EQ(complete("sweep list --format \"\"", 3), "table json csv\n");
  EXPECT_EQ(complete("sweep run mi", 2), "mine.yaml\n");
}

TEST_F(ShellTest, ZshCompletes) {
  if (!Has("zsh")) GTEST_SKIP() << "there is no zsh";
  // compadd is zsh's way of offering words; here it prints them.
  const auto complete = [&](const std::string& words, int at) {
    return Shell(
        "zsh -fc 'compdef() {}; source <(sweep completion zsh); compadd() { while [[ $1 != -- ]]; "
        "do shift; "
        "done; shift; print -r -- $*; }; words=(" +
        words + "); CURRENT=" + std::to_string(at) + "; _sweep'");
  };
  EXPECT_EQ(complete("sweep resu", 2), "resume\n");
  EXPECT_EQ(complete("sweep list --format \"\"", 4), "table json csv\n");
}

TEST_F(ShellTest, FishCompletes) {
  if (!Has("fish")) GTEST_SKIP() << "there is no fish";
  const auto complete = [&](const std::string& words) {
    return Shell("fish -c 'sweep completion fish | source; complete -C \"" + words + "\"'");
  };
  EXPECT_EQ(complete("sweep resu"), "resume\tContinue a paused sweep\n");
  EXPECT_EQ(complete("sweep list --format ta"), "table\n");
}

TEST_F(CliHelpTest, CompletionOfOneProgramNamesNoOther) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_THAT(Sweep({"completion", shell}).output, HasSubstr("sweep-coordinator"));
    const std::string one = Sweep({"completion", shell, "sweep-worker"}).output;
    EXPECT_THAT(one, AllOf(HasSubstr("_sweep-worker"), Not(HasSubstr("sweep-coordinator")),
                           Not(HasSubstr("@FUNCTION@")), Not(HasSubstr("@PROGRAMS@"))));
  }
  EXPECT_EQ(Sweep({"completion", "bash", "sweep-trainer"}).code, 2);
}

TEST_F(CliHelpTest, ThePageOfTheManualHasEveryCommandAndTopic) {
  const std::string page = Sweep({"__man"}).output;
  for (const std::string& command : Completions({""})) {
    if (command != "help") EXPECT_THAT(page, HasSubstr(".SS \"sweep " + command)) << command;
  }
  for (const char* text : {".SS \"sweep worker drain WORKER", ".SH \"Exit codes\"",
                           ".B \"\\-\\-run\\-cap N\"", "SWEEP_COORDINATOR   HOST:PORT"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
}

}  // namespace
}  // namespace sweep

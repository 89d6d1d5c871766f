// The settings of a program: command line, environment, file. Whole runs of ParseProgram, as the
// services call it.

#include "common/command_line/program_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "common/command_line/options.h"
#include "common/command_line/program.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// What a program with options of all kinds has read.
struct Options {
  int slots = 1;
  double term = 60;
  std::string level = "info", db = "x.db", key, certificate, copy;
  std::vector<std::string> labels;
  bool allow = false, check = false;
};

class ProgramSettingsTest : public ::testing::Test {
 protected:
  ProgramSettingsTest() {
    std::string pattern = (fs::temp_directory_path() / "sweep-settings-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    file_ = folder_ + "/thing.yaml";
  }
  ~ProgramSettingsTest() override {
    for (const std::string& name : variables_) unsetenv(name.c_str());
    fs::remove_all(folder_);
  }

  void Write(const std::string& text) const { std::ofstream(file_, std::ios::binary) << text; }

  void Set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    variables_.push_back(name);
  }

  static void AddOptions(CLI::App* app, Options* options) {
    app->set_version_flag("--version", "sweep-thing 1");
    app->add_option("--slots", options->slots, "trials at once")->check(CLI::Range(1, 9));
    app->add_option("-t,--lease-term", options->term, "seconds")
        ->check(CLI::Range(1.0, 90.0))
        ->capture_default_str();
    app->add_option("--log-level", options->level, "how much")
        ->check(OneOf({"debug", "info", "warn"}))
        ->capture_default_str();
    app->add_option("--db", options->db, "database")->type_name("FILE")->envname("THE_DB");
    app->add_option("--label", options->labels, "labels")->type_name("TEXT");
    app->add_flag("--allow-program", options->allow, "others' code");
    CLI::Option* const key = app->add_option("--key", options->key, "key")->type_name("FILE");
    CLI::Option* const certificate =
        app->add_option("--certificate", options->certificate, "certificate")->type_name("FILE");
    key->needs(certificate);
    CLI::Option* const copy =
        app->add_option("--copy", options->copy, "copy")->configurable(false)->type_name("FILE");
    app->add_flag("--check", options->check, "check")->configurable(false)->excludes(copy);
  }

  // The exit code, or -1 when the program goes on with options_; out_ and err_ have its output.
  int Run(std::vector<std::string> words, bool db_is_required = false) {
    options_ = Options();
    CLI::App app("A program.", "sweep-thing");
    AddOptions(&app, &options_);
    app.get_option("--db")->required(db_is_required);
    words.insert(words.begin(), "sweep-thing");
    std::vector<const char*> argv;
    for (const std::string& word : words) argv.push_back(word.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const std::optional<int> code = ParseProgram(&app, static_cast<int>(argv.size()), argv.data());
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code.value_or(-1);
  }

  // The complaint about a file: what stands between the program's name and the reference to --help.
  std::string FaultIn(const std::string& text) {
    Write(text);
    EXPECT_EQ(Run({"--config", file_}), 2) << text.substr(0, 100);
    EXPECT_EQ(out_, "");
    return Complaint();
  }

  std::string Complaint() const {
    const std::string head = "sweep-thing: ", tail = "\nsee: sweep-thing --help\n";
    if (!err_.starts_with(head) || !err_.ends_with(tail)) return "no complaint: " + err_;
    std::string text = err_.substr(head.size(), err_.size() - head.size() - tail.size());
    for (std::size_t at; (at = text.find("\n" + head)) != std::string::npos;) {
      text.erase(at + 1, head.size());
    }
    for (std::size_t at; (at = text.find(file_)) != std::string::npos;) {
      text.replace(at, file_.size(), "FILE");
    }
    return text;
  }

  // The line of --print-config on a key.
  std::string Printed(const std::string& key, std::vector<std::string> words) {
    words.push_back("--print-config");
    EXPECT_EQ(Run(words), 0) << err_;
    std::istringstream lines(out_);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(key + ":") || line.starts_with("# " + key + ":")) return line;
    }
    return "";
  }

  std::string folder_, file_, out_, err_;
  std::vector<std::string> variables_;
  Options options_;
};

TEST_F(ProgramSettingsTest, AFileSetsOptionsOfEveryKind) {
  Write(
      "# of the night\n"
      "slots: 3\n"
      "lease_term: 1.5e1\n"
      "log_level: \"warn\"\n"
      "db: /var/lib/a b.db\n"
      "label: [rack=3, 'zone=b, c']\n"
      "allow_program: true\n");
  ASSERT_EQ(Run({"--config", file_}), -1) << err_;
  EXPECT_EQ(options_.slots, 3);
  EXPECT_EQ(options_.term, 15);
  EXPECT_EQ(options_.level, "warn");
  EXPECT_EQ(options_.db, "/var/lib/a b.db");
  EXPECT_THAT(options_.labels, ElementsAre("rack=3", "zone=b, c"));
  EXPECT_TRUE(options_.allow);

  Write("label: rack=3\nallow_program: false\n");
  ASSERT_EQ(Run({"--config=" + file_}), -1) << err_;
  EXPECT_THAT(options_.labels, ElementsAre("rack=3"));
  EXPECT_FALSE(options_.allow);
  EXPECT_EQ(options_.slots, 1);
}

TEST_F(ProgramSettingsTest, AFlagCountsMoreThanAVariableAndThatMoreThanTheFile) {
  Write("slots: 2\nlog_level: debug\nlabel: [a=1, b=2]\nallow_program: true\n");
  const std::vector<std::string> words = {"--config", file_};
  EXPECT_EQ(Printed("slots", words), "slots: 2  # " + file_ + ":1");
  EXPECT_EQ(Printed("lease_term", words), "lease_term: 60  # default");
  Set("SWEEP_THING_SLOTS", "3");
  Set("SWEEP_THING_ALLOW_PROGRAM", "0");
  EXPECT_EQ(Printed("slots", words), "slots: 3  # SWEEP_THING_SLOTS");
  EXPECT_EQ(Printed("slots", {"--config", file_, "--slots", "4"}), "slots: 4  # --slots");
  EXPECT_EQ(Printed("label", {"--config", file_, "--label", "c=3"}), "label: [c=3]  # --label");

  ASSERT_EQ(Run({"--slots", "4", "--config", file_, "--label", "c=3", "d=4"}), -1) << err_;
  EXPECT_EQ(options_.slots, 4);
  EXPECT_EQ(options_.level, "debug");
  EXPECT_THAT(options_.labels, ElementsAre("c=3", "d=4")) << "lists are not joined";
  EXPECT_FALSE(options_.allow) << "the variable says 0";
  ASSERT_EQ(Run({"--config", file_, "-t", "9", "--allow-program"}), -1) << err_;
  EXPECT_EQ(options_.term, 9);
  EXPECT_TRUE(options_.allow);
}

TEST_F(ProgramSettingsTest, EveryOptionHasAVariable) {
  Set("SWEEP_THING_LEASE_TERM", "7");
  Set("THE_DB", "their.db");
  Set("SWEEP_THING_LABEL", "[rack=3, zone=b]");
  Set("SWEEP_THING_LOG_LEVEL", "");
  ASSERT_EQ(Run({}), -1) << err_;
  EXPECT_EQ(options_.term, 7);
  EXPECT_EQ(options_.db, "their.db");
  EXPECT_THAT(options_.labels, ElementsAre("rack=3", "zone=b"));
  EXPECT_EQ(options_.level, "info") << "an empty variable is none";
  Set("SWEEP_THING_LABEL", "rack=3");
  ASSERT_EQ(Run({}), -1) << err_;
  EXPECT_THAT(options_.labels, ElementsAre("rack=3"));
}

TEST_F(ProgramSettingsTest, AVariableNamesTheFileUnlessTheFlagDoes) {
  Write("slots: 2\n");
  Set("SWEEP_THING_CONFIG", file_);
  ASSERT_EQ(Run({}), -1) << err_;
  EXPECT_EQ(options_.slots, 2);
  std::ofstream(folder_ + "/other.yaml") << "slots: 5\n";
  ASSERT_EQ(Run({"--config", folder_ + "/other.yaml"}), -1) << err_;
  EXPECT_EQ(options_.slots, 5);
  EXPECT_EQ(Run({"--print-config"}), 0);
  EXPECT_THAT(out_, HasSubstr("# Configuration file: " + file_ + " (SWEEP_THING_CONFIG)\n"));
  Set("SWEEP_THING_CONFIG", "");
  EXPECT_EQ(Run({"--print-config"}), 0);
  EXPECT_THAT(out_, HasSubstr("# Configuration file: none\n"));
  EXPECT_EQ(Run({"--config", ""}), 2);
  EXPECT_EQ(Complaint(), "--config: needs the name of a file");
}

TEST_F(ProgramSettingsTest, WhatIsPrintedSetsTheSame) {
  const std::vector<std::string> hostile = {
      "a: b # c", "[x", "- y",       "~",           "true",          "'",       "\"",
      "007",      "é",  "tab\there", "line\nbreak", "\x1b[2J\u202E", " blank ", "*a",
      "&b",       "!c", "%d",        "@e",          "a,b",           "{f}",     "null"};
  std::vector<std::string> words = {"--db", "a: b # 'c'", "--slots=4", "--allow-program"};
  for (const std::string& text : hostile) words.push_back("--label=" + text);
  ASSERT_EQ(Run(words), -1) << err_;
  const Options given = options_;
  words.push_back("--print-config");
  ASSERT_EQ(Run(words), 0) << err_;
  EXPECT_THAT(out_, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\u202E"))));
  // A file has no values of several lines, which a flag can have.
  std::string text = out_;
  for (const char* bad : {"\"tab\\there\", ", "\"line\\nbreak\", ", "\"\\x1b[2J\\u202e\", "}) {
    const std::size_t at = text.find(bad);
    ASSERT_NE(at, std::string::npos) << bad << " in " << text;
    text.erase(at, std::string(bad).size());
  }
  Write(text);
  ASSERT_EQ(Run({"--config", file_}), -1) << err_ << text;
  EXPECT_EQ(options_.db, given.db);
  EXPECT_EQ(options_.slots, 4);
  EXPECT_TRUE(options_.allow);
  std::vector<std::string> kept = hostile;
  std::erase_if(kept, [](const std::string& label) {
    return label.find_first_of("\t\n\x1b") != std::string::npos;
  });
  EXPECT_EQ(options_.labels, kept);
}

TEST_F(ProgramSettingsTest, PrintsEverySettingInOrder) {
  Write("label: x\n\nlog_level: warn\n");
  Set("THE_DB", "e.db");
  ASSERT_EQ(Run({"--config", file_, "--lease-term", "2", "--print-config"}), 0) << err_;
  EXPECT_EQ(out_,
            "# The settings of sweep-thing, each with where it comes from.\n"
            "# Configuration file: " +
                file_ +
                " (--config)\n"
                "# slots:  # default\n"
                "lease_term: 2  # --lease-term\n"
                "log_level: warn  # " +
                file_ +
                ":3\n"
                "db: e.db  # THE_DB\n"
                "label: [x]  # " +
                file_ +
                ":1\n"
                "allow_program: false  # default\n"
                "# key:  # default\n"
                "# certificate:  # default\n");
  EXPECT_EQ(err_, "");
}

TEST_F(ProgramSettingsTest, WrongKeysAreNamedWithTheirLineAndTheNearest) {
  EXPECT_EQ(FaultIn("db: a\nslot: 3\n"),
            "FILE:2: 'slot' is no setting of sweep-thing; did you mean 'slots'?");
  EXPECT_EQ(FaultIn("lease-term: 3\n"),
            "FILE:1: 'lease-term' is no setting of sweep-thing; did you mean 'lease_term'?");
  EXPECT_EQ(FaultIn("frobnicate: 3\n"),
            "FILE:1: 'frobnicate' is no setting of sweep-thing; there are slots, lease_term, "
            "log_level, db, label, allow_program, key, certificate");
  EXPECT_EQ(FaultIn("slots: 3\n\nslots: 4\n"), "FILE:3: 'slots' is given twice; first on line 1");
  EXPECT_THAT(FaultIn("\"x\\e[31m\": 3\n"), HasSubstr("FILE:1: 'x\\x1b[31m' is no setting"));
}

TEST_F(ProgramSettingsTest, EveryMistakeIsReported) {
  EXPECT_EQ(FaultIn("slot: 3\ndb: []\nlog_level: loud\n"),
            "FILE:1: 'slot' is no setting of sweep-thing; did you mean 'slots'?\n"
            "FILE:2: 'db' must be a single value, not a list\n"
            "FILE:3: log_level: 'loud' is not one of debug, info, warn");
}

TEST_F(ProgramSettingsTest, WrongValuesAreWhatTheOptionRefuses) {
  EXPECT_EQ(FaultIn("\nslots: 10\n"), "FILE:2: slots: Value 10 not in range 1 to 9");
  EXPECT_THAT(FaultIn("slots: many\n"), HasSubstr("FILE:1: slots: Value many not in range 1 to 9"));
  EXPECT_THAT(FaultIn("lease_term: 0\n"), HasSubstr("FILE:1: lease_term: Value 0 not in range"));
  EXPECT_EQ(FaultIn("log_level: wran\n"),
            "FILE:1: log_level: 'wran' is not one of debug, info, warn; did you mean 'warn'?");
  EXPECT_EQ(FaultIn("slots: [1, 2]\n"), "FILE:1: 'slots' must be a single value, not a list");
  EXPECT_EQ(FaultIn("slots: {a: 1}\n"), "FILE:1: 'slots' must be a single value, not a mapping");
  EXPECT_EQ(FaultIn("slots:\n"), "FILE:1: 'slots' has no value");
  EXPECT_EQ(FaultIn("db: ''\n"), "FILE:1: 'db' is empty; without the key, the default holds");
  EXPECT_EQ(FaultIn("db: \"a\\0b\"\n"), "FILE:1: 'db' has a control character or a second line");
  EXPECT_EQ(FaultIn("label: [a, [b]]\n"),
            "FILE:1: an item of 'label' must be a single value, not a list; if its text is meant, "
            "put it in quotes");
  EXPECT_EQ(FaultIn("label: []\n"), "FILE:1: 'label' must be a list of values, not an empty one");
  EXPECT_EQ(FaultIn("allow_program: yes\n"),
            "FILE:1: 'allow_program' must be one of true, false, not 'yes'");
}

TEST_F(ProgramSettingsTest, AWrongValueIsRefusedAlsoWhereItDoesNotCount) {
  Write("slots: 10\n");
  Set("SWEEP_THING_SLOTS", "11");
  EXPECT_EQ(Run({"--config", file_, "--slots", "2"}), 2);
  EXPECT_EQ(Complaint(),
            "FILE:1: slots: Value 10 not in range 1 to 9\n"
            "SWEEP_THING_SLOTS: Value 11 not in range 1 to 9");
}

TEST_F(ProgramSettingsTest, ActionsAreOnlyForTheCommandLine) {
  for (const char* key : {"check", "version", "help", "print_config", "config"}) {
    const std::string flag = key == std::string("print_config") ? "print-config" : key;
    EXPECT_EQ(FaultIn(std::string(key) + ": true\n"), "FILE:1: '" + std::string(key) +
                                                          "' is no setting: --" + flag +
                                                          " is only for the command line");
  }
  EXPECT_EQ(FaultIn("copy: a.db\n"),
            "FILE:1: 'copy' is no setting: --copy is only for the command line");
  Set("SWEEP_THING_CHECK", "1");
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(Complaint(), "SWEEP_THING_CHECK: --check is only for the command line");
  Set("SWEEP_THING_CHECK", "");
  EXPECT_EQ(Run({"--check"}), -1);
  EXPECT_TRUE(options_.check);
}

TEST_F(ProgramSettingsTest, WrongVariablesAreNamed) {
  const struct {
    std::string name, value, complaint;
  } cases[] = {
      {"SWEEP_THING_SLOTS", "x", "SWEEP_THING_SLOTS: Value x not in range 1 to 9"},
      {"SWEEP_THING_ALLOW_PROGRAM", "maybe",
       "SWEEP_THING_ALLOW_PROGRAM: 'maybe' is not true or false"},
      {"SWEEP_THING_LABEL", "[a",
       "SWEEP_THING_LABEL:1: not valid YAML: end of sequence flow not found"},
      {"SWEEP_THING_SLOT", "3",
       "SWEEP_THING_SLOT: is no variable of sweep-thing; did you mean 'SWEEP_THING_SLOTS'?"},
      {"SWEEP_THING_CONIFG", "x",
       "SWEEP_THING_CONIFG: is no variable of sweep-thing; did you mean 'SWEEP_THING_CONFIG'?"},
      {"SWEEP_THING_DB", "x",
       "SWEEP_THING_DB: is no variable of sweep-thing; did you mean 'THE_DB'?"},
  };
  for (const auto& wrong : cases) {
    Set(wrong.name, wrong.value);
    EXPECT_EQ(Run({}), 2) << wrong.name;
    EXPECT_EQ(Complaint(), wrong.complaint);
    unsetenv(wrong.name.c_str());
  }
  // As Kubernetes and our own packages set them.
  Set("SWEEP_THING_PORT", "tcp://10.0.0.1:7077");
  Set("SWEEP_THING_SERVICE_HOST", "10.0.0.1");
  Set("SWEEP_THING_OPTIONS", "--slots 2");
  EXPECT_EQ(Run({}), -1) << err_;
}

TEST_F(ProgramSettingsTest, WhatOptionsNeedMayStandElsewhere) {
  Write("certificate: c.pem\n");
  EXPECT_EQ(Run({"--config", file_, "--key", "k.pem"}), -1) << err_;
  EXPECT_EQ(options_.key, "k.pem");
  EXPECT_EQ(options_.certificate, "c.pem");
  EXPECT_EQ(FaultIn("key: k.pem\n"), "--key requires --certificate");
  Write("db: f.db\n");
  EXPECT_EQ(Run({"--config", file_}, /*db_is_required=*/true), -1) << err_;
  Set("THE_DB", "e.db");
  EXPECT_EQ(Run({}, /*db_is_required=*/true), -1) << err_;
  EXPECT_EQ(options_.db, "e.db");
}

TEST_F(ProgramSettingsTest, WhatIsRequiredMustStandSomewhere) {
  EXPECT_EQ(Run({}, /*db_is_required=*/true), 2);
  EXPECT_EQ(Complaint(), "--db is required; or set THE_DB, or db in the file of --config");
  EXPECT_EQ(Run({"--print-config"}, /*db_is_required=*/true), 0) << "a new file begins so";
  EXPECT_THAT(out_, HasSubstr("# db:  # required\n"));
}

TEST_F(ProgramSettingsTest, FilesThatAreNone) {
  EXPECT_EQ(Run({"--config", file_}), 2);
  EXPECT_EQ(Complaint(), "FILE: no such file");
  EXPECT_EQ(Run({"--config", folder_}), 2);
  EXPECT_EQ(Complaint(), folder_ + ": is a folder, not a file");
  ASSERT_EQ(mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(Run({"--config", folder_ + "/pipe"}), 2);
  EXPECT_EQ(Complaint(), folder_ + "/pipe: is a pipe, not a file");
  EXPECT_EQ(FaultIn("- slots\n"),
            "FILE:1: a configuration file must be a mapping (key: value), not a list");
  EXPECT_EQ(FaultIn("a: 1\n---\nb: 2\n"),
            "FILE:2: a second YAML document starts here; one is allowed");
  EXPECT_EQ(FaultIn("slots: \x01\n"),
            "FILE:1: is no text: it contains the control character U+0001, which YAML does not "
            "allow");
  EXPECT_EQ(FaultIn("slots: 1\ndb: [\n").substr(0, 23), "FILE:3: not valid YAML:");
  EXPECT_EQ(FaultIn(std::string(2 << 20, '#') + "\nslots: 1\n"),
            "FILE: has 1048577 bytes; the limit is 1048576");
  std::string bomb = "a0: &a0 [x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1) + ", ";
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int n = 0; n < 9; ++n) bomb += before;
    bomb += "]\n";
  }
  EXPECT_THAT(FaultIn(bomb), HasSubstr("more than 20000 values"));
}

TEST_F(ProgramSettingsTest, AnEmptyFileIsValid) {
  for (const char* text : {"", "# nothing yet\n", "{}\n"}) {
    Write(text);
    EXPECT_EQ(Run({"--config", file_}), -1) << err_;
    EXPECT_EQ(options_.slots, 1);
  }
}

TEST_F(ProgramSettingsTest, HelpComesWhateverIsWrongElsewhere) {
  Write("slot: 3\n");
  Set("SWEEP_THING_SLOTS", "x");
  EXPECT_EQ(Run({"--config", file_, "--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("SWEEP_THING_CONFIG]\n"));
  EXPECT_THAT(out_, HasSubstr("database [env: THE_DB]"))
      << "the options have their variables again";
  EXPECT_EQ(Run({"--config", file_, "--version"}), 0);
  EXPECT_EQ(Run({"--config", file_, "--slots", "x"}), 2);
  EXPECT_EQ(Complaint(), "--slots: Value x not in range 1 to 9") << "the command line comes first";
}

}  // namespace
}  // namespace sweep

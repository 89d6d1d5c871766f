#include "common/command_line/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/command_line/options.h"

namespace sweep {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() : app_("A program.", "sweep-thing") {
    app_.add_option("--slots", slots_, "trials at once")->check(CLI::Range(1, 9));
    app_.add_option("--log-level", level_, "how much")->check(OneOf({"debug", "info", "warn"}));
    app_.add_option("--db", db_, "database")->type_name("FILE");
    app_.set_version_flag("--version", "1");
  }

  // The exit code, or -1 when the program goes on; `out_` and `err_` hold its output.
  int Parse(std::vector<const char*> words) {
    words.insert(words.begin(), "sweep-thing");
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const std::optional<int> code =
        ParseProgram(&app_, static_cast<int>(words.size()), words.data());
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code.value_or(-1);
  }

  CLI::App app_;
  int slots_ = 0;
  std::string level_, db_, out_, err_;
};

TEST_F(ProgramTest, RightWordsGoOn) {
  EXPECT_EQ(Parse({"--slots", "3"}), -1);
  EXPECT_EQ(slots_, 3);
}

TEST_F(ProgramTest, WrongWordsNameTheNearestRightOne) {
  EXPECT_EQ(Parse({"--slot", "3"}), 2);
  EXPECT_THAT(err_, HasSubstr("sweep-thing: there is no option '--slot'; did you mean '--slots'?"));
  EXPECT_THAT(err_, HasSubstr("see: sweep-thing --help"));
  EXPECT_EQ(Parse({"-v"}), 2);
  EXPECT_THAT(err_, HasSubstr("did you mean '--version'?"));
  EXPECT_EQ(Parse({"--log-level", "wran"}), 2);
  EXPECT_THAT(err_, HasSubstr("did you mean 'warn'?"));
  EXPECT_EQ(Parse({"start"}), 2);
  EXPECT_THAT(err_, HasSubstr("takes no argument 'start'"));
  EXPECT_EQ(Parse({"version"}), 2);
  EXPECT_THAT(err_, HasSubstr("takes no argument 'version'; did you mean '--version'?"));
  EXPECT_EQ(Parse({"-j", "3"}), 2);
  EXPECT_THAT(err_, HasSubstr("did you mean '--slots'?"));
  EXPECT_EQ(Parse({"--bad\x1b[31m\u202E"}), 2);
  EXPECT_THAT(err_, HasSubstr("--bad\\x1b[31m\\u202e"));
}

TEST_F(ProgramTest, HelpHasALineForEveryOptionWithWhatHoldsWithoutIt) {
  app_.get_option("--slots")->default_str("1");
  app_.get_option("--db")->envname("THE_DB");
  for (const char* flag : {"--help", "-h"}) {
    EXPECT_EQ(Parse({flag}), 0);
    EXPECT_EQ(out_,
              "A program.\n\nUsage: sweep-thing [OPTIONS]\n\nOptions:\n"
              "  --slots N       trials at once [default: 1]\n"
              "  --log-level debug|info|warn\n"
              "                  how much\n"
              "  --db FILE       database [env: THE_DB]\n"
              "  --version       the version\n"
              "  --config FILE   a YAML file with these settings [env: SWEEP_THING_CONFIG]\n"
              "  --print-config  print the settings, and where each comes from\n"
              "  -h, --help      this help\n"
              "\n"
              "The file of --config has log_level for --log-level, and the environment\n"
              "SWEEP_THING_LOG_LEVEL, or what stands in [env: ...]. A flag counts more than a\n"
              "variable, that more than the file, that more than the default. Options that ask\n"
              "for an action stand only on the command line.\n");
  }
  EXPECT_EQ(Parse({"--version"}), 0);
  EXPECT_EQ(out_, "1\n");
}

TEST_F(ProgramTest, TheShellIsTold) {
  EXPECT_EQ(Parse({"__complete", "--", "--s"}), 0);
  EXPECT_EQ(out_, "--slots\ttrials at once\n");
  Parse({"__complete", "--", "--log-level", ""});
  EXPECT_EQ(out_, "debug\ninfo\nwarn\n");
  Parse({"__complete", "--", "--log-level", "=", "w"});
  EXPECT_EQ(out_, "warn\n");
  Parse({"__complete", "--", "--log-level=i"});
  EXPECT_EQ(out_, "--log-level=info\n");
  Parse({"__complete", "--", "--db", ""});
  EXPECT_EQ(out_, ":files\n");
  Parse({"__complete", "--", ""});
  EXPECT_THAT(out_, HasSubstr("--db\tdatabase\n"));
  EXPECT_THAT(out_, Not(HasSubstr("__complete")));
}

TEST_F(ProgramTest, ThePageOfTheManualHasEveryOption) {
  app_.get_option("--slots")->default_str("1");
  EXPECT_EQ(Parse({"__man"}), 0);
  EXPECT_THAT(out_, HasSubstr("sweep\\-thing \\- a program\n"));
  EXPECT_THAT(out_, HasSubstr(".B \"\\-\\-slots N\"\ntrials at once [default: 1]\n"));
  for (const char* flag :
       {"log\\-level debug|info|warn", "db FILE", "version", "config FILE", "help"}) {
    EXPECT_THAT(out_, HasSubstr("\\-\\-" + std::string(flag) + "\"\n"));
  }
  EXPECT_THAT(out_, HasSubstr(".B \"SWEEP_THING_LOG_LEVEL\"\n\\-\\-log\\-level\n"));
}

TEST_F(ProgramTest, TheTableOfSettingsHasEveryOptionButActions) {
  app_.get_option("--slots")->default_str("1");
  app_.get_option("--db")->required();
  EXPECT_EQ(Parse({"__settings"}), 0);
  EXPECT_EQ(out_,
            "| key | variable | value | default | meaning |\n"
            "|---|---|---|---|---|\n"
            "| `slots` | `SWEEP_THING_SLOTS` | N | `1` | trials at once |\n"
            "| `log_level` | `SWEEP_THING_LOG_LEVEL` | `debug`, `info`, `warn` |  | how much |\n"
            "| `db` | `SWEEP_THING_DB` | FILE | required | database |\n");
}

}  // namespace
}  // namespace sweep

#include "common/base/executable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace sweep {
namespace {

using ::testing::HasSubstr;

TEST(WhyNotExecutable, TakesScriptsWithAnInterpreter) {
  EXPECT_EQ(WhyNotExecutable("#!/bin/sh\necho\n"), "");
  EXPECT_EQ(WhyNotExecutable("#!  /usr/bin/env python3"), "");
  EXPECT_EQ(WhyNotExecutable("#!/bin/sh -e\n# a\r\n"), "") << "only the first line counts";
}

TEST(WhyNotExecutable, NamesAMissingLine) {
  EXPECT_THAT(WhyNotExecutable("import json\n"), HasSubstr("does not begin with #!"));
  EXPECT_THAT(WhyNotExecutable("#/bin/sh\n"), HasSubstr("does not begin with #!"));
  EXPECT_EQ(WhyNotExecutable(""), "it is empty");
  EXPECT_EQ(WhyNotExecutable(" #!/bin/sh\n"), "a blank stands before its #!");
  EXPECT_EQ(WhyNotExecutable("\n#!/bin/sh\n"), "an empty line stands before its #! line");
  EXPECT_EQ(WhyNotExecutable("\r\n\r\n#!/bin/sh\n"), "an empty line stands before its #! line");
  EXPECT_THAT(WhyNotExecutable("\xEF\xBB\xBF#!/bin/sh\n"), HasSubstr("byte order mark"));
  EXPECT_THAT(WhyNotExecutable("MZ\x90"), HasSubstr("Windows"));
}

TEST(WhyNotExecutable, NamesACarriageReturn) {
  for (const char* text :
       {"#!/bin/sh\r\necho\r\n", "#!/usr/bin/env python3\r\n", "#!/bin/sh -e\r\n", "#!/bin/sh\r"}) {
    EXPECT_THAT(WhyNotExecutable(text), HasSubstr("carriage return")) << text;
  }
  EXPECT_THAT(WhyNotExecutable("#!/bin/sh\r\n"), HasSubstr("'/bin/sh\\r'"));
  EXPECT_THAT(WhyNotExecutable("#!/usr/bin/env python3\r\n"), HasSubstr("'python3\\r'"));
}

TEST(WhyNotExecutable, NamesABadInterpreter) {
  EXPECT_EQ(WhyNotExecutable("#!\necho\n"), "its #! line names no interpreter");
  EXPECT_EQ(WhyNotExecutable("#!  "), "its #! line names no interpreter");
  EXPECT_THAT(WhyNotExecutable("#!python3\n"), HasSubstr("#!/usr/bin/env python3"));
  EXPECT_THAT(WhyNotExecutable("#!/" + std::string(300, 'x') + "\n"), HasSubstr("303 bytes"));
}

class WhyNotExecutableFileTest : public ::testing::Test {
 protected:
  WhyNotExecutableFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "executable-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~WhyNotExecutableFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text, mode_t mode = 0700) const {
    std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    chmod(path.c_str(), mode);
    return path;
  }
  static std::string OwnProgram() {
    std::ostringstream text;
    text << std::ifstream("/proc/self/exe", std::ios::binary).rdbuf();
    return text.str();
  }

  std::filesystem::path folder_;
};

TEST_F(WhyNotExecutableFileTest, TakesWhatRuns) {
  EXPECT_EQ(WhyNotExecutableFile("/proc/self/exe"), "");
  EXPECT_EQ(WhyNotExecutableFile("/bin/sh"), "");
  const std::string script = Write("a", "#!/bin/sh\nexit 0\n");
  EXPECT_EQ(WhyNotExecutableFile(script), "");
  EXPECT_EQ(std::system(script.c_str()), 0);
  EXPECT_EQ(WhyNotExecutableFile(Write("b", "#!" + script + "\n")), "");
  EXPECT_EQ(WhyNotExecutableFile(Write("c", "#!/usr/bin/env sh\n")), "");
}

TEST_F(WhyNotExecutableFileTest, TellsAbsentFromOtherThings) {
  EXPECT_EQ(WhyNotExecutableFile(folder_ / "none"), "it does not exist");
  EXPECT_EQ(WhyNotExecutableFile(folder_), "it is a folder");
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0700), 0);
  EXPECT_EQ(WhyNotExecutableFile(folder_ / "fifo"), "it is no regular file");
  std::filesystem::create_symlink("nowhere", folder_ / "link");
  EXPECT_EQ(WhyNotExecutableFile(folder_ / "link"), "it is a link that leads nowhere");
  EXPECT_THAT(WhyNotExecutableFile(Write("plain", "#!/bin/sh\n", 0600)), HasSubstr("chmod +x"));
}

TEST_F(WhyNotExecutableFileTest, NamesTheInterpreterThatIsMissing) {
  EXPECT_EQ(WhyNotExecutableFile(Write("a", "#!/nowhere/python3\n")),
            "its interpreter '/nowhere/python3' does not exist");
  EXPECT_THAT(WhyNotExecutableFile(Write("b", "#!/usr/bin/env no-such-thing\n")),
              HasSubstr("'no-such-thing', and there is none on PATH"));
  const std::string plain = Write("c", "text", 0600);
  EXPECT_THAT(WhyNotExecutableFile(Write("d", "#!" + plain + "\n")),
              HasSubstr("its interpreter '" + plain + "' cannot be executed: it lacks"));
  const std::string loop = folder_ / "loop";
  EXPECT_THAT(WhyNotExecutableFile(Write("loop", "#!" + loop + "\n")), HasSubstr("too deep"));
}

TEST_F(WhyNotExecutableFileTest, NamesAnotherMachine) {
  std::string program = OwnProgram();
  program[18] = program[18] == 0x3E ? '\xB7' : 0x3E;  // e_machine
  program[19] = 0;
  EXPECT_THAT(WhyNotExecutableFile(Write("other", program)), HasSubstr("and this machine is "));
  EXPECT_THAT(WhyNotExecutableFile(Write("cut",
                                         "\x7F"
                                         "ELF")),
              HasSubstr("cut off"));
  program = OwnProgram();
  const std::size_t linker = program.find("/ld-linux");
  ASSERT_LT(linker, 4096u);
  program[linker + 1] = 'X';
  EXPECT_THAT(WhyNotExecutableFile(Write("linker", program)), HasSubstr("its dynamic linker '"));
}

TEST_F(WhyNotExecutableFileTest, NamesAFolderWhereNothingMayBeExecuted) {
  // Most machines mount /dev/shm and /proc noexec; elsewhere there is nothing to test.
  const std::string path = "/dev/shm/executable-test-" + std::to_string(getpid());
  std::ofstream(path) << "#!/bin/sh\n";
  if (chmod(path.c_str(), 0700) != 0 || access(path.c_str(), X_OK) == 0) {
    unlink(path.c_str());
    GTEST_SKIP() << "/dev/shm is not mounted noexec";
  }
  EXPECT_THAT(WhyNotExecutableFile(path), HasSubstr("mounted noexec"));
  unlink(path.c_str());
}

}  // namespace
}  // namespace sweep

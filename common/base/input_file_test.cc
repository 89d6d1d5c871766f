#include "common/base/input_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace sweep {
namespace {

using ::testing::HasSubstr;

class InputFileTest : public ::testing::Test {
 protected:
  InputFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sweep-input-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~InputFileTest() override { std::filesystem::remove_all(folder_); }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
    return Path(name);
  }
  static std::string ErrorOf(const std::string& path, InputKind kind = InputKind::kRegular) {
    const InputFile file(path, kind);
    EXPECT_EQ(file.ok(), file.error().empty());
    return file.error();
  }
  std::string folder_;
};

TEST_F(InputFileTest, ReadsAFileToItsEnd) {
  const std::string text = std::string(3'000'000, 'x') + "end";
  InputFile file(Write("a", text));
  std::string bytes;
  ASSERT_TRUE(file.Read(10'000'000, &bytes)) << file.error();
  EXPECT_TRUE(bytes == text);
  InputFile empty(Write("b", ""));
  ASSERT_TRUE(empty.Read(10, &bytes));
  EXPECT_EQ(bytes, "");
}

TEST_F(InputFileTest, ReadsOneByteMoreOfWhatIsTooLong) {
  InputFile file(Write("a", "12345678"));
  std::string bytes;
  ASSERT_TRUE(file.Read(4, &bytes));
  EXPECT_EQ(bytes, "12345");
}

// The pipe has no writer: opening it as a file would block forever.
TEST_F(InputFileTest, RefusesANamedPipeAtOnce) {
  const std::string path = Path("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(ErrorOf(path), "is a pipe, not a file");
  EXPECT_EQ(ErrorOf(path, InputKind::kStreamToo), "is a pipe, not a file");
  std::filesystem::create_symlink(path, Path("link"));
  EXPECT_EQ(ErrorOf(Path("link")), "is a pipe, not a file");
}

TEST_F(InputFileTest, RefusesFoldersDevicesAndSockets) {
  EXPECT_EQ(ErrorOf(folder_), "is a folder, not a file");
  EXPECT_EQ(ErrorOf("/dev/zero"), "is a device, not a file");
  EXPECT_EQ(ErrorOf("/dev/zero", InputKind::kStreamToo), "is a device, not a file");
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string path = Path("s");
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(ErrorOf(path), "is a socket, not a file");
  close(fd);
}

TEST_F(InputFileTest, TellsWhatIsMissing) {
  const InputFile file(Path("nothing"));
  EXPECT_TRUE(file.is_missing());
  EXPECT_EQ(file.error(), "no such file");
  EXPECT_TRUE(InputFile(Write("f", "x") + "/below").is_missing());
  EXPECT_THAT(ErrorOf(std::string(5000, 'x')), HasSubstr("cannot be opened: "));
}

TEST_F(InputFileTest, ReadsAPipeThatItWasHandedWhereThatIsAllowed) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(write(ends[1], "hello", 5), 5);
  close(ends[1]);
  const std::string path = "/dev/fd/" + std::to_string(ends[0]);
  EXPECT_EQ(ErrorOf(path), "is a pipe, not a file");
  InputFile file(path, InputKind::kStreamToo);
  std::string bytes;
  ASSERT_TRUE(file.Read(100, &bytes)) << file.error();
  EXPECT_EQ(bytes, "hello");
  close(ends[0]);
}

}  // namespace
}  // namespace sweep

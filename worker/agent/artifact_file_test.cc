#include "worker/agent/artifact_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "common/base/ids.h"

namespace sweep {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

class ArtifactFileTest : public ::testing::Test {
 protected:
  ArtifactFileTest() : parent_(fs::temp_directory_path() / ("artifact-" + RandomHex(8))) {
    fs::create_directories(parent_ / "out");
  }
  ~ArtifactFileTest() override { fs::remove_all(parent_); }

  std::string Write(const std::string& name, const std::string& text) const {
    const fs::path path = parent_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }
  absl::StatusOr<std::string> Read(const std::string& path) const {
    const absl::StatusOr<ArtifactFile> file = ArtifactFile::Open(parent_ / "out", path);
    if (!file.ok()) return file.status();
    return file->Read();
  }
  std::string ReadError(const std::string& path) const {
    return std::string(Read(path).status().message());
  }

  const fs::path parent_;
};

TEST_F(ArtifactFileTest, IsReadByItsPathOrItsNameInTheFolder) {
  const std::string path = Write("out/a/weights", "bytes");
  EXPECT_EQ(*Read(path), "bytes");
  EXPECT_EQ(*Read("a/weights"), "bytes");
  EXPECT_EQ(*Read("./a/../a//weights"), "bytes");
  EXPECT_EQ(*Read(Write("out/empty", "")), "");
}

TEST_F(ArtifactFileTest, MayBeNamedByTheFoldersRealPath) {
  const std::string path = Write("real/out/weights", "bytes");
  fs::create_symlink("real", parent_ / "link");
  const absl::StatusOr<ArtifactFile> file =
      ArtifactFile::Open(parent_ / "link/out", fs::canonical(path));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file->Read(), "bytes");
}

TEST_F(ArtifactFileTest, StaysWhatItWasWhenItsNameIsGivenAway) {
  const std::string path = Write("out/checkpoint", "first");
  const absl::StatusOr<ArtifactFile> file = ArtifactFile::Open(parent_ / "out", path);
  ASSERT_TRUE(file.ok());
  fs::rename(Write("out/next", "second"), path);
  EXPECT_EQ(*file->Read(), "first");
}

TEST_F(ArtifactFileTest, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  const fs::path out = parent_ / "out";
  ASSERT_EQ(mkfifo((out / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(ReadError("pipe"), HasSubstr("is a pipe, not a regular file"));
  EXPECT_THAT(ReadError(Write("out/folder/x", "").substr(0, (out / "folder").string().size())),
              HasSubstr("is a folder"));
  Write("out/target", "x");
  fs::create_symlink("target", out / "link");
  EXPECT_THAT(ReadError("link"), HasSubstr("is a link"));
  fs::create_symlink("folder", out / "way");
  EXPECT_THAT(ReadError("way/x"), HasSubstr("'way' is a link or no folder"));
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, (out / "socket").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_THAT(ReadError("socket"), HasSubstr("is a socket"));
  close(fd);
}

TEST_F(ArtifactFileTest, LiesInItsFolder) {
  const std::string outside = Write("secret", "password");
  for (const std::string& path :
       std::initializer_list<std::string>{outside, "../secret", "/dev/zero", "/proc/self/environ",
                                          "out/../../secret", parent_ / "out", ".", ""}) {
    EXPECT_THAT(ReadError(path), HasSubstr("does not lie in its output_dir")) << path;
  }
  EXPECT_THAT(ReadError(parent_ / "out/none"), HasSubstr("is not there"));
}

TEST_F(ArtifactFileTest, IsNotFoundBehindAFolderThatWasExchangedForALink) {
  Write("elsewhere/secret", "password");
  fs::remove_all(parent_ / "out");
  fs::create_symlink("elsewhere", parent_ / "out");
  EXPECT_FALSE(Read("secret").ok());
  EXPECT_FALSE(Read(fs::canonical(parent_ / "elsewhere/secret")).ok());
}

TEST_F(ArtifactFileTest, HasAtMostSixtyFourMebibytes) {
  const std::string path = Write("out/huge", "x");
  ASSERT_EQ(truncate(path.c_str(), off_t{1} << 40), 0);  // takes no room
  const absl::StatusOr<std::string> text = Read(path);
  EXPECT_TRUE(absl::IsOutOfRange(text.status())) << text.status();
  EXPECT_THAT(std::string(text.status().message()), HasSubstr("1099511627776 bytes"));
}

}  // namespace
}  // namespace sweep

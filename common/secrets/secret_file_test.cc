#include "common/secrets/secret_file.h"

#include <gmock/gmock.h>

#include "common/secrets/testing/secrets_testing.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(SecretFile, ANewOneIsItsOwnersWhateverTheUmask) {
  const SecretsFolder folder;
  for (const mode_t mask : {mode_t{0}, mode_t{0777}}) {
    const mode_t before = umask(mask);
    const std::string path = folder.File("key" + std::to_string(mask));
    const absl::Status written = WriteNewSecretFile(path, "secret");
    umask(before);
    EXPECT_EQ(written, absl::OkStatus());
    EXPECT_EQ(SecretsFolder::Mode(path), 0600);
    EXPECT_EQ(*ReadSecretFile(path), "secret");
  }
}

TEST(SecretFile, ANewOneNeverReplacesOrFollowsAnything) {
  const SecretsFolder folder;
  folder.Write("there", "old");
  EXPECT_TRUE(absl::IsAlreadyExists(WriteNewSecretFile(folder.File("there"), "new")));
  EXPECT_EQ(SecretsFolder::Read(folder.File("there")), "old");
  fs::create_symlink(folder.File("nowhere"), folder.File("link"));
  EXPECT_TRUE(absl::IsAlreadyExists(WriteNewSecretFile(folder.File("link"), "new")));
  EXPECT_FALSE(fs::exists(folder.File("nowhere")));
}

TEST(SecretFile, OneThatEverybodyCanReadIsRefused) {
  const SecretsFolder folder;
  const std::string path = folder.Write("key", "do not repeat me");
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  EXPECT_TRUE(ReadSecretFile(path).ok()) << "a group may share it";
  for (const mode_t mode : {0604, 0602, 0601}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    const absl::Status refused = ReadSecretFile(path).status();
    EXPECT_TRUE(absl::IsPermissionDenied(refused)) << refused;
    EXPECT_THAT(Message(refused), HasSubstr(path));
    EXPECT_THAT(Message(refused), HasSubstr("chmod 600"));
    EXPECT_THAT(Message(refused), Not(HasSubstr("repeat")));
    EXPECT_TRUE(ReadPublicFile(path).ok());
  }
  // A link's own permissions say nothing: its file counts.
  fs::create_symlink(path, folder.File("link"));
  EXPECT_TRUE(absl::IsPermissionDenied(ReadSecretFile(folder.File("link")).status()));
}

TEST(SecretFile, OddFilesAreRefused) {
  const SecretsFolder folder;
  EXPECT_TRUE(absl::IsNotFound(ReadSecretFile(folder.File("none")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadSecretFile(folder.File(".")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadSecretFile(folder.Write("empty", "")).status()));
  const std::string long_text((256 << 10) + 1, 'x');
  EXPECT_TRUE(absl::IsInvalidArgument(ReadSecretFile(folder.Write("long", long_text)).status()));
  ASSERT_EQ(mkfifo(folder.File("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(ReadSecretFile(folder.File("pipe")).status()));
}

TEST(SecretFile, ReplacingKeepsTheGroupsPermissionsAndLinks) {
  const SecretsFolder folder;
  const std::string path = folder.Write("tokens", "old");
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  fs::create_symlink(path, folder.File("link"));
  EXPECT_EQ(ReplaceSecretFile(folder.File("link"), "new"), absl::OkStatus());
  EXPECT_TRUE(fs::is_symlink(folder.File("link")));
  EXPECT_EQ(SecretsFolder::Read(path), "new");
  EXPECT_EQ(SecretsFolder::Mode(path), 0640);
  EXPECT_EQ(ReplaceSecretFile(folder.File("first"), "new"), absl::OkStatus());
  EXPECT_EQ(SecretsFolder::Mode(folder.File("first")), 0600);
  EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(path).parent_path()), {}), 3)
      << "it left a temporary file behind";
}

}  // namespace
}  // namespace sweep

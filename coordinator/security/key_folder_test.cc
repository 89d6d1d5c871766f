#include "coordinator/security/key_folder.h"

#include <gmock/gmock.h>

#include "common/secrets/certificates.h"
#include "common/secrets/testing/secrets_testing.h"
#include "common/secrets/token.h"
#include "coordinator/security/token_file.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

class KeyFolderTest : public testing::Test {
 protected:
  absl::Status Make() { return MakeKeyFolder(keys_, HostsOfServer({"alpha"}), now_); }
  std::string File(const std::string& name) const { return keys_ + "/" + name; }

  const SecretsFolder folder_;
  const std::string keys_ = folder_.File("keys");
  const absl::Time now_ = absl::Now();
};

TEST_F(KeyFolderTest, HasAllThatAServiceNeedsForItsOwnerOnly) {
  const mode_t before = umask(0);
  const absl::Status made = Make();
  umask(before);
  ASSERT_EQ(made, absl::OkStatus());
  EXPECT_EQ(SecretsFolder::Mode(keys_), 0700);
  for (const fs::directory_entry& file : fs::directory_iterator(keys_)) {
    EXPECT_EQ(SecretsFolder::Mode(file.path()), 0600) << file.path();
  }
  EXPECT_TRUE(ReadIdentity(File("server.crt"), File("server.key"), now_).ok());
  EXPECT_TRUE(ReadIdentity(File("client.crt"), File("client.key"), now_).ok());
  EXPECT_TRUE(ReadAuthorities(File("ca.crt")).ok());
  const std::vector<StoredToken> tokens = *ReadTokens(File("tokens"));
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].digest, TokenDigest(*ReadTokenFile(File("admin.token"))));
  EXPECT_EQ(tokens[0].role, Role::kAdmin);
  EXPECT_EQ(tokens[1].digest, TokenDigest(*ReadTokenFile(File("worker.token"))));
  EXPECT_EQ(tokens[1].role, Role::kWorker);
  EXPECT_THAT(SecretsFolder::Read(File("hosts")), HasSubstr("alpha\n"));
  EXPECT_THAT(HostsOfServer({}), Contains("127.0.0.1"));
}

TEST_F(KeyFolderTest, NothingIsOverwritten) {
  fs::create_directory(keys_);
  for (const char* const file : {"server.key", "tokens"}) {
    ASSERT_EQ(WriteNewSecretFile(File(file), "mine"), absl::OkStatus());
    const absl::Status refused = Make();
    EXPECT_TRUE(absl::IsAlreadyExists(refused)) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(file));
    EXPECT_EQ(SecretsFolder::Read(File(file)), "mine");
    EXPECT_EQ(std::distance(fs::directory_iterator(keys_), {}), 1);
    fs::remove(File(file));
  }
  fs::create_symlink("/nowhere", File("ca.key"));
  EXPECT_TRUE(absl::IsAlreadyExists(Make()));
}

TEST_F(KeyFolderTest, AFailureLeavesNoKeysBehind) {
  EXPECT_TRUE(absl::IsInvalidArgument(MakeKeyFolder(keys_, {"no host"}, now_)));
  EXPECT_TRUE(fs::is_empty(keys_));
  fs::permissions(keys_, fs::perms::all);
  EXPECT_TRUE(absl::IsPermissionDenied(Make()));
}

TEST_F(KeyFolderTest, RenewingKeepsAuthorityNamesAndTokens) {
  ASSERT_EQ(Make(), absl::OkStatus());
  const auto read = [&](const std::string& name) { return SecretsFolder::Read(File(name)); };
  const std::string authority = read("ca.crt"), tokens = read("tokens"), hosts = read("hosts");
  const std::string certificate = read("server.crt"), key = read("server.key");
  const absl::Time later = now_ + absl::Hours(24 * 300);
  ASSERT_EQ(RenewKeyFolder(keys_, {}, later), absl::OkStatus());
  EXPECT_EQ(read("ca.crt"), authority);
  EXPECT_EQ(read("tokens"), tokens);
  EXPECT_EQ(read("hosts"), hosts);
  EXPECT_NE(read("server.crt"), certificate);
  EXPECT_NE(read("server.key"), key);
  const absl::StatusOr<Identity> renewed =
      ReadIdentity(File("server.crt"), File("server.key"), now_ + absl::Hours(24 * 400));
  EXPECT_TRUE(renewed.ok()) << renewed.status();
  ASSERT_EQ(RenewKeyFolder(keys_, {"beta"}, later), absl::OkStatus());
  EXPECT_EQ(read("hosts"), "beta\n");
  fs::remove(File("ca.key"));
  EXPECT_TRUE(absl::IsNotFound(RenewKeyFolder(keys_, {}, later)));
}

}  // namespace
}  // namespace sweep

#include "coordinator/security/token_table.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "common/secrets/testing/secrets_testing.h"

namespace sweep {
namespace {

TEST(TokenTable, FollowsItsFile) {
  const SecretsFolder folder;
  const std::string path = folder.File("tokens");
  const std::string ada = *AddToken(path, "ada", Role::kReader, absl::Now());
  const std::unique_ptr<TokenTable> table = *TokenTable::Open(path);
  ASSERT_NE(table->Find(ada), nullptr);
  EXPECT_EQ(table->Find(ada)->name, "ada");
  EXPECT_EQ(table->Find("swt_unknown"), nullptr);
  const std::string bob = *AddToken(path, "bob", Role::kWorker, absl::Now());
  ASSERT_NE(table->Find(bob), nullptr);
  EXPECT_EQ(table->Find(bob)->role, Role::kWorker);
  ASSERT_EQ(RevokeToken(path, "ada", absl::Now()), absl::OkStatus());
  EXPECT_TRUE(table->Find(ada)->revoked.has_value());
}

TEST(TokenTable, AFileThatCannotBeReadLeavesTheLastTokensInForce) {
  const SecretsFolder folder;
  const std::string path = folder.File("tokens");
  const std::string ada = *AddToken(path, "ada", Role::kReader, absl::Now());
  const std::unique_ptr<TokenTable> table = *TokenTable::Open(path);
  const std::string text = SecretsFolder::Read(path);
  folder.Write("tokens", "nonsense");
  EXPECT_NE(table->Find(ada), nullptr);
  std::filesystem::remove(path);
  EXPECT_NE(table->Find(ada), nullptr);
  folder.Write("tokens", "# nobody\n");
  EXPECT_EQ(table->Find(ada), nullptr);
  folder.Write("tokens", text);
  EXPECT_NE(table->Find(ada), nullptr);
}

// Lets this process open no file while it lives.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreFiles() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  rlimit before_{};
};

TEST(TokenTable, AFailureThatPassesHidesNoRevocation) {
  const SecretsFolder folder;
  const std::string path = folder.File("tokens");
  const std::string ada = *AddToken(path, "ada", Role::kReader, absl::Now());
  const std::unique_ptr<TokenTable> table = *TokenTable::Open(path, absl::ZeroDuration());
  ASSERT_EQ(RevokeToken(path, "ada", absl::Now()), absl::OkStatus());
  {
    const NoMoreFiles none;
    EXPECT_FALSE(table->Find(ada)->revoked.has_value()) << "the file cannot be read";
  }
  EXPECT_TRUE(table->Find(ada)->revoked.has_value());
}

TEST(TokenTable, NeedsASecretFile) {
  const SecretsFolder folder;
  const std::string path = folder.File("tokens");
  EXPECT_TRUE(absl::IsNotFound(TokenTable::Open(path).status()));
  ASSERT_TRUE(AddToken(path, "ada", Role::kReader, absl::Now()).ok());
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(TokenTable::Open(path).status()));
}

}  // namespace
}  // namespace sweep

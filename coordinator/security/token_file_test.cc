#include "coordinator/security/token_file.h"

#include <gmock/gmock.h>

#include <thread>

#include "common/secrets/testing/secrets_testing.h"
#include "common/secrets/token.h"

namespace sweep {
namespace {

using testing::HasSubstr;
using testing::Not;

class TokenFileTest : public testing::Test {
 protected:
  const SecretsFolder folder_;
  const std::string path_ = folder_.File("tokens");
  const absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(TokenFileTest, ATokenIsStoredAsItsDigest) {
  const absl::StatusOr<std::string> secret = AddToken(path_, "ada", Role::kSubmitter, now_);
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_TRUE(IsToken(*secret));
  EXPECT_THAT(SecretsFolder::Read(path_), Not(HasSubstr(secret->substr(4))));
  EXPECT_EQ(SecretsFolder::Mode(path_), 0600);
  const absl::StatusOr<std::vector<StoredToken>> tokens = ReadTokens(path_);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  ASSERT_EQ(tokens->size(), 1u);
  EXPECT_EQ(tokens->front().name, "ada");
  EXPECT_EQ(tokens->front().role, Role::kSubmitter);
  EXPECT_EQ(tokens->front().digest, TokenDigest(*secret));
  EXPECT_EQ(tokens->front().made, now_);
  EXPECT_FALSE(tokens->front().revoked.has_value());
}

TEST_F(TokenFileTest, RevokingKeepsTheRestAsItIs) {
  ASSERT_TRUE(AddToken(path_, "ada", Role::kAdmin, now_).ok());
  ASSERT_TRUE(AddToken(path_, "bob", Role::kReader, now_).ok());
  const std::string before = SecretsFolder::Read(path_);
  EXPECT_EQ(RevokeToken(path_, "ada", now_ + absl::Hours(1)), absl::OkStatus());
  EXPECT_EQ(RevokeToken(path_, "ada", now_ + absl::Hours(2)), absl::OkStatus());
  const std::vector<StoredToken> tokens = *ReadTokens(path_);
  EXPECT_EQ(tokens[0].revoked, now_ + absl::Hours(1));
  EXPECT_FALSE(tokens[1].revoked.has_value());
  std::string after = SecretsFolder::Read(path_);
  const std::string addition = " revoked 2027-01-15T09:00:00Z";
  ASSERT_NE(after.find(addition), std::string::npos) << after;
  EXPECT_EQ(after.erase(after.find(addition), addition.size()), before);
}

TEST_F(TokenFileTest, NamesAreUniqueForever) {
  ASSERT_TRUE(AddToken(path_, "ada", Role::kReader, now_).ok());
  ASSERT_EQ(RevokeToken(path_, "ada", now_), absl::OkStatus());
  EXPECT_TRUE(absl::IsAlreadyExists(AddToken(path_, "ada", Role::kAdmin, now_).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(AddToken(path_, "a b", Role::kAdmin, now_).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(AddToken(path_, "../x", Role::kAdmin, now_).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(AddToken(path_, "a\nb admin", Role::kAdmin, now_).status()));
  const absl::Status unknown = RevokeToken(path_, "adda", now_);
  EXPECT_TRUE(absl::IsNotFound(unknown));
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("'ada'"));
}

TEST_F(TokenFileTest, WrongLinesAreNamed) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::string good = "ada reader " + digest + " 2026-12-01T00:00:00Z";
  EXPECT_TRUE(ParseTokens("# head\n\n" + good + "\n").ok());
  const std::pair<std::string, std::string> kCases[] = {
      {"a/b reader " + digest + " 2026-12-01T00:00:00Z", "name"},
      {"ada redaer " + digest + " 2026-12-01T00:00:00Z", "'reader'"},
      {"ada reader " + std::string(64, 'a') + " 2026-12-01T00:00:00Z", "sha256:"},
      {"ada reader " + digest, "no time"},
      {good + " expired", "revoked"},
      {good + " revoked", "revoked"},
      {good + " revoked 2026-12-01T00:00:00Z more", "revoked"},
      {good + "\n" + good, "twice"}};
  for (const auto& [text, what] : kCases) {
    const absl::Status refused = ParseTokens("#\n" + text).status();
    ASSERT_FALSE(refused.ok()) << text;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("line "));
    EXPECT_THAT(std::string(refused.message()), HasSubstr(what));
    EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("aaaa"))) << "it repeats a digest";
  }
  ASSERT_EQ(WriteNewSecretFile(path_, "nonsense\n"), absl::OkStatus());
  EXPECT_THAT(std::string(ReadTokens(path_).status().message()), HasSubstr(path_));
  EXPECT_FALSE(AddToken(path_, "ada", Role::kReader, now_).ok());
  EXPECT_EQ(SecretsFolder::Read(path_), "nonsense\n");
}

TEST_F(TokenFileTest, WhoEditAtOnceLoseNothing) {
  {
    std::vector<std::jthread> editors;
    for (int i = 0; i < 8; ++i) {
      editors.emplace_back([this, i] {
        EXPECT_TRUE(AddToken(path_, "t" + std::to_string(i), Role::kReader, now_).ok());
      });
    }
  }
  EXPECT_EQ(ReadTokens(path_)->size(), 8u);
}

}  // namespace
}  // namespace sweep

#include "common/secrets/token.h"

#include <gmock/gmock.h>

#include "common/secrets/testing/secrets_testing.h"

namespace sweep {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Token, NewOnesDiffer) {
  const std::string token = NewToken();
  EXPECT_TRUE(IsToken(token)) << token;
  EXPECT_NE(token, NewToken());
  for (const std::string& bad :
       {std::string(), token + "0", token.substr(1), "swt_" + token, std::string("swt_")}) {
    EXPECT_FALSE(IsToken(bad)) << bad;
  }
}

TEST(Token, ItsDigestIsSha256) {
  // The example of FIPS 180-4.
  EXPECT_EQ(TokenDigest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(IsSameDigest(TokenDigest("abc"), TokenDigest("abc")));
  EXPECT_FALSE(IsSameDigest(TokenDigest("abc"), TokenDigest("abd")));
  EXPECT_FALSE(IsSameDigest(TokenDigest("abc"), ""));
}

TEST(Token, IsReadFromASecretFile) {
  const SecretsFolder folder;
  const std::string token = NewToken();
  const std::string path = folder.Write("token", "  " + token + "\n");
  EXPECT_EQ(*ReadTokenFile(path), token);
  const absl::Status none = ReadTokenFile(folder.Write("other", "hunter2")).status();
  EXPECT_TRUE(absl::IsInvalidArgument(none));
  EXPECT_THAT(std::string(none.message()), Not(HasSubstr("hunter2")));
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(ReadTokenFile(path).status()));
}

}  // namespace
}  // namespace sweep

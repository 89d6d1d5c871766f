#include "common/secrets/certificates.h"

#include <gmock/gmock.h>

#include "common/secrets/testing/secrets_testing.h"

namespace sweep {
namespace {

using testing::HasSubstr;

class CertificatesTest : public testing::Test {
 protected:
  absl::StatusOr<Identity> Read(const std::string& certificate, const std::string& key,
                                absl::Duration later = absl::ZeroDuration()) {
    return ReadIdentity(files_.File(certificate), files_.File(key), now_ + later);
  }

  const absl::Time now_ = absl::Now();
  TestAuthority files_{now_};
};

TEST_F(CertificatesTest, APairIsReadWithItsEnd) {
  const absl::StatusOr<Identity> identity = Read("server.crt", "server.key");
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->certificate, SecretsFolder::Read(files_.File("server.crt")));
  EXPECT_EQ(identity->key, SecretsFolder::Read(files_.File("server.key")));
  EXPECT_EQ(absl::ToUnixSeconds(identity->until),
            absl::ToUnixSeconds(now_ + Authority::kIdentityLifetime));
}

TEST_F(CertificatesTest, WhatDoesNotBelongTogetherIsRefused) {
  const absl::Status other = Read("server.crt", "client.key").status();
  EXPECT_TRUE(absl::IsInvalidArgument(other));
  EXPECT_THAT(std::string(other.message()), HasSubstr("client.key: is not the key of"));
  const absl::Status no_key = Read("server.crt", "client.crt").status();
  EXPECT_THAT(std::string(no_key.message()), HasSubstr("client.crt: has no private key"));
  const absl::Status no_certificate = Read("server.key", "server.key").status();
  EXPECT_THAT(std::string(no_certificate.message()), HasSubstr("has no certificate"));
  EXPECT_TRUE(absl::IsNotFound(Read("server.crt", "none").status()));
}

TEST_F(CertificatesTest, TheClockDecides) {
  for (const absl::Duration later : {-absl::Hours(2), Authority::kIdentityLifetime}) {
    const absl::Status refused = Read("server.crt", "server.key", later).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused));
    EXPECT_THAT(std::string(refused.message()), HasSubstr("by this machine's clock"));
  }
  EXPECT_TRUE(Read("server.crt", "server.key", -absl::Minutes(50)).ok())
      << "clocks that differ by less than an hour do not matter";
}

TEST_F(CertificatesTest, AuthoritiesAreCertificates) {
  EXPECT_TRUE(ReadAuthorities(files_.File("ca.crt")).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(ReadAuthorities(files_.File("server.key")).status()));
}

}  // namespace
}  // namespace sweep

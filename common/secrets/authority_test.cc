#include "common/secrets/authority.h"

#include <gmock/gmock.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/secrets/testing/secrets_testing.h"

namespace sweep {
namespace {

using testing::HasSubstr;

X509* Parse(const std::string& text) {
  BIO* const bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return certificate;
}

// Verifies as a TLS library does: X509_V_OK, or why not.
int Verify(const Authority& authority, const std::string& text, int purpose, absl::Time now) {
  X509* const root = Parse(authority.Text()->certificate);
  X509* const certificate = Parse(text);
  X509_STORE* const store = X509_STORE_new();
  X509_STORE_add_cert(store, root);
  X509_STORE_CTX* const context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, certificate, nullptr);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_STORE_CTX_set_time(context, 0, absl::ToTimeT(now));
  X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  X509_free(certificate);
  X509_free(root);
  return error;
}

class AuthorityTest : public testing::Test {
 protected:
  const absl::Time now_ = absl::Now();
  const Authority authority_ = *Authority::Make(now_);
};

TEST_F(AuthorityTest, EachIdentityIsForOnePurpose) {
  const std::string server = authority_.IssueServer({"alpha"}, now_)->certificate;
  const std::string client = authority_.IssueClient("w", now_)->certificate;
  EXPECT_EQ(Verify(authority_, server, X509_PURPOSE_SSL_SERVER, now_), X509_V_OK);
  EXPECT_EQ(Verify(authority_, client, X509_PURPOSE_SSL_CLIENT, now_), X509_V_OK);
  EXPECT_EQ(Verify(authority_, client, X509_PURPOSE_SSL_SERVER, now_), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(Verify(authority_, server, X509_PURPOSE_SSL_CLIENT, now_), X509_V_ERR_INVALID_PURPOSE);
}

TEST_F(AuthorityTest, AnotherAuthorityAndAnotherTimeAreNotBelieved) {
  const std::string server = authority_.IssueServer({"alpha"}, now_)->certificate;
  const Authority other = *Authority::Make(now_);
  EXPECT_NE(Verify(other, server, X509_PURPOSE_SSL_SERVER, now_), X509_V_OK);
  EXPECT_EQ(Verify(authority_, server, X509_PURPOSE_SSL_SERVER,
                   now_ + Authority::kIdentityLifetime + absl::Seconds(1)),
            X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_F(AuthorityTest, AServerHasItsNamesAndNoOthers) {
  X509* const server =
      Parse(authority_.IssueServer({"alpha", "10.0.0.7", "fe80::1"}, now_)->certificate);
  EXPECT_EQ(X509_check_host(server, "alpha", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(server, "beta", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(server, "10.0.0.7", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server, "fe80::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server, "10.0.0.8", 0), 0);
  X509_free(server);
  for (const char* bad : {"a,DNS:evil", "a b", "", "alpha:7077", "[::1]", "-a", "a\nb", "*"}) {
    const absl::Status refused = authority_.IssueServer({bad}, now_).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << bad;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(bad));
  }
  EXPECT_FALSE(authority_.IssueServer({}, now_).ok());
  EXPECT_FALSE(authority_.IssueClient("no/name", now_).ok());
}

TEST_F(AuthorityTest, AStoredOneSignsLikeTheFirst) {
  const IssuedIdentity text = *authority_.Text();
  const absl::StatusOr<Authority> loaded = Authority::Load(text.certificate, text.key);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const std::string server = loaded->IssueServer({"alpha"}, now_)->certificate;
  EXPECT_EQ(Verify(authority_, server, X509_PURPOSE_SSL_SERVER, now_), X509_V_OK);
  EXPECT_FALSE(Authority::Load(text.certificate, "no key").ok());
  EXPECT_FALSE(Authority::Load(text.certificate, Authority::Make(now_)->Text()->key).ok());
  const IssuedIdentity client = *authority_.IssueClient("w", now_);
  EXPECT_FALSE(Authority::Load(client.certificate, client.key).ok()) << "it may not sign";
}

}  // namespace
}  // namespace sweep

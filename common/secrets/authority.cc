#include "common/secrets/authority.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "common/base/ids.h"
#include "common/secrets/crypto_objects.h"

namespace sweep {
namespace {

using crypto::Bio;
using crypto::Certificate;
using crypto::Deleter;
using crypto::Key;
using BigNumber = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using AsnTime = std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>>;

constexpr absl::Duration kClocksDiffer = absl::Hours(1);
constexpr long kVersion3 = 2;  // as RFC 5280 counts
constexpr int kSerialBits = 127;
constexpr std::size_t kMostHostBytes = 253;

using Extensions = std::vector<std::pair<int, std::string>>;

struct Wish {
  std::string common_name;
  Extensions extensions;
  absl::Time from;
  absl::Time until;
};

// Null when libcrypto fails.
Key NewKey() { return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")); }

absl::Status CryptoError(const char* what) {
  char text[256] = "";
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  ERR_clear_error();
  return absl::InternalError(fmt::format("libcrypto cannot {}: {}", what, text));
}

bool SetSerial(X509* certificate) {
  const BigNumber number(BN_new());
  return number != nullptr && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ONE, 0) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetTimes(X509* certificate, const Wish& wish) {
  const AsnTime from(ASN1_TIME_set(nullptr, absl::ToTimeT(wish.from)));
  const AsnTime until(ASN1_TIME_set(nullptr, absl::ToTimeT(wish.until)));
  return from != nullptr && until != nullptr && X509_set1_notBefore(certificate, from.get()) == 1 &&
         X509_set1_notAfter(certificate, until.get()) == 1;
}

bool SetName(X509* certificate, const std::string& name) {
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1;
}

bool AddExtensions(X509* certificate, X509* issuer, const Extensions& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  return std::all_of(extensions.begin(), extensions.end(), [&](const auto& entry) {
    const Extension extension(
        X509V3_EXT_conf_nid(nullptr, &context, entry.first, entry.second.c_str()));
    return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
  });
}

// Signed by `issuer_key`; `issuer` is null for a certificate that signs itself.
Certificate Sign(const Wish& wish, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  Certificate certificate(X509_new());
  X509* const raw = certificate.get();
  if (raw == nullptr) return nullptr;
  X509* const by = issuer == nullptr ? raw : issuer;
  const bool good = X509_set_version(raw, kVersion3) == 1 && SetSerial(raw) &&
                    SetTimes(raw, wish) && SetName(raw, wish.common_name) &&
                    X509_set_issuer_name(raw, X509_get_subject_name(by)) == 1 &&
                    X509_set_pubkey(raw, key) == 1 && AddExtensions(raw, by, wish.extensions) &&
                    X509_sign(raw, issuer_key, EVP_sha256()) != 0;
  return good ? std::move(certificate) : nullptr;
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size <= 0 ? "" : std::string(data, static_cast<std::size_t>(size));
}

absl::StatusOr<IssuedIdentity> ToText(X509* certificate, EVP_PKEY* key) {
  const Bio public_part(BIO_new(BIO_s_mem()));
  const Bio secret_part(BIO_new(BIO_s_secmem()));
  if (public_part == nullptr || secret_part == nullptr ||
      PEM_write_bio_X509(public_part.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(secret_part.get(), key, nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1) {
    return CryptoError("write a key");
  }
  return IssuedIdentity{.certificate = TextOf(public_part.get()), .key = TextOf(secret_part.get())};
}

bool IsIpAddress(const std::string& host) {
  in6_addr parsed;
  return inet_pton(AF_INET, host.c_str(), &parsed) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

bool IsHostName(const std::string& host) {
  return !host.empty() && host.size() <= kMostHostBytes && host.front() != '-' &&
         host.front() != '.' && std::all_of(host.begin(), host.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' ||
                  c == '_';
         });
}

// Every host is checked first: OpenSSL reads this text as a list.
absl::StatusOr<std::string> AlternativeNames(const std::vector<std::string>& hosts) {
  if (hosts.empty()) return absl::InvalidArgumentError("a server needs a name or an address");
  std::vector<std::string> names;
  for (const std::string& host : hosts) {
    if (IsIpAddress(host)) {
      names.push_back("IP:" + host);
    } else if (IsHostName(host)) {
      names.push_back("DNS:" + host);
    } else {
      return absl::InvalidArgumentError(fmt::format(
          "'{}' is neither a host name nor an address (without port and brackets)", host));
    }
  }
  return fmt::format("{}", fmt::join(names, ","));
}

}  // namespace

struct Authority::Parts {
  Certificate certificate;
  Key key;

  absl::StatusOr<IssuedIdentity> Issue(const Wish& wish) const {
    const Key new_key = NewKey();
    if (new_key == nullptr) return CryptoError("make a key");
    const Certificate issued = Sign(wish, new_key.get(), certificate.get(), key.get());
    if (issued == nullptr) return CryptoError("sign a certificate");
    return ToText(issued.get(), new_key.get());
  }
};

Authority::Authority(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority& Authority::operator=(Authority&&) noexcept = default;
Authority::~Authority() = default;

absl::StatusOr<Authority> Authority::Make(absl::Time now) {
  auto parts = std::make_unique<Parts>();
  parts->key = NewKey();
  if (parts->key == nullptr) return CryptoError("make a key");
  // The random part tells authorities apart, which matters to those who trust several.
  const Wish wish{.common_name = "sweep authority " + RandomHex(4),
                  .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                 {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                 {NID_subject_key_identifier, "hash"}},
                  .from = now - kClocksDiffer,
                  .until = now + kLifetime};
  parts->certificate = Sign(wish, parts->key.get(), nullptr, parts->key.get());
  if (parts->certificate == nullptr) return CryptoError("sign a certificate");
  return Authority(std::move(parts));
}

absl::StatusOr<Authority> Authority::Load(const std::string& certificate, const std::string& key) {
  auto parts = std::make_unique<Parts>();
  parts->certificate = crypto::ReadCertificate(certificate);
  parts->key = crypto::ReadKey(key);
  const bool good = parts->certificate != nullptr && parts->key != nullptr &&
                    X509_check_private_key(parts->certificate.get(), parts->key.get()) == 1 &&
                    X509_check_ca(parts->certificate.get()) == 1;
  ERR_clear_error();
  if (good) return Authority(std::move(parts));
  return absl::InvalidArgumentError(
      "this is not the certificate of an authority with its key, in PEM format");
}

absl::StatusOr<IssuedIdentity> Authority::Text() const {
  return ToText(parts_->certificate.get(), parts_->key.get());
}

absl::StatusOr<IssuedIdentity> Authority::IssueServer(const std::vector<std::string>& hosts,
                                                      absl::Time now,
                                                      absl::Duration lifetime) const {
  const absl::StatusOr<std::string> names = AlternativeNames(hosts);
  if (!names.ok()) return names.status();
  return parts_->Issue({.common_name = "sweep-coordinator",
                        .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                                       {NID_key_usage, "critical,digitalSignature"},
                                       {NID_ext_key_usage, "serverAuth"},
                                       {NID_subject_key_identifier, "hash"},
                                       {NID_authority_key_identifier, "keyid:always"},
                                       {NID_subject_alt_name, *names}},
                        .from = now - kClocksDiffer,
                        .until = now + lifetime});
}

absl::StatusOr<IssuedIdentity> Authority::IssueClient(const std::string& name, absl::Time now,
                                                      absl::Duration lifetime) const {
  if (!IsValidName(name)) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is no name: 1 to 63 letters, digits, '.', '_' or '-'", name));
  }
  return parts_->Issue({.common_name = name,
                        .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                                       {NID_key_usage, "critical,digitalSignature"},
                                       {NID_ext_key_usage, "clientAuth"},
                                       {NID_subject_key_identifier, "hash"},
                                       {NID_authority_key_identifier, "keyid:always"}},
                        .from = now - kClocksDiffer,
                        .until = now + lifetime});
}

}  // namespace sweep

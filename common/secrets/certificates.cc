#include "common/secrets/certificates.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <ctime>

#include "common/secrets/crypto_objects.h"
#include "common/secrets/secret_file.h"

namespace sweep {
namespace {

absl::Time ToTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

absl::Status CheckTimes(const std::string& path, const X509* certificate, absl::Time now) {
  const absl::Time from = ToTime(X509_get0_notBefore(certificate));
  const absl::Time until = ToTime(X509_get0_notAfter(certificate));
  if (now >= from && now < until) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "{}: the certificate is valid from {} to {}, and it is {} by this machine's clock", path,
      absl::FormatTime(from, absl::UTCTimeZone()), absl::FormatTime(until, absl::UTCTimeZone()),
      absl::FormatTime(now, absl::UTCTimeZone())));
}

}  // namespace

absl::StatusOr<Identity> ReadIdentity(const std::string& certificate_path,
                                      const std::string& key_path, absl::Time now) {
  const absl::StatusOr<std::string> chain = ReadPublicFile(certificate_path);
  if (!chain.ok()) return chain.status();
  const absl::StatusOr<std::string> secret = ReadSecretFile(key_path);
  if (!secret.ok()) return secret.status();
  const crypto::Certificate certificate = crypto::ReadCertificate(*chain);
  const crypto::Key key = crypto::ReadKey(*secret);
  ERR_clear_error();
  if (certificate == nullptr) {
    return absl::InvalidArgumentError(certificate_path + ": has no certificate in PEM format");
  }
  if (key == nullptr) {
    return absl::InvalidArgumentError(key_path +
                                      ": has no private key in PEM format without a passphrase");
  }
  if (absl::Status status = CheckTimes(certificate_path, certificate.get(), now); !status.ok()) {
    return status;
  }
  const bool belongs = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!belongs) {
    return absl::InvalidArgumentError(
        fmt::format("{}: is not the key of the certificate in {}", key_path, certificate_path));
  }
  return Identity{.certificate = *chain,
                  .key = *secret,
                  .until = ToTime(X509_get0_notAfter(certificate.get()))};
}

absl::StatusOr<std::string> ReadAuthorities(const std::string& path) {
  absl::StatusOr<std::string> text = ReadPublicFile(path);
  if (!text.ok()) return text.status();
  const crypto::Certificate first = crypto::ReadCertificate(*text);
  ERR_clear_error();
  if (first != nullptr) return text;
  return absl::InvalidArgumentError(path + ": has no certificate in PEM format");
}

}  // namespace sweep

#include "common/secrets/token.h"

#include <openssl/crypto.h>

#include "absl/strings/ascii.h"
#include "common/base/ids.h"
#include "common/base/sha256.h"
#include "common/secrets/secret_file.h"

namespace sweep {
namespace {

constexpr char kPrefix[] = "swt_";
constexpr int kRandomBytes = 32;

}  // namespace

std::string NewToken() { return kPrefix + RandomHex(kRandomBytes); }

bool IsToken(std::string_view text) {
  return text.starts_with(kPrefix) && IsSha256Hex(text.substr(sizeof(kPrefix) - 1));
}

std::string TokenDigest(std::string_view token) { return Sha256Hex(token); }

bool IsSameDigest(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

absl::StatusOr<std::string> ReadTokenFile(const std::string& path) {
  absl::StatusOr<std::string> text = ReadSecretFile(path);
  if (!text.ok()) return text.status();
  absl::StripAsciiWhitespace(&*text);
  if (IsToken(*text)) return *std::move(text);
  return absl::InvalidArgumentError(
      path + ": it has no token, which is 'swt_' and 64 hexadecimal digits on one line");
}

}  // namespace sweep

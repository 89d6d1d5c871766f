#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sweep {

// Bearer tokens: "swt_" and 64 hexadecimal digits, 256 random bits. No salt and no slow hash is
// needed to store their digest: nobody can guess that many bits.

// A new one.
std::string NewToken();

bool IsToken(std::string_view text);

// SHA-256 in 64 hexadecimal digits: what is stored.
std::string TokenDigest(std::string_view token);

// Takes the same time wherever two digests of equal size differ.
bool IsSameDigest(std::string_view a, std::string_view b);

// The token in a secret file, whose only other content is white space. Errors of ReadSecretFile;
// InvalidArgument when it is no token, without repeating it.
absl::StatusOr<std::string> ReadTokenFile(const std::string& path);

}  // namespace sweep

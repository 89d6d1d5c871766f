#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sweep {

// What a program shows to prove who it is, as PEM.
struct Identity {
  std::string certificate;  // and those that signed it, up to the authority
  std::string key;
  absl::Time until;  // when the certificate expires
};

// Reads a certificate and its key. The key's file is secret (see ReadSecretFile). InvalidArgument,
// naming the file, when one holds something else, the two do not belong together, or the
// certificate is not valid at `now`; otherwise errors of reading.
absl::StatusOr<Identity> ReadIdentity(const std::string& certificate_path,
                                      const std::string& key_path, absl::Time now);

// Reads the certificates of one or more authorities, as PEM. InvalidArgument when the file has
// none.
absl::StatusOr<std::string> ReadAuthorities(const std::string& path);

}  // namespace sweep

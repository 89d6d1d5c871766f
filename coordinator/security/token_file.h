#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/security/roles.h"

namespace sweep {

// The file of tokens, a secret file (common/secrets/secret_file.h) with one token per line:
//
//   alice submitter sha256:9f86… 2026-12-01T00:00:00Z
//   old   worker    sha256:60b7… 2026-11-01T00:00:00Z revoked 2026-12-01T00:00:00Z
//
// Empty lines and those that begin with "#" mean nothing. It has digests, so whoever reads it
// cannot call with it; whoever writes it can let anybody in.

struct StoredToken {
  std::string name;
  Role role = Role::kReader;
  std::string digest;
  absl::Time made;
  std::optional<absl::Time> revoked;
};

// InvalidArgument names the line and what is wrong there, without repeating a digest.
absl::StatusOr<std::vector<StoredToken>> ParseTokens(std::string_view text);

// Errors of ReadSecretFile and ParseTokens, naming the file.
absl::StatusOr<std::vector<StoredToken>> ReadTokens(const std::string& path);

// Adds a token, making the file if there is none, and returns it: it is stored nowhere. One process
// at a time edits a file. AlreadyExists when one of that name is or was there; InvalidArgument for
// a name that is none (see IsValidName).
absl::StatusOr<std::string> AddToken(const std::string& path, const std::string& name, Role role,
                                     absl::Time now);

// From now on nobody may call with it. NotFound when there is no such token; revoking twice is
// harmless.
absl::Status RevokeToken(const std::string& path, const std::string& name, absl::Time now);

}  // namespace sweep

#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sweep {

// Files with keys and tokens. What is checked is checked on the open file, never on its name, which
// may mean another file a moment later.

// Reads a file that must be secret. PermissionDenied when everybody on this machine may read or
// change it (its group may: services share files so); InvalidArgument when it is no file, empty or
// over 256 KiB; NotFound. Messages name the file, never what is in it.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

// Reads a file that need not be secret, such as a certificate; otherwise the same.
absl::StatusOr<std::string> ReadPublicFile(const std::string& path);

// Makes a file that only its owner may read and write, whatever the umask. AlreadyExists when
// something has that name, be it a link to nowhere.
absl::Status WriteNewSecretFile(const std::string& path, std::string_view text);

// Replaces such a file as a whole or not at all, and durably. A link stays a link. The new file has
// the owner, group and permissions of the old one, less those of everybody else.
absl::Status ReplaceSecretFile(const std::string& path, std::string_view text);

}  // namespace sweep

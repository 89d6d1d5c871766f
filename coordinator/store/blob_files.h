#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace sweep {

// How blobs lie in their folder, for those who deal with the files themselves. Private to this
// library.

// The names of all blobs that a database refers to.
inline constexpr char kUsedBlobsSql[] =
    "SELECT sha256 FROM artifacts UNION SELECT checkpoint_sha256 FROM trials WHERE "
    "checkpoint_sha256 <> ''";

// "<folder>/ab" and "<folder>/ab/abcd…": two digits per folder keep folders small.
std::string BlobFolderOf(const std::string& folder, const std::string& sha256);
std::string BlobPath(const std::string& folder, const std::string& sha256);

// Whether a write failed with this errno for want of room: a full disk, a quota, a limit on the
// size of files.
bool MeansNoRoom(int error);
// Unavailable for a full disk, PermissionDenied, NotFound, or Internal.
absl::Status FileError(std::string_view what, const std::string& path, int error);
// Makes what was written to a file, or a folder's new and renamed entries, durable.
absl::Status SyncPath(const std::string& path);
// Durably; one that is there is fine.
absl::Status MakeBlobFolder(const std::string& folder);
// DataLoss when the file's bytes are not those of its name; NotFound when there is no file.
absl::Status VerifyBlobFile(const std::string& path, const std::string& sha256);
// A hard link, or a durable copy where none can be made.
absl::Status LinkOrCopy(const std::string& from, const std::string& to);

}  // namespace sweep

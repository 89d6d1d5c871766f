#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/store/sqlite.h"

namespace sweep {

// The layout of the blobs' folder. Private to this library.

// Selects the names of all blobs that a database of the newest schema refers to.
inline constexpr char kUsedBlobsSql[] =
    "SELECT sha256 FROM artifacts UNION SELECT checkpoint_sha256 FROM trials WHERE "
    "checkpoint_sha256 <> '' UNION SELECT sha256 FROM sweep_data";
// The same for a database of any schema version.
absl::StatusOr<std::string> UsedBlobsSql(Database& database);

// "<folder>/ab" and "<folder>/ab/abcd…": folders of two digits stay small.
std::string BlobFolderOf(const std::string& folder, const std::string& sha256);
std::string BlobPath(const std::string& folder, const std::string& sha256);

// True when this errno of a write means that there is no room: the disk is full, or a quota or a
// limit on the size of files is reached.
bool MeansNoRoom(int error);
// Unavailable for a full disk, PermissionDenied, NotFound, or Internal.
absl::Status FileError(std::string_view what, const std::string& path, int error);
// Makes a file's content, or the names in a folder, durable.
absl::Status SyncPath(const std::string& path);
// Creates the folder durably, unless it exists.
absl::Status MakeBlobFolder(const std::string& folder);
// DataLoss when the file's digest differs from its name; NotFound when there is no file.
absl::Status VerifyBlobFile(const std::string& path, const std::string& sha256);
// Makes a hard link, or a durable copy where the file system has no hard links.
absl::Status LinkOrCopy(const std::string& from, const std::string& to);

}  // namespace sweep

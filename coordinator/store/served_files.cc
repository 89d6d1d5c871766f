#include "coordinator/store/served_files.h"

#include <cerrno>
#include <cstring>

#include "fmt/format.h"

namespace sweep {

ServedFiles::ServedFiles(const DatabaseFile& database)
    : database_(database),
      files_({{"the database", database.path(), IdOfFile(database.path())},
              {"its lock file", database.lock(), IdOfFile(database.lock())},
              {"its write-ahead log", database.log(), std::nullopt},
              {"the index of its write-ahead log", database.log_index(), std::nullopt},
              {"the folder of its blobs", database.blobs(), std::nullopt}}) {}

absl::Status ServedFiles::Check() {
  MutexLock lock(&mutex_);
  for (File& file : files_) {
    const std::optional<FileId> now = IdOfFile(file.path);
    const int error = errno;
    if (!file.id) file.id = now;
    if (file.id == now) continue;
    const std::string how = now                ? "was replaced"
                            : error == ENOENT ? "was deleted or moved away"
                                              : fmt::format("cannot be found: {}",
                                                            std::strerror(error));
    return absl::UnavailableError(fmt::format(
        "database '{}': {} '{}' {} while it was in use; nothing of this was stored, and nothing "
        "will be until the same file is back or the coordinator is started again",
        database_.name(), file.what, file.path, how));
  }
  return absl::OkStatus();
}

void ServedFiles::ForgetLog() {
  MutexLock lock(&mutex_);
  for (File& file : files_) {
    if (file.path == database_.log() || file.path == database_.log_index()) file.id.reset();
  }
}

}  // namespace sweep

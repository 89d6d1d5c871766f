#pragma once

#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "common/protocol/program_files.h"

namespace sweep {

// Writes the files of sweeps' programs, each set once per worker process, into a folder that bears
// their digest: the first who asks fetches and writes, others who want the same set wait. A failure
// is not remembered, so the next trial tries again. Thread-safe.
class ProgramCache {
 public:
  using Fetch = std::function<absl::StatusOr<ProgramFiles>()>;

  // Everything is written below `folder`, which is made when it is needed.
  explicit ProgramCache(std::string folder) : folder_(std::move(folder)) {}

  // The folder that holds the files with this digest. What `fetch` gives is held against the digest
  // and the rules for names again, since it comes from outside: FailedPrecondition when the sweep
  // has other files by now, InvalidArgument for names that lead elsewhere.
  absl::StatusOr<std::string> Folder(const std::string& digest, const Fetch& fetch);

 private:
  struct Entry {
    bool busy = false;
    bool known = false;
  };

  absl::Status Write(const std::string& digest, const std::string& folder, const Fetch& fetch);

  const std::string folder_;
  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep

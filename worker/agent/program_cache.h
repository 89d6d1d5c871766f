#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "common/protocol/program_files.h"

namespace sweep {

// The files of sweeps' programs, and the folders in which programs run. The files that a sweep sent
// are kept in memory, where no program can change them; each slot has a copy on the disk, which is
// compared with them before every trial. So a program may write into its folder without effect on
// other slots or later trials. Thread-safe.
class ProgramCache {
 public:
  using Fetch = std::function<absl::StatusOr<ProgramFiles>()>;

  // Everything is written below `folder`, which is made when needed.
  explicit ProgramCache(std::string folder) : folder_(std::move(folder)) {}

  // Returns a folder of slot `slot` that holds exactly the files with this digest, as they were
  // sent: the folder of the slot's last trial if it is unchanged, else a new one. The first caller
  // fetches the files of a digest, others wait; a failure is not remembered. The result of `fetch`
  // comes from outside, so its digest and names are checked again: FailedPrecondition when the
  // sweep has other files by now, InvalidArgument for names that lead elsewhere. One call per slot
  // at a time.
  absl::StatusOr<std::string> Folder(int slot, const std::string& digest, const Fetch& fetch);

  // A new, empty folder for one process's temporary files; "" when it cannot be made.
  std::string MakeTempDir(int slot);
  // The folder is not needed any more. Returns at once; CollectGarbage removes it.
  void Discard(std::string folder);
  void CollectGarbage();

 private:
  // Shared, since slots copy the files while the cache may drop them.
  using SharedFiles = std::shared_ptr<const ProgramFiles>;
  struct Entry {
    bool busy = false;
    SharedFiles files;        // null: not fetched
    std::uint64_t asked = 0;  // when it was last asked for, by turns_
  };
  struct Copy {
    std::string digest;
    std::string folder;
    int number = 0;
  };

  absl::StatusOr<SharedFiles> Files(const std::string& digest, const Fetch& fetch);
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string folder_;
  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t turns_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int, Copy> copies_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> garbage_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t temp_dirs_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sweep

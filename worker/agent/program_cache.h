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

// The files of sweeps' programs, and the folders in which programs run. What a sweep has sent is
// kept in memory, where no program can change it; each slot has a copy on the disk, which is held
// against it before every trial. So a program may write into its folder, and what it does there
// reaches neither other slots nor later trials. Thread-safe.
class ProgramCache {
 public:
  using Fetch = std::function<absl::StatusOr<ProgramFiles>()>;

  // Everything is written below `folder`, which is made when it is needed.
  explicit ProgramCache(std::string folder) : folder_(std::move(folder)) {}

  // A folder of slot `slot` that holds exactly the files with this digest, as they were sent: the
  // one of its last trial if it still does, else a new one. The files of one digest are fetched
  // once, by the first who asks; others wait; a failure is not remembered. What `fetch` gives is
  // held against the digest and the rules for names again, since it comes from outside:
  // FailedPrecondition when the sweep has other files by now, InvalidArgument for names that lead
  // elsewhere. One call per slot at a time.
  absl::StatusOr<std::string> Folder(int slot, const std::string& digest, const Fetch& fetch);

  // A new, empty folder for one process's temporary files; "" when it cannot be made.
  std::string MakeTempDir(int slot);
  // It is not needed any more. Returns at once; CollectGarbage removes it.
  void Discard(std::string folder);
  void CollectGarbage();

 private:
  // Shared by the slots that copy the files while the cache may forget them.
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

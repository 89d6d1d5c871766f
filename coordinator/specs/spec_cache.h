#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/store/store.h"

namespace sweep {

// Shared by the cache, the scheduler and answers under way.
using SharedSpec = std::shared_ptr<const SweepSpec>;

// The file of a stored sweep, as this build reads it.
struct StoredSpec {
  // Never null. If the file is not accepted, it has only the values of the sweep's row: name,
  // labels, objectives and replicates; neither method nor parameters, and no number of epochs.
  SharedSpec spec;
  // Why this build does not accept the file, "FILE:LINE: message"; empty when it does.
  std::string refusal;

  bool is_accepted() const { return refusal.empty(); }
};

// The spec from the row of a sweep whose file is not at hand, with the same values as for a file
// that is not accepted, but without a refusal.
StoredSpec SpecOfRow(const SweepRow& row);

// The message for people about a sweep whose file is not accepted.
std::string NotAccepted(const StoredSpec& stored);
// The same as FailedPrecondition, for calls that would train the sweep.
absl::Status NotAcceptedError(const std::string& sweep, const StoredSpec& stored);

// The only place where a coordinator parses stored sweep files, each once. Keeps those of
// unfinished sweeps until Release or Drop, and the most recently used others. Thread-safe. A large
// search space takes seconds to parse: methods that may parse say so, and must not be called on
// gRPC's threads or by the store's writer.
class SpecCache {
 public:
  // The store must outlive the cache.
  explicit SpecCache(Store* store) : store_(store) {}

  // For calls that show the sweep, whether its file is accepted or not. `row` may come from a list,
  // without its source. NotFound when the sweep is gone. May parse and read the store; of several
  // threads that ask for one sweep, only one parses.
  absl::StatusOr<StoredSpec> Show(const SweepRow& row);
  absl::StatusOr<StoredSpec> Show(const std::string& sweep);
  // For calls that train it. As Show, but FailedPrecondition when the file is not accepted.
  absl::StatusOr<SharedSpec> Get(const std::string& sweep);

  // The spec if it is cached; any thread.
  std::optional<StoredSpec> Known(const SweepRow& row) ABSL_LOCKS_EXCLUDED(mutex_);
  std::optional<StoredSpec> Known(const std::string& sweep) ABSL_LOCKS_EXCLUDED(mutex_);

  // The sweep's file was edited; `row` is as afterwards. Any thread, like all below.
  void Replace(const SweepRow& row, StoredSpec stored) ABSL_LOCKS_EXCLUDED(mutex_);
  // Keeps an unfinished sweep's spec until Release or Drop.
  void Keep(const SweepRow& row, StoredSpec stored) ABSL_LOCKS_EXCLUDED(mutex_);
  // The sweep has ended.
  void Release(std::int64_t sweep_id) ABSL_LOCKS_EXCLUDED(mutex_);
  // The sweep was deleted or renamed, so its name is invalid or means another sweep.
  void Drop(std::int64_t sweep_id) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    std::string name;           // the sweep's name at the time of parsing
    std::int64_t revision = 0;  // of its file
    StoredSpec stored;
    bool is_kept = false;
    std::uint64_t used = 0;
  };

  // nullptr also when it is of an earlier file.
  Entry* Find(const SweepRow& row) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Nothing if a later file's is there.
  void Put(std::int64_t sweep_id, Entry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remove(std::int64_t sweep_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveLeastUsed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<StoredSpec> ReadAndParse(const SweepRow& row) const;

  Store* const store_;
  Mutex mutex_;
  CondVar parsed_;
  std::set<std::pair<std::int64_t, std::string>> parsing_ ABSL_GUARDED_BY(mutex_);  // id and name
  std::map<std::int64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);                   // by sweep id
  std::map<std::string, std::int64_t> ids_ ABSL_GUARDED_BY(mutex_);  // of the entries, by name
  std::size_t kept_ ABSL_GUARDED_BY(mutex_) = 0;                     // number of kept entries
  std::uint64_t uses_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t drops_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sweep

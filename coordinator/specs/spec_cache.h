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
  // Never null. Of a file that is not accepted it has only what the sweep's row says: name, labels,
  // objectives and replicates; neither method nor parameters, and no number of epochs.
  SharedSpec spec;
  // Why this build does not accept the file, "FILE:LINE: message"; empty: it does.
  std::string refusal;

  bool is_accepted() const { return refusal.empty(); }
};

// What the row says of a sweep whose file is not at hand; as StoredSpec of one that is not
// accepted, without a refusal.
StoredSpec SpecOfRow(const SweepRow& row);

// The words for people about a sweep whose file is not accepted.
std::string NotAccepted(const StoredSpec& stored);
// The same as FailedPrecondition, for who wants to have the sweep trained.
absl::Status NotAcceptedError(const std::string& sweep, const StoredSpec& stored);

// The one place of a coordinator where stored sweep files are parsed, each once. Keeps those of
// sweeps that have not ended for as long as the scheduler wants, and the most recently used others.
// Thread-safe. A large search space takes seconds to parse: methods that may do it say so, and are
// not for gRPC's threads nor the store's writer.
class SpecCache {
 public:
  // The store outlives the cache.
  explicit SpecCache(Store* store) : store_(store) {}

  // For who shows the sweep, whether its file is accepted or not. `row` may come from a list,
  // without its source. NotFound when the sweep is gone. May parse and read the store; of threads
  // that ask for the same sweep at once, one does.
  absl::StatusOr<StoredSpec> Show(const SweepRow& row);
  absl::StatusOr<StoredSpec> Show(const std::string& sweep);
  // For who has it trained. As Show, but FailedPrecondition when the file is not accepted.
  absl::StatusOr<SharedSpec> Get(const std::string& sweep);

  // What is known without reading anything; any thread.
  std::optional<StoredSpec> Known(const SweepRow& row) ABSL_LOCKS_EXCLUDED(mutex_);
  std::optional<StoredSpec> Known(const std::string& sweep) ABSL_LOCKS_EXCLUDED(mutex_);

  // Of a sweep that has not ended: stays until Release or Drop. Any thread, like all below.
  void Keep(const SweepRow& row, StoredSpec stored) ABSL_LOCKS_EXCLUDED(mutex_);
  // It has ended.
  void Release(std::int64_t sweep_id) ABSL_LOCKS_EXCLUDED(mutex_);
  // Its name means nothing any more, or something else: it was deleted or renamed.
  void Drop(std::int64_t sweep_id) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    std::string name;  // of the sweep, when this was parsed
    StoredSpec stored;
    bool is_kept = false;
    std::uint64_t used = 0;
  };

  Entry* Find(std::int64_t sweep_id, const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Put(std::int64_t sweep_id, Entry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remove(std::int64_t sweep_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveLeastUsed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<StoredSpec> ReadAndParse(const SweepRow& row) const;

  Store* const store_;
  Mutex mutex_;
  CondVar parsed_;
  std::set<std::pair<std::int64_t, std::string>> parsing_ ABSL_GUARDED_BY(mutex_);  // id and name
  std::map<std::int64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);                   // by sweep id
  std::map<std::string, std::int64_t> ids_ ABSL_GUARDED_BY(mutex_);  // of entries, by name
  std::size_t kept_ ABSL_GUARDED_BY(mutex_) = 0;                     // entries
  std::uint64_t uses_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t drops_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sweep

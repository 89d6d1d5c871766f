#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/store/store.h"

namespace sweep {

// Parsed sweep files by the sweep's name, for answers about sweeps that may have ended long ago.
// Keeps the most recently used ones. Thread-safe.
class SpecCache {
 public:
  explicit SpecCache(Store* store) : store_(store) {}

  // NotFound; Internal when what is stored does not parse in this build. May read the store. The
  // result is shared because it is used after it may have been dropped here.
  absl::StatusOr<std::shared_ptr<const SweepSpec>> Get(const std::string& sweep);
  // The name means nothing any more, or something else: its sweep was deleted or renamed.
  void Drop(const std::string& sweep);

 private:
  // Keeps it unless a name was dropped since `drops` was read.
  void Put(const std::string& sweep, std::shared_ptr<const SweepSpec> spec, std::uint64_t drops);

  struct Entry {
    std::shared_ptr<const SweepSpec> spec;
    std::uint64_t used = 0;
  };
  Store* const store_;
  Mutex mutex_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t uses_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t drops_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sweep

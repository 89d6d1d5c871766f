#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "coordinator/search/driver_core.h"

namespace sweep {

// Decides which sweeps have work. Keeps the table of sweeps: a sweep is in it as long as it is
// unfinished, and is made anew when its file was edited. Thread-safe.
class SearchPlanner {
 public:
  explicit SearchPlanner(DriverCore& core) : core_(core) {}
  // Requires that no thread and no write of the driver is left.
  ~SearchPlanner();

  // One job for each sweep that has work and is not busy. It has the turn.
  std::vector<SearchJob> Plan() ABSL_LOCKS_EXCLUDED(core_.mutex);

 private:
  // Null when an edit has overtaken the demand.
  std::shared_ptr<DrivenSweep> FindOrMake(const SearchDemand& demand)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex);
  void Subscribe(const std::shared_ptr<DrivenSweep>& sweep)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex);
  void Unsubscribe(DrivenSweep& sweep) ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex);
  bool HasWork(DrivenSweep& sweep, const SearchDemand& demand)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex);

  DriverCore& core_;
  std::int64_t plans_ ABSL_GUARDED_BY(core_.mutex) = 0;
};

}  // namespace sweep

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

#include "coordinator/search/driver_core.h"
#include "coordinator/search/search_suggestions.h"

namespace sweep {

// Gives a slot that has waited for a second, while a slow model thinks or waits for a thread, a
// start-up point (start_up_points.h), on a thread of its own. The suggestion that the model then
// finds takes a later number; what it was asked for is stored with it, so that the search can be
// repeated. Thread-safe.
class StandInDesk {
 public:
  explicit StandInDesk(DriverCore& core) : core_(core) {}

  // Stores start-up points for slots that wait for a model. False when there are none.
  bool StandIn() ABSL_LOCKS_EXCLUDED(core_.mutex);
  // For how long the model of a sweep has been thinking, while a slot has waited for too long.
  std::optional<absl::Duration> LongThought(std::int64_t sweep_id) const
      ABSL_LOCKS_EXCLUDED(core_.mutex);
  // Stands in whenever it is time, until it is to stop and Wake was called.
  void Loop(const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(core_.mutex);
  void Wake() { wake_.NotifyAll(); }

 private:
  // The slots of a sweep whose model thinks that have waited for too long.
  int Due(DrivenSweep& sweep) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex);
  // Those that may get start-up points now.
  int DueNow(DrivenSweep& sweep, const SearchDemand& demand) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex);
  // The time until a slot has waited for too long; at most the longest pause.
  absl::Duration UntilDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex);
  void Make(const std::shared_ptr<SuggestionBatch>& batch, int slots);
  void OnStored(const SuggestionBatch& batch, bool ok) ABSL_LOCKS_EXCLUDED(core_.mutex);
  void End(DrivenSweep& sweep, bool ok) ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex);

  DriverCore& core_;
  CondVar wake_;
};

}  // namespace sweep

#include "coordinator/api/time_left_gauge.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "coordinator/store/queries.h"

namespace sweep {
namespace {

constexpr int kPage = 200;
constexpr int kMaxLookedAt = 2000;  // number of sweeps, the newest first

}  // namespace

std::optional<double> TimeLeftGauge::Read() {
  MutexLock lock(&mutex_);
  // When the pool is full, the old number stays.
  if (!is_reading_) is_reading_ = parts_.pool->Submit([this] { Refresh(); });
  return seconds_;
}

void TimeLeftGauge::Refresh() {
  const std::optional<double> seconds = Longest();
  MutexLock lock(&mutex_);
  seconds_ = seconds;
  is_reading_ = false;
}

std::optional<double> TimeLeftGauge::Longest() const {
  std::optional<double> longest;
  std::int64_t before = 0;
  for (int looked = 0; looked < kMaxLookedAt; looked += kPage) {
    const absl::StatusOr<std::vector<SweepRow>> sweeps =
        parts_.store->Read(SelectSweeps, before, kPage, /*archived=*/true);
    if (!sweeps.ok()) return std::nullopt;
    for (const SweepRow& sweep : *sweeps) {
      before = sweep.id;
      if (sweep.state != SweepState::kActive) continue;
      const absl::StatusOr<StoredSpec> stored = parts_.specs->Show(sweep);
      if (!stored.ok() || !stored->is_accepted()) continue;
      const std::optional<double> seconds = parts_.time_left->SecondsLeft(sweep, *stored->spec);
      if (seconds) longest = std::max(longest.value_or(0), *seconds);
    }
    if (std::ssize(*sweeps) < kPage) break;
  }
  return longest;
}

}  // namespace sweep

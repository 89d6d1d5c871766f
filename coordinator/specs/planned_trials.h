#pragma once

#include <algorithm>
#include <cstdint>

#include "common/spec/sweep_spec.h"
#include "coordinator/store/rows.h"

namespace sweep {

// The trials of a full run of a sweep.
struct PlannedTrials {
  std::int64_t known =
      0;                  // those that are certain: of a race the first runs, and what it has added
  std::int64_t most = 0;  // the same without a race, or when it is over
};

inline PlannedTrials PlannedTrialsOf(const SweepRow& row, const SweepSpec& spec) {
  PlannedTrials planned{.known = spec.FirstTrials(row.planned_configurations)};
  planned.most = planned.known;
  if (!spec.race) return planned;
  planned.known +=
      std::max<std::int64_t>(row.counts.total() - spec.FirstTrials(row.configurations), 0);
  const bool is_over = row.exhausted || HasEnded(row.state);
  planned.most = is_over ? planned.known
                         : std::max(planned.known, spec.MostTrials(row.planned_configurations));
  return planned;
}

}  // namespace sweep

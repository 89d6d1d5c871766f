#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/search.h"
#include "coordinator/store/store.h"

namespace sweep {

// What the search of a stored sweep begins with. `spec` is that of its present file.
absl::StatusOr<SearchStart> ReadSearchStart(Store* store, std::int64_t sweep_id,
                                            const SweepSpec& spec);
// The same for any file that it has had. `first_own`: the number of the first configuration that
// the file has made, or will make.
absl::StatusOr<SearchStart> ReadSearchStart(Store* store, std::int64_t sweep_id,
                                            const SweepSpec& spec, std::int64_t first_own);

// Reads the points of the configurations from `first` to `last`, in short reads, and hands over
// each in order of the numbers.
absl::Status ReadMadePoints(Store* store, std::int64_t sweep_id, std::int64_t first,
                            std::int64_t last, const std::function<void(const MadePoint&)>& take);

// Replaces those of `points`, of the configurations from `first` on, whose numbers are below
// `first_own`, because earlier revisions of the file have made them, by the points of the present
// space where they were trained, as far as it has them.
absl::Status PlaceEarlierPoints(Store* store, std::int64_t sweep_id, const SweepSpec& spec,
                                std::int64_t first, std::int64_t first_own,
                                std::vector<SharedParameters>* points);

}  // namespace sweep

#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "common/spec/point_completer.h"
#include "coordinator/search/search.h"

namespace sweep {

// Independent draws from the distributions of the parameters. Each parameter has a stream of its
// own, keyed by the sweep's seed and its name and indexed by the configuration's number, so that
// neither the order of keys nor another parameter changes what is drawn for it. In a space that is
// finite, though too large to enumerate, draws that were made before are drawn again; for that the
// numbers before the one asked for are replayed.
class RandomSearch final : public Search {
 public:
  // Draws per configuration before the constraints are taken to exclude everything.
  static constexpr int kMaxDraws = 1000;

  // `finite`: the values of every parameter can be listed. `spec` must outlive the object.
  RandomSearch(const SweepSpec* spec, bool finite)
      : spec_(spec), finite_(finite), completer_(spec) {}

  absl::StatusOr<std::optional<Configuration>> Suggest(std::int64_t number) override;

 private:
  absl::StatusOr<Configuration> Draw(std::int64_t number);

  const SweepSpec* const spec_;
  const bool finite_;
  std::int64_t drawn_ = 0;      // finite: numbers up to this one are in seen_
  std::set<std::string> seen_;  // finite: digests of the configurations made
  PointCompleter completer_;
};

}  // namespace sweep

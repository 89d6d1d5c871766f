#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/sobol_search.h"

namespace sweep {

// The points of a start-up sequence that no configuration has yet, in a finite space.
class NewPoints {
 public:
  // The first one, as configuration `number`; nullopt when there is none. A point that is not
  // `is_new(configuration)` is never new again.
  template <typename IsNew>
  absl::StatusOr<std::optional<Configuration>> First(SobolSearch* sequence, std::int64_t number,
                                                     const IsNew& is_new) {
    while (!ahead_ || !is_new(*ahead_)) {
      if (ahead_) ++passed_;
      ahead_.reset();
      absl::StatusOr<std::optional<Configuration>> next = sequence->Point(passed_ + 1);
      // A space that cannot be listed ends when the sequence brings nothing new for long.
      if (!next.ok() && passed_ > 0) return std::nullopt;
      if (!next.ok() || !next->has_value()) return next;
      ahead_ = **std::move(next);
    }
    ahead_->number = number;
    return ahead_;
  }

 private:
  std::int64_t passed_ = 0;             // points of the sequence that are not new
  std::optional<Configuration> ahead_;  // the next one; it may have been taken since
};

}  // namespace sweep

#pragma once

#include <algorithm>
#include <random>

#include "absl/time/time.h"

namespace sweep {

// Waits between tries: from 0.2 s doubling to 5 s, each drawn from its upper half, so that workers
// that lost the same coordinator do not come back in step. Not thread-safe.
class Backoff {
 public:
  absl::Duration Next() {
    const absl::Duration full = next_;
    next_ = std::min(2 * next_, kLongest);
    return full * std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  }
  void Reset() { next_ = kShortest; }

 private:
  static constexpr absl::Duration kShortest = absl::Milliseconds(200);
  static constexpr absl::Duration kLongest = absl::Seconds(5);
  absl::Duration next_ = kShortest;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace sweep

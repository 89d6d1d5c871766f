#include "coordinator/stopping/best_share.h"

#include <algorithm>
#include <cmath>

namespace sweep {

std::int64_t ShareOf(std::int64_t n, double eta) {
  const auto whole = static_cast<std::int64_t>(eta);
  if (static_cast<double>(whole) == eta) return n / whole;
  return static_cast<std::int64_t>(std::floor(static_cast<double>(n) / eta));
}

void BestShare::Add(const Entry& entry) {
  ++size_;
  if (!best_.empty() && entry.IsBetterThan(best_.top())) {
    best_.push(entry);
  } else {
    rest_.push(entry);
  }
  const auto wanted =
      static_cast<std::size_t>(std::max<std::int64_t>(ShareOf(size_, eta_) + extra_, 1));
  if (best_.size() > wanted) {
    rest_.push(best_.top());
    best_.pop();
  }
  while (best_.size() < wanted && !rest_.empty()) {
    best_.push(rest_.top());
    rest_.pop();
  }
}

}  // namespace sweep

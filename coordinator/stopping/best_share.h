#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace sweep {

// The best of a growing set of values: of n, the best n / eta, rounded down, and `extra` more, at
// least one. Larger is better; of equal values, the one that came first. Two heaps: O(log n) each.
class BestShare {
 public:
  struct Entry {
    double value = 0;  // not NaN
    std::int64_t order = 0;

    bool IsBetterThan(const Entry& other) const {
      return value > other.value || (value == other.value && order < other.order);
    }
  };

  explicit BestShare(double eta, std::int64_t extra = 0) : eta_(eta), extra_(extra) {}

  // Requires a larger order than before. The share may grow with it.
  void Add(const Entry& entry);
  std::int64_t size() const { return size_; }
  // How many the best are; at most size().
  std::int64_t best() const { return static_cast<std::int64_t>(best_.size()); }
  // The last of the best. Requires size() > 0.
  const Entry& Last() const { return best_.top(); }

 private:
  struct WorseFirst {
    bool operator()(const Entry& a, const Entry& b) const { return a.IsBetterThan(b); }
  };
  struct BetterFirst {
    bool operator()(const Entry& a, const Entry& b) const { return b.IsBetterThan(a); }
  };

  const double eta_;
  const std::int64_t extra_;
  std::int64_t size_ = 0;
  std::priority_queue<Entry, std::vector<Entry>, WorseFirst> best_;
  std::priority_queue<Entry, std::vector<Entry>, BetterFirst> rest_;
};

// n / eta, rounded down; exact for a whole eta.
std::int64_t ShareOf(std::int64_t n, double eta);

}  // namespace sweep

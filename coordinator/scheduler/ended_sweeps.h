#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "common/spec/sweep_spec.h"

namespace sweep {

// The sweeps that ended last. Their workers may still repeat a last report, whose answer they have
// not got. Pure.
class EndedSweeps {
 public:
  static constexpr std::size_t kMost = 64;

  void Add(std::string name, std::shared_ptr<const SweepSpec> spec) {
    sweeps_.push_back({std::move(name), std::move(spec)});
    if (sweeps_.size() > kMost) sweeps_.pop_front();
  }
  // Another sweep can get the name: a report that is repeated must not be taken for one of that
  // sweep.
  void Forget(const std::string& name) {
    std::erase_if(sweeps_, [&](const Ended& sweep) { return sweep.name == name; });
  }
  // Null when no sweep of this name has ended lately.
  std::shared_ptr<const SweepSpec> Find(const std::string& name) const {
    for (const Ended& sweep : sweeps_) {
      if (sweep.name == name) return sweep.spec;
    }
    return nullptr;
  }

 private:
  struct Ended {
    std::string name;
    std::shared_ptr<const SweepSpec> spec;  // shared with writes under way
  };
  std::deque<Ended> sweeps_;
};

}  // namespace sweep

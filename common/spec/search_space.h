#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// What holds where the search chooses nothing: built-in defaults, those of the network file, its
// recipe and the sweep's epochs, later ones over earlier ones; and "model". `model` must be one of
// the sweep's, or "" when it has none.
ParameterMap BaseParameters(const SweepSpec& spec, const std::string& model);

// A point whose conditions have been applied, but whose network has not been built.
struct ResolvedPoint {
  std::string model;        // "" when the sweep has none
  ParameterMap parameters;  // as Configuration
  ParameterMap resolved;    // as Configuration
};

// The model where the search chooses none: the first, or "".
std::string DefaultModel(const SweepSpec& spec);
// That of a point. InvalidArgument when the sweep has no such model.
absl::StatusOr<std::string> ModelOfPoint(const SweepSpec& spec, const ParameterMap& chosen);
// nullptr when the sweep has no such model.
const NetworkFile* FindNetwork(const SweepSpec& spec, const std::string& model);

// InvalidArgument for names that are no parameters of the sweep, and for conditions that cannot be
// evaluated.
absl::StatusOr<ResolvedPoint> ResolvePoint(const SweepSpec& spec, const ParameterMap& chosen);

// Checks the values of a point and builds its network. InvalidArgument when a value is out of range
// or the network does not fit.
absl::StatusOr<Configuration> BuildConfiguration(const SweepSpec& spec, std::int64_t number,
                                                 ResolvedPoint point);

// The finite search space of a sweep as a mixed-radix number per point: one digit per parameter,
// the last one fastest. A digit whose parameter does not exist at a point (its `when` does not
// hold) is 0, so that each distinct point has exactly one code. Needs a spec that outlives it.
class FiniteSpace {
 public:
  static constexpr std::int64_t kMaxPoints = 100'000;

  // nullopt when some parameter's values cannot be listed, or when the product of their numbers is
  // beyond all counting. With `by_name` digits are ordered by the parameters' names instead of the
  // file's order ("model" stays first).
  static std::optional<FiniteSpace> Make(const SweepSpec* spec, bool by_name = false);

  // How much is done for a file that somebody sends.
  struct Limits {
    std::int64_t condition_characters = std::numeric_limits<std::int64_t>::max();
    IsCancelled is_cancelled = {};
  };

  // The codes of all points in ascending order, before constraints. ResourceExhausted, with how
  // many there are, above kMaxPoints; InvalidArgument when a condition cannot be evaluated, or when
  // more of their text than `limits` allows would have to be; Cancelled.
  absl::StatusOr<std::vector<std::uint64_t>> Codes(const Limits& limits) const;
  absl::StatusOr<std::vector<std::uint64_t>> Codes() const { return Codes(Limits()); }

  // The parameters' values at a code; those that do not exist there are among them, since Complete
  // drops them.
  ParameterMap Decode(std::uint64_t code) const;

 private:
  class Walker;
  FiniteSpace(const SweepSpec* spec, std::vector<std::size_t> axes)
      : spec_(spec), axes_(std::move(axes)) {}
  std::int64_t Size(std::size_t digit) const { return spec_->parameters[axes_[digit]].GridSize(); }

  const SweepSpec* spec_;
  std::vector<std::size_t> axes_;  // index of the parameter of each digit
  std::uint64_t raw_size_ = 1;     // product of the sizes
};

// One point drawn by `uniform`, which gives for a parameter's name a number in [0, 1).
ParameterMap DrawPoint(const SweepSpec& spec,
                       const std::function<double(const std::string& name)>& uniform);

}  // namespace sweep

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

// The values that apply where the search chooses none: built-in defaults, then those of the network
// file, its recipe and the sweep's epochs, each overriding the ones before; and "model". `model`
// must be one of the sweep's, or "" when it has none.
ParameterMap BaseParameters(const SweepSpec& spec, const std::string& model);

// A point whose conditions have been applied, but whose network has not been built.
struct ResolvedPoint {
  std::string model;        // "" when the sweep has none
  ParameterMap parameters;  // as Configuration
  ParameterMap resolved;    // as Configuration
};

// The model when the search does not choose one: the first, or "".
std::string DefaultModel(const SweepSpec& spec);
// The model of a point. InvalidArgument when the sweep has no such model.
absl::StatusOr<std::string> ModelOfPoint(const SweepSpec& spec, const ParameterMap& chosen);
// nullptr when the sweep has no such model.
const NetworkFile* FindNetwork(const SweepSpec& spec, const std::string& model);

// InvalidArgument for names that are no parameters of the sweep, and for conditions that cannot be
// evaluated.
absl::StatusOr<ResolvedPoint> ResolvePoint(const SweepSpec& spec, const ParameterMap& chosen);
// InvalidArgument, "NAME has no value", when a parameter of the sweep exists at the point and has
// none there, as in a point of an earlier file that did not have it.
absl::Status CheckWhole(const SweepSpec& spec, const ParameterMap& chosen);

// Checks the values of a point and builds its network. InvalidArgument when a value is out of range
// or the network does not fit.
absl::StatusOr<Configuration> BuildConfiguration(const SweepSpec& spec, std::int64_t number,
                                                 ResolvedPoint point);

// True when the values of every parameter can be counted, though not always listed: multiples of q
// in a distribution that is not uniform have no list.
bool HasFiniteSpace(const SweepSpec& spec);
// True when no point is to be tried twice although draws would give some again: in a finite space,
// and from edition 5 on also where only parameters under a condition have uncounted values, or a
// range has few doubles; unless the file asks for repeated points.
bool TriesNoPointTwice(const SweepSpec& spec);
// Says that so many draws have found no point that the constraints allow, or no new one where there
// were some: OutOfRange then, else InvalidArgument.
absl::Status NoneDrawn(const SweepSpec& spec, int draws, bool has_some);

// The finite search space of a sweep as one mixed-radix number per point: one digit per parameter,
// the last digit fastest. Without the points that have a value of probability 0, unless the sweep
// is a grid, for which probabilities mean nothing. The digit of a parameter that does not exist at
// a point (its `when` is false) is 0, so each distinct point has exactly one code. The spec must
// outlive it.
class FiniteSpace {
 public:
  static constexpr std::int64_t kMaxPoints = 100'000;

  // nullopt when a parameter's values cannot be listed, or when the number of combinations exceeds
  // 2^62. With `by_name`, digits are ordered by the parameters' names instead of the file's order
  // ("model" stays first).
  static std::optional<FiniteSpace> Make(const SweepSpec* spec, bool by_name = false);

  // Limits on the work for a submitted file.
  struct Limits {
    std::int64_t condition_characters = std::numeric_limits<std::int64_t>::max();
    IsCancelled is_cancelled = {};
  };

  // The codes of all points in ascending order, before constraints. ResourceExhausted, with the
  // number of points, above kMaxPoints; InvalidArgument when a condition cannot be evaluated or the
  // conditions exceed `limits`; Cancelled.
  absl::StatusOr<std::vector<std::uint64_t>> Codes(const Limits& limits) const;
  absl::StatusOr<std::vector<std::uint64_t>> Codes() const { return Codes(Limits()); }

  // The parameters' values at a code. Includes parameters that do not exist there, since Complete
  // drops them.
  ParameterMap Decode(std::uint64_t code) const;

 private:
  class Walker;
  FiniteSpace(const SweepSpec* spec, std::vector<std::size_t> axes)
      : spec_(spec), axes_(std::move(axes)) {}
  std::int64_t Size(std::size_t digit) const { return spec_->parameters[axes_[digit]].GridSize(); }
  bool IsLeftOut(std::size_t digit, std::int64_t index) const {
    return !spec_->method->finite && spec_->parameters[axes_[digit]].ProbabilityOf(index) == 0;
  }

  const SweepSpec* spec_;
  std::vector<std::size_t> axes_;  // parameter index of each digit
  std::uint64_t raw_size_ = 1;     // product of the sizes
};

// Draws one point; `uniform` returns a number in [0, 1) for a parameter's name.
ParameterMap DrawPoint(const SweepSpec& spec,
                       const std::function<double(const std::string& name)>& uniform);

}  // namespace sweep

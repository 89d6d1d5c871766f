#include "common/spec/search_space.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/nearest.h"

namespace sweep {
namespace {

constexpr std::uint64_t kMaxRawSize = std::uint64_t{1} << 62;
// Limit on the points that are visited to find the distinct ones.
constexpr std::int64_t kMaxVisited = 4 * FiniteSpace::kMaxPoints;

// Tells which parameters exist at a point. A condition may refer to parameters with conditions; the
// parser has refused cycles.
class Conditions {
 public:
  Conditions(const SweepSpec& spec, const ParameterMap& chosen, const ParameterMap& base)
      : spec_(spec), chosen_(chosen), base_(base) {}

  absl::StatusOr<bool> Exists(const Parameter& parameter) {
    if (!parameter.when) return true;
    // Evaluates each condition once: many paths may lead to it.
    if (const auto it = known_.find(parameter.name); it != known_.end()) return it->second;
    absl::Status failure;
    const auto scope = [&](std::string_view name) { return Lookup(name, &failure); };
    absl::StatusOr<bool> exists = parameter.when->Test(scope);
    if (!failure.ok()) return failure;
    if (!exists.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'when' of '", parameter.name, "': ", exists.status().message()));
    }
    known_[parameter.name] = *exists;
    return exists;
  }

 private:
  std::optional<Value> Lookup(std::string_view name, absl::Status* failure) {
    name = WithoutParametersPrefix(name);
    for (const Parameter& parameter : spec_.parameters) {
      if (parameter.name != name) continue;
      const absl::StatusOr<bool> exists = Exists(parameter);
      if (!exists.ok()) *failure = exists.status();
      const auto it = chosen_.find(parameter.name);
      if (exists.ok() && *exists && it != chosen_.end()) return it->second;
      break;
    }
    const auto it = base_.find(std::string(name));
    if (it == base_.end()) return std::nullopt;
    return it->second;
  }

  const SweepSpec& spec_;
  const ParameterMap& chosen_;
  const ParameterMap& base_;
  std::map<std::string, bool> known_;
};

absl::Status CheckNames(const SweepSpec& spec, const ParameterMap& chosen) {
  for (const auto& [name, value] : chosen) {
    const auto is_it = [&name = name](const Parameter& p) { return p.name == name; };
    if (std::any_of(spec.parameters.begin(), spec.parameters.end(), is_it)) continue;
    std::vector<std::string> names;
    for (const Parameter& parameter : spec.parameters) names.push_back(parameter.name);
    return absl::InvalidArgumentError(absl::StrCat("sweep ", spec.name, " has no parameter '", name,
                                                   "'", DidYouMean(name, names)));
  }
  return absl::OkStatus();
}

bool IsCounted(const Parameter& parameter) { return parameter.GridSize() > 0 || parameter.q > 0; }

// So few doubles that draws give some of them again.
bool IsNarrow(const Parameter& parameter) {
  constexpr double kMostDoubles = 1 << 20;
  const double largest = std::max(std::abs(parameter.min), std::abs(parameter.max));
  return std::isfinite(largest) &&
         parameter.max - parameter.min <=
             kMostDoubles * largest * std::numeric_limits<double>::epsilon();
}

}  // namespace

bool HasFiniteSpace(const SweepSpec& spec) {
  return std::all_of(spec.parameters.begin(), spec.parameters.end(), IsCounted);
}

absl::Status NoneDrawn(const SweepSpec& spec, int draws, bool has_some) {
  const char* const allowed = spec.constraints.empty() ? "" : " that satisfies the constraints";
  if (has_some) {
    return absl::OutOfRangeError(
        absl::StrCat(draws, " draws found no new point of the search space", allowed));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "sweep ", spec.name, ": ", draws, " draws found no point of the search space", allowed));
}

bool TriesNoPointTwice(const SweepSpec& spec) {
  if (spec.repeat_points) return false;
  if (HasFiniteSpace(spec)) return true;
  return spec.edition >= 5 &&
         std::all_of(spec.parameters.begin(), spec.parameters.end(), [](const Parameter& one) {
           return IsCounted(one) || one.when || IsNarrow(one);
         });
}

absl::StatusOr<std::string> ModelOfPoint(const SweepSpec& spec, const ParameterMap& chosen) {
  const auto it = chosen.find("model");
  const bool is_chosen = it != chosen.end() && !spec.models.empty();
  const std::string model = is_chosen ? FormatValue(it->second) : DefaultModel(spec);
  if (model.empty() || spec.networks.contains(model)) return model;
  return absl::InvalidArgumentError(
      absl::StrCat("sweep ", spec.name, " has no model '", model, "'"));
}

std::string DefaultModel(const SweepSpec& spec) {
  return spec.models.empty() ? "" : spec.models.front();
}

const NetworkFile* FindNetwork(const SweepSpec& spec, const std::string& model) {
  const auto it = spec.networks.find(model);
  return it == spec.networks.end() ? nullptr : &it->second;
}

ParameterMap BaseParameters(const SweepSpec& spec, const std::string& model) {
  ParameterMap base;
  const NetworkFile* const network = FindNetwork(spec, model);
  // A program decides on names that no file mentions, except those that its network needs.
  const auto is_needed = [&](const std::string& name) {
    if (!spec.LeavesDefaultsToProgram() || name == "epochs") return true;
    return network != nullptr &&
           std::binary_search(network->references().begin(), network->references().end(), name);
  };
  for (const KnownParameter& known : KnownParameters()) {
    const std::string name(known.name);
    if (is_needed(name)) base[name] = known.default_value;
  }
  if (network != nullptr) {
    for (const auto& [name, value] : network->defaults()) base[name] = value;
    const Recipe* const recipe = network->FindRecipe(spec.recipe);
    for (const auto& [name, value] : recipe == nullptr ? ParameterMap() : recipe->Merged()) {
      if (spec.recipe_is_written || is_needed(name)) base[name] = value;
    }
    base["model"] = model;
  }
  if (!spec.epochs_by_recipe) base["epochs"] = std::int64_t{spec.epochs};
  return base;
}

absl::StatusOr<ResolvedPoint> ResolvePoint(const SweepSpec& spec, const ParameterMap& chosen) {
  if (absl::Status status = CheckNames(spec, chosen); !status.ok()) return status;
  absl::StatusOr<std::string> model = ModelOfPoint(spec, chosen);
  if (!model.ok()) return model.status();
  ResolvedPoint point{*model, {}, BaseParameters(spec, *model)};
  const ParameterMap base = point.resolved;
  Conditions conditions(spec, chosen, base);
  for (const Parameter& parameter : spec.parameters) {
    const auto it = chosen.find(parameter.name);
    if (it == chosen.end()) continue;
    const absl::StatusOr<bool> exists = conditions.Exists(parameter);
    if (!exists.ok()) return exists.status();
    if (!*exists) continue;
    point.parameters[parameter.name] = it->second;
    point.resolved[parameter.name] = it->second;
  }
  return point;
}

absl::Status CheckWhole(const SweepSpec& spec, const ParameterMap& chosen) {
  const absl::StatusOr<std::string> model = ModelOfPoint(spec, chosen);
  if (!model.ok()) return model.status();
  const ParameterMap base = BaseParameters(spec, *model);
  Conditions conditions(spec, chosen, base);
  for (const Parameter& parameter : spec.parameters) {
    if (chosen.contains(parameter.name)) continue;
    const absl::StatusOr<bool> exists = conditions.Exists(parameter);
    if (!exists.ok()) return exists.status();
    if (*exists) return absl::InvalidArgumentError(absl::StrCat(parameter.name, " has no value"));
  }
  return absl::OkStatus();
}

ParameterMap DrawPoint(const SweepSpec& spec,
                       const std::function<double(const std::string& name)>& uniform) {
  ParameterMap chosen;
  for (const Parameter& parameter : spec.parameters) {
    chosen[parameter.name] = parameter.Quantile(uniform(parameter.name));
  }
  return chosen;
}

namespace {

// Remembers the result of a condition for each combination of the digits that it depends on, if
// there are few combinations.
class ConditionMemo {
 public:
  // `digits` with their `sizes`; "does not exist" counts as one more value of a digit.
  ConditionMemo(std::vector<std::size_t> digits, const std::vector<std::uint64_t>& sizes)
      : digits_(std::move(digits)) {
    std::uint64_t combinations = 1;
    for (const std::size_t digit : digits_) {
      combinations *= sizes[digit] + 1;
      if (combinations > kMaxCombinations) return;
      sizes_.push_back(sizes[digit] + 1);
    }
    known_.assign(combinations, kUnknown);
  }

  // The entry for the index of each digit (-1: does not exist); nullptr when nothing is remembered.
  std::int8_t* Find(const std::vector<std::int64_t>& indices) {
    if (known_.empty()) return nullptr;
    std::uint64_t place = 0;
    for (std::size_t i = 0; i < digits_.size(); ++i) {
      place = place * sizes_[i] + static_cast<std::uint64_t>(indices[digits_[i]] + 1);
    }
    return &known_[place];
  }

  static constexpr std::int8_t kUnknown = -1;

 private:
  static constexpr std::uint64_t kMaxCombinations = 1 << 16;

  std::vector<std::size_t> digits_;
  std::vector<std::uint64_t> sizes_;
  std::vector<std::int8_t> known_;  // 0, 1 or kUnknown
};

}  // namespace

// Walks the digits depth first. A condition that refers only to earlier digits is decided before
// descending; the other conditions are decided at the leaves.
class FiniteSpace::Walker {
 public:
  Walker(const FiniteSpace& space, const Limits& limits)
      : space_(space), spec_(*space.spec_), limits_(limits), indices_(space.axes_.size(), -1) {
    bases_[DefaultModel(spec_)] = BaseParameters(spec_, DefaultModel(spec_));
    for (const std::string& model : spec_.models) bases_[model] = BaseParameters(spec_, model);
    std::vector<std::uint64_t> sizes;
    for (std::size_t digit = 0; digit < space_.axes_.size(); ++digit) {
      sizes.push_back(static_cast<std::uint64_t>(space_.Size(digit)));
      early_.push_back(!Axis(digit).when || RefersOnlyToEarly(*Axis(digit).when));
    }
    for (std::size_t digit = 0; digit < space_.axes_.size(); ++digit) {
      std::set<std::size_t> digits;
      costs_.push_back(Dependencies(digit, &digits));
      memos_.emplace_back(std::vector<std::size_t>(digits.begin(), digits.end()), sizes);
    }
  }

  absl::StatusOr<std::vector<std::uint64_t>> Run() {
    if (absl::Status status = Visit(0, 0); !status.ok()) return status;
    return std::move(codes_);
  }

 private:
  const Parameter& Axis(std::size_t digit) const { return spec_.parameters[space_.axes_[digit]]; }

  static bool Refers(const Expression& when, const std::string& name) {
    return std::any_of(when.names().begin(), when.names().end(), [&](const std::string& other) {
      return WithoutParametersPrefix(other) == name;
    });
  }

  // True when all parameters of the condition are decided before the next digit of early_.
  bool RefersOnlyToEarly(const Expression& when) const {
    for (std::size_t other = 0; other < space_.axes_.size(); ++other) {
      if (!Refers(when, Axis(other).name)) continue;
      if (other >= early_.size() || !early_[other]) return false;
    }
    return true;
  }

  // Adds the digits that the condition of `digit` depends on, also through other conditions, and
  // the model, which sets the defaults. Returns the total length of these conditions.
  std::int64_t Dependencies(std::size_t digit, std::set<std::size_t>* digits) const {
    const std::optional<Expression>& when = Axis(digit).when;
    if (!when) return 0;
    std::int64_t characters = static_cast<std::int64_t>(when->text().size());
    for (std::size_t other = 0; other < space_.axes_.size(); ++other) {
      const bool is_model = Axis(other).name == "model" && !spec_.models.empty();
      if (!is_model && !Refers(*when, Axis(other).name)) continue;
      if (digits->insert(other).second) characters += Dependencies(other, digits);
    }
    return characters;
  }

  absl::StatusOr<bool> Exists(std::size_t digit) {
    if (!Axis(digit).when) return true;
    std::int8_t* const known = memos_[digit].Find(indices_);
    if (known != nullptr && *known != ConditionMemo::kUnknown) return *known != 0;
    characters_ += costs_[digit];
    if (characters_ > limits_.condition_characters) {
      return absl::InvalidArgumentError(
          absl::StrCat("'when' of '", Axis(digit).name,
                       "' is too costly to evaluate at so many points; refer to "
                       "fewer parameters, or shorten it"));
    }
    const auto model = chosen_.find("model");
    const bool is_chosen = model != chosen_.end() && !spec_.models.empty();
    const ParameterMap& base = bases_[is_chosen ? FormatValue(model->second) : DefaultModel(spec_)];
    const absl::StatusOr<bool> exists = Conditions(spec_, chosen_, base).Exists(Axis(digit));
    if (known != nullptr && exists.ok()) *known = *exists ? 1 : 0;
    return exists;
  }

  void Choose(std::size_t digit, std::int64_t index) {
    indices_[digit] = index;
    if (index < 0) {
      chosen_.erase(Axis(digit).name);
    } else {
      chosen_[Axis(digit).name] = Axis(digit).GridValue(index);
    }
  }

  absl::Status Visit(std::size_t digit, std::uint64_t code) {
    if (digit == space_.axes_.size()) return Leaf(code);
    const std::int64_t size = space_.Size(digit);
    Choose(digit, -1);
    if (early_[digit]) {
      const absl::StatusOr<bool> exists = Exists(digit);
      if (!exists.ok()) return exists.status();
      if (!*exists) return Visit(digit + 1, code * static_cast<std::uint64_t>(size));
    }
    for (std::int64_t index = 0; index < size; ++index) {
      // The first value may stand for one that does not exist, which only the leaf knows.
      if (space_.IsLeftOut(digit, index) && (early_[digit] || index > 0)) continue;
      Choose(digit, index);
      const std::uint64_t next =
          code * static_cast<std::uint64_t>(size) + static_cast<std::uint64_t>(index);
      if (absl::Status status = Visit(digit + 1, next); !status.ok()) return status;
    }
    Choose(digit, -1);
    return absl::OkStatus();
  }

  absl::Status Leaf(std::uint64_t code) {
    for (std::size_t digit = space_.axes_.size(); digit-- > 0;) {
      const bool is_first = indices_[digit] <= 0;
      if (early_[digit] || (is_first && !space_.IsLeftOut(digit, 0))) continue;
      const absl::StatusOr<bool> exists = Exists(digit);
      if (!exists.ok()) return exists.status();
      // One that does not exist counts once, as its first value.
      if (*exists == is_first) return Count();
    }
    codes_.push_back(code);
    return Count();
  }

  absl::Status Count() {
    constexpr std::int64_t kVisitsPerLook = 256;
    if (++visited_ % kVisitsPerLook == 0 && limits_.is_cancelled && limits_.is_cancelled()) {
      return absl::CancelledError("the client no longer waits for the points");
    }
    if (visited_ <= kMaxVisited && codes_.size() <= kMaxPoints) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat("more than ", kMaxPoints));
  }

  const FiniteSpace& space_;
  const SweepSpec& spec_;
  const Limits& limits_;
  std::map<std::string, ParameterMap> bases_;
  std::vector<bool> early_;
  std::vector<ConditionMemo> memos_;   // by digit, as costs_
  std::vector<std::int64_t> costs_;    // characters read at most to evaluate a condition
  std::vector<std::int64_t> indices_;  // of the chosen values; -1: does not exist, or not yet
  ParameterMap chosen_;                // the same by name
  std::vector<std::uint64_t> codes_;
  std::int64_t visited_ = 0;
  std::int64_t characters_ = 0;
};

std::optional<FiniteSpace> FiniteSpace::Make(const SweepSpec* spec, bool by_name) {
  std::vector<std::size_t> axes(spec->parameters.size());
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  if (by_name) {
    std::sort(axes.begin(), axes.end(), [&](std::size_t a, std::size_t b) {
      const std::string& left = spec->parameters[a].name;
      const std::string& right = spec->parameters[b].name;
      return std::pair(left != "model", left) < std::pair(right != "model", right);
    });
  }
  FiniteSpace space(spec, std::move(axes));
  for (const Parameter& parameter : spec->parameters) {
    const std::uint64_t size = static_cast<std::uint64_t>(parameter.GridSize());
    if (size == 0 || size > kMaxRawSize / space.raw_size_) return std::nullopt;
    space.raw_size_ *= size;
  }
  return space;
}

absl::StatusOr<std::vector<std::uint64_t>> FiniteSpace::Codes(const Limits& limits) const {
  const bool is_regular = std::none_of(
      spec_->parameters.begin(), spec_->parameters.end(),
      [](const Parameter& p) { return p.when.has_value() || !p.probabilities.empty(); });
  if (!is_regular) return Walker(*this, limits).Run();
  if (raw_size_ > static_cast<std::uint64_t>(kMaxPoints)) {
    return absl::ResourceExhaustedError(absl::StrCat(raw_size_));
  }
  std::vector<std::uint64_t> codes(raw_size_);
  std::iota(codes.begin(), codes.end(), std::uint64_t{0});
  return codes;
}

ParameterMap FiniteSpace::Decode(std::uint64_t code) const {
  ParameterMap chosen;
  for (std::size_t digit = axes_.size(); digit-- > 0;) {
    const Parameter& axis = spec_->parameters[axes_[digit]];
    const std::uint64_t size = static_cast<std::uint64_t>(axis.GridSize());
    chosen[axis.name] = axis.GridValue(static_cast<std::int64_t>(code % size));
    code /= size;
  }
  return chosen;
}

}  // namespace sweep

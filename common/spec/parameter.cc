#include "common/spec/parameter.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/nearest.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

struct DistributionWord {
  Distribution distribution;
  const char* name;
};

// In the order of the enum, then second words.
constexpr DistributionWord kDistributions[] = {
    {Distribution::kConstant, "constant"},
    {Distribution::kCategorical, "categorical"},
    {Distribution::kUniform, "uniform"},
    {Distribution::kIntUniform, "int_uniform"},
    {Distribution::kQUniform, "q_uniform"},
    {Distribution::kLogUniform, "log_uniform_values"},
    {Distribution::kQLogUniform, "q_log_uniform_values"},
    {Distribution::kCategorical, "categorical_w_probabilities"},
};

// The multiples of q in [min, max]: first·q … last·q. The slack accepts 0.3 / 0.1, which is
// 2.9999999999999996, as 3.
struct Multiples {
  double first;
  double last;
};

Multiples MultiplesWithin(double min, double max, double q) {
  constexpr double kSlack = 1e-9;
  return {std::ceil(min / q - kSlack), std::floor(max / q + kSlack)};
}

// multiple · q, free of binary noise (3 · 0.1 is 0.3), and an integer when q is whole.
Value MultipleOf(double multiple, double q) {
  const double product = multiple * q;
  if (q == std::floor(q)) return static_cast<std::int64_t>(std::llround(product));
  char text[40];
  std::snprintf(text, sizeof(text), "%.15g", product);
  return std::strtod(text, nullptr);
}

// Index of one of `count` equally likely values.
std::int64_t IndexAt(double u, std::int64_t count) {
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(u * static_cast<double>(count)), 0,
                                  count - 1);
}

// Index of one of several values with `probabilities`. Never one with probability 0.
std::size_t IndexAt(double u, const std::vector<double>& probabilities) {
  std::size_t last = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (u < probabilities[i]) return i;
    u -= probabilities[i];
    if (probabilities[i] > 0) last = i;
  }
  return last;
}

std::string Interval(const KnownParameter& known) {
  return absl::StrCat(known.open_min ? "(" : "[", FormatDouble(known.min), ", ",
                      FormatDouble(known.max), known.open_max ? ")" : "]");
}

std::vector<std::string> ChoicesOf(const KnownParameter& known) {
  return {known.choices.begin(), known.choices.end()};
}

// Lower case, without the separators between words.
std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) folded += absl::ascii_tolower(c);
  }
  return folded;
}

// Other names for the trainer's hyperparameters, folded.
const std::map<std::string, std::string>& ParameterAliases() {
  // clang-format off
  static const auto& aliases = *new std::map<std::string, std::string>{
      {"learningrate", "lr"},        {"lrate", "lr"},
      {"baselr", "lr"},              {"initlr", "lr"},
      {"eta", "lr"},                 {"maxlr", "lr"},
      {"batch", "batch_size"},       {"bs", "batch_size"},
      {"batchsz", "batch_size"},     {"trainbatchsize", "batch_size"},
      {"wd", "weight_decay"},        {"mom", "momentum"},
      {"dropoutrate", "dropout"},    {"dropoutprob", "dropout"},
      {"dropoutp", "dropout"},       {"pdrop", "dropout"},
      {"epoch", "epochs"},           {"numepochs", "epochs"},
      {"nepochs", "epochs"},         {"maxepochs", "epochs"},
      {"scheduler", "schedule"},     {"lrschedule", "schedule"},
      {"lrscheduler", "schedule"},   {"gamma", "step_gamma"},
      {"smoothing", "label_smoothing"}, {"augment", "augmentation"},
      {"augmentations", "augmentation"}, {"degrees", "rotation_degrees"},
  };
  // clang-format on
  return aliases;
}

// A name close to one of ours whose values have another unit or meaning, folded. Copying its values
// would train something else.
struct Near {
  std::string ours;
  std::string how;  // describes our values
};

const std::map<std::string, Near>& NearParameters() {
  static const auto& near = *new std::map<std::string, Near>{
      {"decay", {"weight_decay", "of the weights; how the learning rate changes is 'schedule'"}},
      {"lrdecay", {"schedule", "with what belongs to it"}},
      {"l2", {"weight_decay", "a factor of the weights, twice that of their squares"}},
      {"l2penalty", {"weight_decay", "a factor of the weights, twice that of their squares"}},
      {"warmup", {"warmup_epochs", "in epochs"}},
      {"warmupsteps", {"warmup_epochs", "in epochs, not in steps"}},
      {"warmupratio", {"warmup_epochs", "in epochs, no share of them"}},
      {"warmupfraction", {"warmup_epochs", "in epochs, no share of them"}},
      {"stepsize", {"step_epochs", "in epochs"}},
      {"decaysteps", {"step_epochs", "in epochs, not in steps"}},
      {"finallr", {"final_lr_fraction", "a fraction of lr"}},
      {"minlr", {"final_lr_fraction", "a fraction of lr"}},
      {"lrmin", {"final_lr_fraction", "a fraction of lr"}},
      {"etamin", {"final_lr_fraction", "a fraction of lr"}},
      {"shift", {"shift_pixels", "in pixels"}},
      {"translate", {"shift_pixels", "in pixels"}},
      {"rotation", {"rotation_degrees", "in degrees"}},
      {"keepprob", {"dropout", "the share that is dropped, not the one that is kept"}},
      {"dropoutkeepprob", {"dropout", "the share that is dropped, not the one that is kept"}},
      {"keeprate", {"dropout", "the share that is dropped, not the one that is kept"}},
  };
  return near;
}

// Names of distributions in other tools, folded.
const std::map<std::string, Near>& NearDistributions() {
  constexpr char kEnds[] = "Its ends are values, not exponents";
  constexpr char kWhole[] = "With q: 1, and ends that are values, not exponents";
  constexpr char kMultiples[] = "Its values are the multiples of q, wherever min lies";
  static const auto& near = *new std::map<std::string, Near>{
      {"loguniform", {"log_uniform_values", kEnds}},
      {"log", {"log_uniform_values", kEnds}},
      {"reciprocal", {"log_uniform_values", kEnds}},
      {"qloguniform", {"q_log_uniform_values", kEnds}},
      {"intloguniform", {"q_log_uniform_values", kWhole}},
      {"loguniformint", {"q_log_uniform_values", kWhole}},
      {"logint", {"q_log_uniform_values", kWhole}},
      {"lograndint", {"q_log_uniform_values", kWhole}},
      {"float", {"uniform", ""}},
      {"double", {"uniform", ""}},
      {"int", {"int_uniform", "Its max is one of the values"}},
      {"integer", {"int_uniform", "Its max is one of the values"}},
      {"randint", {"int_uniform", "Its max is one of the values"}},
      {"uniformint", {"int_uniform", "Its max is one of the values"}},
      {"choice", {"categorical", ""}},
      {"discrete", {"categorical", ""}},
      {"quniform", {"q_uniform", kMultiples}},
      {"qrandint", {"q_uniform", kMultiples}},
      {"discreteuniform", {"q_uniform", kMultiples}},
  };
  return near;
}

// Distributions that Sweep lacks, although their names resemble ours.
bool IsAnotherDistribution(std::string_view folded) {
  for (const std::string_view part : {"inv", "normal", "gauss", "beta", "exp"}) {
    if (folded.find(part) != folded.npos) return true;
  }
  return false;
}

std::string Quote(std::string_view word) {
  return absl::StrCat("; did you mean '", std::string(word), "'?");
}

bool InRange(const KnownParameter& known, double value) {
  // This form also rejects NaN.
  const bool above = known.open_min ? value > known.min : value >= known.min;
  const bool below = known.open_max ? value < known.max : value <= known.max;
  return above && below;
}

bool IsAllowed(const KnownParameter& known, const Value& value) {
  switch (known.type) {
    case KnownParameter::Type::kBool:
      return std::holds_alternative<bool>(value);
    case KnownParameter::Type::kInt:
      return std::holds_alternative<std::int64_t>(value) && InRange(known, AsDouble(value));
    case KnownParameter::Type::kDouble:
      return IsNumber(value) && InRange(known, AsDouble(value));
    case KnownParameter::Type::kChoice: {
      const std::string* text = std::get_if<std::string>(&value);
      return text != nullptr &&
             std::find(known.choices.begin(), known.choices.end(), *text) != known.choices.end();
    }
  }
  return false;
}

}  // namespace

const char* DistributionName(Distribution distribution) {
  return kDistributions[static_cast<int>(distribution)].name;
}

bool ParseDistribution(std::string_view name, Distribution* distribution) {
  for (const DistributionWord& word : kDistributions) {
    if (name != word.name) continue;
    *distribution = word.distribution;
    return true;
  }
  return false;
}

std::vector<std::string> DistributionNames() {
  std::vector<std::string> names;
  for (const DistributionWord& word : kDistributions) names.emplace_back(word.name);
  return names;
}

std::string DistributionHint(std::string_view name) {
  const std::string folded = Folded(name);
  if (IsAnotherDistribution(folded)) return "";
  if (const auto near = NearDistributions().find(folded); near != NearDistributions().end()) {
    const auto& [ours, how] = near->second;
    return how.empty() ? Quote(ours) : absl::StrCat(Quote(ours), " ", how);
  }
  for (const DistributionWord& word : kDistributions) {
    if (folded == Folded(word.name)) return Quote(word.name);
  }
  return DidYouMean(name, DistributionNames());
}

std::int64_t Parameter::GridSize() const {
  switch (distribution) {
    case Distribution::kConstant:
    case Distribution::kCategorical:
      return static_cast<std::int64_t>(values.size());
    case Distribution::kIntUniform:
      return static_cast<std::int64_t>(max) - static_cast<std::int64_t>(min) + 1;
    case Distribution::kQUniform: {
      const auto [first, last] = MultiplesWithin(min, max, q);
      return static_cast<std::int64_t>(last - first) + 1;
    }
    case Distribution::kUniform:
    case Distribution::kLogUniform:
    case Distribution::kQLogUniform:
      return 0;
  }
  return 0;
}

Value Parameter::GridValue(std::int64_t index) const {
  switch (distribution) {
    case Distribution::kIntUniform:
      return static_cast<std::int64_t>(min) + index;
    case Distribution::kQUniform:
      return MultipleOf(MultiplesWithin(min, max, q).first + static_cast<double>(index), q);
    default:
      return values[static_cast<std::size_t>(index)];
  }
}

std::vector<Value> Parameter::GridValues() const {
  std::vector<Value> all;
  const std::int64_t size = GridSize();
  all.reserve(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i) all.push_back(GridValue(i));
  return all;
}

double Parameter::ProbabilityOf(std::int64_t index) const {
  return probabilities.empty() ? 1 / static_cast<double>(GridSize())
                               : probabilities[static_cast<std::size_t>(index)];
}

Value Parameter::Quantile(double u) const {
  const auto log_uniform = [&] {
    const double low = std::log(min);
    return std::clamp(std::exp(low + u * (std::log(max) - low)), min, max);
  };
  switch (distribution) {
    case Distribution::kUniform:
      return std::clamp(min * (1 - u) + max * u, min, max);
    case Distribution::kLogUniform:
      return log_uniform();
    case Distribution::kQLogUniform: {
      const auto [first, last] = MultiplesWithin(min, max, q);
      return MultipleOf(std::clamp(std::round(log_uniform() / q), first, last), q);
    }
    default:
      if (!probabilities.empty()) return values[IndexAt(u, probabilities)];
      return GridValue(IndexAt(u, GridSize()));
  }
}

namespace {

std::optional<double> PlaceInList(const Parameter& parameter, const Value& value) {
  const std::vector<Value>& values = parameter.values;
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const Value& one) { return SameValue(one, value); });
  if (found == values.end()) return std::nullopt;
  const auto index = found - values.begin();
  const std::vector<double>& shares = parameter.probabilities;
  if (shares.empty()) {
    return (static_cast<double>(index) + 0.5) / static_cast<double>(values.size());
  }
  const double before = std::accumulate(shares.begin(), shares.begin() + index, 0.0);
  const double place = before + parameter.ProbabilityOf(index) / 2;
  // False also for a share that is lost in rounding.
  return SameValue(parameter.Quantile(place), value) ? std::optional(place) : std::nullopt;
}

// The place of a number among equally likely ones, which are `first` + index · `step`.
std::optional<double> PlaceOnGrid(const Parameter& parameter, const Value& value, double first,
                                  double step) {
  const std::int64_t count = parameter.GridSize();
  const double index = std::round((AsDouble(value) - first) / step);
  if (!(index >= 0 && index < static_cast<double>(count))) return std::nullopt;
  if (!SameValue(parameter.GridValue(static_cast<std::int64_t>(index)), value)) return std::nullopt;
  return (index + 0.5) / static_cast<double>(count);
}

double PlaceOnLog(const Parameter& parameter, double value) {
  const double low = std::log(parameter.min), high = std::log(parameter.max);
  return high > low ? (std::log(value) - low) / (high - low) : 0;
}

// The middle of the draws that round to the value.
std::optional<double> PlaceOnLogSteps(const Parameter& parameter, double value) {
  const auto [first, last] = MultiplesWithin(parameter.min, parameter.max, parameter.q);
  const double multiple = std::round(value / parameter.q);
  if (!(multiple >= first && multiple <= last)) return std::nullopt;
  const auto end = [&](double edge) {
    return PlaceOnLog(parameter, std::clamp(edge * parameter.q, parameter.min, parameter.max));
  };
  const double from = multiple == first ? 0 : end(multiple - 0.5);
  const double to = multiple == last ? 1 : end(multiple + 0.5);
  const double place = (from + to) / 2;
  if (AsDouble(parameter.Quantile(place)) != value) return std::nullopt;
  return place;
}

}  // namespace

std::optional<double> Parameter::PlaceOf(const Value& value) const {
  if (!values.empty()) return PlaceInList(*this, value);
  constexpr double kBelowOne = 1 - 0x1.0p-53;
  if (!IsNumber(value)) return std::nullopt;
  const double number = AsDouble(value);
  const bool within = number >= min && number <= max;
  switch (distribution) {
    case Distribution::kUniform:
      if (!within) return std::nullopt;
      return max > min ? std::min((number - min) / (max - min), kBelowOne) : 0;
    case Distribution::kLogUniform:
      if (!within) return std::nullopt;
      return std::clamp(PlaceOnLog(*this, number), 0.0, kBelowOne);
    case Distribution::kQLogUniform:
      return PlaceOnLogSteps(*this, number);
    case Distribution::kIntUniform:
      return PlaceOnGrid(*this, value, min, 1);
    case Distribution::kQUniform:
      return PlaceOnGrid(*this, value, MultiplesWithin(min, max, q).first * q, q);
    case Distribution::kConstant:
    case Distribution::kCategorical:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string AllowedValues(const KnownParameter& known) {
  switch (known.type) {
    case KnownParameter::Type::kBool:
      return "true or false";
    case KnownParameter::Type::kInt:
      return absl::StrCat("an integer in ", Interval(known));
    case KnownParameter::Type::kDouble:
      return absl::StrCat("a number in ", Interval(known));
    case KnownParameter::Type::kChoice:
      return absl::StrCat("one of ", absl::StrJoin(ChoicesOf(known), ", "));
  }
  return "";
}

std::string MeantParameter(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string folded = Folded(name);
  const auto alias = ParameterAliases().find(folded);
  for (const std::string& candidate : candidates) {
    if (folded == Folded(candidate)) return candidate;
  }
  const bool is_there =
      alias != ParameterAliases().end() &&
      std::find(candidates.begin(), candidates.end(), alias->second) != candidates.end();
  return is_there ? alias->second : "";
}

std::string ParameterHint(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string meant = MeantParameter(name, candidates);
  if (!meant.empty()) return Quote(meant);
  const auto near = NearParameters().find(Folded(name));
  if (near == NearParameters().end() ||
      std::find(candidates.begin(), candidates.end(), near->second.ours) == candidates.end()) {
    return DidYouMean(name, candidates);
  }
  return absl::StrCat("; '", near->second.ours, "' is near it: ", near->second.how);
}

absl::Status CheckParameterValue(std::string_view name, const Value& value) {
  const KnownParameter* known = FindKnownParameter(name);
  if (known == nullptr || IsAllowed(*known, value)) return absl::OkStatus();
  std::string hint;
  if (known->type == KnownParameter::Type::kChoice) {
    hint = DidYouMean(FormatValue(value), ChoicesOf(*known));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "'", std::string(name), "' must be ", AllowedValues(*known), ", not ", Shown(value), hint));
}

}  // namespace sweep

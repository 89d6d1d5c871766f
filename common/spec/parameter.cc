#include "common/spec/parameter.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/nearest.h"
#include "common/spec/truncated_normal.h"
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
    {Distribution::kNormal, "normal"},
    {Distribution::kQNormal, "q_normal"},
    {Distribution::kLogNormal, "log_normal"},
    {Distribution::kQLogNormal, "q_log_normal"},
    {Distribution::kLogUniform, "inv_log_uniform_values"},
    {Distribution::kCategorical, "categorical_w_probabilities"},
};

// The multiples of q in [min, max]: first·q … last·q, or without end where the range is open. The
// slack accepts 0.3 / 0.1, which is 2.9999999999999996, as 3.
struct Multiples {
  double first;
  double last;
};

Multiples MultiplesOf(const Parameter& parameter) {
  constexpr double kSlack = 1e-9;
  Multiples multiples{std::ceil(parameter.min / parameter.q - kSlack),
                      std::floor(parameter.max / parameter.q + kSlack)};
  if (parameter.distribution == Distribution::kQLogUniform) {
    multiples.first = std::max(multiples.first, 1.0);
  } else if (parameter.distribution == Distribution::kQLogNormal) {
    multiples.first = std::max(multiples.first, 0.0);
  }
  return multiples;
}

// multiple · q, free of binary noise (3 · 0.1 is 0.3), and an integer when q is whole.
Value MultipleOf(double multiple, double q) {
  const double product = multiple * q;
  if (q == std::floor(q)) return static_cast<std::int64_t>(std::llround(product));
  char text[40];
  std::snprintf(text, sizeof(text), "%.15g", product);
  return std::strtod(text, nullptr);
}

bool IsLogNormal(Distribution distribution) {
  return distribution == Distribution::kLogNormal || distribution == Distribution::kQLogNormal;
}

// The distribution of a normal parameter's number, or of its logarithm, before it is rounded. Each
// multiple of q has the part that is nearest to it.
TruncatedNormal NormalOf(const Parameter& parameter) {
  double low = parameter.min, high = parameter.max;
  if (parameter.q > 0) {
    const auto [first, last] = MultiplesOf(parameter);
    low = (first - 0.5) * parameter.q;
    high = (last + 0.5) * parameter.q;
  }
  if (IsLogNormal(parameter.distribution)) {
    low = low > 0 ? std::log(low) : -std::numeric_limits<double>::infinity();
    high = std::log(high);
  }
  return {parameter.mu, parameter.sigma, low, high};
}

// The ends between which the logarithms of a parameter are uniform.
struct LogEnds {
  double low;
  double high;
};

LogEnds LogEndsOf(const Parameter& parameter) {
  if (parameter.q == 0) return {std::log(parameter.min), std::log(parameter.max)};
  const auto [first, last] = MultiplesOf(parameter);
  return {std::log(AsDouble(MultipleOf(first, parameter.q))),
          std::log(AsDouble(MultipleOf(last, parameter.q)))};
}

// The multiple of q nearest to a draw. Not -0.
Value Rounded(const Parameter& parameter, double draw) {
  const auto [first, last] = MultiplesOf(parameter);
  return MultipleOf(std::clamp(std::round(draw / parameter.q), first, last) + 0.0, parameter.q);
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
  constexpr char kNormals[] = "With mu and sigma, and min and max where it is to be cut off";
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
      {"gauss", {"normal", kNormals}},
      {"gaussian", {"normal", kNormals}},
      {"randn", {"normal", kNormals}},
      {"truncnorm", {"normal", kNormals}},
      {"truncatednormal", {"normal", kNormals}},
      {"qrandn", {"q_normal", kNormals}},
  };
  return near;
}

// Distributions that Sweep lacks, although their names resemble ours.
bool IsAnotherDistribution(std::string_view folded) {
  for (const std::string_view part : {"beta", "expon", "halfnorm", "truncnorm"}) {
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

bool IsNormal(Distribution distribution) {
  switch (distribution) {
    case Distribution::kNormal:
    case Distribution::kQNormal:
    case Distribution::kLogNormal:
    case Distribution::kQLogNormal:
      return true;
    default:
      return false;
  }
}

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
  if (const auto near = NearDistributions().find(folded); near != NearDistributions().end()) {
    const auto& [ours, how] = near->second;
    return how.empty() ? Quote(ours) : absl::StrCat(Quote(ours), " ", how);
  }
  for (const DistributionWord& word : kDistributions) {
    if (folded == Folded(word.name)) return Quote(word.name);
  }
  return IsAnotherDistribution(folded) ? "" : DidYouMean(name, DistributionNames());
}

std::int64_t Parameter::GridSize() const {
  switch (distribution) {
    case Distribution::kConstant:
    case Distribution::kCategorical:
      return static_cast<std::int64_t>(values.size());
    case Distribution::kIntUniform:
      return static_cast<std::int64_t>(max) - static_cast<std::int64_t>(min) + 1;
    case Distribution::kQUniform: {
      const auto [first, last] = MultiplesOf(*this);
      return static_cast<std::int64_t>(last - first) + 1;
    }
    default:
      return 0;
  }
}

Value Parameter::GridValue(std::int64_t index) const {
  switch (distribution) {
    case Distribution::kIntUniform:
      return static_cast<std::int64_t>(min) + index;
    case Distribution::kQUniform:
      return MultipleOf(MultiplesOf(*this).first + static_cast<double>(index), q);
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

bool Parameter::IsEmpty() const {
  const auto [first, last] = MultiplesOf(*this);
  return first > last;
}

Parameter::Reach Parameter::NormalReach() const {
  const TruncatedNormal normal = NormalOf(*this);
  const bool is_log = IsLogNormal(distribution);
  return {.low = is_log ? std::exp(normal.low()) : normal.low(),
          .high = is_log ? std::exp(normal.high()) : normal.high(),
          .mass = normal.mass()};
}

Parameter::Range Parameter::ShownRange() const {
  constexpr double kLeftOut = 0.5e-5;  // on each side
  return {std::isinf(min) ? AsDouble(Quantile(kLeftOut)) : min,
          std::isinf(max) ? AsDouble(Quantile(1 - kLeftOut)) : max};
}

std::pair<Value, Value> Parameter::EndValues() const {
  const std::int64_t size = GridSize();
  if (size > 0) return {GridValue(0), GridValue(size - 1)};
  const bool is_rounded = q > 0;
  return {is_rounded || std::isinf(min) ? Quantile(0) : Value(min),
          is_rounded || std::isinf(max) ? Quantile(1) : Value(max)};
}

double Parameter::ProbabilityOf(std::int64_t index) const {
  return probabilities.empty() ? 1 / static_cast<double>(GridSize())
                               : probabilities[static_cast<std::size_t>(index)];
}

Value Parameter::Quantile(double u) const {
  const auto log_uniform = [&] {
    const auto [low, high] = LogEndsOf(*this);
    return std::exp(low + u * (high - low));
  };
  switch (distribution) {
    case Distribution::kUniform:
      return std::clamp(min * (1 - u) + max * u, min, max);
    case Distribution::kLogUniform:
      return std::clamp(log_uniform(), min, max);
    case Distribution::kQLogUniform:
      return Rounded(*this, log_uniform());
    case Distribution::kNormal:
      return NormalOf(*this).Quantile(u);
    case Distribution::kQNormal:
      return Rounded(*this, NormalOf(*this).Quantile(u));
    case Distribution::kLogNormal:
      return std::clamp(std::exp(NormalOf(*this).Quantile(u)), min, max);
    case Distribution::kQLogNormal:
      return Rounded(*this, std::exp(NormalOf(*this).Quantile(u)));
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

// The share of draws below a number, before rounding. 0 for a number without a logarithm where the
// logarithm is drawn.
double ShareBelow(const Parameter& parameter, double number) {
  const bool is_plain = parameter.distribution == Distribution::kNormal ||
                        parameter.distribution == Distribution::kQNormal;
  if (!is_plain && number <= 0) return 0;
  if (is_plain) return NormalOf(parameter).Cdf(number);
  if (IsNormal(parameter.distribution)) return NormalOf(parameter).Cdf(std::log(number));
  const auto [low, high] = LogEndsOf(parameter);
  return high > low ? std::clamp((std::log(number) - low) / (high - low), 0.0, 1.0) : 0;
}

constexpr double kBelowOne = 1 - 0x1.0p-53;

// nullopt also for a number that is too far out for a normal distribution without an end.
std::optional<double> PlaceOfNumber(const Parameter& parameter, double number) {
  if (!(number >= parameter.min && number <= parameter.max)) return std::nullopt;
  const double place = std::min(ShareBelow(parameter, number), kBelowOne);
  const bool is_end = place == 0 || place == kBelowOne;
  if (!IsNormal(parameter.distribution) || !is_end) return place;
  const double end = AsDouble(parameter.Quantile(place));
  const double tolerance = 1e-6 * std::max(std::abs(end), std::abs(number));
  return std::abs(end - number) <= tolerance ? std::optional(place) : std::nullopt;
}

// The middle of the draws that round to the value.
std::optional<double> PlaceOnSteps(const Parameter& parameter, double value) {
  const auto [first, last] = MultiplesOf(parameter);
  const double multiple = std::round(value / parameter.q);
  if (!(multiple >= first && multiple <= last)) return std::nullopt;
  const auto end = [&](double edge) { return ShareBelow(parameter, edge * parameter.q); };
  const double from = multiple == first ? 0 : end(multiple - 0.5);
  const double to = multiple == last ? 1 : end(multiple + 0.5);
  const double place = std::min((from + to) / 2, kBelowOne);
  if (AsDouble(parameter.Quantile(place)) != value) return std::nullopt;
  return place;
}

}  // namespace

std::optional<double> Parameter::PlaceOf(const Value& value) const {
  if (!values.empty()) return PlaceInList(*this, value);
  if (!IsNumber(value)) return std::nullopt;
  const double number = AsDouble(value);
  switch (distribution) {
    case Distribution::kUniform:
      if (!(number >= min && number <= max)) return std::nullopt;
      return max > min ? std::min((number - min) / (max - min), kBelowOne) : 0;
    case Distribution::kLogUniform:
    case Distribution::kNormal:
    case Distribution::kLogNormal:
      return PlaceOfNumber(*this, number);
    case Distribution::kQLogUniform:
    case Distribution::kQNormal:
    case Distribution::kQLogNormal:
      return PlaceOnSteps(*this, number);
    case Distribution::kIntUniform:
      return PlaceOnGrid(*this, value, min, 1);
    case Distribution::kQUniform:
      return PlaceOnGrid(*this, value, MultiplesOf(*this).first * q, q);
    case Distribution::kConstant:
    case Distribution::kCategorical:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Value> Parameter::OwnValue(const Value& value) const {
  const std::optional<double> place = PlaceOf(value);
  if (!place) return std::nullopt;
  const bool is_continuous = GridSize() == 0 && q == 0;
  return is_continuous ? Value(AsDouble(value)) : Quantile(*place);
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

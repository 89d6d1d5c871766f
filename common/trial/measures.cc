#include "common/trial/measures.h"

#include <array>
#include <cmath>
#include <limits>

namespace sweep {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using Unit = Measure::Unit;

constexpr std::array kPredefined = {
    Measure{.name = kTrainLoss,
            .alias = "",
            .title = "train loss",
            .help = "The mean loss per training image.",
            .gate = "<= 0.05",
            .direction = -1},
    Measure{.name = kTrainAccuracy,
            .alias = "",
            .title = "train accuracy",
            .help = "The share of training images classified correctly.",
            .gate = ">= 99.4%",
            .unit = Unit::kShare,
            .direction = 1,
            .min = 0.0,
            .max = 1.0},
    Measure{.name = kValidationLoss,
            .alias = "loss",
            .title = "loss",
            .help = "The mean loss per image.",
            .gate = "<= 0.05",
            .direction = -1},
    Measure{.name = kValidationAccuracy,
            .alias = "accuracy",
            .title = "accuracy",
            .help = "The share of images classified correctly: a fraction or a percentage.",
            .gate = ">= 99.4%",
            .unit = Unit::kShare,
            .direction = 1,
            .min = 0.0,
            .max = 1.0},
    Measure{.name = kLearningRate,
            .alias = "",
            .title = "learning rate",
            .help = "The learning rate at the epoch's last step.",
            .gate = "<= 0.05"},
    Measure{.name = kTrainSeconds,
            .alias = "",
            .title = "train time",
            .help = "The time that the epoch was trained.",
            .gate = "< 60",
            .unit = Unit::kSeconds,
            .direction = -1,
            .is_reproducible = false,
            .min = 0.0},
    Measure{.name = kEvaluateSeconds,
            .alias = "",
            .title = "evaluation time",
            .help = "The time that the epoch was evaluated.",
            .gate = "< 60",
            .unit = Unit::kSeconds,
            .direction = -1,
            .is_reproducible = false,
            .min = 0.0},
    Measure{.name = kImagesPerSecond,
            .alias = "",
            .title = "images/s",
            .help = "The speed of training.",
            .gate = "> 1000",
            .unit = Unit::kPerSecond,
            .direction = 1,
            .is_reproducible = false},
};

bool IsSame(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

bool Measure::Allows(double value) const {
  if (!min && !max) return true;
  // NaN is a valid measurement (a diverged training has no accuracy), except for a time.
  if (std::isnan(value)) return unit != Unit::kSeconds;
  return (!min || value >= *min) && (!max || value <= *max) && std::isfinite(value);
}

std::span<const Measure> PredefinedMeasures() { return kPredefined; }

const Measure* FindMeasure(std::string_view name) {
  if (name.empty()) return nullptr;
  for (const Measure& measure : kPredefined) {
    if (measure.name == name || measure.alias == name) return &measure;
  }
  return nullptr;
}

std::string_view CanonicalMeasure(std::string_view name) {
  const Measure* const measure = FindMeasure(name);
  return measure == nullptr ? name : measure->name;
}

std::string_view MeasureTitle(std::string_view name) {
  const Measure* const measure = FindMeasure(name);
  return measure == nullptr ? name : measure->title;
}

bool IsMeasureName(std::string_view name) {
  if (name.empty() || name.size() > kMaxMeasureNameBytes) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '/' || c == '-';
  });
}

Measurements::Measurements(std::initializer_list<std::pair<std::string_view, double>> entries) {
  for (const auto& [name, value] : entries) Set(name, value);
}

void Measurements::Set(std::string_view name, double value) {
  bool is_new = false;
  At(name, &is_new) = value;
}

std::optional<double> Measurements::Get(std::string_view name) const {
  const double* const value = Find(name);
  return value == nullptr ? std::nullopt : std::optional<double>(*value);
}

double Measurements::GetOrNaN(std::string_view name) const { return Get(name).value_or(kNaN); }

double Measurements::Sum(std::initializer_list<std::string_view> names) const {
  double sum = 0;
  for (const std::string_view name : names) sum += Get(name).value_or(0);
  return sum;
}

bool Measurements::operator==(const Measurements& other) const {
  return std::equal(begin(), end(), other.begin(), other.end(), [](const Entry& a, const Entry& b) {
    return a.first == b.first && IsSame(a.second, b.second);
  });
}

bool SameReproducible(const Measurements& a, const Measurements& b) {
  const auto agree = [](const Measurements& one, const Measurements& other) {
    return std::all_of(one.begin(), one.end(), [&](const Measurements::Entry& entry) {
      const Measure* const measure = FindMeasure(entry.first);
      if (measure != nullptr && !measure->is_reproducible) return true;
      const std::optional<double> value = other.Get(entry.first);
      return value && IsSame(*value, entry.second);
    });
  };
  return agree(a, b) && agree(b, a);
}

double MeasureSummary::Best(int direction) const {
  return direction == 0 ? last : direction > 0 ? high : low;
}

void AddToSummaries(const Measurements& values, MeasureSummaries* summaries) {
  for (const auto& [name, value] : values) {
    bool is_new = false;
    MeasureSummary& summary = summaries->At(name, &is_new);
    if (is_new) {
      summary = {value, value, value};
      continue;
    }
    summary.last = value;
    // fmin and fmax ignore NaN.
    summary.low = std::fmin(summary.low, value);
    summary.high = std::fmax(summary.high, value);
  }
}

}  // namespace sweep

#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sweep {

// A number that a training may report once per epoch. The measures of this project's trainer are
// predefined; a program may report others under its own names.
struct Measure {
  enum class Unit { kNumber, kShare, kSeconds, kPerSecond };
  std::string_view name;   // as reported and stored: "validation_accuracy"
  std::string_view alias;  // a shorter name in files, filters and tables: "accuracy"; or empty
  std::string_view title;  // in tables and plots: "accuracy"
  std::string_view help;   // a sentence for editors of sweep files
  std::string_view gate;   // an example of a gate: ">= 99.4%"
  Unit unit = Unit::kNumber;
  // The better direction: 1 up, -1 down, 0 neither.
  int direction = 0;
  // True when two attempts with the same seed report the same value; false for times.
  bool is_reproducible = true;
  // Its limits; without them every finite number is valid.
  std::optional<double> min, max;

  bool Allows(double value) const;
};

inline constexpr std::string_view kTrainLoss = "train_loss";
inline constexpr std::string_view kTrainAccuracy = "train_accuracy";
inline constexpr std::string_view kValidationLoss = "validation_loss";
inline constexpr std::string_view kValidationAccuracy = "validation_accuracy";
inline constexpr std::string_view kLearningRate = "lr";
inline constexpr std::string_view kTrainSeconds = "train_seconds";
inline constexpr std::string_view kEvaluateSeconds = "evaluate_seconds";
inline constexpr std::string_view kImagesPerSecond = "images_per_second";

// In the order of documents and columns.
std::span<const Measure> PredefinedMeasures();
// By name or alias; nullptr when it is not predefined.
const Measure* FindMeasure(std::string_view name);
// The stored name: that of the measure for an alias, else `name`.
std::string_view CanonicalMeasure(std::string_view name);
// The name in tables and plots: the title of a predefined measure, else `name`.
std::string_view MeasureTitle(std::string_view name);

// 1 to 64 letters, digits, '_', '.', '/' and '-'.
bool IsMeasureName(std::string_view name);
inline constexpr std::size_t kMaxMeasureNameBytes = 64;
// Limit on the measures of one epoch.
inline constexpr std::size_t kMaxMeasuresPerEpoch = 64;

// Values by the name of a measure, sorted. An alias means its measure.
template <typename Value>
class ByMeasure {
 public:
  using Entry = std::pair<std::string, Value>;

  // nullptr when there is none. Valid until a value is added.
  const Value* Find(std::string_view name) const {
    name = CanonicalMeasure(name);
    const auto place = PlaceOf(name);
    return place == entries_.end() || place->first != name ? nullptr : &place->second;
  }
  // The value under that name, created if missing; `*is_new` says so.
  Value& At(std::string_view name, bool* is_new) {
    name = CanonicalMeasure(name);
    auto place = entries_.begin() + (PlaceOf(name) - entries_.begin());
    *is_new = place == entries_.end() || place->first != name;
    if (*is_new) place = entries_.emplace(place, name, Value());
    return place->second;
  }

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  typename std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  typename std::vector<Entry>::const_iterator end() const { return entries_.end(); }

 private:
  typename std::vector<Entry>::const_iterator PlaceOf(std::string_view name) const {
    return std::lower_bound(
        entries_.begin(), entries_.end(), name,
        [](const Entry& entry, std::string_view wanted) { return entry.first < wanted; });
  }

  std::vector<Entry> entries_;
};

// The reported values. An unreported measure is absent; a NaN was reported as such.
class Measurements : public ByMeasure<double> {
 public:
  Measurements() = default;
  Measurements(std::initializer_list<std::pair<std::string_view, double>> entries);

  // Sets or replaces.
  void Set(std::string_view name, double value);
  // nullopt when not reported.
  std::optional<double> Get(std::string_view name) const;
  // NaN also when not reported.
  double GetOrNaN(std::string_view name) const;
  // The sum of the reported ones; 0 when there are none.
  double Sum(std::initializer_list<std::string_view> names) const;

  // NaN equals NaN.
  bool operator==(const Measurements& other) const;
};

// A measure that a sweep ranks by, and its direction.
struct Objective {
  std::string name = "accuracy";  // as written in its file: a measure or an alias
  bool maximize = true;
  bool operator==(const Objective&) const = default;
};

// The measurements of one epoch. Losses are means per image; accuracies are shares in [0, 1].
struct EpochMetrics {
  int epoch = 0;  // 1-based
  Measurements values;
  // NaN when not reported.
  double Get(std::string_view measure) const { return values.GetOrNaN(measure); }
  bool operator==(const EpochMetrics&) const = default;
};

// True when two attempts computed the same epoch; ignores measures that are not reproducible.
bool SameReproducible(const Measurements& a, const Measurements& b);

// One measure over the epochs of a trial so far. `low` and `high` ignore NaN.
struct MeasureSummary {
  double last = 0;  // NaN when NaN was reported
  double low = 0;   // NaN before the first number
  double high = 0;
  // The best value for a measure with this direction; `last` for 0.
  double Best(int direction) const;
};
// A measure that was never reported is absent.
using MeasureSummaries = ByMeasure<MeasureSummary>;
void AddToSummaries(const Measurements& values, MeasureSummaries* summaries);

}  // namespace sweep

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/spec/sweep_spec.h"
#include "common/stats/measure_field.h"
#include "coordinator/store/rows.h"
#include "coordinator/views/metric_histogram.h"
#include "coordinator/views/value_table.h"

namespace sweep {

// What views ask of each trial by itself. Facts that only filters and orders name are values of the
// index's table.
struct IndexedTrial {
  std::int64_t configuration = 0;  // 0: not read yet
  std::int64_t network_parameters = 0;
  double best = 0;        // of the objective, over all epochs; NaN before there is one
  double own_metric = 0;  // what would rank it by itself
  std::int32_t replicate = 0;
  std::int32_t epoch = 0;
  std::int32_t epochs_to_target = 0;
  std::int32_t counted_epoch = 0;  // the last one that is in the histograms
  std::uint32_t model = 0;
  TrialState state = TrialState::kPending;
  // Of its configuration.
  bool has_value = false;
  bool qualifies = false;
  double metric = 0;
  std::int32_t ranked_epochs_to_target = 0;
  std::int32_t best_replicate = 0;

  // Whether it is what a ranking shows.
  bool IsRanked() const { return has_value && best_replicate == replicate; }
};

// The measures of which bands are kept: those that objectives and gates ask for, and the losses and
// accuracies of the workers' own trainer.
std::vector<std::string> BandedMeasures(const SweepSpec& spec);

// What was measured in one epoch by all trials, per measure of BandedMeasures.
using EpochBand = std::vector<MetricHistogram>;

// All trials of one sweep in brief, and what all their epochs measured in histograms, so that views
// of the whole sweep read nothing else. Filled by IndexPool. Not thread-safe.
class SweepIndex {
 public:
  // With more epochs than kMaxBands only every so many have a histogram.
  static constexpr int kMaxBands = 500;

  explicit SweepIndex(std::shared_ptr<const SweepSpec> spec);  // shared with the cache

  // The trial as it is now.
  void Put(const TrialSummary& summary);
  // One measured epoch, with the values of BandedMeasures; only the first row of an epoch counts.
  // Rows come as they were acknowledged.
  void AddEpoch(const MeasuredEpoch& measured);
  // The last epoch of a trial that was added; 0: none.
  int CountedEpoch(std::int64_t number) const {
    return trials_[static_cast<std::size_t>(number - 1)].counted_epoch;
  }

  const SweepSpec& spec() const { return *spec_; }
  // Trials by number - 1; those that were not read yet have configuration 0.
  const std::vector<IndexedTrial>& trials() const { return trials_; }
  // Those with a measured epoch.
  std::int64_t measured() const { return measured_; }
  // By epoch; only those that some trial has reached.
  const std::map<int, EpochBand>& bands() const { return bands_; }

  // The names of all measures that some trial has reported, sorted.
  std::vector<std::string> Measures() const;
  // Of a trial; NaN for what it has not reported.
  MeasureSummary SummaryOf(std::size_t row, std::string_view measure) const;
  // Which way a measure is better: 1, -1 or 0, as Measure::direction.
  int DirectionOf(std::string_view measure) const;

  // A value of a trial by the name that expressions and orders use: a field, a hyperparameter or a
  // fact of the network. Nullopt: it has none (yet).
  using Getter = std::function<std::optional<Value>(std::size_t row)>;
  // An unknown name has no values. Valid while the index lives and is not changed.
  Getter Find(const std::string& written) const;
  // Likewise of what a ranking shows: a measure and "epochs_to_target" are the configuration's.
  Getter FindRanked(const std::string& name) const;
  // The chosen value of hyperparameter `parameter` (an index into spec().parameters).
  std::optional<Value> ParameterOf(std::size_t row, std::size_t parameter) const {
    return values_.Get(row, parameter);
  }

 private:
  void PutValues(std::size_t row, const TrialRow& trial);
  void ShareScore(std::size_t row, const ConfigurationScore& score);
  Getter ColumnGetter(std::size_t column) const;
  Getter ParameterGetter(std::size_t parameter) const;
  Getter MeasureGetter(const MeasureField& field) const;
  // A hyperparameter that the search does not choose: the same for all trials of a model.
  Getter FixedGetter(const std::string& name) const;

  std::shared_ptr<const SweepSpec> spec_;
  std::vector<std::string> banded_;  // BandedMeasures
  std::unordered_map<std::string, std::size_t> parameter_index_;
  int band_stride_;
  std::vector<IndexedTrial> trials_;
  // By measure, one per trial (or fewer: the others have none).
  std::map<std::string, std::vector<MeasureSummary>, std::less<>> summaries_;
  // What rankings hold against the gates, by measure and row.
  std::map<std::string, std::vector<double>, std::less<>> held_;
  // Hyperparameters in the order of the spec, then TrialFacts(), then NetworkFacts().
  ValueTable values_;
  TextTable models_;
  std::map<int, EpochBand> bands_;
  std::int64_t measured_ = 0;
};

}  // namespace sweep

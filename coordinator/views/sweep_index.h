#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/spec/sweep_spec.h"
#include "common/stats/measure_field.h"
#include "coordinator/search/learned_gates.h"
#include "coordinator/store/rows.h"
#include "coordinator/views/metric_histogram.h"
#include "coordinator/views/value_table.h"

namespace sweep {

// The members of a trial that views use directly. All facts for filters and orders are in the
// index's ValueTable.
struct IndexedTrial {
  std::int64_t configuration = 0;  // 0: not read yet
  std::int64_t network_parameters = 0;
  double best = 0;        // of the objective over all epochs; NaN before the first value
  double own_metric = 0;  // the value that would rank this trial alone
  std::int32_t replicate = 0;
  std::int32_t epoch = 0;
  std::int32_t epochs_to_target = 0;
  std::int32_t counted_epoch = 0;  // the last epoch in the histograms
  std::uint32_t model = 0;
  TrialState state = TrialState::kPending;
  bool meets_gates = false;  // RunMeetsGates
  // Of its configuration.
  bool has_value = false;
  bool qualifies = false;
  double metric = 0;
  std::int32_t ranked_epochs_to_target = 0;
  std::int32_t best_replicate = 0;

  // True for the trials that a ranking shows.
  bool IsRanked() const { return has_value && best_replicate == replicate; }
};

// The measures with histograms: those that objectives and gates use, and the losses and accuracies
// of the workers' own trainer.
std::vector<std::string> BandedMeasures(const SweepSpec& spec);

// The values of all trials in one epoch, one histogram per measure of BandedMeasures.
using EpochBand = std::vector<MetricHistogram>;

// A summary of all trials of one sweep, with histograms of their epochs, so that views of the whole
// sweep need no other data. Filled by IndexPool. Not thread-safe.
class SweepIndex {
 public:
  // A longer training has a histogram only for every n-th epoch.
  static constexpr int kMaxBands = 500;

  explicit SweepIndex(std::shared_ptr<const SweepSpec> spec);  // shared with the cache

  // Adds or replaces a trial.
  void Put(const TrialSummary& summary);
  // Adds an epoch with the values of BandedMeasures. Call it in the order of acknowledgement; only
  // the first row of an epoch counts.
  void AddEpoch(const MeasuredEpoch& measured);
  // The last epoch that was added for a trial; 0: none.
  int CountedEpoch(std::int64_t number) const {
    return trials_[static_cast<std::size_t>(number - 1)].counted_epoch;
  }

  const SweepSpec& spec() const { return *spec_; }
  // Trials by number - 1. Trials that were not read yet have configuration 0.
  const std::vector<IndexedTrial>& trials() const { return trials_; }
  // The number of trials with a measured epoch.
  std::int64_t measured() const { return measured_; }
  // By epoch, up to the last epoch that a trial has reached.
  const std::map<int, EpochBand>& bands() const { return bands_; }

  // The names of all measures that some trial has reported, sorted.
  std::vector<std::string> Measures() const;
  // The trials' summaries of a measure, by row, NaN where it was not reported. The last rows may be
  // missing. Valid until the index changes.
  std::span<const MeasureSummary> SummariesOf(std::string_view measure) const;
  // A trial's summary of a measure; NaN when not reported.
  MeasureSummary SummaryOf(std::size_t row, std::string_view measure) const;
  // Which way a measure is better: 1, -1 or 0, as Measure::direction.
  int DirectionOf(std::string_view measure) const;

  // Returns a trial's value of a field, a hyperparameter, a measure or a fact of the network.
  // Nullopt while it has none.
  using Getter = std::function<std::optional<Value>(std::size_t row)>;
  // The getter for a name as in filters. An unknown name has no values. Valid until the index
  // changes.
  Getter Find(const std::string& written) const;
  // The same for rankings, where measures and "epochs_to_target" are those of the configuration.
  Getter FindRanked(const std::string& name) const;
  // By how much a trial by itself misses the gates on measures, as LearnedGates::AllOf has them.
  // NaN where the measure was not reported.
  std::vector<double> ExcessesOf(std::size_t row) const;
  // The chosen value of hyperparameter `parameter` (an index into spec().parameters).
  std::optional<Value> ParameterOf(std::size_t row, std::size_t parameter) const {
    return values_.Get(row, parameter);
  }

 private:
  void PutValues(std::size_t row, const TrialRow& trial);
  std::vector<std::size_t> RowsLike(std::size_t row);
  void ShareScore(std::size_t row, const ConfigurationScore& score);
  Getter ColumnGetter(std::size_t column) const;
  Getter ParameterGetter(std::size_t parameter) const;
  Getter MeasureGetter(const MeasureField& field) const;
  // A hyperparameter that the search does not choose: the same for all trials of a model.
  Getter FixedGetter(const std::string& name) const;

  std::shared_ptr<const SweepSpec> spec_;
  std::vector<std::string> banded_;  // BandedMeasures
  LearnedGates gates_;               // LearnedGates::AllOf
  std::unordered_map<std::string, std::size_t> parameter_index_;
  int band_stride_;
  std::vector<IndexedTrial> trials_;
  // Of a sweep with a race, by configuration.
  std::unordered_map<std::int64_t, std::vector<std::size_t>> raced_rows_;
  // By measure and row. A shorter vector means that the other trials have none.
  std::map<std::string, std::vector<MeasureSummary>, std::less<>> summaries_;
  // The configuration's values for rankings and gates, by measure and row.
  std::map<std::string, std::vector<double>, std::less<>> held_;
  std::vector<std::vector<double>> excesses_;  // by gate and row
  // Columns: the spec's parameters, then TrialFacts(), then NetworkFacts().
  ValueTable values_;
  TextTable models_;
  std::map<int, EpochBand> bands_;
  std::int64_t measured_ = 0;
};

// The trial's part of SweepIndex::SummariesOf; NaN when it has none.
MeasureSummary SummaryAt(std::span<const MeasureSummary> summaries, std::size_t row);

}  // namespace sweep

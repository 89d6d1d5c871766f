// The ranges of hyperparameters in which runs are expected to meet the criteria.

#include <cmath>
#include <string>

#include "common/spec/dimensions.h"
#include "common/stats/intervals.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"
#include "proto/documents/print_json.h"

namespace sweep {
namespace {

using documents::RegionFacts;
using documents::RegionView;
using Problem = RobustRegion::Problem;

constexpr double kLeastShare = 0.5, kMostShare = 0.99;
// Of a sweep with more trials the region is that of a sample, since its runs are copied under the
// index's lock.
constexpr std::size_t kMostRuns = 20'000;

RegionFacts::Answer AnswerOf(Problem problem) {
  switch (problem) {
    case Problem::kNone:
      return RegionFacts::ANSWER_FOUND;
    case Problem::kNoGates:
      return RegionFacts::ANSWER_NO_GATES;
    case Problem::kNothingVaries:
      return RegionFacts::ANSWER_NOTHING_VARIES;
    case Problem::kTooFew:
      return RegionFacts::ANSWER_TOO_FEW;
    case Problem::kNoneMeets:
      return RegionFacts::ANSWER_NONE_QUALIFIES;
    case Problem::kNotSure:
      return RegionFacts::ANSWER_NOT_SURE;
  }
  return RegionFacts::ANSWER_NOT_SURE;
}

std::string NoteOf(const RobustRegion& region, std::int64_t around, double share) {
  switch (region.problem) {
    case Problem::kNone:
      return "";
    case Problem::kNoGates:
      return "the sweep file requires nothing of a measure, so there is no region that meets it";
    case Problem::kNothingVaries:
      return "the sweep searches no parameter, so there is no region";
    case Problem::kTooFew:
      return fmt::format("a region needs {} configurations that have ended; {} {} so far",
                         RobustRegion::kLeastConfigurations, region.configurations,
                         region.configurations == 1 ? "has" : "have");
    case Problem::kNoneMeets:
      return fmt::format(
          "none of the {} runs that have ended meets all criteria, so there is no "
          "region around one",
          region.runs);
    case Problem::kNotSure:
      return fmt::format(
          "even around the best configuration, that of trial {}, the model is not sure of {:g} % "
          "of "
          "the runs ({:.0f} % at that point itself)",
          around, 100 * share, 100 * region.configuration_chance);
  }
  return "";
}

documents::Value ShownValue(const Value& value, const Dimension& dimension) {
  const double* const number = std::get_if<double>(&value);
  // The page looks a category up among those of the dimension, which are not rounded.
  const bool is_category = dimension.scale == Dimension::Scale::kCategory;
  return DocumentValue(number == nullptr || is_category ? value : Value(RoundToSixDigits(*number)));
}

void Describe(const SearchSpace& space, const RobustRegion::Side& side, RegionFacts::Range* range) {
  const Dimension& dimension = space.dimensions()[side.dimension];
  range->set_name(space.axis(side.dimension).name);
  if (side.low) *range->mutable_low() = ShownValue(*side.low, dimension);
  if (side.high) *range->mutable_high() = ShownValue(*side.high, dimension);
  if (side.tried_low) *range->mutable_tried_low() = ShownValue(*side.tried_low, dimension);
  if (side.tried_high) *range->mutable_tried_high() = ShownValue(*side.tried_high, dimension);
  for (const Value& value : side.values) *range->add_values() = ShownValue(value, dimension);
  for (const Value& value : side.tried) *range->add_tried() = ShownValue(value, dimension);
}

void Describe(const SearchSpace& space, const RobustRegion::Slice& slice,
              RegionFacts::Slice* described) {
  described->set_name(space.axis(slice.dimension).name);
  for (const Value& value : slice.values) {
    *described->add_values() = ShownValue(value, space.dimensions()[slice.dimension]);
  }
  described->mutable_chance()->Add(slice.chance.begin(), slice.chance.end());
  described->mutable_low()->Add(slice.low.begin(), slice.low.end());
  described->mutable_high()->Add(slice.high.begin(), slice.high.end());
}

void Set(double low, double high, documents::Interval* interval) {
  interval->set_low(RoundToSixDigits(low));
  interval->set_high(RoundToSixDigits(high));
}

void Describe(const SweepSpec& spec, const RobustRegion& region, RegionFacts* view) {
  const SearchSpace space(&spec);
  view->set_expected(region.chance);
  Set(region.low, region.high, view->mutable_expected_interval());
  view->set_runs_inside(region.inside);
  view->set_qualifying_inside(region.inside_meeting);
  if (region.inside > 0) {
    const Interval interval =
        QualifyingInterval({.ended = static_cast<int>(region.inside),
                            .qualifying = static_cast<int>(region.inside_meeting)});
    Set(interval.low, interval.high, view->mutable_qualifying_interval());
  }
  view->set_volume(region.volume);
  for (const RobustRegion::Side& side : region.sides) Describe(space, side, view->add_ranges());
  for (const RobustRegion::Slice& slice : region.slices) {
    Describe(space, slice, view->add_slices());
  }
}

}  // namespace

absl::StatusOr<double> RegionShare(const ViewQuery& query) {
  const absl::StatusOr<double> share = query.Number("share", 0.9);
  if (!share.ok()) return share.status();
  if (!(*share >= kLeastShare && *share <= kMostShare)) {
    return absl::InvalidArgumentError(fmt::format("share is '{}'; it must be from {} to {}",
                                                  Shortened(query.Text("share"), kShownBytes),
                                                  kLeastShare, kMostShare));
  }
  return std::round(*share * 1000) / 1000;
}

std::vector<RegionRun> RegionRuns(const SweepIndex& index) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < index.trials().size(); ++row) {
    const IndexedTrial& trial = index.trials()[row];
    // A cancelled run says nothing.
    const bool counts =
        trial.configuration > 0 && IsTerminal(trial.state) && trial.state != TrialState::kCancelled;
    if (counts) rows.push_back(row);
  }
  std::vector<RegionRun> runs;
  const std::size_t most = std::min(rows.size(), kMostRuns);
  for (std::size_t i = 0; i < most; ++i) {
    const std::size_t row = rows[i * rows.size() / most];
    RegionRun& run = runs.emplace_back();
    run.configuration = index.trials()[row].configuration;
    for (std::size_t p = 0; p < index.spec().parameters.size(); ++p) {
      const std::optional<Value> value = index.ParameterOf(row, p);
      if (value) run.parameters[index.spec().parameters[p].name] = *value;
    }
    run.excesses = index.ExcessesOf(row);
    run.meets = index.trials()[row].meets_gates;
  }
  return runs;
}

RegionView RegionDocument(const ViewContext& context, std::int64_t sweep_id,
                          const StoredSpec& stored, double share,
                          const RegionPool::Answer& answer) {
  RegionView view;
  view.set_share(share);
  view.set_ready(answer.ready);
  RegionFacts* const facts = view.mutable_facts();
  if (!stored.is_accepted()) {
    facts->set_answer(RegionFacts::ANSWER_NOT_ACCEPTED);
    facts->set_note(NotAccepted(stored));
    view.set_ready(true);
    return view;
  }
  if (stored.spec->HasPopulation()) {
    facts->set_answer(RegionFacts::ANSWER_NOTHING_VARIES);
    facts->set_note(
        "the trials of a population begin with each other's weights, so that none says what its "
        "own values would come to");
    view.set_ready(true);
    return view;
  }
  if (answer.region == nullptr) return view;
  if (!answer.region->failure.empty()) {
    facts->set_answer(RegionFacts::ANSWER_NOT_SURE);
    facts->set_note(answer.region->failure);
    return view;
  }
  const auto describe = [&](const RobustRegion& region, RegionFacts* made) {
    const std::int64_t around =
        region.configuration > 0
            ? FirstTrialOf(context, sweep_id, *stored.spec, region.configuration)
            : 0;
    made->set_answer(AnswerOf(region.problem));
    made->set_note(NoteOf(region, around, share));
    made->set_configurations(region.configurations);
    made->set_runs(region.runs);
    if (around > 0) made->set_around(around);
    if (region.problem == Problem::kNone) Describe(*stored.spec, region, made);
  };
  describe(answer.region->found.all, facts);
  for (const RobustRegion& region : answer.region->found.networks) {
    documents::NetworkRegion* const made = view.add_networks();
    made->set_model(region.model);
    describe(region, made->mutable_facts());
  }
  return view;
}

}  // namespace sweep

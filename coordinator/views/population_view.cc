// The segments in which a population is trained, for a plot of who went on from whom.

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

// Beyond them the document would be cut in any case.
constexpr int kMaxSegments = 5000;

// The facts of a segment, by the index's getters.
class Segments {
 public:
  Segments(const SweepIndex& index, std::string measure)
      : index_(index),
        measure_(std::move(measure)),
        dimensions_(DimensionsOf(index.spec())),
        member_(Fact("member")),
        parent_(Fact("parent")),
        start_(Fact("start_epoch")),
        source_(Fact("chosen_source")) {}

  // Nullopt for a trial that was not read yet.
  std::optional<documents::PopulationView::Segment> At(std::size_t row) const {
    const std::optional<std::int64_t> member = Integer(member_, row);
    if (!member) return std::nullopt;
    const IndexedTrial& trial = index_.trials()[row];
    documents::PopulationView::Segment segment;
    segment.set_trial(static_cast<std::int64_t>(row) + 1);
    segment.set_member(*member);
    if (const auto parent = Integer(parent_, row)) segment.set_parent(*parent);
    const std::int64_t start = Integer(start_, row).value_or(0);
    segment.set_start_epoch(start);
    segment.set_epoch(std::max<std::int64_t>(trial.epoch, start));
    const double last = index_.SummaryOf(row, measure_).last;
    if (trial.epoch > 0 && !std::isnan(last)) segment.set_last(last);
    segment.set_state(StateOf(trial.state));
    if (const std::optional<Value> source = source_(row)) {
      segment.set_chosen_source(FormatValue(*source));
    }
    for (const ViewDimension& dimension : dimensions_) {
      const std::optional<Value> value = index_.ParameterOf(row, dimension.parameter);
      if (!value) continue;
      documents::NamedValue* const entry = segment.add_parameters();
      entry->set_name(dimension.name);
      *entry->mutable_value() = DocumentValue(*value);
    }
    return segment;
  }

 private:
  SweepIndex::Getter Fact(std::string_view name) const {
    return index_.Find(std::string(kTrialPrefix).append(name));
  }
  static std::optional<std::int64_t> Integer(const SweepIndex::Getter& getter, std::size_t row) {
    const std::optional<Value> value = getter(row);
    if (!value || !IsNumber(*value)) return std::nullopt;
    return static_cast<std::int64_t>(AsDouble(*value));
  }

  const SweepIndex& index_;
  const std::string measure_;
  const std::vector<ViewDimension> dimensions_;
  const SweepIndex::Getter member_, parent_, start_, source_;
};

documents::PopulationView Population(const SweepIndex& index, const std::string& measure) {
  documents::PopulationView view;
  view.set_metric(measure);
  *view.mutable_measures() = DescribeMeasures(index.spec(), index.Measures());
  *view.mutable_dimensions() = DescribeDimensions(index.spec());
  view.set_epochs(index.spec().epochs);
  if (!index.spec().HasPopulation()) return view;
  view.set_population(index.spec().pbt.population);
  const Segments segments(index, measure);
  for (std::size_t row = 0; row < index.trials().size(); ++row) {
    std::optional<documents::PopulationView::Segment> segment = segments.At(row);
    if (!segment) continue;
    view.set_total(view.total() + 1);
    if (view.segments_size() < kMaxSegments) *view.add_segments() = *std::move(segment);
  }
  return view;
}

}  // namespace

absl::StatusOr<documents::PopulationView> PopulationDocument(const LookedAt& looked,
                                                             const ViewQuery& query) {
  const absl::StatusOr<std::string> measure = MeasureOf(*looked.spec, query);
  if (!measure.ok()) return measure.status();
  return looked.index.entry->Look(
      [&](const SweepIndex& index) { return Population(index, *measure); });
}

}  // namespace sweep

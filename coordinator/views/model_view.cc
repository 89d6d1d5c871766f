// What a sweep's search knows along each parameter.

#include <algorithm>

#include "common/spec/dimensions.h"
#include "common/trial/measures.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"
#include "proto/documents/print_json.h"

namespace sweep {
namespace {

// Within the limits of the measure: a model knows nothing of them.
void CopyWithin(const std::vector<double>& values, const Measure* measure,
                google::protobuf::RepeatedField<double>* copy) {
  for (double value : values) {
    if (measure != nullptr && measure->min) value = std::max(value, *measure->min);
    if (measure != nullptr && measure->max) value = std::min(value, *measure->max);
    copy->Add(value);
  }
}

void Copy(const std::vector<double>& values, google::protobuf::RepeatedField<double>* copy) {
  copy->Add(values.begin(), values.end());
}

documents::Value AxisValue(const Value& value, const Dimension& dimension) {
  const double* const number = std::get_if<double>(&value);
  // The page looks a category up among those of the dimension, which are not rounded.
  const bool is_category = dimension.scale == Dimension::Scale::kCategory;
  return DocumentValue(number == nullptr || is_category ? value : Value(RoundToSixDigits(*number)));
}

void Describe(const SweepSpec& spec, const ModelSlice& slice, std::int64_t trial,
              documents::ModelView::Slice* described) {
  const SearchSpace space(&spec);
  described->set_name(space.axis(slice.dimension).name);
  if (trial > 0) described->set_trial(trial);
  for (const Value& value : slice.values) {
    *described->add_values() = AxisValue(value, space.dimensions()[slice.dimension]);
  }
  const Measure* const measure = FindMeasure(spec.objective().name);
  CopyWithin(slice.mean, measure, described->mutable_mean());
  CopyWithin(slice.low, measure, described->mutable_low());
  CopyWithin(slice.high, measure, described->mutable_high());
  Copy(slice.improvement, described->mutable_improvement());
  Copy(slice.density, described->mutable_density());
  Copy(slice.other_density, described->mutable_other_density());
}

std::string NoteOf(const StoredSpec& stored, const ModelPool::Answer& answer) {
  const SearchMethod& method = *stored.spec->method;
  if (!stored.is_accepted()) return NotAccepted(stored);
  if (!method.learns) {
    return fmt::format("{} chooses points without looking at results: it has no model",
                       method.word);
  }
  if (answer.model == nullptr) return "";
  if (!answer.model->failure.empty()) return answer.model->failure;
  const ModelSlices& known = answer.model->known;
  if (known.ended < known.needed) {
    return fmt::format("{} has a model when {} configuration{} ended; {} {} so far", method.word,
                       known.needed, known.needed == 1 ? " has" : "s have", known.ended,
                       known.ended == 1 ? "has" : "have");
  }
  return known.slices.empty() ? "nothing varies between the trials" : "";
}

}  // namespace

std::int64_t FirstTrialOf(const ViewContext& context, std::int64_t sweep_id, const SweepSpec& spec,
                          std::int64_t configuration) {
  // Without a race trials are numbered configuration by configuration.
  if (!spec.race) return (configuration - 1) * spec.replicates + 1;
  return context.options.store->Read(FindFirstTrial, sweep_id, configuration).value_or(0);
}

documents::ModelView ModelDocument(const ViewContext& context, std::int64_t sweep_id,
                                   const StoredSpec& stored, const ModelPool::Answer& answer) {
  const SweepSpec& spec = *stored.spec;
  documents::ModelView view;
  if (stored.is_accepted()) view.set_method(std::string(spec.method->word));
  view.set_metric(std::string(CanonicalMeasure(spec.objective().name)));
  view.set_ready(answer.ready || !spec.method->learns);
  view.set_note(NoteOf(stored, answer));
  if (answer.model == nullptr) return view;
  view.set_configurations(static_cast<std::int64_t>(answer.model->known.ended));
  for (const ModelSlice& slice : answer.model->known.slices) {
    // Those of earlier sweeps have no trial here.
    const std::int64_t trial =
        slice.configuration > 0 ? FirstTrialOf(context, sweep_id, spec, slice.configuration) : 0;
    Describe(spec, slice, trial, view.add_slices());
  }
  return view;
}

}  // namespace sweep

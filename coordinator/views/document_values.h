#pragma once

#include <google/protobuf/repeated_field.h>

#include <map>
#include <string>

#include "absl/time/time.h"
#include "common/base/value.h"
#include "common/lifecycle/trial_state.h"
#include "common/trial/measures.h"
#include "coordinator/store/rows.h"
#include "sweep/documents/documents.pb.h"

namespace sweep {

// Convert values to their form in documents. Pure.

template <typename Message>
using Repeated = google::protobuf::RepeatedPtrField<Message>;

documents::TrialState StateOf(TrialState state);
documents::SweepState StateOf(SweepState state);
documents::Value DocumentValue(const Value& value);
Repeated<documents::NamedValue> NamedValues(const ParameterMap& parameters);
Repeated<documents::NamedText> NamedTexts(const std::map<std::string, std::string>& texts);
Repeated<documents::NamedSummary> NamedSummaries(const MeasureSummaries& summaries);
Repeated<documents::NamedRoundedNumber> NamedNumbers(const Measurements& values);
// ISO 8601 in UTC with milliseconds: "2024-05-01T10:00:00.250Z".
std::string TimeText(absl::Time time);

}  // namespace sweep

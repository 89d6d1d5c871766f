#pragma once

#include <google/protobuf/repeated_field.h>

#include <map>
#include <string>

#include "absl/time/time.h"
#include "common/base/value.h"
#include "common/trial/measures.h"
#include "sweep/documents/documents.pb.h"

namespace sweep {

// Values as documents have them. Pure.

template <typename Message>
using Repeated = google::protobuf::RepeatedPtrField<Message>;

// A list is the text of its JSON there.
documents::Value DocumentValue(const Value& value);
void AddNamedValue(const std::string& name, const Value& value,
                   Repeated<documents::NamedValue>* values);
Repeated<documents::NamedValue> NamedValues(const ParameterMap& parameters);
Repeated<documents::NamedText> NamedTexts(const std::map<std::string, std::string>& texts);
Repeated<documents::NamedSummary> NamedSummaries(const MeasureSummaries& summaries);
Repeated<documents::NamedRoundedNumber> NamedNumbers(const Measurements& values);
// ISO 8601 in UTC with milliseconds: "2024-05-01T10:00:00.250Z".
std::string TimeText(absl::Time time);

}  // namespace sweep

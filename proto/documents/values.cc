#include "proto/documents/values.h"

#include <type_traits>
#include <variant>

namespace sweep {

documents::Value DocumentValue(const Value& value) {
  documents::Value made;
  std::visit(
      [&made](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, bool>) made.set_flag(held);
        if constexpr (std::is_same_v<Held, std::int64_t>) made.set_integer(held);
        if constexpr (std::is_same_v<Held, double>) made.set_number(held);
        if constexpr (std::is_same_v<Held, std::string>) made.set_text(held);
        if constexpr (std::is_same_v<Held, ListValue>) made.set_text(held.json);
      },
      value);
  return made;
}

void AddNamedValue(const std::string& name, const Value& value,
                   Repeated<documents::NamedValue>* values) {
  documents::NamedValue* const named = values->Add();
  named->set_name(name);
  *named->mutable_value() = DocumentValue(value);
}

Repeated<documents::NamedValue> NamedValues(const ParameterMap& parameters) {
  Repeated<documents::NamedValue> values;
  for (const auto& [name, value] : parameters) AddNamedValue(name, value, &values);
  return values;
}

Repeated<documents::NamedText> NamedTexts(const std::map<std::string, std::string>& texts) {
  Repeated<documents::NamedText> values;
  for (const auto& [name, text] : texts) {
    documents::NamedText* const named = values.Add();
    named->set_name(name);
    named->set_text(text);
  }
  return values;
}

Repeated<documents::NamedSummary> NamedSummaries(const MeasureSummaries& summaries) {
  Repeated<documents::NamedSummary> values;
  for (const auto& [name, summary] : summaries) {
    documents::NamedSummary* const named = values.Add();
    named->set_name(name);
    named->mutable_summary()->set_last(summary.last);
    named->mutable_summary()->set_low(summary.low);
    named->mutable_summary()->set_high(summary.high);
  }
  return values;
}

Repeated<documents::NamedRoundedNumber> NamedNumbers(const Measurements& values) {
  Repeated<documents::NamedRoundedNumber> numbers;
  for (const auto& [name, value] : values) {
    documents::NamedRoundedNumber* const named = numbers.Add();
    named->set_name(name);
    named->set_number(value);
  }
  return numbers;
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

}  // namespace sweep

#include "common/spec/confirmation_labels.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace sweep {

std::optional<ConfirmationLabels> ReadConfirmationLabels(
    const std::map<std::string, std::string>& labels) {
  const auto value_of = [&](const char* key) {
    const auto found = labels.find(key);
    return found == labels.end() ? "" : found->second;
  };
  ConfirmationLabels read{.selection = value_of(kConfirmsLabel),
                          .submitted = value_of(kConfirmsSubmittedLabel),
                          .finalists = {}};
  for (const absl::string_view word :
       absl::StrSplit(value_of(kFinalistsLabel), ' ', absl::SkipEmpty())) {
    std::int64_t number = 0;
    if (!absl::SimpleAtoi(word, &number) || number < 1) break;
    read.finalists.push_back(number);
  }
  if (read.selection.empty() || read.finalists.empty()) return std::nullopt;
  return read;
}

}  // namespace sweep

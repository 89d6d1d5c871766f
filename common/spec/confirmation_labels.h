#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sweep {

// The labels of a sweep that trains the best of another one again: the name that this had, when it
// was submitted (another sweep may have its name by then), how many finalists were asked for, and
// the numbers of their trials in it, "17 4 9", in the order of the configurations here.
inline constexpr char kConfirmsLabel[] = "confirms";
inline constexpr char kConfirmsSubmittedLabel[] = "confirms_submitted";
inline constexpr char kConfirmsTopLabel[] = "confirms_top";
inline constexpr char kFinalistsLabel[] = "finalists";

struct ConfirmationLabels {
  std::string selection;  // its name when it was confirmed
  std::string submitted;  // "2024-05-01T10:00:00.250Z"; "" when that is not said
  std::vector<std::int64_t> finalists;
};

// Nullopt for a sweep that confirms none. People write labels too: what is no number ends the list.
std::optional<ConfirmationLabels> ReadConfirmationLabels(
    const std::map<std::string, std::string>& labels);

}  // namespace sweep

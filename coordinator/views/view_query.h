#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sweep {

// The most that an error quotes of a request.
constexpr std::size_t kShownBytes = 80;

// A part of a list.
struct PageRange {
  std::int64_t offset = 0;
  std::int64_t limit = 0;

  // The items in this range.
  template <typename Item>
  std::vector<Item> Of(const std::vector<Item>& items) const {
    const std::int64_t first = std::min(offset, std::ssize(items));
    const std::int64_t last = std::min(first + limit, std::ssize(items));
    return {items.begin() + first, items.begin() + last};
  }
};

// A parsed request below /api: "/sweeps/mnist/trials?sort=lr&limit=50". Pure. The input is
// untrusted.
struct ViewQuery {
  std::vector<std::string> path;  // "sweeps", "mnist", "trials"
  std::map<std::string, std::string> values;

  // `path` may begin with "/api"; both arguments are percent-encoded. InvalidArgument for invalid
  // encodings, text that is not UTF-8 or has control characters, and more than 8 kB.
  static absl::StatusOr<ViewQuery> Parse(std::string_view path, std::string_view query);

  // "" when it is missing.
  std::string Text(const std::string& name) const;
  // `preset` when it is missing. InvalidArgument unless it is an integer of at least `least`.
  // Reduced to `most`.
  absl::StatusOr<std::int64_t> Int(const std::string& name, std::int64_t preset, std::int64_t least,
                                   std::int64_t most) const;
  // `preset` when it is missing. InvalidArgument unless it is a finite number.
  absl::StatusOr<double> Number(const std::string& name, double preset) const;
  // "offset" and "limit"; the limit is 50 when it is missing, at most 200.
  absl::StatusOr<PageRange> Page() const;
};

// Parses a trial's number in a path. InvalidArgument for anything else.
absl::StatusOr<std::int64_t> ParseTrialNumber(const std::string& text);
// InvalidArgument unless this is a valid name of a sweep.
absl::Status CheckSweepName(const std::string& name);

}  // namespace sweep

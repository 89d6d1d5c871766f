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

// What an error repeats of what was asked, at most.
constexpr std::size_t kShownBytes = 80;

// A part of a list.
struct PageRange {
  std::int64_t offset = 0;
  std::int64_t limit = 0;

  // What of `items` it holds; none behind their end.
  template <typename Item>
  std::vector<Item> Of(const std::vector<Item>& items) const {
    const std::int64_t first = std::min(offset, std::ssize(items));
    const std::int64_t last = std::min(first + limit, std::ssize(items));
    return {items.begin() + first, items.begin() + last};
  }
};

// What is asked for below /api: "/sweeps/mnist/trials?sort=lr&limit=50". Pure; everything here may
// come from anybody.
struct ViewQuery {
  std::vector<std::string> path;  // "sweeps", "mnist", "trials"
  std::map<std::string, std::string> values;

  // `path` may begin with "/api"; both are percent-encoded. InvalidArgument for encodings that are
  // none, text that is not UTF-8 or has control characters, and for what is longer than 8 kB.
  static absl::StatusOr<ViewQuery> Parse(std::string_view path, std::string_view query);

  // "" when there is none.
  std::string Text(const std::string& name) const;
  // `preset` when there is none; InvalidArgument unless it is an integer from `least` on. More than
  // `most` is `most`.
  absl::StatusOr<std::int64_t> Int(const std::string& name, std::int64_t preset, std::int64_t least,
                                   std::int64_t most) const;
  // "offset" from 0 on, and "limit": 50 when there is none, at most 200.
  absl::StatusOr<PageRange> Page() const;
};

// A trial's number out of a path. InvalidArgument unless it is one.
absl::StatusOr<std::int64_t> ParseTrialNumber(const std::string& text);
// InvalidArgument unless a sweep may have this name.
absl::Status CheckSweepName(const std::string& name);

}  // namespace sweep

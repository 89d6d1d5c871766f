#pragma once

#include <cstdint>
#include <string_view>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace sweep::cli {

// Draws the download of a file over one line of standard error, at most ten times a second. For
// terminals. Copies draw independently; one belongs to one download.
class DownloadBar {
 public:
  void operator()(std::string_view file, std::int64_t done, std::int64_t total);

 private:
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace sweep::cli

#include "cli/present/download_bar.h"

#include <fmt/format.h>

#include <iostream>

#include "cli/present/text.h"

namespace sweep::cli {

void DownloadBar::operator()(std::string_view file, std::int64_t done, std::int64_t total) {
  const absl::Time now = absl::Now();
  const bool whole = total > 0 && done >= total;
  if (!whole && now - last_ < absl::Milliseconds(100)) return;
  last_ = now;
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  std::cerr << fmt::format("\rdownloading {}  {}  {}/{} ", file, Bar(share, 20), HumanBytes(done),
                           total > 0 ? HumanBytes(total) : "?")
            << (whole ? "\n" : "") << std::flush;
}

}  // namespace sweep::cli

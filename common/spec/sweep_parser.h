#pragma once

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// Files that the caller has already reported, by their names in the sweep file.
struct ReportedFiles {
  std::set<std::string> networks;
  std::set<std::string> program;
  bool empty() const { return networks.empty() && program.empty(); }
};

class SweepDocument;

// SweepSpec::Parse, but silent about missing files that are in `reported`. `document` is the
// source's text if the caller has parsed it.
absl::StatusOr<SweepSpec> ParseSweep(const SweepSource& source, const ReportedFiles& reported,
                                     Diagnostics* diagnostics, const IsCancelled& is_cancelled = {},
                                     const SweepDocument* document = nullptr);

// The models named in a sweep file; empty when it is unreadable. Reports no errors.
std::vector<std::string> ModelsIn(const SweepDocument& document);

}  // namespace sweep

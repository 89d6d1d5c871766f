#pragma once

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// Files that the caller has complained about already, by the names that the sweep file uses.
struct ReportedFiles {
  std::set<std::string> networks;
  std::set<std::string> program;
  bool empty() const { return networks.empty() && program.empty(); }
};

class SweepDocument;

// SweepSpec::Parse, saying nothing about the lack of files that are in `reported`. `document` is
// the source's text where it has been read already.
absl::StatusOr<SweepSpec> ParseSweep(const SweepSource& source, const ReportedFiles& reported,
                                     Diagnostics* diagnostics, const IsCancelled& is_cancelled = {},
                                     const SweepDocument* document = nullptr);

// The models named in a sweep file; empty when it is not readable. Complains about nothing.
std::vector<std::string> ModelsIn(const SweepDocument& document);

}  // namespace sweep

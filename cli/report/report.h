#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "nlohmann/json.hpp"

namespace sweep::cli {

// What a report holds of a sweep.
struct ReportOptions {
  std::string sweep;
  std::int64_t details = 20;  // trials of the ranking that have a page of their own
  std::int64_t rows = 1000;   // of the ranking, the trials and the attempts
};

// The documents of a sweep by their paths, as dashboards/web/src/report.ts reads them. Asks the
// coordinator some dozens of times; Cancelled after a signal.
absl::StatusOr<nlohmann::json> CollectReport(Connection& connection, const ReportOptions& options);

// The page with the documents inside. FailedPrecondition when `page` has no place for them.
absl::StatusOr<std::string> FillReport(std::string_view page, const nlohmann::json& documents);

}  // namespace sweep::cli

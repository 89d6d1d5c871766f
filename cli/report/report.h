#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "nlohmann/json.hpp"

namespace sweep::cli {

// The extent of a sweep's report.
struct ReportOptions {
  std::string sweep;
  std::int64_t details = 20;  // number of ranked trials with their own page
  std::int64_t rows = 1000;   // limit for the ranking, the trials and the attempts
};

// Collects a sweep's documents by path, as dashboards/web/src/report.ts reads them. Makes some
// dozens of calls; Cancelled after a signal.
absl::StatusOr<nlohmann::json> CollectReport(Connection& connection, const ReportOptions& options);

// Inserts the documents into the page. FailedPrecondition when `page` has no place for them.
absl::StatusOr<std::string> FillReport(std::string_view page, const nlohmann::json& documents);

}  // namespace sweep::cli

#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace sweep::bench {

// The text of a sweep of `run_cap` trials of `epochs` epochs over four hyperparameters, ranked
// under the usual criteria.
std::string SweepText(const std::string& name, std::int64_t run_cap, int epochs,
                      const std::string& method = "random");

// Makes a database with one sweep of random points, through the store's own writes: every trial is
// granted, reported epoch by epoch and completed. Accuracies are made up; a few meet the criteria.
// Each epoch has the eight predefined measures and `own_measures` others, val/measure-1 and so on.
// The sweep has finished, or goes on if it has a run_cap above `trials`.
struct FillOptions {
  std::string path;
  std::string sweep;
  std::int64_t trials = 0;
  int epochs = 0;
  int own_measures = 0;
  std::string method = "random";
  std::int64_t run_cap = 0;  // 0: `trials`
};
absl::Status FillDatabase(const FillOptions& options);

}  // namespace sweep::bench

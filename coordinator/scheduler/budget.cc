#include "coordinator/scheduler/budget.h"

#include <optional>

#include "fmt/format.h"

namespace sweep {
namespace {

// The same limit as for run_cap in a sweep file.
constexpr std::int64_t kMaxRunCap = 1'000'000;

// An upper bound of the number of configurations, each of another point; nullopt when it is beyond
// kMaxRunCap, or points may be tried again.
std::optional<std::int64_t> MaxPoints(const SweepSpec& spec) {
  if (spec.repeat_points) return std::nullopt;
  if (spec.points) return *spec.points;
  std::int64_t points = 1;
  for (const Parameter& parameter : spec.parameters) {
    const std::int64_t values = parameter.GridSize();
    if (values == 0 || values > kMaxRunCap / points) return std::nullopt;
    points *= values;
  }
  return points;
}

}  // namespace

absl::Status CheckBudget(const SweepSpec& spec, std::int64_t run_cap, std::int64_t earlier) {
  if (spec.method->finite) {
    return absl::InvalidArgumentError(
        fmt::format("sweep '{}' is a grid of {} configurations, which cannot be extended to {}",
                    spec.name, spec.PlannedConfigurations(), run_cap));
  }
  if (run_cap < 1 || run_cap > kMaxRunCap) {
    return absl::InvalidArgumentError(
        fmt::format("sweep '{}': {} is no number of configurations; 1 to {} are possible",
                    spec.name, run_cap, kMaxRunCap));
  }
  if (spec.HasPopulation()) {
    const std::int64_t all = spec.pbt.Planned(spec.epochs);
    if (run_cap <= all) return absl::OkStatus();
    return absl::InvalidArgumentError(fmt::format(
        "sweep '{}' cannot make {} configurations: its population of {} is trained in {} segments "
        "each, {} in all",
        spec.name, run_cap, spec.pbt.population, spec.pbt.SegmentsOf(spec.epochs), all));
  }
  const std::optional<std::int64_t> points = MaxPoints(spec);
  if (!points || run_cap <= *points + earlier) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "sweep '{}' cannot make {} configurations: its search space has {} points{}", spec.name,
      run_cap, *points,
      earlier > 0 ? fmt::format(", and {} were made with earlier files", earlier) : ""));
}

}  // namespace sweep

#include "coordinator/scheduler/warm_start.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/base/counted.h"
#include "common/spec/known_points.h"
#include "common/spec/sweep_edit.h"
#include "coordinator/store/queries.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr int kConfigurationsPerRead = 1000;

absl::Status Refused(const SweepSpec& spec, const std::string& source, const std::string& why) {
  return absl::InvalidArgumentError(
      fmt::format("sweep '{}': warm_start: '{}' {}", spec.name, source, why));
}

// Adds the ended configurations of one earlier sweep.
absl::Status Add(Store* store, SpecCache* specs, const SweepSpec& spec, const std::string& source,
                 WarmStart* warm_start) {
  const absl::StatusOr<SweepRow> row = store->Read(FindSweep, source);
  if (absl::IsNotFound(row.status())) {
    return Refused(spec, source, "is no sweep of this coordinator");
  }
  if (!row.ok()) return row.status();
  const absl::StatusOr<StoredSpec> earlier = specs->Show(*row);
  if (!earlier.ok()) return earlier.status();
  if (!earlier->is_accepted())
    return Refused(spec, source, "cannot be read: " + NotAccepted(*earlier));
  if (earlier->spec->HasPopulation()) {
    return Refused(
        spec, source,
        "says nothing about it: it is a population (method pbt), whose trials begin with "
        "each other's weights");
  }
  const std::vector<std::string> other = Incomparable(*earlier->spec, spec);
  if (!other.empty()) {
    return Refused(spec, source, "says nothing about it:\n  " + absl::StrJoin(other, "\n  "));
  }
  WarmStartRow start{.source = source};
  const auto is_full = [&] { return std::ssize(warm_start->points) >= WarmStart::kMostPoints; };
  const auto before = warm_start->points.size();
  bool has_ended = false;
  for (std::int64_t after = 0; after < row->configurations; after += kConfigurationsPerRead) {
    absl::StatusOr<std::vector<EndedPoint>> ended =
        store->Read(SelectEndedPoints, row->id, after, kConfigurationsPerRead);
    if (!ended.ok()) return ended.status();
    for (EndedPoint& point : *ended) {
      has_ended = true;
      if (is_full()) {
        if (++start.left_out == 1) {
          start.reason = fmt::format("a search takes {} earlier configurations at most",
                                     WarmStart::kMostPoints);
        }
        continue;
      }
      const absl::StatusOr<ParameterMap> place =
          PointIn(spec, point.point.chosen, point.point.trained);
      if (place.ok()) {
        ++start.taken;
      } else if (++start.left_out == 1) {
        start.reason = std::string(place.status().message());
      }
      warm_start->points.push_back(std::move(point));
    }
  }
  if (!has_ended) {
    return Refused(spec, source, "has no configuration that has ended");
  }
  if (start.taken == 0 && warm_start->points.size() > before) {
    return Refused(spec, source,
                   fmt::format("has {} that have ended, and none of them has a place here: {}",
                               Counted(start.left_out, "configuration"), start.reason));
  }
  warm_start->starts.push_back(std::move(start));
  return absl::OkStatus();
}

}  // namespace

std::shared_ptr<const WarmStart> PlanWarmStart(Store* store, SpecCache* specs,
                                               const SweepSpec& spec) {
  if (spec.warm_start.empty()) return nullptr;
  auto warm_start = std::make_shared<WarmStart>();  // shared with the write
  for (const std::string& source : spec.warm_start) {
    warm_start->refusal = Add(store, specs, spec, source, warm_start.get());
    if (!warm_start->refusal.ok()) break;
  }
  return warm_start;
}

}  // namespace sweep

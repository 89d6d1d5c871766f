#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/network/network.h"
#include "coordinator/views/index_pool.h"
#include "coordinator/views/index_query.h"
#include "coordinator/views/json.h"
#include "coordinator/views/time_left.h"
#include "coordinator/views/view_query.h"
#include "coordinator/views/views.h"

namespace sweep {

// What the makers of single documents have in common. Internal to this library.

inline constexpr std::size_t kMaxDocumentBytes = 300'000;

struct ViewContext {
  Views::Options options;
  IndexPool* indexes = nullptr;
  TimeLeft* time_left = nullptr;
  bool actions_allowed = false;
};

// One index as a document needs it.
struct LookedAt {
  SharedSpec spec;
  IndexPool::Answer index;
};

// Unavailable: what is asked for needs more of the sweep's index than there is yet.
absl::Status StillReading(const std::string& sweep);

// Whole answers. Each comes with its errors as Views::Get.
absl::StatusOr<Json> SweepsDocument(const ViewContext& context, const ViewQuery& query);
absl::StatusOr<Json> SweepViewDocument(const ViewContext& context, const SweepRow& sweep);
// Whether a ranking is asked for as it stands in the store, which needs no index.
bool IsWholeRanking(const ViewQuery& query);
absl::StatusOr<Json> RankingDocument(const ViewContext& context, const SweepRow& sweep,
                                     const LookedAt& looked, const ViewQuery& query);
absl::StatusOr<Json> ProgressDocument(const ViewContext& context, const SweepRow& sweep);
absl::StatusOr<Json> TrialsDocument(const ViewContext& context, const SweepRow& sweep,
                                    const LookedAt& looked, const ViewQuery& query);
absl::StatusOr<Json> CurvesDocument(const ViewContext& context, const SweepRow& sweep,
                                    const LookedAt& looked, const ViewQuery& query);
absl::StatusOr<Json> AttemptsDocument(const ViewContext& context, const SweepRow& sweep,
                                      const ViewQuery& query);
absl::StatusOr<Json> PointsDocument(const LookedAt& looked, const ViewQuery& query);
absl::StatusOr<Json> ImportanceDocument(const LookedAt& looked);
absl::StatusOr<Json> TrialViewDocument(const ViewContext& context, const std::string& sweep,
                                       std::int64_t number);
absl::StatusOr<Json> LogsDocument(const ViewContext& context, const std::string& sweep,
                                  std::int64_t number, const ViewQuery& query);
absl::StatusOr<Json> PredictionsDocument(const ViewContext& context, const std::string& sweep,
                                         std::int64_t number);
Json WorkersDocument(const ViewContext& context);
absl::StatusOr<Json> TimelineDocument(const ViewContext& context, const ViewQuery& query);

// Parts of documents.
// SweepSummary; of a file that is not accepted what the row says, and why.
absl::StatusOr<Json> SweepSummaryJson(const ViewContext& context, const SweepRow& sweep,
                                      const StoredSpec& stored);
// The parts of a query that choose and order trials: state, where, sort.
absl::StatusOr<IndexQuery> ParseIndexQuery(const ViewContext& context, const ViewQuery& query,
                                           const SharedSpec& spec);
// The measure that a query asks for with `metric`; the sweep's objective without. Canonical.
absl::StatusOr<std::string> MeasureOf(const SweepSpec& spec, const ViewQuery& query);
// {"val/f1": {"last": 0.9, "low": 0.5, "high": 0.91}}
Json SummariesJson(const MeasureSummaries& summaries);
Json ValuesJson(const Measurements& values);
Json TrialRowJson(const TrialRow& trial, const SweepSpec& spec, absl::Time now);
// Name, title, unit and direction.
Json MeasureJson(const SweepSpec& spec, std::string_view name);
// What objectives and gates ask for, and behind it `others`, each once.
Json MeasuresJson(const SweepSpec& spec, const std::vector<std::string>& others);
// Likewise, with what the sweep file declares and what is predefined.
Json KnownMeasuresJson(const SweepSpec& spec);
Json TargetJson(const SweepSpec& spec);
Json GatesJson(const std::vector<GateOutcome>& gates);
Json NetworkJson(const Network& network);
// How the trial is trained again, without a coordinator.
struct Replay {
  std::vector<std::string> commands;  // none where there are none
  std::string note;                   // where they are to be run, or why there are none
};
// `line`: what a trainer of the trial is told.
Replay ReplayOf(const SweepSpec& spec, const SweepSource& source, const TrialRow& trial,
                const Configuration& configuration, const std::string& line);

// What varies between the trials of a sweep.
struct ViewDimension {
  std::string name;
  std::string kind;  // "log", "linear", "category"
  bool integer = false;
  double min = 0;  // of a number
  double max = 0;
  std::vector<Value> categories;
  std::size_t parameter = 0;  // index into the sweep's parameters
};
std::vector<ViewDimension> DimensionsOf(const SweepSpec& spec);
Json DimensionsJson(const SweepSpec& spec);

// Null for a count that is 0 because there is nothing known to count: no network and no test set
// has none of these, and no epoch is the 0th.
inline Json KnownCountJson(std::int64_t count) { return count > 0 ? Json(count) : Json(nullptr); }

}  // namespace sweep

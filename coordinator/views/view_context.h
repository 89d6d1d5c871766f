#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/network/network.h"
#include "coordinator/views/document_values.h"
#include "coordinator/views/index_pool.h"
#include "coordinator/views/index_query.h"
#include "coordinator/views/model_pool.h"
#include "coordinator/views/region_pool.h"
#include "coordinator/views/time_left.h"
#include "coordinator/views/view_query.h"
#include "coordinator/views/views.h"
#include "sweep/documents/documents.pb.h"

namespace sweep {

// Declarations that the views share. Private to this library.

inline constexpr std::size_t kMaxDocumentBytes = 300'000;

struct ViewContext {
  Views::Options options;
  IndexPool* indexes = nullptr;
  TimeLeft* time_left = nullptr;
  bool actions_allowed = false;
};

// A sweep's spec and index.
struct LookedAt {
  SharedSpec spec;
  IndexPool::Answer index;
};

// The error Unavailable for a request that needs a complete index while it is being built.
absl::Status StillReading(const std::string& sweep);

// Documents. Errors are those of Views::Get.
absl::StatusOr<documents::SweepsView> SweepsDocument(const ViewContext& context,
                                                     const ViewQuery& query);
absl::StatusOr<documents::SweepView> SweepViewDocument(const ViewContext& context,
                                                       const SweepRow& sweep);
// True for a ranking without filter and order, which comes from the store.
bool IsWholeRanking(const ViewQuery& query);
absl::StatusOr<documents::RankingView> RankingDocument(const ViewContext& context,
                                                       const SweepRow& sweep,
                                                       const LookedAt& looked,
                                                       const ViewQuery& query);
absl::StatusOr<documents::ConfirmationView> ConfirmationDocument(const ViewContext& context,
                                                                 const SweepRow& sweep,
                                                                 const SweepSpec& spec);
absl::StatusOr<documents::ProgressView> ProgressDocument(const ViewContext& context,
                                                         const SweepRow& sweep);
absl::StatusOr<documents::TrialsView> TrialsDocument(const ViewContext& context,
                                                     const SweepRow& sweep, const LookedAt& looked,
                                                     const ViewQuery& query);
absl::StatusOr<documents::CurvesView> CurvesDocument(const ViewContext& context,
                                                     const SweepRow& sweep, const LookedAt& looked,
                                                     const ViewQuery& query);
absl::StatusOr<documents::AttemptsView> AttemptsDocument(const ViewContext& context,
                                                         const SweepRow& sweep,
                                                         const ViewQuery& query);
absl::StatusOr<documents::PointsView> PointsDocument(const LookedAt& looked,
                                                     const ViewQuery& query);
absl::StatusOr<documents::PopulationView> PopulationDocument(const LookedAt& looked,
                                                             const ViewQuery& query);
documents::ImportanceView ImportanceDocument(const LookedAt& looked);
// `answer` may be empty for a sweep whose method does not learn.
documents::ModelView ModelDocument(const ViewContext& context, std::int64_t sweep_id,
                                   const StoredSpec& stored, const ModelPool::Answer& answer);
// The share of runs that a region is asked for.
absl::StatusOr<double> RegionShare(const ViewQuery& query);
std::vector<RegionRun> RegionRuns(const SweepIndex& index);
documents::RegionView RegionDocument(const ViewContext& context, std::int64_t sweep_id,
                                     const StoredSpec& stored, double share,
                                     const RegionPool::Answer& answer);
// The first run of a configuration; 0 when it cannot be read.
std::int64_t FirstTrialOf(const ViewContext& context, std::int64_t sweep_id, const SweepSpec& spec,
                          std::int64_t configuration);
absl::StatusOr<documents::TrialView> TrialViewDocument(const ViewContext& context,
                                                       const std::string& sweep,
                                                       std::int64_t number);
absl::StatusOr<documents::LogsView> LogsDocument(const ViewContext& context,
                                                 const std::string& sweep, std::int64_t number,
                                                 const ViewQuery& query);
absl::StatusOr<documents::PredictionsView> PredictionsDocument(const ViewContext& context,
                                                               const std::string& sweep,
                                                               std::int64_t number);
documents::WorkersView WorkersDocument(const ViewContext& context);
absl::StatusOr<documents::TimelineView> TimelineDocument(const ViewContext& context,
                                                         const ViewQuery& query);

// The parts of a query that choose and order trials: state, where, sort.
absl::StatusOr<IndexQuery> ParseIndexQuery(const ViewContext& context, const ViewQuery& query,
                                           const SharedSpec& spec);
// The canonical name of the query's `metric`, or of the sweep's objective without one.
absl::StatusOr<std::string> MeasureOf(const SweepSpec& spec, const ViewQuery& query);

// Parts of documents.
// Without the file's content if the file is not accepted, and with the reason.
documents::SweepSummary DescribeSweep(const ViewContext& context, const SweepRow& sweep,
                                      const StoredSpec& stored);
documents::TrialRow DescribeTrial(const TrialRow& trial, const SweepSpec& spec, absl::Time now);
documents::Attempt DescribeAttempt(const AttemptRow& attempt, std::size_t reason_bytes);
documents::Measure DescribeMeasure(const SweepSpec& spec, std::string_view name);
// The measures of objectives and gates, followed by `others`, without duplicates.
Repeated<documents::Measure> DescribeMeasures(const SweepSpec& spec,
                                              const std::vector<std::string>& others);
// The same, with the measures that the sweep file declares and the predefined ones.
Repeated<documents::Measure> KnownMeasures(const SweepSpec& spec);
documents::Target TargetOf(const SweepSpec& spec);
Repeated<documents::GateOutcome> DescribeGates(const std::vector<GateOutcome>& gates);
documents::NetworkTable DescribeNetwork(const Network& network);
// Commands that repeat the training without a coordinator.
struct Replay {
  std::vector<std::string> commands;  // may be empty
  std::string note;                   // where to run them, or why there are none
};
// `line` is the trainer's input.
Replay ReplayOf(const SweepSpec& spec, const SweepSource& source, const TrialRow& trial,
                const Configuration& configuration, const std::string& line);

// A dimension of a sweep's search space.
struct ViewDimension {
  std::string name;
  documents::Dimension::Kind kind = documents::Dimension::KIND_LINEAR;
  bool integer = false;
  double min = 0;  // of a number
  double max = 0;
  std::vector<Value> categories;
  std::size_t parameter = 0;  // index into the sweep's parameters
};
std::vector<ViewDimension> DimensionsOf(const SweepSpec& spec);
Repeated<documents::Dimension> DescribeDimensions(const SweepSpec& spec);

}  // namespace sweep

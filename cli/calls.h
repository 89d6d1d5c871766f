#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/connection.h"
#include "sweep/v1/callers.pb.h"
#include "sweep/v1/sweeps.pb.h"
#include "sweep/v1/trials.pb.h"
#include "sweep/v1/workers.pb.h"

namespace sweep::cli {

// The coordinator's calls as functions that wait at most 30 s and return a Status. Names are the
// short ones that people type ("seed-000", "seed-000/17").
absl::StatusOr<v1::Sweep> GetSweep(Connection& connection, const std::string& name);
// The same, with the files that the sweep has had.
absl::StatusOr<v1::GetSweepResponse> GetWholeSweep(Connection& connection, const std::string& name,
                                                   bool with_revisions);
// `archived` includes archived sweeps.
absl::StatusOr<std::vector<v1::Sweep>> ListSweeps(Connection& connection, bool archived = false);
// `wanted`, or the newest sweep's name when that is empty.
absl::StatusOr<std::string> NamedOrNewest(Connection& connection, const std::string& wanted);
// What its search would try next.
absl::StatusOr<v1::PreviewSuggestionsResponse> PreviewSuggestions(Connection& connection,
                                                                  const std::string& name,
                                                                  int count);
absl::StatusOr<v1::RankSweepResponse> RankSweep(Connection& connection, const std::string& name,
                                                int top);
// A document of the dashboard; `path` is, for example, "/sweeps/mnist/points".
absl::StatusOr<std::string> GetView(Connection& connection, const std::string& path,
                                    const std::string& query);
absl::StatusOr<v1::GetTrialResponse> GetTrial(Connection& connection, const std::string& name);
struct TrialFilter {
  v1::TrialState state = v1::TRIAL_STATE_UNSPECIFIED;
  std::string where;
  std::string order_by;
  int limit = 0;  // 0: all
};
absl::StatusOr<std::vector<v1::Trial>> ListTrials(Connection& connection, const std::string& sweep,
                                                  const TrialFilter& filter);
// Passes the trials to `take` page by page, so that memory holds one page only. Stops at the first
// failure of `take`.
absl::Status ForEachTrialPage(
    Connection& connection, const std::string& sweep, const TrialFilter& filter,
    const std::function<absl::Status(const std::vector<v1::Trial>&)>& take);
absl::StatusOr<std::vector<v1::Epoch>> ListEpochs(Connection& connection, const std::string& trial);
absl::StatusOr<std::vector<v1::Attempt>> ListAttempts(Connection& connection,
                                                      const std::string& trial);
// One page of a trial's log lines: from `page_token` on, or the last `tail` when it is empty.
absl::StatusOr<v1::ListLogsResponse> ListLogs(Connection& connection, const std::string& trial,
                                              const std::string& page_token, int tail);
absl::StatusOr<std::vector<v1::Worker>> ListWorkers(Connection& connection);
absl::StatusOr<v1::Sweep> PauseSweep(Connection& connection, const std::string& name, bool now);
absl::StatusOr<v1::Sweep> ResumeSweep(Connection& connection, const std::string& name);
// Selects the unsuccessful trials of a sweep that become pending again.
struct RetrySelection {
  bool failed = false;
  bool cancelled = false;
  bool diverged = false;
};
absl::StatusOr<v1::RetrySweepResponse> RetrySweep(Connection& connection, const std::string& name,
                                                  const RetrySelection& selection);
// `force` includes a trial that diverged.
absl::StatusOr<v1::Trial> RetryTrial(Connection& connection, const std::string& name, bool force);
absl::StatusOr<v1::Sweep> ExtendSweep(Connection& connection, const std::string& name,
                                      std::int64_t run_cap);
// Replaces the file of `stored`, as GetSweep has it. With `validate_only` the sweep as it would be.
absl::StatusOr<v1::Sweep> EditSweep(Connection& connection, const v1::Sweep& stored,
                                    const v1::SweepSource& source, bool validate_only);
absl::StatusOr<v1::ExplainTrialResponse> ExplainTrial(Connection& connection,
                                                      const std::string& name);
absl::StatusOr<v1::Worker> DrainWorker(Connection& connection, const std::string& name);
absl::StatusOr<v1::Sweep> CancelSweep(Connection& connection, const std::string& name);
// Returns the number of trials deleted.
absl::StatusOr<std::int64_t> DeleteSweep(Connection& connection, const std::string& name);
absl::StatusOr<v1::Sweep> RenameSweep(Connection& connection, const std::string& name,
                                      const std::string& new_name);
absl::StatusOr<v1::Sweep> ArchiveSweep(Connection& connection, const std::string& name,
                                       bool archived);
absl::StatusOr<v1::Trial> CancelTrial(Connection& connection, const std::string& name);
// Asks for a trial of a sweep that callers train; the coordinator waits for `wait` at most.
absl::StatusOr<v1::SuggestTrialResponse> SuggestTrial(Connection& connection,
                                                      const std::string& sweep,
                                                      const std::string& caller,
                                                      const std::string& request_id,
                                                      absl::Duration wait);
absl::StatusOr<v1::ReportTrialResponse> ReportTrial(Connection& connection,
                                                    const v1::ReportTrialRequest& request);
// `keep_going`: do not pause when the first trials fail alike.
absl::StatusOr<v1::CreateSweepResponse> CreateSweep(Connection& connection,
                                                    const v1::SweepSource& source,
                                                    bool keep_going = false);
// A stored file's bytes, checked against their SHA-256. NotFound when the coordinator no longer
// keeps it, DataLoss when the bytes differ.
absl::StatusOr<std::string> GetBlob(Connection& connection, const std::string& sha256);
// Stores a blob of at most 64 MiB under the SHA-256 of its bytes, which is `sha256`.
absl::Status PutBlob(Connection& connection, const std::string& sha256, std::string_view bytes);
// Those of `blobs` that the coordinator lacks. It keeps the others for an hour at least.
absl::StatusOr<std::vector<std::string>> FindMissingBlobs(Connection& connection,
                                                          const std::vector<std::string>& blobs);

}  // namespace sweep::cli

#include "cli/calls.h"

#include <grpcpp/grpcpp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/help/suggestions.h"
#include "cli/present/present.h"
#include "cli/stubs.h"
#include "common/base/ids.h"
#include "common/base/sha256.h"
#include "proto/grpc_status.h"
#include "proto/names.h"

namespace sweep::cli {
namespace {

// The protocol's limit for a blob.
constexpr std::size_t kMaxBlobBytes = std::size_t{64} << 20;
constexpr std::size_t kSentPieceBytes = std::size_t{256} << 10;
constexpr std::size_t kSoughtBlobs = 1000;  // the contract's limit

// Makes one unary call through a stub's method. Retries for 5 s while a coordinator restarts: every
// call is repeatable, since it changes nothing or carries a request id.
template <typename Stub, typename Request, typename Response>
absl::Status Call(Connection& connection, Stub Stubs::* stub,
                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request, Response* response) {
  const absl::Time give_up = absl::Now() + absl::Seconds(5);
  while (true) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    const absl::Status status =
        FromGrpcStatus(((connection.stubs().*stub).*method)(&context, request, response));
    // A server that shuts down cancels its unanswered calls.
    const bool is_passing = absl::IsUnavailable(status) || absl::IsCancelled(status);
    if (!is_passing) return status;
    if (absl::Now() > give_up) {
      // The coordinator answers with the reason, such as a full disk.
      const bool is_there = context.debug_error_string().find("from peer") != std::string::npos;
      if (is_there) return status;
      return absl::UnavailableError("the coordinator does not answer any more (" +
                                    std::string(status.message()) + ")");
    }
    absl::SleepFor(absl::Milliseconds(100));
    connection.FollowDatabase();
  }
}

// Reads every page of a list call. `take` consumes the items of an answer and returns true when
// more are wanted.
template <typename Stub, typename Request, typename Response, typename Take>
absl::Status CallPages(Connection& connection, Stub Stubs::* stub,
                       grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                    Response*),
                       Request request, Take take) {
  while (true) {
    Response response;
    absl::Status status = Call(connection, stub, method, request, &response);
    if (!status.ok()) return status;
    if (!take(response) || response.next_page_token().empty()) return absl::OkStatus();
    request.set_page_token(response.next_page_token());
  }
}

std::string Principal() {
  char host[256] = {};
  gethostname(host, sizeof(host) - 1);
  std::string user = "uid-" + std::to_string(getuid());
  // A container may have neither.
  if (const passwd* const entry = getpwuid(getuid()); entry != nullptr) user = entry->pw_name;
  if (const char* const name = std::getenv("USER"); name != nullptr) user = name;
  return user + "@" + host;
}

}  // namespace

absl::StatusOr<v1::Sweep> GetSweep(Connection& connection, const std::string& name) {
  absl::StatusOr<v1::GetSweepResponse> response = GetWholeSweep(connection, name, false);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_sweep());
}

absl::StatusOr<v1::GetSweepResponse> GetWholeSweep(Connection& connection, const std::string& name,
                                                   bool with_revisions) {
  absl::StatusOr<std::string> sweep = ParseSweepResource(name);
  if (!sweep.ok()) return sweep.status();
  v1::GetSweepRequest request;
  request.set_name(SweepResource(*sweep));
  request.set_with_revisions(with_revisions);
  v1::GetSweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::GetSweep, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response;
}

absl::StatusOr<std::vector<v1::Sweep>> ListSweeps(Connection& connection, bool archived) {
  std::vector<v1::Sweep> sweeps;
  v1::ListSweepsRequest request;
  request.set_page_size(1000);
  request.set_show_archived(archived);
  absl::Status status =
      CallPages(connection, &Stubs::sweeps, &v1::SweepService::Stub::ListSweeps, request,
                [&](const v1::ListSweepsResponse& page) {
                  sweeps.insert(sweeps.end(), page.sweeps().begin(), page.sweeps().end());
                  return true;
                });
  if (!status.ok()) return status;
  return sweeps;
}

absl::StatusOr<std::string> NamedOrNewest(Connection& connection, const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  const absl::StatusOr<std::vector<v1::Sweep>> sweeps = ListSweeps(connection);
  if (!sweeps.ok()) return sweeps.status();
  if (sweeps->empty()) {
    return absl::NotFoundError(
        "there is no sweep yet; `sweep run` or `sweep submit` with a sweep file makes one");
  }
  return ShortName(sweeps->front().name());
}

absl::StatusOr<v1::PreviewSuggestionsResponse> PreviewSuggestions(Connection& connection,
                                                                  const std::string& name,
                                                                  int count) {
  absl::StatusOr<std::string> sweep = ParseSweepResource(name);
  if (!sweep.ok()) return sweep.status();
  v1::PreviewSuggestionsRequest request;
  request.set_name(SweepResource(*sweep));
  request.set_count(count);
  v1::PreviewSuggestionsResponse response;
  absl::Status status = Call(connection, &Stubs::sweeps,
                             &v1::SweepService::Stub::PreviewSuggestions, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response;
}

absl::StatusOr<v1::RankSweepResponse> RankSweep(Connection& connection, const std::string& name,
                                                int top) {
  absl::StatusOr<std::string> sweep = ParseSweepResource(name);
  if (!sweep.ok()) return sweep.status();
  v1::RankSweepRequest request;
  request.set_name(SweepResource(*sweep));
  request.set_top(top);
  v1::RankSweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::RankSweep, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response;
}

absl::StatusOr<std::string> GetView(Connection& connection, const std::string& path,
                                    const std::string& query) {
  v1::GetViewRequest request;
  request.set_path(path);
  request.set_query(query);
  v1::GetViewResponse response;
  absl::Status status =
      Call(connection, &Stubs::views, &v1::ViewService::Stub::GetView, request, &response);
  if (!status.ok()) return status;
  return std::move(*response.mutable_json());
}

absl::StatusOr<v1::GetTrialResponse> GetTrial(Connection& connection, const std::string& name) {
  absl::StatusOr<TrialId> id = ParseTrialResource(name);
  if (!id.ok()) return id.status();
  v1::GetTrialRequest request;
  request.set_name(TrialResource(id->sweep, id->number));
  v1::GetTrialResponse response;
  absl::Status status =
      Call(connection, &Stubs::trials, &v1::TrialService::Stub::GetTrial, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response;
}

absl::Status ForEachTrialPage(
    Connection& connection, const std::string& sweep, const TrialFilter& filter,
    const std::function<absl::Status(const std::vector<v1::Trial>&)>& take) {
  absl::StatusOr<std::string> name = ParseSweepResource(sweep);
  if (!name.ok()) return name.status();
  v1::ListTrialsRequest request;
  request.set_parent(SweepResource(*name));
  request.set_page_size(filter.limit > 0 ? std::min(filter.limit, 1000) : 1000);
  request.set_state(filter.state);
  request.set_filter(filter.where);
  request.set_order_by(filter.order_by);
  absl::Status taken;
  std::size_t wanted = filter.limit > 0 ? static_cast<std::size_t>(filter.limit) : SIZE_MAX;
  const absl::Status status =
      CallPages(connection, &Stubs::trials, &v1::TrialService::Stub::ListTrials, request,
                [&](const v1::ListTrialsResponse& page) {
                  const std::size_t count = std::min<std::size_t>(wanted, page.trials_size());
                  const auto first = page.trials().begin();
                  taken = take({first, first + static_cast<std::ptrdiff_t>(count)});
                  wanted -= count;
                  return taken.ok() && wanted > 0;
                });
  return taken.ok() ? status : taken;
}

absl::StatusOr<std::vector<v1::Trial>> ListTrials(Connection& connection, const std::string& sweep,
                                                  const TrialFilter& filter) {
  std::vector<v1::Trial> trials;
  const absl::Status status =
      ForEachTrialPage(connection, sweep, filter, [&](const std::vector<v1::Trial>& page) {
        trials.insert(trials.end(), page.begin(), page.end());
        return absl::OkStatus();
      });
  if (!status.ok()) return WithNearestSweep(connection, status, sweep);
  return trials;
}

absl::StatusOr<std::vector<v1::Epoch>> ListEpochs(Connection& connection,
                                                  const std::string& trial) {
  absl::StatusOr<TrialId> id = ParseTrialResource(trial);
  if (!id.ok()) return id.status();
  v1::ListEpochsRequest request;
  request.set_parent(TrialResource(id->sweep, id->number));
  std::vector<v1::Epoch> epochs;
  absl::Status status =
      CallPages(connection, &Stubs::trials, &v1::TrialService::Stub::ListEpochs, request,
                [&](const v1::ListEpochsResponse& page) {
                  epochs.insert(epochs.end(), page.epochs().begin(), page.epochs().end());
                  return true;
                });
  if (!status.ok()) return WithNearestSweep(connection, status, trial);
  return epochs;
}

absl::StatusOr<std::vector<v1::Attempt>> ListAttempts(Connection& connection,
                                                      const std::string& trial) {
  absl::StatusOr<TrialId> id = ParseTrialResource(trial);
  if (!id.ok()) return id.status();
  v1::ListAttemptsRequest request;
  request.set_parent(TrialResource(id->sweep, id->number));
  v1::ListAttemptsResponse response;
  absl::Status status =
      Call(connection, &Stubs::trials, &v1::TrialService::Stub::ListAttempts, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, trial);
  return std::vector<v1::Attempt>(response.attempts().begin(), response.attempts().end());
}

absl::StatusOr<v1::ListLogsResponse> ListLogs(Connection& connection, const std::string& trial,
                                              const std::string& page_token, int tail) {
  absl::StatusOr<TrialId> id = ParseTrialResource(trial);
  if (!id.ok()) return id.status();
  v1::ListLogsRequest request;
  request.set_parent(TrialResource(id->sweep, id->number));
  request.set_page_token(page_token);
  if (page_token.empty()) request.set_tail(tail);
  v1::ListLogsResponse response;
  absl::Status status =
      Call(connection, &Stubs::trials, &v1::TrialService::Stub::ListLogs, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, trial);
  return response;
}

absl::StatusOr<std::vector<v1::Worker>> ListWorkers(Connection& connection) {
  std::vector<v1::Worker> workers;
  absl::Status status =
      CallPages(connection, &Stubs::workers, &v1::WorkerService::Stub::ListWorkers,
                v1::ListWorkersRequest(), [&](const v1::ListWorkersResponse& page) {
                  workers.insert(workers.end(), page.workers().begin(), page.workers().end());
                  return true;
                });
  if (!status.ok()) return status;
  return workers;
}

absl::StatusOr<v1::Sweep> PauseSweep(Connection& connection, const std::string& name, bool now) {
  absl::StatusOr<std::string> sweep = ParseSweepResource(name);
  if (!sweep.ok()) return sweep.status();
  v1::PauseSweepRequest request;
  request.set_name(SweepResource(*sweep));
  request.set_now(now);
  request.set_request_id(RandomHex(16));
  v1::PauseSweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::PauseSweep, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response.sweep();
}

absl::StatusOr<v1::Sweep> ResumeSweep(Connection& connection, const std::string& name) {
  absl::StatusOr<std::string> sweep = ParseSweepResource(name);
  if (!sweep.ok()) return sweep.status();
  v1::ResumeSweepRequest request;
  request.set_name(SweepResource(*sweep));
  request.set_request_id(RandomHex(16));
  v1::ResumeSweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::ResumeSweep, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response.sweep();
}

absl::StatusOr<v1::RetrySweepResponse> RetrySweep(Connection& connection, const std::string& name,
                                                  const RetrySelection& selection) {
  absl::StatusOr<std::string> sweep = ParseSweepResource(name);
  if (!sweep.ok()) return sweep.status();
  v1::RetrySweepRequest request;
  request.set_name(SweepResource(*sweep));
  request.set_failed(selection.failed);
  request.set_cancelled(selection.cancelled);
  request.set_diverged(selection.diverged);
  request.set_request_id(RandomHex(16));
  v1::RetrySweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::RetrySweep, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response;
}

absl::StatusOr<v1::Trial> RetryTrial(Connection& connection, const std::string& name, bool force) {
  absl::StatusOr<TrialId> id = ParseTrialResource(name);
  if (!id.ok()) return id.status();
  v1::RetryTrialRequest request;
  request.set_name(TrialResource(id->sweep, id->number));
  request.set_force(force);
  request.set_request_id(RandomHex(16));
  v1::RetryTrialResponse response;
  absl::Status status =
      Call(connection, &Stubs::trials, &v1::TrialService::Stub::RetryTrial, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response.trial();
}

absl::StatusOr<v1::Sweep> ExtendSweep(Connection& connection, const std::string& name,
                                      std::int64_t run_cap) {
  absl::StatusOr<std::string> sweep = ParseSweepResource(name);
  if (!sweep.ok()) return sweep.status();
  v1::ExtendSweepRequest request;
  request.set_name(SweepResource(*sweep));
  request.set_run_cap(run_cap);
  request.set_request_id(RandomHex(16));
  v1::ExtendSweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::ExtendSweep, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response.sweep();
}

absl::StatusOr<v1::Sweep> EditSweep(Connection& connection, const v1::Sweep& stored,
                                    const v1::SweepSource& source, bool validate_only) {
  v1::EditSweepRequest request;
  request.set_name(stored.name());
  *request.mutable_source() = source;
  request.set_replaces_sha256(Sha256Hex(stored.source().text()));
  request.set_validate_only(validate_only);
  request.set_request_id(RandomHex(16));
  v1::EditSweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::EditSweep, request, &response);
  if (!status.ok()) return status;
  return response.sweep();
}

absl::StatusOr<v1::ExplainTrialResponse> ExplainTrial(Connection& connection,
                                                      const std::string& name) {
  absl::StatusOr<TrialId> id = ParseTrialResource(name);
  if (!id.ok()) return id.status();
  v1::ExplainTrialRequest request;
  request.set_name(TrialResource(id->sweep, id->number));
  v1::ExplainTrialResponse response;
  absl::Status status =
      Call(connection, &Stubs::trials, &v1::TrialService::Stub::ExplainTrial, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response;
}

absl::StatusOr<v1::Worker> DrainWorker(Connection& connection, const std::string& name) {
  absl::StatusOr<std::string> worker = ParseWorkerResource(name);
  if (!worker.ok()) return worker.status();
  v1::DrainWorkerRequest request;
  request.set_name(WorkerResource(*worker));
  v1::DrainWorkerResponse response;
  absl::Status status =
      Call(connection, &Stubs::workers, &v1::WorkerService::Stub::DrainWorker, request, &response);
  if (!status.ok()) return WithNearestWorker(connection, status, name);
  return response.worker();
}

absl::StatusOr<v1::Sweep> CancelSweep(Connection& connection, const std::string& name) {
  absl::StatusOr<std::string> sweep = ParseSweepResource(name);
  if (!sweep.ok()) return sweep.status();
  v1::CancelSweepRequest request;
  request.set_name(SweepResource(*sweep));
  request.set_request_id(RandomHex(16));
  v1::CancelSweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::CancelSweep, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response.sweep();
}

absl::StatusOr<std::int64_t> DeleteSweep(Connection& connection, const std::string& name) {
  absl::StatusOr<std::string> sweep = ParseSweepResource(name);
  if (!sweep.ok()) return sweep.status();
  v1::DeleteSweepRequest request;
  request.set_name(SweepResource(*sweep));
  request.set_request_id(RandomHex(16));
  v1::DeleteSweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::DeleteSweep, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response.trials();
}

absl::StatusOr<v1::Sweep> RenameSweep(Connection& connection, const std::string& name,
                                      const std::string& new_name) {
  absl::StatusOr<std::string> sweep = ParseSweepResource(name);
  if (!sweep.ok()) return sweep.status();
  v1::RenameSweepRequest request;
  request.set_name(SweepResource(*sweep));
  request.set_new_name(new_name);
  request.set_request_id(RandomHex(16));
  v1::RenameSweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::RenameSweep, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response.sweep();
}

absl::StatusOr<v1::Sweep> ArchiveSweep(Connection& connection, const std::string& name,
                                       bool archived) {
  absl::StatusOr<std::string> sweep = ParseSweepResource(name);
  if (!sweep.ok()) return sweep.status();
  v1::ArchiveSweepRequest request;
  request.set_name(SweepResource(*sweep));
  request.set_archived(archived);
  request.set_request_id(RandomHex(16));
  v1::ArchiveSweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::ArchiveSweep, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response.sweep();
}

absl::StatusOr<v1::Trial> CancelTrial(Connection& connection, const std::string& name) {
  absl::StatusOr<TrialId> id = ParseTrialResource(name);
  if (!id.ok()) return id.status();
  v1::CancelTrialRequest request;
  request.set_name(TrialResource(id->sweep, id->number));
  request.set_request_id(RandomHex(16));
  v1::CancelTrialResponse response;
  absl::Status status =
      Call(connection, &Stubs::trials, &v1::TrialService::Stub::CancelTrial, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, name);
  return response.trial();
}

absl::StatusOr<v1::CreateSweepResponse> CreateSweep(Connection& connection,
                                                    const v1::SweepSource& source,
                                                    bool keep_going) {
  v1::CreateSweepRequest request;
  request.set_keep_going(keep_going);
  *request.mutable_source() = source;
  request.set_request_id(RandomHex(16));
  request.set_principal(Principal());
  v1::CreateSweepResponse response;
  absl::Status status =
      Call(connection, &Stubs::sweeps, &v1::SweepService::Stub::CreateSweep, request, &response);
  if (!status.ok()) return status;
  return response;
}

absl::StatusOr<v1::SuggestTrialResponse> SuggestTrial(Connection& connection,
                                                      const std::string& sweep,
                                                      const std::string& caller,
                                                      const std::string& request_id,
                                                      absl::Duration wait) {
  const absl::StatusOr<std::string> name = ParseSweepResource(sweep);
  if (!name.ok()) return name.status();
  v1::SuggestTrialRequest request;
  request.set_parent(SweepResource(*name));
  request.set_caller(caller);
  request.set_request_id(request_id);
  const std::int64_t milliseconds = absl::ToInt64Milliseconds(wait);
  request.mutable_wait()->set_seconds(milliseconds / 1000);
  request.mutable_wait()->set_nanos(static_cast<int>(milliseconds % 1000 * 1'000'000));
  v1::SuggestTrialResponse response;
  const absl::Status status =
      Call(connection, &Stubs::callers, &v1::CallerService::Stub::SuggestTrial, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, sweep);
  return response;
}

absl::StatusOr<v1::ReportTrialResponse> ReportTrial(Connection& connection,
                                                    const v1::ReportTrialRequest& request) {
  v1::ReportTrialResponse response;
  const absl::Status status =
      Call(connection, &Stubs::callers, &v1::CallerService::Stub::ReportTrial, request, &response);
  if (!status.ok()) return WithNearestSweep(connection, status, request.token().trial());
  return response;
}

absl::StatusOr<std::string> GetBlob(Connection& connection, const std::string& sha256) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(5));
  v1::GetBlobRequest request;
  request.set_sha256(sha256);
  const auto reader = connection.stubs().blobs.GetBlob(&context, request);
  std::string bytes;
  v1::GetBlobResponse piece;
  while (reader->Read(&piece)) {
    bytes += piece.data();
    if (bytes.size() > kMaxBlobBytes) {
      context.TryCancel();
      return absl::DataLossError(absl::StrCat("blob ", sha256, " is larger than a blob can be"));
    }
  }
  const absl::Status status = FromGrpcStatus(reader->Finish());
  if (!status.ok()) return status;
  if (const std::string got = Sha256Hex(bytes); got != sha256) {
    return absl::DataLossError(absl::StrCat("blob ", sha256, ": its bytes have SHA-256 ", got));
  }
  return bytes;
}

absl::Status PutBlob(Connection& connection, const std::string& sha256, std::string_view bytes) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(5));
  v1::PutBlobResponse response;
  const auto writer = connection.stubs().blobs.PutBlob(&context, &response);
  v1::PutBlobRequest request;
  request.set_sha256(sha256);
  request.set_size_bytes(static_cast<std::int64_t>(bytes.size()));
  do {
    request.set_data(std::string(bytes.substr(0, kSentPieceBytes)));
    bytes.remove_prefix(request.data().size());
    if (!writer->Write(request)) break;  // the coordinator has refused it; Finish says why
    request.Clear();
  } while (!bytes.empty());
  writer->WritesDone();
  return FromGrpcStatus(writer->Finish());
}

absl::StatusOr<std::vector<std::string>> FindMissingBlobs(Connection& connection,
                                                          const std::vector<std::string>& blobs) {
  std::vector<std::string> missing;
  for (std::size_t first = 0; first < blobs.size(); first += kSoughtBlobs) {
    v1::FindMissingBlobsRequest request;
    const std::size_t last = std::min(first + kSoughtBlobs, blobs.size());
    for (std::size_t i = first; i < last; ++i) request.add_sha256(blobs[i]);
    v1::FindMissingBlobsResponse response;
    const absl::Status status = Call(connection, &Stubs::blobs,
                                     &v1::BlobService::Stub::FindMissingBlobs, request, &response);
    if (!status.ok()) return status;
    missing.insert(missing.end(), response.missing_sha256().begin(),
                   response.missing_sha256().end());
  }
  return missing;
}

}  // namespace sweep::cli

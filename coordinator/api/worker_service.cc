#include "coordinator/api/worker_service.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/base/sha256.h"
#include "common/base/utf8.h"
#include "coordinator/api/convert.h"
#include "coordinator/api/reactors.h"
#include "coordinator/views/page_token.h"
#include "fmt/format.h"
#include "proto/names.h"

namespace sweep {
namespace {

constexpr int kMaxArtifacts = 16;
constexpr std::size_t kMaxStoredReasonBytes = 16 << 10;
constexpr std::size_t kMaxRoleBytes = 64;
constexpr std::size_t kMaxPlaceBytes = 1024;
constexpr std::size_t kMaxTrainerBytes = 1024;

// A call that may be parked. The scheduler's answer and the client's cancellation race for it: the
// first to claim it finishes it; gRPC then calls OnDone.
class SynchronizeReactor final : public grpc::ServerUnaryReactor {
 public:
  SynchronizeReactor(Scheduler* scheduler, grpc::CallbackServerContext* context,
                     v1::SynchronizeResponse* response)
      : scheduler_(scheduler), context_(context), response_(response) {}

  void Start(SynchronizeCall call) {
    worker_ = call.worker;
    poll_id_ = call.poll_id;
    scheduler_->leases().Synchronize(call, [this, claimed = claimed_](auto answer) {
      if (!claimed->exchange(true)) Answer(answer);  // otherwise `this` may have been deleted
    });
  }

  void OnCancel() override {
    if (claimed_->exchange(true)) return;
    scheduler_->leases().DropPoll(worker_, poll_id_);
    Finish(grpc::Status::CANCELLED);
  }

  void OnDone() override { delete this; }

 private:
  void Answer(const absl::StatusOr<SynchronizeAnswer>& answer) {
    if (answer.ok()) {
      for (const LeaseOffer& offer : answer->leases) {
        *response_->add_leases() = ToProto(offer);
        if (offer.give_back) *response_->add_give_back() = ToProto(offer.token);
        if (offer.stop) *response_->add_stop() = ToProto(offer.token);
      }
      response_->set_drain(answer->drain);
      *response_->mutable_next_call() = ToProto(answer->next_call);
      *response_->mutable_lease_term() = ToProto(answer->lease_term);
    }
    Finish(Outgoing(context_, answer.status()));
  }

  Scheduler* const scheduler_;
  grpc::CallbackServerContext* const context_;
  v1::SynchronizeResponse* const response_;
  std::string worker_;
  std::uint64_t poll_id_ = 0;
  // Shared with the callback, which may come after this object was deleted.
  const std::shared_ptr<std::atomic<bool>> claimed_ = std::make_shared<std::atomic<bool>>(false);
};

absl::Status CheckDigest(const std::string& what, const std::string& sha256) {
  if (IsSha256Hex(sha256)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{}: '{}' is not a SHA-256 (64 hexadecimal digits)", what, CutText(sha256, 80)));
}

absl::StatusOr<std::vector<ArtifactRow>> ArtifactRows(const v1::FinishLeaseRequest& request) {
  if (request.artifacts_size() > kMaxArtifacts) {
    return absl::InvalidArgumentError(fmt::format("{} artifacts; at most {} are possible",
                                                  request.artifacts_size(), kMaxArtifacts));
  }
  std::vector<ArtifactRow> rows;
  for (const v1::Artifact& artifact : request.artifacts()) {
    if (artifact.role().empty() || artifact.role().size() > kMaxRoleBytes) {
      return absl::InvalidArgumentError(fmt::format("artifact '{}': a role has 1 to {} characters",
                                                    CutText(artifact.role(), kMaxRoleBytes),
                                                    kMaxRoleBytes));
    }
    const absl::Status checked = CheckDigest("artifact " + artifact.role(), artifact.sha256());
    if (!checked.ok()) return checked;
    rows.push_back({.role = artifact.role(), .sha256 = artifact.sha256()});
  }
  return rows;
}

}  // namespace

grpc::ServerUnaryReactor* WorkerService::Synchronize(grpc::CallbackServerContext* context,
                                                     const v1::SynchronizeRequest* request,
                                                     v1::SynchronizeResponse* response) {
  absl::StatusOr<SynchronizeCall> call = FromProto(*request);
  if (!call.ok()) return Respond(context, [&] { return call.status(); });
  call->poll_id = next_poll_.fetch_add(1);
  auto* const reactor =
      new SynchronizeReactor(scheduler_, context, response);  // deletes itself in OnDone
  reactor->Start(*std::move(call));
  return reactor;
}

grpc::ServerUnaryReactor* WorkerService::ReportEpochs(grpc::CallbackServerContext* context,
                                                      const v1::ReportEpochsRequest* request,
                                                      v1::ReportEpochsResponse*) {
  const absl::StatusOr<LeaseToken> token = FromProto(request->token());
  if (!token.ok()) return Respond(context, [&] { return token.status(); });
  absl::StatusOr<std::vector<EpochMetrics>> epochs = FromProto(request->epochs());
  if (!epochs.ok()) return Respond(context, [&] { return epochs.status(); });
  if (epochs->empty() && request->checkpoint_sha256().empty()) {
    return Respond(context, [] {
      return absl::InvalidArgumentError("a report has neither epochs nor a checkpoint");
    });
  }
  if (!request->checkpoint_sha256().empty()) {
    const absl::Status checked = CheckDigest("checkpoint", request->checkpoint_sha256());
    if (!checked.ok()) return Respond(context, [&] { return checked; });
  }
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->reports().ReportEpochs(
      *token, *std::move(epochs), request->checkpoint_sha256(), request->checkpoint_epoch(),
      [=](const absl::Status& status) { reactor->Finish(Outgoing(context, status)); },
      request->trainer().size() <= kMaxTrainerBytes ? request->trainer() : "");
  return reactor;
}

grpc::ServerUnaryReactor* WorkerService::ReportProgress(grpc::CallbackServerContext* context,
                                                        const v1::ReportProgressRequest* request,
                                                        v1::ReportProgressResponse*) {
  return Respond(context, [&] {
    scheduler_->leases().ReportProgress(request->session(), FromProto(*request));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* WorkerService::FinishLease(grpc::CallbackServerContext* context,
                                                     const v1::FinishLeaseRequest* request,
                                                     v1::FinishLeaseResponse*) {
  const absl::StatusOr<LeaseToken> token = FromProto(request->token());
  if (!token.ok()) return Respond(context, [&] { return token.status(); });
  const absl::StatusOr<LeaseOutcome> outcome = OutcomeOf(*request);
  if (!outcome.ok()) return Respond(context, [&] { return outcome.status(); });
  const absl::StatusOr<std::vector<ArtifactRow>> artifacts = ArtifactRows(*request);
  if (!artifacts.ok()) return Respond(context, [&] { return artifacts.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->reports().FinishLease(
      *token, *outcome, CutText(request->reason(), kMaxStoredReasonBytes), *artifacts,
      [=](const absl::Status& status) { reactor->Finish(Outgoing(context, status)); });
  return reactor;
}

grpc::ServerUnaryReactor* WorkerService::ReportData(grpc::CallbackServerContext* context,
                                                    const v1::ReportDataRequest* request,
                                                    v1::ReportDataResponse* response) {
  const absl::StatusOr<LeaseToken> token = FromProto(request->token());
  if (!token.ok()) return Respond(context, [&] { return token.status(); });
  const absl::Status checked = CheckDigest("data", request->data_sha256());
  if (!checked.ok()) return Respond(context, [&] { return checked; });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->reports().ReportData(
      *token, request->data_sha256(),
      OneLine(CutText(request->path(), kMaxPlaceBytes), kMaxPlaceBytes),
      [=](const absl::StatusOr<std::string>& refusal) {
        if (refusal.ok()) response->set_refusal(*refusal);
        reactor->Finish(Outgoing(context, refusal.status()));
      });
  return reactor;
}

grpc::ServerUnaryReactor* WorkerService::AppendLogs(grpc::CallbackServerContext* context,
                                                    const v1::AppendLogsRequest* request,
                                                    v1::AppendLogsResponse*) {
  const absl::StatusOr<LeaseToken> token = FromProto(request->token());
  if (!token.ok()) return Respond(context, [&] { return token.status(); });
  const absl::StatusOr<std::vector<LogRow>> lines = FromProto(request->lines());
  if (!lines.ok()) return Respond(context, [&] { return lines.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->reports().AppendLogs(*token, *lines, [=](const absl::Status& status) {
    reactor->Finish(Outgoing(context, status));
  });
  return reactor;
}

grpc::ServerUnaryReactor* WorkerService::DrainWorker(grpc::CallbackServerContext* context,
                                                     const v1::DrainWorkerRequest* request,
                                                     v1::DrainWorkerResponse* response) {
  return Respond(context, [&] {
    const absl::StatusOr<std::string> name = ParseWorkerResource(request->name());
    if (!name.ok()) return name.status();
    const absl::StatusOr<WorkerInfo> worker = scheduler_->leases().DrainWorker(*name);
    if (worker.ok()) *response->mutable_worker() = ToProto(*worker);
    return worker.status();
  });
}

absl::Status WorkerService::List(const v1::ListWorkersRequest& request,
                                 v1::ListWorkersResponse* response) {
  constexpr std::string_view kQuery = "workers";
  const absl::StatusOr<int> size = PageSize(request.page_size(), 100, kMaxPageSize);
  if (!size.ok()) return size.status();
  const absl::StatusOr<std::int64_t> offset = DecodePageToken(request.page_token(), kQuery);
  if (!offset.ok()) return offset.status();
  const std::vector<WorkerInfo> workers = scheduler_->insight().Workers();
  const auto total = static_cast<std::int64_t>(workers.size());
  const std::int64_t end = std::min(total, *offset + *size);
  for (std::int64_t i = *offset; i < end; ++i) *response->add_workers() = ToProto(workers[i]);
  if (end < total) response->set_next_page_token(EncodePageToken(end, kQuery));
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* WorkerService::ListWorkers(grpc::CallbackServerContext* context,
                                                     const v1::ListWorkersRequest* request,
                                                     v1::ListWorkersResponse* response) {
  return RespondFrom(reads_, context, [=, this] { return List(*request, response); });
}

}  // namespace sweep

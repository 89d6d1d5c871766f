#include "coordinator/api/caller_service.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "coordinator/api/convert.h"
#include "coordinator/api/reactors.h"
#include "coordinator/api/with_spec.h"
#include "fmt/format.h"
#include "proto/names.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxToldReasonBytes = 16 << 10;

void Fill(const AskAnswer& answer, v1::SuggestTrialResponse* response) {
  response->set_ended(answer.ended);
  response->set_reason(answer.reason);
  if (!answer.trial) return;
  *response->mutable_trial() = ToProto(*answer.trial);
  *response->mutable_trial()->mutable_lease_term() = ToProto(answer.lease_term);
}

// A call that may be parked. The scheduler's answer and the client's cancellation race for it: the
// first to claim it finishes it; gRPC then calls OnDone.
class SuggestReactor final : public grpc::ServerUnaryReactor {
 public:
  SuggestReactor(Scheduler* scheduler, grpc::CallbackServerContext* context,
                 v1::SuggestTrialResponse* response)
      : scheduler_(scheduler), context_(context), response_(response) {}

  void Start(const AskCall& call) {
    id_ = call.id;
    scheduler_->leases().Ask(call,
                             [this, claimed = claimed_](const absl::StatusOr<AskAnswer>& answer) {
                               if (claimed->exchange(true)) return;  // `this` may have been deleted
                               if (answer.ok()) Fill(*answer, response_);
                               Finish(Outgoing(context_, answer.status()));
                             });
  }

  void OnCancel() override {
    if (claimed_->exchange(true)) return;
    scheduler_->leases().DropAsk(id_);
    Finish(grpc::Status::CANCELLED);
  }

  void OnDone() override { delete this; }

 private:
  Scheduler* const scheduler_;
  grpc::CallbackServerContext* const context_;
  v1::SuggestTrialResponse* const response_;
  std::uint64_t id_ = 0;
  // Shared with the callback, which may come after this object was deleted.
  const std::shared_ptr<std::atomic<bool>> claimed_ = std::make_shared<std::atomic<bool>>(false);
};

absl::StatusOr<std::optional<LeaseOutcome>> EndOf(const v1::ReportTrialRequest& request) {
  if (request.outcome() == v1::LEASE_OUTCOME_UNSPECIFIED) return std::optional<LeaseOutcome>();
  v1::FinishLeaseRequest finish;
  finish.set_outcome(request.outcome());
  finish.set_reason(request.reason());
  const absl::StatusOr<LeaseOutcome> outcome = OutcomeOf(finish);
  if (!outcome.ok()) return outcome.status();
  if (*outcome == LeaseOutcome::kStopped || *outcome == LeaseOutcome::kHeld) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} is no outcome that a caller reports; the coordinator ends what the "
                    "stopping rule stops",
                    request.token().trial(), v1::LeaseOutcome_Name(request.outcome())));
  }
  return std::optional(*outcome);
}

}  // namespace

grpc::ServerUnaryReactor* CallerService::SuggestTrial(grpc::CallbackServerContext* context,
                                                      const v1::SuggestTrialRequest* request,
                                                      v1::SuggestTrialResponse* response) {
  const absl::StatusOr<std::string> sweep = ParseSweepResource(request->parent());
  if (!sweep.ok()) return Respond(context, [&] { return sweep.status(); });
  const absl::Duration wait =
      absl::Seconds(request->wait().seconds()) + absl::Nanoseconds(request->wait().nanos());
  AskCall call{.sweep = *sweep,
               .caller = request->caller(),
               .request_id = RequestId(request->request_id()),
               .wait = wait,
               .id = next_ask_.fetch_add(1)};
  if (const std::optional<StoredSpec> known = specs_->Known(*sweep)) {
    if (!known->is_accepted()) {
      return Respond(context, [&] { return NotAcceptedError(*sweep, *known); });
    }
    if (!known->spec->trained_by_callers) {
      return Respond(context, [&] { return NotForCallersError(*sweep); });
    }
    auto* const reactor =
        new SuggestReactor(scheduler_, context, response);  // deletes itself in OnDone
    reactor->Start(call);
    return reactor;
  }
  // The specs of sweeps that have not ended are known, so there is nothing to wait for.
  call.wait = absl::ZeroDuration();
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  WithSpec(specs_, parsing_, context, reactor, *sweep, [=, this](const SharedSpec& spec) {
    if (!spec->trained_by_callers) {
      return reactor->Finish(Outgoing(context, NotForCallersError(spec->name)));
    }
    scheduler_->leases().Ask(call, [=](const absl::StatusOr<AskAnswer>& answer) {
      if (answer.ok()) Fill(*answer, response);
      reactor->Finish(Outgoing(context, answer.status()));
    });
  });
  return reactor;
}

grpc::ServerUnaryReactor* CallerService::ReportTrial(grpc::CallbackServerContext* context,
                                                     const v1::ReportTrialRequest* request,
                                                     v1::ReportTrialResponse* response) {
  const absl::StatusOr<LeaseToken> token = FromProto(request->token());
  if (!token.ok()) return Respond(context, [&] { return token.status(); });
  absl::StatusOr<std::vector<EpochMetrics>> epochs = FromProto(request->epochs());
  if (!epochs.ok()) return Respond(context, [&] { return epochs.status(); });
  for (int i = 0; i < request->epochs_size(); ++i) {
    // Callers know no build whose epochs had only the fields of the own trainer.
    if (request->epochs(i).metrics().empty()) (*epochs)[i].values = {};
  }
  const absl::StatusOr<std::optional<LeaseOutcome>> outcome = EndOf(*request);
  if (!outcome.ok()) return Respond(context, [&] { return outcome.status(); });
  const TellCall call{.token = *token,
                      .epochs = *std::move(epochs),
                      .outcome = *outcome,
                      .reason = CutText(request->reason(), kMaxToldReasonBytes)};
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  WithSpec(specs_, parsing_, context, reactor, token->sweep, [=, this](const SharedSpec& spec) {
    if (!spec->trained_by_callers) {
      return reactor->Finish(Outgoing(context, NotForCallersError(spec->name)));
    }
    scheduler_->reports().Tell(spec, call, [=](const absl::StatusOr<TellAnswer>& told) {
      if (told.ok()) {
        response->set_stop(told->stop);
        response->set_state(ToProto(told->state));
        response->set_reason(told->reason);
      }
      reactor->Finish(Outgoing(context, told.status()));
    });
  });
  return reactor;
}

}  // namespace sweep

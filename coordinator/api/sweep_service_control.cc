// The part of the sweep service with which people change a sweep that is there.

#include "common/spec/sweep_name.h"
#include "coordinator/api/convert.h"
#include "coordinator/api/reactors.h"
#include "coordinator/api/sweep_service.h"
#include "proto/names.h"

namespace sweep {
namespace {

using SharedSpec = std::shared_ptr<const SweepSpec>;  // shared with the cache and the scheduler

// The stored sweep as it is under another name. `spec` stays null when there is no such sweep.
absl::Status PlanRenaming(Store* store, Scheduler::Renaming* renaming) {
  const absl::StatusOr<SweepRow> row = store->GetSweep(renaming->name);
  if (absl::IsNotFound(row.status())) return absl::OkStatus();
  if (!row.ok()) return row.status();
  if (absl::Status valid = ParseSweepResource(renaming->new_name).status(); !valid.ok()) {
    return valid;
  }
  const absl::StatusOr<SweepSource> source =
      RenamedSource(row->source, row->digest, renaming->new_name);
  if (!source.ok()) return source.status();
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::ParseStored(*source, row->digest, &diagnostics);
  if (!spec.ok()) return spec.status();
  renaming->text = source->text;
  renaming->spec = std::make_shared<const SweepSpec>(*std::move(spec));
  return absl::OkStatus();
}

}  // namespace

void SweepService::FinishWithSweep(grpc::CallbackServerContext* context,
                                   grpc::ServerUnaryReactor* reactor,
                                   const absl::StatusOr<SweepRow>& row, v1::Sweep* sweep) {
  if (!row.ok()) return reactor->Finish(Outgoing(context, row.status()));
  const auto finish = [=, this, row = *row] {
    absl::StatusOr<v1::Sweep> described = Describe(row);
    if (described.ok()) {
      *sweep = *std::move(described);
    } else if (const absl::StatusOr<SharedSpec> spec = specs_->Get(row.name); spec.ok()) {
      *sweep = ToProto(row, **spec);  // the change is done: describing it does not make it fail
    }
    reactor->Finish(Outgoing(context, absl::OkStatus()));
  };
  if (!reads_->Submit(finish)) finish();
}

absl::StatusOr<SharedSpec> SweepService::FindSpec(const std::string& resource) {
  const absl::StatusOr<std::string> name = ParseSweepResource(resource);
  if (!name.ok()) return name.status();
  return specs_->Get(*name);
}

grpc::ServerUnaryReactor* SweepService::CancelSweep(grpc::CallbackServerContext* context,
                                                    const v1::CancelSweepRequest* request,
                                                    v1::CancelSweepResponse* response) {
  const absl::StatusOr<SharedSpec> spec = FindSpec(request->name());
  if (!spec.ok()) return Respond(context, [&] { return spec.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->CancelSweep((*spec)->name, RequestId(request->request_id()),
                          [=, this](const absl::StatusOr<SweepRow>& sweep) {
                            FinishWithSweep(context, reactor, sweep, response->mutable_sweep());
                          });
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::PauseSweep(grpc::CallbackServerContext* context,
                                                   const v1::PauseSweepRequest* request,
                                                   v1::PauseSweepResponse* response) {
  const absl::StatusOr<SharedSpec> spec = FindSpec(request->name());
  if (!spec.ok()) return Respond(context, [&] { return spec.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->PauseSweep((*spec)->name, request->now(), RequestId(request->request_id()),
                         [=, this](const absl::StatusOr<SweepRow>& sweep) {
                           FinishWithSweep(context, reactor, sweep, response->mutable_sweep());
                         });
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::ResumeSweep(grpc::CallbackServerContext* context,
                                                    const v1::ResumeSweepRequest* request,
                                                    v1::ResumeSweepResponse* response) {
  const absl::StatusOr<SharedSpec> spec = FindSpec(request->name());
  if (!spec.ok()) return Respond(context, [&] { return spec.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->ResumeSweep((*spec)->name, RequestId(request->request_id()),
                          [=, this](const absl::StatusOr<SweepRow>& sweep) {
                            FinishWithSweep(context, reactor, sweep, response->mutable_sweep());
                          });
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::RetrySweep(grpc::CallbackServerContext* context,
                                                   const v1::RetrySweepRequest* request,
                                                   v1::RetrySweepResponse* response) {
  const absl::StatusOr<SharedSpec> spec = FindSpec(request->name());
  if (!spec.ok()) return Respond(context, [&] { return spec.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->RetrySweep(*spec,
                         {.failed = request->failed(),
                          .cancelled = request->cancelled(),
                          .diverged = request->diverged(),
                          .request_id = RequestId(request->request_id())},
                         [=, spec = *spec](const absl::StatusOr<RetriedSweep>& retried) {
                           if (retried.ok()) {
                             *response->mutable_sweep() = ToProto(retried->sweep, *spec);
                             response->set_retried(retried->count);
                           }
                           reactor->Finish(Outgoing(context, retried.status()));
                         });
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::ExtendSweep(grpc::CallbackServerContext* context,
                                                    const v1::ExtendSweepRequest* request,
                                                    v1::ExtendSweepResponse* response) {
  const absl::StatusOr<SharedSpec> spec = FindSpec(request->name());
  if (!spec.ok()) return Respond(context, [&] { return spec.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->ExtendSweep(*spec, request->run_cap(), RequestId(request->request_id()),
                          [=, this](const absl::StatusOr<SweepRow>& sweep) {
                            FinishWithSweep(context, reactor, sweep, response->mutable_sweep());
                          });
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::DeleteSweep(grpc::CallbackServerContext* context,
                                                    const v1::DeleteSweepRequest* request,
                                                    v1::DeleteSweepResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request->name());
  if (!name.ok()) return Respond(context, [&] { return name.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->DeleteSweep(*name, RequestId(request->request_id()),
                          [=, this, name = *name](const absl::StatusOr<std::int64_t>& trials) {
                            if (trials.ok()) {
                              specs_->Drop(name);
                              response->set_trials(*trials);
                            }
                            reactor->Finish(Outgoing(context, trials.status()));
                          });
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::RenameSweep(grpc::CallbackServerContext* context,
                                                    const v1::RenameSweepRequest* request,
                                                    v1::RenameSweepResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request->name());
  if (!name.ok()) return Respond(context, [&] { return name.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const bool queued = parsing_->Submit([=, this, name = *name] {
    Scheduler::Renaming renaming{.name = name,
                                 .new_name = request->new_name(),
                                 .request_id = RequestId(request->request_id())};
    if (absl::Status planned = PlanRenaming(store_, &renaming); !planned.ok()) {
      return reactor->Finish(Outgoing(context, planned));
    }
    scheduler_->RenameSweep(renaming, [=, this](const absl::StatusOr<SweepRow>& sweep) {
      if (sweep.ok()) {
        specs_->Drop(renaming.name);
        specs_->Drop(renaming.new_name);
      }
      FinishWithSweep(context, reactor, sweep, response->mutable_sweep());
    });
  });
  if (!queued) reactor->Finish(Outgoing(context, TooManyWaiting(*parsing_)));
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::ArchiveSweep(grpc::CallbackServerContext* context,
                                                     const v1::ArchiveSweepRequest* request,
                                                     v1::ArchiveSweepResponse* response) {
  const absl::StatusOr<SharedSpec> spec = FindSpec(request->name());
  if (!spec.ok()) return Respond(context, [&] { return spec.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->ArchiveSweep((*spec)->name, request->archived(), RequestId(request->request_id()),
                           [=, this](const absl::StatusOr<SweepRow>& sweep) {
                             FinishWithSweep(context, reactor, sweep, response->mutable_sweep());
                           });
  return reactor;
}

}  // namespace sweep

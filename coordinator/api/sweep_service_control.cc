// The calls of the sweep service that change an existing sweep.

#include "common/spec/sweep_name.h"
#include "coordinator/api/convert.h"
#include "coordinator/api/reactors.h"
#include "coordinator/api/sweep_service.h"
#include "coordinator/api/with_spec.h"
#include "coordinator/store/queries.h"
#include "proto/names.h"

namespace sweep {
namespace {

// Plans the stored sweep under another name. `spec` stays null when there is no such sweep.
absl::Status PlanRenaming(Store* store, SpecCache* specs, RenameRequest* renaming) {
  const absl::StatusOr<SweepRow> row = store->Read(FindSweep, renaming->name);
  if (absl::IsNotFound(row.status())) return absl::OkStatus();
  if (!row.ok()) return row.status();
  if (absl::Status valid = ParseSweepResource(renaming->new_name).status(); !valid.ok()) {
    return valid;
  }
  // Without an accepted file its meaning under another name is unknown.
  if (absl::Status accepted = specs->Get(renaming->name).status(); !accepted.ok()) return accepted;
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

absl::StatusOr<EditRequest> SweepService::PlanEdit(const std::string& name,
                                                   const v1::EditSweepRequest& request,
                                                   grpc::CallbackServerContext* context) const {
  absl::StatusOr<ParsedSweep> parsed = ParseSource(request.source(), context);
  if (!parsed.ok()) return parsed.status();
  const absl::StatusOr<SweepRow> row = store_->Read(FindSweep, name);
  if (!row.ok()) return row.status();
  const absl::StatusOr<StoredSpec> before = specs_->Show(*row);
  if (!before.ok()) return before.status();
  if (parsed->spec->digest != row->digest) {
    // The same meaning may be stored under the digest of an earlier build.
    Diagnostics ignored;
    absl::StatusOr<SweepSpec> stored =
        SweepSpec::ParseStored(parsed->source, row->digest, &ignored);
    if (stored.ok() && stored->digest == row->digest) {
      parsed->spec = std::make_shared<const SweepSpec>(*std::move(stored));
    }
  }
  absl::StatusOr<EditPlan> plan = EditPlan::Refused(NotAcceptedError(name, *before));
  if (before->is_accepted()) plan = EditPlan::Make(store_, *row, before->spec, parsed->spec);
  if (!plan.ok()) return plan.status();
  return EditRequest{.name = name,
                     .spec = std::move(parsed->spec),
                     .source = std::move(parsed->source),
                     .plan = *std::move(plan),
                     .replaces_sha256 = request.replaces_sha256(),
                     .request_id = RequestId(request.request_id())};
}

absl::StatusOr<v1::Sweep> SweepService::PlannedEdit(const EditRequest& edit) const {
  if (!edit.plan.refusal().ok()) return edit.plan.refusal();
  absl::StatusOr<SweepRow> row = store_->Read(FindSweep, edit.name);
  if (!row.ok()) return row.status();
  if (absl::Status seen = CheckReplaced(*row, edit.replaces_sha256); !seen.ok()) return seen;
  const absl::StatusOr<std::int64_t> planned = edit.plan.Planned(*row);
  if (!planned.ok()) return planned.status();
  row->planned_configurations = *planned;
  if (row->digest != edit.spec->digest) ++row->revision;
  row->digest = edit.spec->digest;
  row->labels = edit.spec->labels;
  return ToProto(*row, {.spec = edit.spec});
}

void SweepService::FinishWithSweep(grpc::CallbackServerContext* context,
                                   grpc::ServerUnaryReactor* reactor,
                                   const absl::StatusOr<SweepRow>& row, v1::Sweep* sweep) {
  if (!row.ok()) return reactor->Finish(Outgoing(context, row.status()));
  const auto describe = [=, this, row = *row] {
    absl::StatusOr<v1::Sweep> described = Describe(row);
    // The change is committed: a failed description must not fail the call.
    *sweep = described.ok() ? *std::move(described) : DescribeKnown(row);
    reactor->Finish(Outgoing(context, absl::OkStatus()));
  };
  if (reads_->Submit(describe)) return;
  *sweep = DescribeKnown(*row);
  reactor->Finish(Outgoing(context, absl::OkStatus()));
}

v1::Sweep SweepService::DescribeKnown(const SweepRow& row) const {
  return ToProto(row, specs_->Known(row).value_or(SpecOfRow(row)));
}

grpc::ServerUnaryReactor* SweepService::CancelSweep(grpc::CallbackServerContext* context,
                                                    const v1::CancelSweepRequest* request,
                                                    v1::CancelSweepResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request->name());
  if (!name.ok()) return Respond(context, [&] { return name.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->sweeps().CancelSweep(
      *name, RequestId(request->request_id()), [=, this](const absl::StatusOr<SweepRow>& sweep) {
        FinishWithSweep(context, reactor, sweep, response->mutable_sweep());
      });
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::PauseSweep(grpc::CallbackServerContext* context,
                                                   const v1::PauseSweepRequest* request,
                                                   v1::PauseSweepResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request->name());
  if (!name.ok()) return Respond(context, [&] { return name.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->sweeps().PauseSweep(*name, request->now(), RequestId(request->request_id()),
                                  [=, this](const absl::StatusOr<SweepRow>& sweep) {
                                    FinishWithSweep(context, reactor, sweep,
                                                    response->mutable_sweep());
                                  });
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::ResumeSweep(grpc::CallbackServerContext* context,
                                                    const v1::ResumeSweepRequest* request,
                                                    v1::ResumeSweepResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request->name());
  if (!name.ok()) return Respond(context, [&] { return name.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->sweeps().ResumeSweep(
      *name, RequestId(request->request_id()), [=, this](const absl::StatusOr<SweepRow>& sweep) {
        FinishWithSweep(context, reactor, sweep, response->mutable_sweep());
      });
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::RetrySweep(grpc::CallbackServerContext* context,
                                                   const v1::RetrySweepRequest* request,
                                                   v1::RetrySweepResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request->name());
  if (!name.ok()) return Respond(context, [&] { return name.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  WithSpec(specs_, parsing_, context, reactor, *name, [=, this](const SharedSpec& spec) {
    scheduler_->sweeps().RetrySweep(spec,
                                    {.failed = request->failed(),
                                     .cancelled = request->cancelled(),
                                     .diverged = request->diverged(),
                                     .request_id = RequestId(request->request_id())},
                                    [=](const absl::StatusOr<RetriedSweep>& retried) {
                                      if (retried.ok()) {
                                        *response->mutable_sweep() =
                                            ToProto(retried->sweep, {.spec = spec});
                                        response->set_retried(retried->count);
                                      }
                                      reactor->Finish(Outgoing(context, retried.status()));
                                    });
  });
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::ExtendSweep(grpc::CallbackServerContext* context,
                                                    const v1::ExtendSweepRequest* request,
                                                    v1::ExtendSweepResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request->name());
  if (!name.ok()) return Respond(context, [&] { return name.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  WithSpec(specs_, parsing_, context, reactor, *name, [=, this](const SharedSpec& spec) {
    scheduler_->sweeps().ExtendSweep(spec, request->run_cap(), RequestId(request->request_id()),
                                     [=, this](const absl::StatusOr<SweepRow>& sweep) {
                                       FinishWithSweep(context, reactor, sweep,
                                                       response->mutable_sweep());
                                     });
  });
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::EditSweep(grpc::CallbackServerContext* context,
                                                  const v1::EditSweepRequest* request,
                                                  v1::EditSweepResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request->name());
  if (!name.ok()) return Respond(context, [&] { return name.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const bool queued = parsing_->Submit([=, this, name = *name] {
    const absl::StatusOr<EditRequest> edit = PlanEdit(name, *request, context);
    if (!edit.ok()) return reactor->Finish(Outgoing(context, edit.status()));
    if (request->validate_only()) {
      absl::StatusOr<v1::Sweep> planned = PlannedEdit(*edit);
      if (planned.ok()) *response->mutable_sweep() = *std::move(planned);
      return reactor->Finish(Outgoing(context, planned.status()));
    }
    scheduler_->sweeps().EditSweep(*edit, [=, this](const absl::StatusOr<SweepRow>& sweep) {
      FinishWithSweep(context, reactor, sweep, response->mutable_sweep());
    });
  });
  if (!queued) reactor->Finish(Outgoing(context, TooManyWaiting(*parsing_)));
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::DeleteSweep(grpc::CallbackServerContext* context,
                                                    const v1::DeleteSweepRequest* request,
                                                    v1::DeleteSweepResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request->name());
  if (!name.ok()) return Respond(context, [&] { return name.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->sweeps().DeleteSweep(*name, RequestId(request->request_id()),
                                   [=](const absl::StatusOr<std::int64_t>& trials) {
                                     if (trials.ok()) response->set_trials(*trials);
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
    RenameRequest renaming{.name = name,
                           .new_name = request->new_name(),
                           .request_id = RequestId(request->request_id())};
    if (absl::Status planned = PlanRenaming(store_, specs_, &renaming); !planned.ok()) {
      return reactor->Finish(Outgoing(context, planned));
    }
    scheduler_->sweeps().RenameSweep(renaming, [=, this](const absl::StatusOr<SweepRow>& sweep) {
      FinishWithSweep(context, reactor, sweep, response->mutable_sweep());
    });
  });
  if (!queued) reactor->Finish(Outgoing(context, TooManyWaiting(*parsing_)));
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::ArchiveSweep(grpc::CallbackServerContext* context,
                                                     const v1::ArchiveSweepRequest* request,
                                                     v1::ArchiveSweepResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request->name());
  if (!name.ok()) return Respond(context, [&] { return name.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->sweeps().ArchiveSweep(*name, request->archived(), RequestId(request->request_id()),
                                    [=, this](const absl::StatusOr<SweepRow>& sweep) {
                                      FinishWithSweep(context, reactor, sweep,
                                                      response->mutable_sweep());
                                    });
  return reactor;
}

}  // namespace sweep

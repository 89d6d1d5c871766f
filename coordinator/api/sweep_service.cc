#include "coordinator/api/sweep_service.h"

#include <algorithm>

#include "coordinator/api/convert.h"
#include "coordinator/api/reactors.h"
#include "coordinator/api/uploaded_data.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/page_token.h"
#include "fmt/format.h"
#include "proto/names.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxPrincipalBytes = 256;

// The digest under which an earlier build stored the same file under this name; empty when none
// did. Parses the file again, so it does so only when the sweep exists, and never on the writing
// thread.
std::string EarlierDigest(ParsedSweep parsed, Store* store, grpc::CallbackServerContext* context) {
  const absl::StatusOr<SweepRow> there = store->Read(FindSweep, parsed.spec->name);
  if (!there.ok() || there->digest == parsed.spec->digest) return "";
  if (parsed.spec->IsStoredAs(there->digest)) return there->digest;
  while (--parsed.source.edition > 0) {
    Diagnostics ignored;
    const absl::StatusOr<SweepSpec> spec =
        SweepSpec::Parse(parsed.source, &ignored, [context] { return context->IsCancelled(); });
    if (spec.ok() && spec->IsStoredAs(there->digest)) return there->digest;
  }
  return "";
}

// The sweep as it would be created, for validate_only.
v1::Sweep Planned(const SweepSpec& spec, absl::Time now) {
  SweepRow row;
  row.name = spec.name;
  row.digest = spec.digest;
  row.labels = spec.labels;
  row.created = row.updated = now;
  row.planned_configurations = spec.PlannedConfigurations();
  return ToProto(row, {.spec = std::make_shared<const SweepSpec>(spec)});
}

}  // namespace

absl::StatusOr<ParsedSweep> ParseSource(const v1::SweepSource& given,
                                        grpc::CallbackServerContext* context) {
  absl::StatusOr<SweepSource> source = FromProto(given);
  if (!source.ok()) return source.status();
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec =
      SweepSpec::Parse(*source, &diagnostics, [context] { return context->IsCancelled(); });
  if (absl::IsCancelled(spec.status())) return spec.status();
  if (!spec.ok()) {
    return absl::InvalidArgumentError(diagnostics.empty() ? std::string(spec.status().message())
                                                          : FormatDiagnostics(diagnostics));
  }
  return ParsedSweep{*std::move(source), std::make_shared<const SweepSpec>(*std::move(spec))};
}

absl::StatusOr<v1::Sweep> DescribeSweep(const SweepRow& row, Store* store, SpecCache* specs,
                                        TimeLeft* time_left) {
  const absl::StatusOr<StoredSpec> stored = specs->Show(row);
  if (!stored.ok()) return stored.status();
  v1::Sweep proto = ToProto(row, *stored);
  const absl::StatusOr<std::vector<RankedRow>> best = store->Read(SelectRanking, row.name, 0, 1);
  if (!best.ok()) return best.status();
  if (!best->empty() && best->front().score.has_value) {
    proto.set_best_trial(best->front().trial.short_name());
    proto.set_best_value(best->front().score.metric);
    proto.set_best_qualifies(best->front().score.qualifies);
  }
  if (!stored->is_accepted()) return proto;  // no estimate without a file
  if (const std::optional<double> seconds = time_left->SecondsLeft(row, *stored->spec)) {
    *proto.mutable_time_left() = ToProto(absl::Seconds(*seconds));
  }
  return proto;
}

grpc::ServerUnaryReactor* SweepService::CreateSweep(grpc::CallbackServerContext* context,
                                                    const v1::CreateSweepRequest* request,
                                                    v1::CreateSweepResponse* response) {
  if (request->validate_only()) {
    return RespondFrom(parsing_, context, [=] {
      const absl::StatusOr<ParsedSweep> parsed = ParseSource(request->source(), context);
      if (parsed.ok()) *response->mutable_sweep() = Planned(*parsed->spec, absl::Now());
      return parsed.status();
    });
  }
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const bool queued = parsing_->Submit([=, this] {
    const absl::StatusOr<ParsedSweep> parsed = ParseSource(request->source(), context);
    if (!parsed.ok()) return reactor->Finish(Outgoing(context, parsed.status()));
    scheduler_->sweeps().Submit(parsed->spec, parsed->source,
                                {.principal = CutText(request->principal(), kMaxPrincipalBytes),
                                 .keep_going = request->keep_going(),
                                 .earlier_digest = EarlierDigest(*parsed, store_, context),
                                 .warm_start = PlanWarmStart(store_, specs_, *parsed->spec),
                                 .data_blobs = FindDataBlobs(parsed->spec->dataset, *blobs_)},
                                [=, this](const absl::StatusOr<Submission>& result) {
                                  if (!result.ok()) {
                                    return reactor->Finish(Outgoing(context, result.status()));
                                  }
                                  response->set_created(result->created);
                                  FinishWithSweep(context, reactor, result->sweep,
                                                  response->mutable_sweep());
                                });
  });
  if (!queued) reactor->Finish(Outgoing(context, TooManyWaiting(*parsing_)));
  return reactor;
}

grpc::ServerUnaryReactor* SweepService::GetSweep(grpc::CallbackServerContext* context,
                                                 const v1::GetSweepRequest* request,
                                                 v1::GetSweepResponse* response) {
  return RespondFrom(reads_, context, [=, this] {
    const absl::StatusOr<std::string> name = ParseSweepResource(request->name());
    if (!name.ok()) return name.status();
    const absl::StatusOr<SweepRow> row = store_->Read(FindSweep, *name);
    if (!row.ok()) return row.status();
    absl::StatusOr<v1::Sweep> sweep = Describe(*row);
    if (!sweep.ok()) return sweep.status();
    *response->mutable_sweep() = *std::move(sweep);
    *response->mutable_sweep()->mutable_source() = ToProto(row->source);
    if (!request->with_revisions()) return absl::OkStatus();
    const absl::StatusOr<std::vector<RevisionRow>> revisions =
        store_->Read(SelectRevisions, row->id);
    if (!revisions.ok()) return revisions.status();
    for (const RevisionRow& one : *revisions) *response->add_revisions() = ToProto(one);
    return absl::OkStatus();
  });
}

absl::Status SweepService::List(const v1::ListSweepsRequest& request,
                                v1::ListSweepsResponse* response) {
  constexpr std::string_view kQuery = "sweeps";
  const absl::StatusOr<int> size = PageSize(request.page_size(), 50, kMaxPageSize);
  if (!size.ok()) return size.status();
  const absl::StatusOr<std::int64_t> before = DecodePageToken(request.page_token(), kQuery);
  if (!before.ok()) return before.status();
  absl::StatusOr<std::vector<SweepRow>> rows =
      store_->Read(SelectSweeps, *before, *size + 1, request.show_archived());
  if (!rows.ok()) return rows.status();
  if (static_cast<int>(rows->size()) > *size) {
    rows->pop_back();
    response->set_next_page_token(EncodePageToken(rows->back().id, kQuery));
  }
  for (const SweepRow& row : *rows) {
    absl::StatusOr<v1::Sweep> sweep = Describe(row);
    if (absl::IsNotFound(sweep.status())) continue;  // deleted or renamed since the list was read
    if (!sweep.ok()) return sweep.status();
    *response->add_sweeps() = *std::move(sweep);
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* SweepService::ListSweeps(grpc::CallbackServerContext* context,
                                                   const v1::ListSweepsRequest* request,
                                                   v1::ListSweepsResponse* response) {
  return RespondFrom(reads_, context, [=, this] { return List(*request, response); });
}

absl::Status SweepService::Rank(const v1::RankSweepRequest& request,
                                v1::RankSweepResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request.name());
  if (!name.ok()) return name.status();
  const absl::StatusOr<int> top = PageSize(request.top(), 10, kMaxPageSize);
  if (!top.ok()) return top.status();
  const absl::StatusOr<SweepRow> row = store_->Read(FindSweep, *name);
  if (!row.ok()) return row.status();
  const absl::StatusOr<StoredSpec> stored = specs_->Show(*row);
  if (!stored.ok()) return stored.status();
  absl::StatusOr<v1::Sweep> sweep = Describe(*row);
  if (!sweep.ok()) return sweep.status();
  *response->mutable_sweep() = *std::move(sweep);
  const absl::StatusOr<std::vector<RankedRow>> ranked =
      store_->Read([&](Database& database) -> absl::StatusOr<std::vector<RankedRow>> {
        absl::StatusOr<std::vector<RankedRow>> rows = SelectRanking(database, *name, 0, *top);
        if (!rows.ok()) return rows.status();
        return WithStatistics(database, *stored->spec, row->id, *std::move(rows));
      });
  if (!ranked.ok()) return ranked.status();
  for (const RankedRow& item : *ranked) {
    if (!item.score.has_value) break;  // those without an epoch come last and have no rank
    *response->add_rows() = ToProto(item, *stored->spec);
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* SweepService::RankSweep(grpc::CallbackServerContext* context,
                                                  const v1::RankSweepRequest* request,
                                                  v1::RankSweepResponse* response) {
  return RespondFrom(reads_, context, [=, this] { return Rank(*request, response); });
}

grpc::ServerWriteReactor<v1::WatchSweepResponse>* SweepService::WatchSweep(
    grpc::CallbackServerContext* context, const v1::WatchSweepRequest* request) {
  return watches_->Open(context, *request);
}

}  // namespace sweep

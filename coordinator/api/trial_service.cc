#include "coordinator/api/trial_service.h"

#include <algorithm>
#include <optional>

#include "coordinator/api/convert.h"
#include "coordinator/api/with_spec.h"
#include "coordinator/scheduler/trial_spec_json.h"
#include "coordinator/store/log_lines.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/page_token.h"
#include "coordinator/views/trial_filter.h"
#include "fmt/format.h"
#include "proto/names.h"

namespace sweep {
namespace {

// A filter reads trials in pages of kScanPage, at most kMaxScanPages per call: a filter that
// matches little gives short pages, not long calls.
constexpr int kScanPage = 500;
constexpr int kMaxScanPages = 20;

// A page token of logs is one number: the attempt in the high bits, the line's number below.
constexpr int kLogLineBits = 40;
static_assert(kMaxLogLineNumber < std::int64_t{1} << kLogLineBits);
std::int64_t LogPosition(const LogRow& row) {
  return (static_cast<std::int64_t>(row.attempt) << kLogLineBits) + row.line;
}

// Fills one page from trial `offset` on; returns the start of the next page, 0 when there is none.
absl::StatusOr<std::int64_t> FillPage(Store* store, TrialQuery query, int size,
                                      const std::optional<TrialFilter>& filter,
                                      const SweepSpec& spec, v1::ListTrialsResponse* response) {
  // One more than fits says whether there is a next page, without a second query.
  query.limit = filter.has_value() ? kScanPage : size + 1;
  for (int scanned = 0; scanned < kMaxScanPages; ++scanned) {
    const absl::StatusOr<std::vector<TrialRow>> rows = store->Read(SelectTrials, query);
    if (!rows.ok()) return rows.status();
    for (const TrialRow& row : *rows) {
      if (response->trials_size() == size) return query.offset;
      ++query.offset;
      if (filter.has_value()) {
        const absl::StatusOr<bool> matches = filter->Matches(row);
        if (!matches.ok()) return matches.status();
        if (!*matches) continue;
      }
      *response->add_trials() = ToProto(row, spec);
    }
    if (static_cast<int>(rows->size()) < query.limit) return 0;
  }
  return query.offset;
}

// Adds the file's refusal to an error in a query: the query may use names of that file.
absl::Status WithRefusal(const absl::Status& status, const StoredSpec& stored) {
  if (stored.is_accepted()) return status;
  return absl::Status(status.code(),
                      fmt::format("{} ({})", std::string(status.message()), NotAccepted(stored)));
}

}  // namespace

absl::Status TrialService::Get(const v1::GetTrialRequest& request, v1::GetTrialResponse* response) {
  const absl::StatusOr<TrialId> id = ParseTrialResource(request.name());
  if (!id.ok()) return id.status();
  const absl::StatusOr<TrialRow> row = store_->Read(FindTrial, id->sweep, id->number);
  if (!row.ok()) return row.status();
  const absl::StatusOr<StoredSpec> stored = specs_->Show(id->sweep);
  if (!stored.ok()) return stored.status();
  *response->mutable_trial() = ToProto(*row, *stored->spec);
  if (!stored->is_accepted()) return absl::OkStatus();  // its trainer's line is unknown
  absl::StatusOr<std::string> json = BuildTrialSpecJson(*stored->spec, *row);
  if (!json.ok()) return json.status();
  response->set_spec_json(*std::move(json));
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* TrialService::GetTrial(grpc::CallbackServerContext* context,
                                                 const v1::GetTrialRequest* request,
                                                 v1::GetTrialResponse* response) {
  return RespondFrom(reads_, context, [=, this] { return Get(*request, response); });
}

namespace {

// Translates "best.latency desc" for the store, which knows only the metric's goal.
std::string StoredOrder(const SweepSpec& spec, const std::string& order) {
  const std::size_t end = std::min(order.find(' '), order.size());
  const auto [of, name] = ResolveTrialName(spec, std::string_view(order).substr(0, end));
  const auto field = FindMeasureField(spec, name);
  if (of == TrialName::Of::kParameters || !field) return order;
  const bool is_last = field->part == MeasureField::Part::kLast;
  const char* const part = is_last                                   ? "last"
                           : field->part == MeasureField::Part::kLow ? "low"
                                                                     : "high";
  return fmt::format("{}.{}{}", part, field->measure, order.substr(end));
}

}  // namespace

absl::Status TrialService::List(const v1::ListTrialsRequest& request,
                                v1::ListTrialsResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request.parent());
  if (!name.ok()) return name.status();
  const absl::StatusOr<int> size = PageSize(request.page_size(), 50, kMaxPageSize);
  if (!size.ok()) return size.status();
  const std::string key = fmt::format("{}\n{}\n{}\n{}", *name, static_cast<int>(request.state()),
                                      request.filter(), request.order_by());
  const absl::StatusOr<std::int64_t> offset = DecodePageToken(request.page_token(), key);
  if (!offset.ok()) return offset.status();
  TrialQuery query{.sweep = *name, .offset = *offset};
  if (request.state() != v1::TRIAL_STATE_UNSPECIFIED) {
    const absl::StatusOr<TrialState> state = FromProto(request.state());
    if (!state.ok()) return state.status();
    query.state = *state;
  }
  const absl::StatusOr<StoredSpec> stored = specs_->Show(*name);
  if (!stored.ok()) return stored.status();
  const SharedSpec& spec = stored->spec;
  // The store refuses unknown keys; ambiguous ones are refused here.
  const std::string sort = request.order_by().substr(0, request.order_by().find(' '));
  const std::vector<std::string> known = KnownTrialNames(*spec);
  if (std::binary_search(known.begin(), known.end(), sort)) {
    const absl::Status named = CheckTrialName(*spec, sort);
    if (!named.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("trials cannot be ordered by '{}': {}", sort, std::string(named.message())));
    }
  }
  if (!request.order_by().empty()) query.order_by = StoredOrder(*spec, request.order_by());
  std::optional<TrialFilter> filter;
  if (!request.filter().empty()) {
    absl::StatusOr<TrialFilter> parsed = TrialFilter::Parse(request.filter(), spec);
    if (!parsed.ok()) return WithRefusal(parsed.status(), *stored);
    filter = *std::move(parsed);
  }
  const absl::StatusOr<std::int64_t> next = FillPage(store_, query, *size, filter, *spec, response);
  if (!next.ok()) return next.status();
  if (*next > 0) response->set_next_page_token(EncodePageToken(*next, key));
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* TrialService::ListTrials(grpc::CallbackServerContext* context,
                                                   const v1::ListTrialsRequest* request,
                                                   v1::ListTrialsResponse* response) {
  return RespondFrom(reads_, context, [=, this] { return List(*request, response); });
}

absl::Status TrialService::Epochs(const v1::ListEpochsRequest& request,
                                  v1::ListEpochsResponse* response) {
  const absl::StatusOr<TrialId> id = ParseTrialResource(request.parent());
  if (!id.ok()) return id.status();
  const absl::StatusOr<int> size = PageSize(request.page_size(), kMaxPageSize, kMaxPageSize);
  if (!size.ok()) return size.status();
  const std::string key = id->short_name();
  const absl::StatusOr<std::int64_t> offset = DecodePageToken(request.page_token(), key);
  if (!offset.ok()) return offset.status();
  absl::StatusOr<std::vector<EpochRow>> rows =
      store_->Read(SelectEpochs, id->sweep, id->number, *offset, *size + 1);
  if (!rows.ok()) return rows.status();
  if (static_cast<int>(rows->size()) > *size) {
    rows->pop_back();
    response->set_next_page_token(EncodePageToken(*offset + *size, key));
  }
  for (const EpochRow& row : *rows) *response->add_epochs() = ToProto(row);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* TrialService::ListEpochs(grpc::CallbackServerContext* context,
                                                   const v1::ListEpochsRequest* request,
                                                   v1::ListEpochsResponse* response) {
  return RespondFrom(reads_, context, [=, this] { return Epochs(*request, response); });
}

absl::Status TrialService::Attempts(const v1::ListAttemptsRequest& request,
                                    v1::ListAttemptsResponse* response) {
  const absl::StatusOr<TrialId> id = ParseTrialResource(request.parent());
  if (!id.ok()) return id.status();
  const absl::StatusOr<std::vector<AttemptRow>> rows =
      store_->Read(SelectAttempts, id->sweep, id->number);
  if (!rows.ok()) return rows.status();
  for (const AttemptRow& row : *rows) *response->add_attempts() = ToProto(row);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* TrialService::ListAttempts(grpc::CallbackServerContext* context,
                                                     const v1::ListAttemptsRequest* request,
                                                     v1::ListAttemptsResponse* response) {
  return RespondFrom(reads_, context, [=, this] { return Attempts(*request, response); });
}

absl::Status TrialService::Logs(const v1::ListLogsRequest& request,
                                v1::ListLogsResponse* response) {
  const absl::StatusOr<TrialId> id = ParseTrialResource(request.parent());
  if (!id.ok()) return id.status();
  const absl::StatusOr<int> size = PageSize(request.page_size(), kMaxPageSize, kMaxPageSize);
  if (!size.ok()) return size.status();
  const std::string key = "logs " + id->short_name();
  absl::StatusOr<std::int64_t> position = DecodePageToken(request.page_token(), key);
  if (!position.ok()) return position.status();
  if (request.tail() < 0 || (request.tail() > 0 && !request.page_token().empty())) {
    return absl::InvalidArgumentError(
        fmt::format("tail {}: it cannot be negative, nor go with a page_token", request.tail()));
  }
  if (request.tail() > 0) {
    const absl::StatusOr<LogRow> before =
        store_->Read(FindLogLineBefore, id->sweep, id->number, request.tail());
    if (!before.ok()) return before.status();
    *position = LogPosition(*before);
  }
  absl::StatusOr<std::vector<LogRow>> rows = store_->Read(
      SelectLogLines, id->sweep, id->number, static_cast<int>(*position >> kLogLineBits),
      *position & kMaxLogLineNumber, *size + 1);
  if (!rows.ok()) return rows.status();
  if (static_cast<int>(rows->size()) > *size) {
    rows->pop_back();
    response->set_more(true);
  }
  for (const LogRow& row : *rows) *response->add_lines() = ToProto(row);
  if (!rows->empty()) *position = LogPosition(rows->back());
  response->set_next_page_token(EncodePageToken(*position, key));
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* TrialService::ListLogs(grpc::CallbackServerContext* context,
                                                 const v1::ListLogsRequest* request,
                                                 v1::ListLogsResponse* response) {
  return RespondFrom(reads_, context, [=, this] { return Logs(*request, response); });
}

absl::Status TrialService::Explanation(const v1::ExplainTrialRequest& request,
                                       v1::ExplainTrialResponse* response) {
  const absl::StatusOr<TrialId> id = ParseTrialResource(request.name());
  if (!id.ok()) return id.status();
  const absl::StatusOr<TrialRow> row = store_->Read(FindTrial, id->sweep, id->number);
  if (!row.ok()) return row.status();
  const absl::StatusOr<StoredSpec> stored = specs_->Show(id->sweep);
  if (!stored.ok()) return stored.status();
  absl::StatusOr<std::vector<AttemptRow>> attempts =
      store_->Read(SelectAttempts, id->sweep, id->number);
  if (!attempts.ok()) return attempts.status();
  TrialSituation situation = scheduler_->insight().Situation(*row);
  situation.max_failures = stored->spec->max_failures;
  situation.file_refusal = stored->refusal;
  absl::StatusOr<std::optional<RacePlace>> race = scheduler_->insight().Race(*row, stored->spec);
  if (!race.ok()) return race.status();
  situation.race = *std::move(race);
  situation.first_replicates = stored->spec->FirstReplicates();
  if (!attempts->empty()) situation.last_attempt = std::move(attempts->back());
  const sweep::Explanation explanation = Explain(situation);
  *response->mutable_trial() = ToProto(*row, *stored->spec);
  for (const std::string& reason : explanation.reasons) response->add_reasons(reason);
  response->set_trials_ahead(explanation.trials_ahead);
  if (IsHeld(row->state) && !situation.holder_is_connected) {
    *response->mutable_waits_for_worker() = ToProto(situation.waits_for_holder);
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* TrialService::ExplainTrial(grpc::CallbackServerContext* context,
                                                     const v1::ExplainTrialRequest* request,
                                                     v1::ExplainTrialResponse* response) {
  return RespondFrom(reads_, context, [=, this] { return Explanation(*request, response); });
}

grpc::ServerUnaryReactor* TrialService::RetryTrial(grpc::CallbackServerContext* context,
                                                   const v1::RetryTrialRequest* request,
                                                   v1::RetryTrialResponse* response) {
  const absl::StatusOr<TrialId> id = ParseTrialResource(request->name());
  if (!id.ok()) return Respond(context, [&] { return id.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  WithSpec(specs_, parsing_, context, reactor, id->sweep,
           [=, this, number = id->number](const SharedSpec& spec) {
             scheduler_->sweeps().RetryTrial(
                 spec, number,
                 {.diverged = request->force(), .request_id = RequestId(request->request_id())},
                 [=](const absl::StatusOr<TrialRow>& trial) {
                   if (trial.ok()) *response->mutable_trial() = ToProto(*trial, *spec);
                   reactor->Finish(Outgoing(context, trial.status()));
                 });
           });
  return reactor;
}

grpc::ServerUnaryReactor* TrialService::CancelTrial(grpc::CallbackServerContext* context,
                                                    const v1::CancelTrialRequest* request,
                                                    v1::CancelTrialResponse* response) {
  const absl::StatusOr<TrialId> id = ParseTrialResource(request->name());
  if (!id.ok()) return Respond(context, [&] { return id.status(); });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  scheduler_->sweeps().CancelTrial(
      id->sweep, id->number, RequestId(request->request_id()),
      [=, this](const absl::StatusOr<TrialRow>& trial) {
        if (!trial.ok()) return reactor->Finish(Outgoing(context, trial.status()));
        const auto finish = [=, trial = *trial](const StoredSpec& stored) {
          *response->mutable_trial() = ToProto(trial, *stored.spec);
          reactor->Finish(Outgoing(context, absl::OkStatus()));
        };
        if (const std::optional<StoredSpec> known = specs_->Known(trial->sweep)) {
          return finish(*known);
        }
        const auto describe = [=, this, sweep = trial->sweep] {
          const absl::StatusOr<StoredSpec> stored = specs_->Show(sweep);
          if (stored.ok()) return finish(*stored);
          // The change is committed: a failed description must not fail the call.
          reactor->Finish(Outgoing(context, absl::OkStatus()));
        };
        if (!reads_->Submit(describe)) reactor->Finish(Outgoing(context, absl::OkStatus()));
      });
  return reactor;
}

}  // namespace sweep

// Calls that repeat a sweep's search: what it would suggest next, and whether it would suggest the
// same again.

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "coordinator/api/convert.h"
#include "coordinator/api/reactors.h"
#include "coordinator/api/sweep_service.h"
#include "coordinator/search/search_calls.h"
#include "coordinator/search/search_replay.h"
#include "coordinator/search/stored_search.h"
#include "coordinator/store/queries.h"
#include "fmt/format.h"
#include "proto/names.h"

namespace sweep {
namespace {

constexpr int kMaxPreviewed = 64;
// Of a sweep that always gets more.
constexpr int kMostRounds = 10;
// A client waits 30 s for its answer.
constexpr absl::Duration kLongestPreview = absl::Seconds(20);
constexpr absl::Duration kReplayPiece = absl::Milliseconds(250);
constexpr std::int64_t kReplayPage = 256;
// In one message, which has a limit.
constexpr int kMostDifferences = 200;

void FillValues(const ParameterMap& parameters, google::protobuf::Map<std::string, v1::Value>* to) {
  for (const auto& [name, value] : parameters) (*to)[name] = ToProto(value);
}

bool IsSamePoint(const ParameterMap& a, const ParameterMap& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.first == other.first && SameValue(one.second, other.second);
  });
}

// Lets the search see everything and returns the sweep as it is then.
absl::StatusOr<SweepRow> ObserveAll(Store* store, SweepRow row,
                                    const grpc::CallbackServerContext& context, absl::Time end,
                                    StoredSearch* search) {
  const auto may_go_on = [&]() -> absl::Status {
    if (context.IsCancelled()) return absl::CancelledError("nobody waits for it");
    if (absl::Now() <= end) return absl::OkStatus();
    return absl::DeadlineExceededError(
        fmt::format("the sweep has more results than the search learns from in {} s",
                    absl::ToInt64Seconds(kLongestPreview)));
  };
  // Configurations that are made meanwhile must be known, or they would be suggested again.
  for (int round = 0;; ++round) {
    const absl::StatusOr<std::int64_t> last = store->Read(FindLastSequence, row.id);
    if (!last.ok()) return last.status();
    absl::Status observed = search->ObserveThrough(*last, may_go_on);
    if (!observed.ok()) return observed;
    absl::StatusOr<SweepRow> now = store->Read(FindSweepById, row.id);
    const bool is_last = round == kMostRounds;
    if (!now.ok() || now->configurations == row.configurations || is_last) return now;
    row = *std::move(now);
  }
}

absl::Status Preview(const v1::PreviewSuggestionsRequest& request, Store* store, SpecCache* specs,
                     const grpc::CallbackServerContext& context,
                     v1::PreviewSuggestionsResponse* response) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request.name());
  if (!name.ok()) return name.status();
  if (request.count() < 1 || request.count() > kMaxPreviewed) {
    return absl::InvalidArgumentError(
        fmt::format("count is {}; 1 to {} are possible", request.count(), kMaxPreviewed));
  }
  const absl::Time start = absl::Now();
  absl::StatusOr<SweepRow> row = store->Read(FindSweep, *name);
  if (!row.ok()) return row.status();
  const absl::StatusOr<SharedSpec> spec = specs->Get(*name);
  if (!spec.ok()) return spec.status();
  StoredSearch search(store, row->id, *spec);
  row = ObserveAll(store, *row, context, start + kLongestPreview, &search);
  if (!row.ok()) return row.status();
  for (int i = 1; i <= request.count(); ++i) {
    if (context.IsCancelled()) return absl::CancelledError("nobody waits for it");
    if (absl::Now() - start > kLongestPreview) {
      response->set_reason(fmt::format("the search has thought for {} s; ask for fewer",
                                       absl::ToInt64Seconds(kLongestPreview)));
      break;
    }
    const std::int64_t number = row->configurations + i;
    const absl::StatusOr<std::optional<Suggestion>> next = search.Suggest(number);
    if (!next.ok() || !next->has_value()) {
      response->set_reason(next.ok() ? NoMorePoints(number) : std::string(next.status().message()));
      break;
    }
    const Configuration& chosen = (*next)->configuration;
    v1::SuggestedPoint* const point = response->add_points();
    point->set_configuration(number);
    FillValues(chosen.parameters, point->mutable_parameters());
    point->set_model(chosen.network.name);
    point->set_network_parameters(chosen.network.parameters);
  }
  return absl::OkStatus();
}

using ReplayStream = grpc::ServerWriteReactor<v1::ReplaySearchResponse>;

// Replays one search piece by piece, so that several take turns. Until it finishes, either a write
// is pending or a thread of `searches` works on the next piece.
class ReplayReactor final : public ReplayStream {
 public:
  ReplayReactor(Store* store, SpecCache* specs, WorkPool* searches,
                grpc::CallbackServerContext* context, std::string name)
      : store_(store),
        specs_(specs),
        searches_(searches),
        context_(context),
        name_(std::move(name)) {
    if (!searches_->Submit([this] { Work(); })) {
      Finish(Outgoing(context_, TooManyWaiting(*searches_)));
    }
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    searches_->Continue([this] { Work(); });
  }

  void OnDone() override { delete this; }

 private:
  void Work() {
    if (context_->IsCancelled()) return Finish(grpc::Status::CANCELLED);
    const absl::Time end = absl::Now() + kReplayPiece;
    absl::Status status = search_ == nullptr ? Begin() : absl::OkStatus();
    response_.clear_differences();
    while (status.ok() && response_.compared() < response_.configurations() && absl::Now() < end &&
           response_.differences_size() < kMostDifferences && !context_->IsCancelled()) {
      status = CompareNext();
    }
    if (!status.ok()) return Finish(Outgoing(context_, status));
    response_.set_done(response_.compared() == response_.configurations());
    if (response_.done()) {
      return StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
    }
    StartWrite(&response_);
  }

  absl::Status Begin() {
    const absl::StatusOr<std::string> name = ParseSweepResource(name_);
    if (!name.ok()) return name.status();
    const absl::StatusOr<SweepRow> row = store_->Read(FindSweep, *name);
    if (!row.ok()) return row.status();
    const absl::StatusOr<SharedSpec> spec = specs_->Get(*name);
    if (!spec.ok()) return spec.status();
    sweep_ = *row;
    response_.set_configurations(row->configurations);
    search_ = std::make_unique<SearchReplay>(store_, row->id, *spec);
    return absl::OkStatus();
  }

  // Reads the next page of configurations if necessary.
  absl::StatusOr<SuggestionRow> Next() {
    const std::int64_t number = response_.compared() + 1;
    if (rows_.empty() || rows_.back().number < number) {
      absl::StatusOr<std::vector<SuggestionRow>> rows =
          store_->Read(SelectSuggestions, sweep_.id, number,
                       std::min(number + kReplayPage - 1, response_.configurations()));
      if (!rows.ok()) return rows.status();
      rows_ = *std::move(rows);
    }
    // Their numbers have no gaps.
    if (rows_.empty() || rows_.front().number > number) {
      return absl::NotFoundError(fmt::format("sweep '{}' has been deleted", sweep_.name));
    }
    return rows_[static_cast<std::size_t>(number - rows_.front().number)];
  }

  absl::Status CompareNext() {
    const absl::StatusOr<SuggestionRow> row = Next();
    if (!row.ok()) return row.status();
    const absl::StatusOr<std::optional<Suggestion>> again = search_->Again(*row);
    const ParameterMap& stored = row->parameters.values();
    response_.set_compared(row->number);
    if (again.ok() && again->has_value() &&
        IsSamePoint((*again)->configuration.parameters, stored)) {
      response_.set_equal(response_.equal() + 1);
    } else {
      v1::SearchDifference* const difference = response_.add_differences();
      difference->set_configuration(row->number);
      difference->set_seen_sequence(row->seen_sequence);
      FillValues(stored, difference->mutable_stored());
      if (!again.ok()) {
        difference->set_reason(std::string(again.status().message()));
      } else if (again->has_value()) {
        FillValues((*again)->configuration.parameters, difference->mutable_suggested());
      } else {
        difference->set_reason(NoMorePoints(row->number));
      }
    }
    return absl::OkStatus();
  }

  Store* const store_;
  SpecCache* const specs_;
  WorkPool* const searches_;
  grpc::CallbackServerContext* const context_;
  const std::string name_;
  SweepRow sweep_;
  std::unique_ptr<SearchReplay> search_;  // null before the first piece
  std::vector<SuggestionRow> rows_;       // a page
  v1::ReplaySearchResponse response_;
};

}  // namespace

grpc::ServerUnaryReactor* SweepService::PreviewSuggestions(
    grpc::CallbackServerContext* context, const v1::PreviewSuggestionsRequest* request,
    v1::PreviewSuggestionsResponse* response) {
  return RespondFrom(searches_, context,
                     [=, this] { return Preview(*request, store_, specs_, *context, response); });
}

grpc::ServerWriteReactor<v1::ReplaySearchResponse>* SweepService::ReplaySearch(
    grpc::CallbackServerContext* context, const v1::ReplaySearchRequest* request) {
  return new ReplayReactor(store_, specs_, searches_, context, request->name());
}

}  // namespace sweep

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

// For a sweep whose file is replaced during the call.
absl::Status FileChanged(const std::string& sweep) {
  return absl::AbortedError(
      fmt::format("the file of sweep '{}' was changed meanwhile; try again", sweep));
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
    if (now.ok() && now->revision != row.revision) return FileChanged(row.name);
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
  if ((*spec)->digest != row->digest) return FileChanged(row->name);
  const absl::StatusOr<std::unique_ptr<StoredSearch>> search =
      StoredSearch::Make(store, row->id, *spec, row->first_configuration);
  if (!search.ok()) return search.status();
  row = ObserveAll(store, *row, context, start + kLongestPreview, search->get());
  if (!row.ok()) return row.status();
  for (int i = 1; i <= request.count(); ++i) {
    if (context.IsCancelled()) return absl::CancelledError("nobody waits for it");
    if (absl::Now() - start > kLongestPreview) {
      response->set_reason(fmt::format("the search has thought for {} s; ask for fewer",
                                       absl::ToInt64Seconds(kLongestPreview)));
      break;
    }
    const std::int64_t number = row->configurations + i;
    const absl::StatusOr<std::optional<Suggestion>> next = (*search)->Suggest(number);
    if (!next.ok() || !next->has_value()) {
      response->set_reason(next.ok() ? (*search)->WhyNone(number)
                                     : std::string(next.status().message()));
      break;
    }
    const Configuration& chosen = (*next)->configuration;
    v1::SuggestedPoint* const point = response->add_points();
    point->set_configuration(number);
    FillValues(chosen.parameters, point->mutable_parameters());
    point->set_model(chosen.network.name);
    point->set_network_parameters(chosen.network.parameters);
    const SuggestionOrigin& origin = (*next)->origin;
    point->set_chosen_by(origin.method);
    point->set_chosen_source(std::string(SuggestionSourceName(origin.source)));
    if (origin.expected_improvement) {
      point->set_expected_improvement(*origin.expected_improvement);
    }
    point->set_seen_results(origin.seen_results);
  }
  return absl::OkStatus();
}

// Of no population, both are none.
bool IsSameSegment(const Suggestion& again, const SuggestionRow& row) {
  const Segment segment = again.segment.value_or(Segment());
  return segment.member == row.member && segment.parent == row.parent &&
         segment.start_epoch == row.start_epoch;
}

using ReplayStream = grpc::ServerWriteReactor<v1::ReplaySearchResponse>;

// Replays one search piece by piece, so that several take turns. Each configuration is compared
// with what the search of its own file suggests, which begins as it did then. Until it finishes,
// either a write is pending or a thread of `searches` works on the next piece.
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
    absl::Status status = std::exchange(has_begun_, true) ? absl::OkStatus() : Begin();
    response_.clear_differences();
    while (status.ok() && done_ < response_.configurations() && absl::Now() < end &&
           response_.differences_size() < kMostDifferences && !context_->IsCancelled()) {
      status = GoOn();
    }
    if (!status.ok()) return Finish(Outgoing(context_, status));
    response_.set_done(done_ == response_.configurations());
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
    absl::StatusOr<std::vector<RevisionRow>> revisions = store_->Read(SelectRevisions, row->id);
    if (!revisions.ok()) return revisions.status();
    if (revisions->back().digest != row->digest) return FileChanged(row->name);
    const absl::StatusOr<StoredSpec> present = specs_->Show(*row);
    if (!present.ok()) return present.status();
    if (!present->is_accepted() && revisions->size() == 1) {
      return NotAcceptedError(row->name, *present);
    }
    sweep_ = *row;
    response_.set_configurations(row->configurations);
    for (std::size_t i = 0; i < revisions->size(); ++i) {
      const bool is_last = i + 1 == revisions->size();
      const std::int64_t last =
          is_last ? row->configurations : (*revisions)[i + 1].first_configuration - 1;
      // One that was replaced before it had made anything is none of them.
      if (last >= (*revisions)[i].first_configuration) {
        files_.push_back({.revision = std::move((*revisions)[i]), .last = last});
      }
    }
    response_.set_files(std::ssize(files_));
    return absl::OkStatus();
  }

  // FailedPrecondition when this build does not accept the file.
  absl::StatusOr<SharedSpec> SpecOf(const RevisionRow& revision) {
    if (revision.revision == sweep_.revision) {
      const absl::StatusOr<StoredSpec> present = specs_->Show(sweep_);
      if (!present.ok()) return present.status();
      const bool is_same = present->spec->digest == sweep_.digest;  // else edited meanwhile
      if (is_same && !present->is_accepted()) {
        return absl::FailedPreconditionError(present->refusal);
      }
      if (is_same) return present->spec;
    }
    SweepSource source = sweep_.source;  // an edit changes only the sweep file
    source.text = revision.text;
    Diagnostics diagnostics;
    absl::StatusOr<SweepSpec> spec =
        SweepSpec::ParseStored(std::move(source), revision.digest, &diagnostics);
    if (spec.ok()) return std::make_shared<const SweepSpec>(*std::move(spec));
    return absl::FailedPreconditionError(diagnostics.empty() ? std::string(spec.status().message())
                                                             : FormatDiagnostics(diagnostics));
  }

  absl::Status GoOn() {
    if (done_ == files_[file_].last) {
      ++file_;
      search_ = nullptr;
    }
    if (search_ != nullptr) return CompareNext();
    const File& file = files_[file_];
    const absl::StatusOr<SharedSpec> spec = SpecOf(file.revision);
    if (absl::IsFailedPrecondition(spec.status())) {
      response_.set_not_compared(response_.not_compared() + file.last - done_);
      if (response_.not_compared_reason().empty()) {
        response_.set_not_compared_reason(
            fmt::format("this build does not accept revision {} of the file: {}",
                        file.revision.revision, std::string(spec.status().message())));
      }
      done_ = file.last;
      return absl::OkStatus();
    }
    if (!spec.ok()) return spec.status();
    absl::StatusOr<std::unique_ptr<SearchReplay>> search =
        SearchReplay::Make(store_, sweep_.id, *spec, file.revision.first_configuration);
    if (!search.ok()) return search.status();
    search_ = *std::move(search);
    return CompareNext();
  }

  // Reads the next page of configurations if necessary.
  absl::StatusOr<SuggestionRow> Next() {
    const std::int64_t number = done_ + 1;
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
    done_ = row->number;
    response_.set_compared(response_.compared() + 1);
    if (again.ok() && again->has_value() &&
        IsSamePoint((*again)->configuration.parameters, stored) && IsSameSegment(**again, *row)) {
      response_.set_equal(response_.equal() + 1);
    } else {
      v1::SearchDifference* const difference = response_.add_differences();
      difference->set_configuration(row->number);
      difference->set_seen_sequence(row->seen_sequence);
      FillValues(stored, difference->mutable_stored());
      if (row->member > 0) {
        difference->set_stored_member(row->member);
        difference->set_stored_parent(row->parent);
      }
      if (!again.ok()) {
        difference->set_reason(std::string(again.status().message()));
      } else if (again->has_value()) {
        FillValues((*again)->configuration.parameters, difference->mutable_suggested());
        if (const std::optional<Segment>& segment = (*again)->segment) {
          difference->set_suggested_member(segment->member);
          difference->set_suggested_parent(segment->parent);
        }
      } else {
        difference->set_reason(search_->WhyNone(row->number));
      }
    }
    return absl::OkStatus();
  }

  Store* const store_;
  SpecCache* const specs_;
  WorkPool* const searches_;
  grpc::CallbackServerContext* const context_;
  const std::string name_;
  bool has_begun_ = false;
  SweepRow sweep_;
  struct File {
    RevisionRow revision;
    std::int64_t last = 0;  // number of the last configuration that it has made
  };
  std::vector<File> files_;               // that have made some, in order
  std::size_t file_ = 0;                  // the present one
  std::unique_ptr<SearchReplay> search_;  // of the present file; null before its first one
  std::int64_t done_ = 0;                 // number of the last configuration that was looked at
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

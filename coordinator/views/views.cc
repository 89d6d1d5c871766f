#include "coordinator/views/views.h"

#include <utility>

#include "absl/time/clock.h"
#include "common/base/ids.h"
#include "common/base/sha256.h"
#include "common/base/utf8.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/recent_answers.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"
#include "proto/documents/print_json.h"

namespace sweep {
namespace {

constexpr std::size_t kShownPathBytes = 200;
// Larger indexes take more than two seconds and 100 MB, perhaps for nothing.
constexpr std::int64_t kMostPreparedTrials = 200'000;
constexpr std::size_t kMaxErrorBytes = 1000;
constexpr std::size_t kEtagDigits = 20;

std::string Etag(std::string_view text) {
  return fmt::format("\"{}\"", Sha256Hex(text).substr(0, kEtagDigits));
}

absl::Status NoSuchPath(const ViewQuery& query) {
  std::string path;
  for (const std::string& part : query.path) path += "/" + part;
  return absl::NotFoundError(
      fmt::format("there is nothing at /api{}", Shortened(path, kShownPathBytes)));
}

// Prints a document within the size limit. Lists with a page token (sweeps, lines) are not cut
// here, since the cut rows would be on no page.
template <typename Document>
std::string Printed(Document document) {
  return PrintJsonWithin(kMaxDocumentBytes, &document);
}

template <typename Document>
absl::StatusOr<std::string> Printed(absl::StatusOr<Document> document) {
  if (!document.ok()) return document.status();
  return PrintJsonWithin(kMaxDocumentBytes, &*document);
}

class ViewsImpl final : public Views {
 public:
  explicit ViewsImpl(const Options& options)
      : options_(options),
        indexes_(options.store, {.few_trials = options.index_few_trials,
                                 .keep_time = options.index_keep,
                                 .refresh_time = options.index_refresh}),
        models_(options.store, {.least_pause = options.index_refresh}),
        regions_({.least_pause = options.index_refresh}),
        start_(RandomHex(8)) {}

  void Prepare() override {
    const absl::StatusOr<std::vector<SweepRow>> newest =
        options_.store->Read(SelectSweeps, 0, 1, /*archived=*/false);
    if (!newest.ok() || newest->empty()) return;
    const SweepRow& sweep = newest->front();
    if (sweep.counts.total() > kMostPreparedTrials) return;
    const absl::StatusOr<StoredSpec> stored = options_.specs->Show(sweep);
    if (stored.ok()) indexes_.Prepare(sweep.id, stored->spec);
  }

  absl::StatusOr<ViewAnswer> Get(const ViewRequest& request) override {
    const absl::StatusOr<ViewQuery> query = ViewQuery::Parse(request.path, request.query);
    if (!query.ok()) return query.status();
    const std::vector<std::string>& path = query->path;
    if (path.size() == 1 && path[0] == "sweeps") return GetSweeps(request, *query);
    if (path.size() == 1 && path[0] == "workers") {
      return Whole(request, Printed(WorkersDocument(Context(request))));
    }
    if (path.size() == 2 && path[0] == "workers" && path[1] == "timeline") {
      return Whole(request, Printed(TimelineDocument(Context(request), *query)));
    }
    if (path.size() < 2 || path[0] != "sweeps") return NoSuchPath(*query);
    if (absl::Status named = CheckSweepName(path[1]); !named.ok()) return named;
    if (path.size() >= 4 && path[2] == "trials") return GetTrial(request, *query);
    if (path.size() > 3) return NoSuchPath(*query);
    return GetSweep(request, *query);
  }

  absl::StatusOr<std::string> SweepDocument(const std::string& name) override {
    const absl::StatusOr<SweepRow> sweep = options_.store->Read(FindSweep, name);
    if (!sweep.ok()) return sweep.status();
    const absl::StatusOr<StoredSpec> stored = options_.specs->Show(*sweep);
    if (!stored.ok()) return stored.status();
    documents::SweepAnswer answer;
    *answer.mutable_sweep() = DescribeSweep(Context({}), *sweep, *stored);
    return PrintJson(answer);
  }

  absl::StatusOr<std::string> TrialDocument(const TrialRow& trial) override {
    const absl::StatusOr<StoredSpec> stored = options_.specs->Show(trial.sweep);
    if (!stored.ok()) return stored.status();
    documents::TrialAnswer answer;
    *answer.mutable_trial() = DescribeTrial(trial, *stored->spec, options_.clock->Now());
    return PrintJson(answer);
  }

  absl::StatusOr<Weights> FindWeights(const std::string& sweep, std::int64_t number,
                                      const std::string& which) override {
    if (which != "best" && which != "last") {
      return absl::InvalidArgumentError("which: it must be best or last");
    }
    const absl::StatusOr<TrialRow> trial = options_.store->Read(FindTrial, sweep, number);
    if (!trial.ok()) return trial.status();
    for (const ArtifactRow& artifact : trial->artifacts) {
      if (artifact.role != "weights_" + which) continue;
      return Weights{.sha256 = artifact.sha256,
                     .file_name = fmt::format("{}-{}-{}.safetensors", sweep, number, which)};
    }
    return absl::NotFoundError(
        fmt::format("trial {} has no weights; they are stored when it ends", trial->short_name()));
  }

 private:
  ViewContext Context(const ViewRequest& request) {
    return {.options = options_,
            .indexes = &indexes_,
            .time_left = options_.time_left,
            .actions_allowed = request.actions_allowed};
  }

  // An answer whose etag is known before the document exists.
  template <typename Make>
  absl::StatusOr<ViewAnswer> Tagged(const ViewRequest& request, const std::string& state,
                                    Make make) {
    ViewAnswer answer{.etag = Etag(fmt::format("{}\n{}\n{}\n{}\n{}", start_, request.path,
                                               request.query, request.actions_allowed, state))};
    answer.not_modified = answer.etag == request.if_none_match;
    if (answer.not_modified || answers_.Find(answer.etag, &answer.json)) return answer;
    absl::StatusOr<std::string> text = make();
    if (!text.ok()) return text.status();
    answer.json = *std::move(text);
    answers_.Put(answer.etag, answer.json);
    return answer;
  }

  // An answer whose etag is a digest of its content.
  static absl::StatusOr<ViewAnswer> Whole(const ViewRequest& request,
                                          absl::StatusOr<std::string> text) {
    if (!text.ok()) return text.status();
    ViewAnswer answer{.json = *std::move(text)};
    answer.etag = Etag(answer.json);
    answer.not_modified = answer.etag == request.if_none_match;
    if (answer.not_modified) answer.json.clear();
    return answer;
  }

  absl::StatusOr<ViewAnswer> GetSweeps(const ViewRequest& request, const ViewQuery& query) {
    const absl::StatusOr<std::int64_t> last = options_.store->Read(FindLastSequence, 0);
    if (!last.ok()) return last.status();
    return Tagged(request, std::to_string(*last),
                  [&] { return Printed(SweepsDocument(Context(request), query)); });
  }

  absl::StatusOr<ViewAnswer> GetSweep(const ViewRequest& request, const ViewQuery& query) {
    const absl::StatusOr<SweepRow> sweep = options_.store->Read(FindSweep, query.path[1]);
    if (!sweep.ok()) return sweep.status();
    const std::string view = query.path.size() == 3 ? query.path[2] : "";
    if (view == "progress") {
      return Whole(request, Printed(ProgressDocument(Context(request), *sweep)));
    }
    if (view.empty()) {
      const absl::StatusOr<std::int64_t> last = options_.store->Read(FindLastSequence, sweep->id);
      if (!last.ok()) return last.status();
      // Read again: a row from before `last` must not be cached under a newer etag.
      return Tagged(
          request, fmt::format("{} {}", sweep->id, *last), [&]() -> absl::StatusOr<std::string> {
            const absl::StatusOr<SweepRow> row = options_.store->Read(FindSweepById, sweep->id);
            if (!row.ok()) return row.status();
            return Printed(SweepViewDocument(Context(request), *row));
          });
    }
    if (view == "attempts") {
      return Whole(request, Printed(AttemptsDocument(Context(request), *sweep, query)));
    }
    if (view == "confirmation") return GetConfirmation(request, *sweep);
    if (view == "model") return GetModel(request, *sweep);
    if (view == "region") return GetRegion(request, query, *sweep);
    return GetIndexed(request, query, *sweep, view);
  }

  // It has what other sweeps have come to, so that any event may change it.
  absl::StatusOr<ViewAnswer> GetConfirmation(const ViewRequest& request, const SweepRow& sweep) {
    const absl::StatusOr<std::int64_t> last = options_.store->Read(FindLastSequence, 0);
    if (!last.ok()) return last.status();
    const absl::StatusOr<StoredSpec> stored = options_.specs->Show(sweep);
    if (!stored.ok()) return stored.status();
    return Tagged(request, fmt::format("{} {}", sweep.id, *last), [&] {
      return Printed(ConfirmationDocument(Context(request), sweep, *stored->spec));
    });
  }

  absl::StatusOr<ViewAnswer> GetModel(const ViewRequest& request, const SweepRow& sweep) {
    const absl::StatusOr<StoredSpec> stored = options_.specs->Show(sweep);
    if (!stored.ok()) return stored.status();
    absl::StatusOr<ModelPool::Answer> known = ModelPool::Answer{};
    if (stored->spec->method->learns) {
      known = models_.Get(sweep.id, stored->spec, options_.index_wait);
      if (!known.ok()) return known.status();
    }
    return Whole(request, Printed(ModelDocument(Context(request), sweep.id, *stored, *known)));
  }

  absl::StatusOr<ViewAnswer> GetRegion(const ViewRequest& request, const ViewQuery& query,
                                       const SweepRow& sweep) {
    const absl::StatusOr<double> share = RegionShare(query);
    if (!share.ok()) return share.status();
    const absl::StatusOr<StoredSpec> stored = options_.specs->Show(sweep);
    if (!stored.ok()) return stored.status();
    RegionPool::Answer known;
    if (stored->is_accepted() && !stored->spec->HasPopulation()) {
      const absl::StatusOr<IndexPool::Answer> index =
          indexes_.Get(sweep.id, stored->spec,
                       {.complete = options_.index_wait, .up_to_date = options_.index_wait});
      if (!index.ok()) return index.status();
      const auto read_runs = [&] { return index->entry->Look(RegionRuns); };
      if (index->ready) {
        known = regions_.Get(sweep.id, stored->spec, *share, index->sequence, read_runs,
                             options_.index_wait);
      }
    }
    return Whole(request,
                 Printed(RegionDocument(Context(request), sweep.id, *stored, *share, known)));
  }

  // Views of all trials, which change with the index.
  absl::StatusOr<ViewAnswer> GetIndexed(const ViewRequest& request, const ViewQuery& query,
                                        const SweepRow& sweep, const std::string& view) {
    const bool is_known = view == "ranking" || view == "trials" || view == "curves" ||
                          view == "points" || view == "importance" || view == "population";
    if (!is_known) return NoSuchPath(query);
    const absl::StatusOr<StoredSpec> stored = options_.specs->Show(sweep);
    if (!stored.ok()) return stored.status();
    // A whole ranking uses the index where it is complete, to count and to see whether it has
    // changed.
    const bool needs_index = view != "ranking" || !IsWholeRanking(query);
    const absl::StatusOr<IndexPool::Answer> index =
        indexes_.Get(sweep.id, stored->spec,
                     {.complete = needs_index ? options_.index_wait : absl::ZeroDuration(),
                      .up_to_date = options_.index_wait});
    if (!index.ok()) return index.status();
    const LookedAt looked{.spec = stored->spec, .index = *index};
    // While the index is being built every answer may differ from the last.
    const std::string state =
        fmt::format("{} {} {}", sweep.id, index->sequence,
                    index->ready ? "ready" : fmt::format("{}", absl::ToUnixMicros(absl::Now())));
    const ViewContext context = Context(request);
    return Tagged(request, state, [&]() -> absl::StatusOr<std::string> {
      if (view == "ranking") return Printed(RankingDocument(context, sweep, looked, query));
      if (view == "trials") return Printed(TrialsDocument(context, sweep, looked, query));
      if (view == "curves") return Printed(CurvesDocument(context, sweep, looked, query));
      if (view == "points") return Printed(PointsDocument(looked, query));
      if (view == "population") return Printed(PopulationDocument(looked, query));
      return Printed(ImportanceDocument(looked));
    });
  }

  absl::StatusOr<ViewAnswer> GetTrial(const ViewRequest& request, const ViewQuery& query) {
    const std::string& sweep = query.path[1];
    const absl::StatusOr<std::int64_t> number = ParseTrialNumber(query.path[3]);
    if (!number.ok()) return number.status();
    const ViewContext context = Context(request);
    if (query.path.size() == 4) {
      return Whole(request, Printed(TrialViewDocument(context, sweep, *number)));
    }
    const std::string& view = query.path[4];
    if (query.path.size() == 5 && view == "logs") {
      return Whole(request, Printed(LogsDocument(context, sweep, *number, query)));
    }
    if (query.path.size() == 5 && view == "predictions") {
      return Whole(request, Printed(PredictionsDocument(context, sweep, *number)));
    }
    return NoSuchPath(query);
  }

  const Options options_;
  IndexPool indexes_;
  ModelPool models_;
  RegionPool regions_;
  RecentAnswers answers_;
  const std::string start_;  // distinguishes etags of different processes
};

}  // namespace

absl::Status StillReading(const std::string& sweep) {
  return absl::UnavailableError(
      fmt::format("the trials of sweep {} are still being read; ask again", sweep));
}

std::unique_ptr<Views> Views::Make(const Options& options) {
  return std::make_unique<ViewsImpl>(options);
}

std::string ErrorDocument(const absl::Status& status) {
  documents::ApiError document;
  document.mutable_error()->set_code(absl::StatusCodeToString(status.code()));
  document.mutable_error()->set_message(Shortened(std::string(status.message()), kMaxErrorBytes));
  return PrintJson(document);
}

}  // namespace sweep

#include "coordinator/search/search_suggestions.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "coordinator/search/point_identity.h"
#include "coordinator/search/search_calls.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

absl::Status AddBatch(WriteTransaction& transaction, SuggestionBatch& batch) {
  const SearchDemand& demand = batch.job.demand;
  StoredSuggestions& result = batch.result;
  result = {.sweep_id = demand.sweep_id};
  bool is_over = demand.configurations + std::ssize(batch.suggestions) >= demand.planned ||
                 !batch.end_reason.empty();
  for (const DrivenSweep::Suggested& suggestion : batch.suggestions) {
    absl::StatusOr<std::vector<TrialRow>> rows = transaction.AddConfiguration(
        demand.sweep_id, *demand.spec, *suggestion.configuration, suggestion.facts);
    if (absl::IsResourceExhausted(rows.status())) {
      is_over = true;
      break;
    }
    if (!rows.ok()) return rows.status();
    result.trials.insert(result.trials.end(), rows->begin(), rows->end());
    ++result.made;
  }
  if (!is_over || batch.goes_on) return absl::OkStatus();
  const absl::StatusOr<bool> ended = transaction.MarkExhausted(demand.sweep_id, batch.end_reason);
  result.exhausted = ended.value_or(false);
  return ended.status();
}

// Gives what was suggested before the numbers from `first` on.
void Renumber(DriverCore& core, DrivenSweep& sweep, std::int64_t first) {
  std::set<std::string> taken;
  {
    MutexLock lock(&core.mutex);
    taken = std::exchange(core.Of(sweep).stood_in, {});
  }
  std::erase_if(sweep.suggested, [&](const DrivenSweep::Suggested& one) {
    if (one.is_told) return one.configuration->number < first;  // stored
    return !sweep.spec->repeat_points &&
           taken.contains(PointIdentity(one.configuration->parameters));
  });
  std::int64_t number = first;
  for (DrivenSweep::Suggested& one : sweep.suggested) {
    if (one.configuration->number != number) {
      auto renumbered = std::make_shared<Configuration>(*one.configuration);
      one.facts.asked_number = renumbered->number;
      one.facts.target_epoch = sweep.judge.FirstTarget(number);
      renumbered->number = number;
      one.configuration = std::move(renumbered);
    }
    if (!std::exchange(one.is_told, true)) sweep.Tell(*one.configuration, nullptr);
    ++number;
  }
}

// An error ends a search that draws points; a failed model is replaced by a random point.
std::optional<Suggestion> SuggestOne(DriverCore& core, DrivenSweep& sweep, std::int64_t number) {
  // Its number may change before a model is told of it.
  absl::StatusOr<std::optional<Suggestion>> next =
      AskOrDraw(*sweep.spec, &Search::Peek, number, sweep.search.get());
  if (!next.ok()) {
    sweep.end_reason = std::string(next.status().message());
    // OutOfRange: it has tried what there is.
    spdlog::log(absl::IsOutOfRange(next.status()) ? spdlog::level::info : spdlog::level::err,
                "search ended sweep={} reason={:?}", sweep.spec->name, sweep.end_reason);
    return std::nullopt;
  }
  if (!next->has_value()) {
    const Search::None none = sweep.search->WhyNone();
    if (none.is_for_now) {
      core.Await(sweep, none.reason);
    } else {
      sweep.end_reason = WhyNone(*sweep.search, number, sweep.leaves_out);
    }
  }
  return *std::move(next);
}

// Makes up to `count` suggestions from the next number on. False when others were stored meanwhile,
// some of which have taken their numbers.
bool SuggestUpTo(DriverCore& core, const SearchJob& job, std::int64_t count) {
  DrivenSweep& sweep = *job.sweep;
  const std::int64_t first = job.demand.configurations + 1;
  Renumber(core, sweep, first);
  const absl::Duration start = core.Now();
  while (std::ssize(sweep.suggested) < count && sweep.end_reason.empty()) {
    // What a slow model has found is stored before it looks for more.
    if (!sweep.suggested.empty() && core.Now() - start > DriverCore::kSlowThought) break;
    const std::int64_t number = first + std::ssize(sweep.suggested);
    const bool may_be_slow = sweep.stand_ins != nullptr;
    if (may_be_slow) core.BeginThought(sweep);
    std::optional<Suggestion> next = SuggestOne(core, sweep, number);
    const bool is_overtaken = may_be_slow && !core.EndThought(sweep, job.demand.configurations);
    if (next) {
      sweep.suggested.push_back(
          {.configuration = std::make_shared<const Configuration>(std::move(next->configuration)),
           .facts = {.seen_sequence = sweep.seen,
                     .target_epoch = sweep.judge.FirstTarget(number),
                     .origin = std::move(next->origin),
                     .asked_number = 0,
                     .segment = next->segment}});
    }
    if (is_overtaken) {
      sweep.end_reason.clear();  // it is asked again, with those points known
      return false;
    }
    if (!next) break;
    DrivenSweep::Suggested& last = sweep.suggested.back();
    last.is_told = true;
    sweep.Tell(*last.configuration, last.facts.segment ? &*last.facts.segment : nullptr);
  }
  return true;
}

void OnSuggestionsStored(DriverCore& core, const SuggestionBatch& batch, bool ok) {
  DrivenSweep& sweep = *batch.job.sweep;
  if (ok) {
    sweep.suggested.erase(sweep.suggested.begin(), sweep.suggested.begin() + batch.result.made);
  }
  MutexLock lock(&core.mutex);
  DrivenSweep::Shared& shared = core.Of(sweep);
  if (ok) {
    shared.stored = batch.job.demand.configurations + batch.result.made;
    // The race counts the trials just made, whose events may be on their way.
    if (sweep.racer != nullptr) shared.has_news = true;
  }
  core.EndTurn(sweep, ok);
}

void StoreSuggested(DriverCore& core, const SearchJob& job, std::int64_t count) {
  DrivenSweep& sweep = *job.sweep;
  const std::int64_t ready = std::min(count, static_cast<std::int64_t>(sweep.suggested.size()));
  const auto batch = std::make_shared<SuggestionBatch>(
      SuggestionBatch{.job = job,
                      .suggestions = {sweep.suggested.begin(), sweep.suggested.begin() + ready},
                      // Otherwise the budget decides, inside the write.
                      .end_reason = ready < count ? sweep.end_reason : "",
                      .goes_on = sweep.racer != nullptr});  // a race comes after the search
  StoreBatch(core, "configurations", batch,
             [&core, batch](bool ok) { OnSuggestionsStored(core, *batch, ok); });
}

}  // namespace

void StoreBatch(DriverCore& core, std::string_view what, std::shared_ptr<SuggestionBatch> batch,
                std::function<void(bool ok)> done) {
  core.Write(
      batch->job, what,
      [batch](WriteTransaction& transaction) { return AddBatch(transaction, *batch); },
      [&core, batch, done = std::move(done)](bool ok) {
        // Must happen before the next plan of the sweep.
        if (ok) core.host.suggestions_stored(batch->result);
        done(ok);
      });
}

void MakeSuggestions(DriverCore& core, const SearchJob& job) {
  DrivenSweep& sweep = *job.sweep;
  const bool is_used_up = job.demand.is_used_up();
  const std::int64_t count = sweep.Wanted(job.demand);
  if (!job.demand.is_open || (count == 0 && !is_used_up)) return core.Release(sweep);
  if (!SuggestUpTo(core, job, count)) return core.Release(sweep);
  if (sweep.suggested.empty() && sweep.end_reason.empty() && !is_used_up) {
    return core.Release(sweep);
  }
  StoreSuggested(core, job, count);
}

}  // namespace sweep

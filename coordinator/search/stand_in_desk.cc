#include "coordinator/search/stand_in_desk.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "coordinator/search/point_identity.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// For so long a free slot waits for a model.
constexpr absl::Duration kPatience = absl::Seconds(1);
// While a model thinks for longer, how often slots are looked at.
constexpr absl::Duration kLookInterval = absl::Milliseconds(100);

}  // namespace

int StandInDesk::Due(DrivenSweep& sweep) const {
  const DrivenSweep::Shared& shared = core_.Of(sweep);
  const absl::Duration now = core_.Now();
  if (!shared.thinks_since || now - *shared.thinks_since < DriverCore::kSlowThought) return 0;
  return static_cast<int>(
      std::count_if(shared.waits.begin(), shared.waits.end(),
                    [&](absl::Duration since) { return now - since >= kPatience; }));
}

int StandInDesk::DueNow(DrivenSweep& sweep, const SearchDemand& demand) const {
  const DrivenSweep::Shared& shared = core_.Of(sweep);
  // An edit comes between: the points would be those of the other file.
  if (sweep.revision != demand.revision || demand.configurations < shared.stored) return 0;
  core_.NoteWaits(sweep, demand);
  if (shared.stands_in || shared.no_stand_in_before > core_.Now()) return 0;
  return Due(sweep);
}

bool StandInDesk::StandIn() {
  std::vector<SearchDemand> demands = core_.host.demands();
  std::vector<std::pair<std::shared_ptr<SuggestionBatch>, int>> batches;
  int given = 0;  // the slots are free for all sweeps
  {
    MutexLock lock(&core_.mutex);
    for (SearchDemand& demand : demands) {
      const auto found = core_.sweeps.find(demand.sweep_id);
      if (found == core_.sweeps.end()) continue;
      DrivenSweep& sweep = *found->second;
      const int due = DueNow(sweep, demand) - given;
      if (due <= 0) continue;
      given += due;
      core_.Of(sweep).stands_in = true;
      const std::int64_t stored = demand.configurations;
      const auto batch = std::make_shared<SuggestionBatch>(  // shared with the write
          SuggestionBatch{.job = {.sweep = found->second, .demand = std::move(demand)},
                          .suggestions = {},
                          .goes_on = sweep.racer != nullptr});
      // What the model has found in this turn takes the first numbers.
      for (const DrivenSweep::Suggested& one : sweep.suggested) {
        if (one.is_told && one.configuration->number > stored) batch->suggestions.push_back(one);
      }
      batches.emplace_back(batch, due);
    }
  }
  for (const auto& [batch, due] : batches) Make(batch, due);
  return !batches.empty();
}

void StandInDesk::Make(const std::shared_ptr<SuggestionBatch>& batch, int slots) {
  DrivenSweep& sweep = *batch->job.sweep;
  const SearchDemand& demand = batch->job.demand;
  const std::int64_t count = demand.ConfigurationsFor(slots);
  std::int64_t made = 0;
  while (std::ssize(batch->suggestions) < count) {
    const std::int64_t number = demand.configurations + std::ssize(batch->suggestions) + 1;
    if (number <= sweep.LastOfFirst()) break;  // the points of the user come first
    std::optional<Configuration> point = sweep.stand_ins->Point(number).value_or(std::nullopt);
    if (!point) break;
    sweep.stand_ins->Know(point->parameters);
    ++made;
    batch->suggestions.push_back(
        {.configuration = std::make_shared<const Configuration>(*std::move(point)),
         .facts = {.seen_sequence = sweep.seen,
                   .target_epoch = sweep.judge.FirstTarget(number),
                   .origin = SuggestionOrigin{.source = SuggestionSource::kStandIn,
                                              .method = std::string(sweep.spec->method->word)},
                   .asked_number = 0}});
  }
  if (batch->suggestions.empty()) {
    MutexLock lock(&core_.mutex);
    return End(sweep, /*ok=*/false);
  }
  if (made > 0) {
    spdlog::info("start-up points while the model thinks sweep={} configurations={}",
                 sweep.spec->name, made);
  }
  StoreBatch(core_, "start-up points", batch, [this, batch](bool ok) { OnStored(*batch, ok); });
}

void StandInDesk::OnStored(const SuggestionBatch& batch, bool ok) {
  DrivenSweep& sweep = *batch.job.sweep;
  const auto made = batch.suggestions.begin() + (ok ? batch.result.made : 0);
  for (auto one = made; one != batch.suggestions.end(); ++one) {
    if (!one->is_told) sweep.stand_ins->Forget(one->configuration->parameters);
  }
  MutexLock lock(&core_.mutex);
  DrivenSweep::Shared& shared = core_.Of(sweep);
  for (auto one = batch.suggestions.begin(); one != made; ++one) {
    if (!one->is_told) shared.stood_in.insert(PointIdentity(one->configuration->parameters));
  }
  if (ok) shared.stored = batch.job.demand.configurations + batch.result.made;
  End(sweep, ok);
}

void StandInDesk::End(DrivenSweep& sweep, bool ok) {
  DrivenSweep::Shared& shared = core_.Of(sweep);
  shared.stands_in = false;
  shared.has_news = true;  // a plan may have passed over the sweep meanwhile
  if (!ok) shared.no_stand_in_before = core_.Now() + DriverCore::kRetryAfter;
  core_.Want();
}

std::optional<absl::Duration> StandInDesk::LongThought(std::int64_t sweep_id) const {
  MutexLock lock(&core_.mutex);
  const auto found = core_.sweeps.find(sweep_id);
  if (found == core_.sweeps.end() || Due(*found->second) == 0) return std::nullopt;
  return core_.Now() - *core_.Of(*found->second).thinks_since;
}

absl::Duration StandInDesk::UntilDue() {
  absl::Duration least = kPatience;
  for (const auto& [id, sweep] : core_.sweeps) {
    const DrivenSweep::Shared& shared = core_.Of(*sweep);
    if (!shared.thinks_since || shared.waits.empty()) continue;
    const absl::Duration due =
        std::max(*shared.thinks_since + DriverCore::kSlowThought, shared.waits.front() + kPatience);
    least = std::min(least, due - core_.Now());
  }
  return least;
}

// Looks now and then instead of being woken: a quick model begins a thought every few microseconds.
void StandInDesk::Loop(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "stand-in");
  while (!stop.stop_requested()) {
    absl::Duration left;
    {
      MutexLock lock(&core_.mutex);
      left = UntilDue();
    }
    if (left <= absl::ZeroDuration()) StandIn();
    MutexLock lock(&core_.mutex);
    if (stop.stop_requested()) return;
    wake_.WaitFor(&core_.mutex, absl::ToChronoNanoseconds(std::max(left, kLookInterval)));
  }
}

}  // namespace sweep

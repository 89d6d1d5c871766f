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

bool StandInDesk::MayStandIn(DrivenSweep& sweep, const SearchDemand& demand) const {
  const DrivenSweep::Shared& shared = core_.Of(sweep);
  // An edit comes between: the points would be those of the other file.
  if (sweep.revision != demand.revision) return false;
  const absl::Duration now = core_.Now();
  if (!shared.thinks_since || now - *shared.thinks_since < kPatience) return false;
  if (shared.stands_in || shared.no_stand_in_before > now) return false;
  if (demand.configurations < shared.stored || !demand.is_open) return false;
  // The points of the user come first.
  if (demand.configurations < std::ssize(sweep.spec->try_first)) return false;
  return demand.free_slots > demand.pending && !demand.is_used_up();
}

bool StandInDesk::StandIn() {
  std::vector<SearchDemand> demands = core_.host.demands();
  std::vector<SearchJob> jobs;
  {
    MutexLock lock(&core_.mutex);
    for (SearchDemand& demand : demands) {
      const auto found = core_.sweeps.find(demand.sweep_id);
      if (found == core_.sweeps.end() || !MayStandIn(*found->second, demand)) continue;
      core_.Of(*found->second).stands_in = true;
      jobs.push_back({.sweep = found->second, .demand = std::move(demand)});
    }
  }
  for (const SearchJob& job : jobs) Make(job);
  return !jobs.empty();
}

void StandInDesk::Make(const SearchJob& job) {
  DrivenSweep& sweep = *job.sweep;
  const SearchDemand& demand = job.demand;
  const std::int64_t count = demand.ConfigurationsFor(demand.free_slots - demand.pending);
  const auto batch = std::make_shared<SuggestionBatch>(SuggestionBatch{
      .job = job, .suggestions = {}, .goes_on = sweep.racer != nullptr});  // shared with the write
  while (std::ssize(batch->suggestions) < count) {
    const std::int64_t number = demand.configurations + std::ssize(batch->suggestions) + 1;
    std::optional<Configuration> point = sweep.stand_ins->Point(number).value_or(std::nullopt);
    if (!point) break;
    sweep.stand_ins->Know(point->parameters);
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
  spdlog::info("start-up points while the model thinks sweep={} configurations={}",
               sweep.spec->name, batch->suggestions.size());
  StoreBatch(core_, "start-up points", batch, [this, batch](bool ok) { OnStored(*batch, ok); });
}

void StandInDesk::OnStored(const SuggestionBatch& batch, bool ok) {
  DrivenSweep& sweep = *batch.job.sweep;
  const auto made = batch.suggestions.begin() + (ok ? batch.result.made : 0);
  for (auto one = made; one != batch.suggestions.end(); ++one) {
    sweep.stand_ins->Forget(one->configuration->parameters);
  }
  MutexLock lock(&core_.mutex);
  DrivenSweep::Shared& shared = core_.Of(sweep);
  for (auto one = batch.suggestions.begin(); one != made; ++one) {
    shared.stood_in.insert(PointIdentity(one->configuration->parameters));
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
  const DrivenSweep::Shared* const shared = core_.Find(sweep_id);
  if (shared == nullptr || !shared->thinks_since) return std::nullopt;
  const absl::Duration thought = core_.Now() - *shared->thinks_since;
  return thought < kPatience ? std::nullopt : std::optional(thought);
}

absl::Duration StandInDesk::UntilDue() {
  absl::Duration least = kPatience;
  for (const auto& [id, sweep] : core_.sweeps) {
    const std::optional<absl::Duration> since = core_.Of(*sweep).thinks_since;
    if (since) least = std::min(least, *since + kPatience - core_.Now());
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

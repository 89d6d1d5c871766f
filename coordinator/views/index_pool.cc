#include "coordinator/views/index_pool.h"

#include <pthread.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "coordinator/store/deleted_sweeps.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/rounded_wait.h"

namespace sweep {
namespace {

// Trials whose epochs one read returns.
constexpr std::int64_t kEpochTrials = 500;
constexpr std::int64_t kFollowedTrials = 200;

}  // namespace

IndexPool::IndexPool(Store* store, const Options& options) : store_(store), options_(options) {}

IndexPool::~IndexPool() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    work_.NotifyAll();
    done_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

absl::StatusOr<IndexPool::Answer> IndexPool::Get(std::int64_t sweep_id, const SharedSpec& spec,
                                                 const Patience& patience) {
  const absl::StatusOr<std::int64_t> last = store_->Read(FindLastSequence, sweep_id);
  if (!last.ok()) return last.status();
  const absl::Time asked = absl::Now();
  MutexLock lock(&mutex_);
  StartThread();
  Slot* slot = FindSlot(sweep_id, spec);
  if (slot == nullptr) return Answer{.entry = std::make_shared<Entry>(sweep_id, spec)};
  const absl::Duration good_for =
      options_.refresh_time > absl::ZeroDuration()
          ? options_.refresh_time + slot->trials * options_.refresh_time_per_trial
          : absl::ZeroDuration();
  const bool is_fresh = slot->ready && absl::Now() - slot->refreshed < good_for;
  if (!is_fresh && slot->cursor < *last) {
    slot->wanted = std::max(slot->wanted, *last);
    work_.NotifyAll();
  }
  while (!stopping_ && !is_fresh && slot->error.ok() && (!slot->ready || slot->cursor < *last)) {
    const absl::Duration wait = slot->ready ? patience.up_to_date : patience.complete;
    const absl::Duration left = asked + wait - absl::Now();
    if (left <= absl::ZeroDuration()) break;
    done_.WaitFor(&mutex_, RoundedWait(left));
    const auto found = slots_.find(sweep_id);
    if (found == slots_.end()) return absl::UnavailableError("too many sweeps are being viewed");
    slot = &found->second;
  }
  if (!slot->error.ok()) return std::exchange(slot->error, absl::OkStatus());
  return Answer{.entry = slot->entry, .sequence = slot->cursor, .ready = slot->ready};
}

void IndexPool::Prepare(std::int64_t sweep_id, const SharedSpec& spec) {
  MutexLock lock(&mutex_);
  if (slots_.contains(sweep_id) || !HasRoom()) return;
  StartThread();
  FindSlot(sweep_id, spec);
}

void IndexPool::StartThread() {
  if (started_ || stopping_) return;
  started_ = true;
  thread_ = std::thread([this] { Loop(); });
}

IndexPool::Slot* IndexPool::FindSlot(std::int64_t sweep_id, const SharedSpec& spec) {
  if (!slots_.contains(sweep_id) && !MakeRoom()) return nullptr;
  Slot& slot = slots_[sweep_id];
  if (slot.entry != nullptr && slot.entry->digest_ != spec->digest) slot = Slot{};
  slot.used = ++uses_;
  if (slot.entry == nullptr) {
    slot.entry = std::make_shared<Entry>(sweep_id, spec);
    work_.NotifyAll();
  }
  return &slot;
}

bool IndexPool::HasRoom() const {
  if (slots_.size() < options_.max_sweeps) return true;
  std::int64_t trials = 0;
  for (const auto& [id, slot] : slots_) trials += slot.trials;
  return slots_.size() < options_.max_small_sweeps && trials < options_.few_trials;
}

// Never drops an index that is being built, whose work would be lost.
bool IndexPool::MakeRoom() {
  if (HasRoom()) return true;
  const absl::Time now = absl::Now();
  auto oldest = slots_.end();
  for (auto slot = slots_.begin(); slot != slots_.end(); ++slot) {
    const bool may_go =
        !slot->second.error.ok() || now - slot->second.completed >= options_.keep_time;
    if (!may_go) continue;
    if (oldest == slots_.end() || slot->second.used < oldest->second.used) oldest = slot;
  }
  if (oldest == slots_.end()) return false;
  slots_.erase(oldest);
  return true;
}

// The most recently requested one among those with something to read.
IndexPool::Slot* IndexPool::SlotWithWork() {
  Slot* next = nullptr;
  for (auto& [id, slot] : slots_) {
    const bool has_work = slot.error.ok() && (!slot.ready || slot.cursor < slot.wanted);
    if (has_work && (next == nullptr || slot.used > next->used)) next = &slot;
  }
  return next;
}

bool IndexPool::TakeWork(Work* work) {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const absl::Duration left = looked_ + options_.look_time - absl::Now();
    if (left <= absl::ZeroDuration()) {
      *work = Work{};
      return true;
    }
    if (const Slot* const slot = SlotWithWork(); slot != nullptr) {
      *work = {.entry = slot->entry, .cursor = slot->cursor, .ready = slot->ready};
      return true;
    }
    work_.WaitFor(&mutex_, RoundedWait(left));
  }
  return false;
}

std::size_t IndexPool::size() {
  MutexLock lock(&mutex_);
  return slots_.size();
}

void IndexPool::DropDeleted() {
  std::vector<std::int64_t> ids;
  {
    MutexLock lock(&mutex_);
    for (const auto& [id, slot] : slots_) ids.push_back(id);
  }
  std::erase_if(ids, [this](std::int64_t id) {
    const absl::StatusOr<SweepRow> row = store_->Read(FindSweepById, id);
    return row.ok() ? !IsDeletedName(row->name) : !absl::IsNotFound(row.status());
  });
  MutexLock lock(&mutex_);
  for (const std::int64_t id : ids) slots_.erase(id);
  looked_ = absl::Now();
  done_.NotifyAll();
}

void IndexPool::FinishWork(const Work& work, const absl::Status& status) {
  MutexLock lock(&mutex_);
  done_.NotifyAll();
  const auto found = slots_.find(work.entry->sweep_id_);
  if (found == slots_.end() || found->second.entry != work.entry) return;
  Slot& slot = found->second;
  slot.error = status;
  if (!status.ok()) return;
  slot.cursor = work.cursor;
  if (work.ready && !slot.ready) slot.completed = absl::Now();
  slot.ready = work.ready;
  slot.trials = work.trials;
  slot.refreshed = absl::Now();
}

void IndexPool::Loop() {
  pthread_setname_np(pthread_self(), "index");
  for (Work work; TakeWork(&work);) {
    if (work.entry == nullptr) {
      DropDeleted();
      continue;
    }
    Entry* const entry = work.entry.get();
    const absl::Status status = work.ready ? Follow(entry, &work) : Fill(entry, &work);
    work.trials = entry->Look([](const SweepIndex& index) { return std::ssize(index.trials()); });
    FinishWork(work, status);
  }
}

// The first read covers all earlier events; applying later events again is harmless.
absl::Status IndexPool::Fill(Entry* entry, Work* work) {
  if (!entry->has_cursor_) {
    const absl::StatusOr<std::int64_t> last = store_->Read(FindLastSequence, entry->sweep_id_);
    if (!last.ok()) return last.status();
    work->cursor = *last;
    entry->has_cursor_ = true;
  }
  const absl::StatusOr<std::vector<TrialSummary>> trials = store_->Read(
      SelectSummaries, entry->sweep_id_, entry->read_number_, options_.trials_per_read);
  if (!trials.ok()) return trials.status();
  {
    MutexLock lock(&entry->mutex_);
    for (const TrialSummary& summary : *trials) entry->index_.Put(summary);
  }
  if (!trials->empty()) {
    const std::int64_t end = trials->back().trial.number;
    for (std::int64_t first = entry->read_number_ + 1; first <= end; first += kEpochTrials) {
      const absl::StatusOr<std::vector<MeasuredEpoch>> epochs =
          store_->Read(SelectMeasuredEpochs, entry->sweep_id_, first,
                       std::min(first + kEpochTrials - 1, end), entry->banded_);
      if (!epochs.ok()) return epochs.status();
      MutexLock lock(&entry->mutex_);
      for (const MeasuredEpoch& row : *epochs) entry->index_.AddEpoch(row);
    }
    entry->read_number_ = end;
  }
  work->ready = static_cast<int>(trials->size()) < options_.trials_per_read;
  return absl::OkStatus();
}

// Reads the changed trials again instead of applying events: a trial with many events is read once.
absl::Status IndexPool::Follow(Entry* entry, Work* work) {
  const absl::StatusOr<std::vector<TrialChange>> changes =
      store_->Read(SelectTrialChanges, entry->sweep_id_, work->cursor, options_.events_per_read);
  if (!changes.ok()) return changes.status();
  std::set<std::int64_t> changed;
  for (const TrialChange& change : *changes) {
    if (change.number > 0) changed.insert(change.number);
    work->cursor = change.sequence;
  }
  std::vector<std::int64_t> numbers;
  for (const std::int64_t number : changed) {
    numbers.push_back(number);
    if (std::ssize(numbers) < kFollowedTrials && number != *changed.rbegin()) continue;
    if (absl::Status read = ReadAgain(entry, numbers); !read.ok()) return read;
    numbers.clear();
  }
  return absl::OkStatus();
}

absl::Status IndexPool::ReadAgain(Entry* entry, const std::vector<std::int64_t>& numbers) {
  const absl::StatusOr<std::vector<TrialSummary>> trials =
      store_->Read(SelectSummariesOf, entry->sweep_id_, numbers);
  if (!trials.ok()) return trials.status();
  std::vector<KnownTrial> known;
  {
    MutexLock lock(&entry->mutex_);
    for (const TrialSummary& summary : *trials) {
      entry->index_.Put(summary);
      const std::int64_t number = summary.trial.number;
      known.push_back({number, entry->index_.CountedEpoch(number)});
    }
  }
  const absl::StatusOr<std::vector<MeasuredEpoch>> epochs =
      store_->Read(SelectNewEpochs, entry->sweep_id_, known, entry->banded_);
  if (!epochs.ok()) return epochs.status();
  MutexLock lock(&entry->mutex_);
  for (const MeasuredEpoch& row : *epochs) entry->index_.AddEpoch(row);
  return absl::OkStatus();
}

}  // namespace sweep

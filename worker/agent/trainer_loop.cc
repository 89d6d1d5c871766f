#include "worker/agent/trainer_loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"
#include "worker/agent/orphans.h"

namespace sweep {
namespace {

// A dead trainer is noticed by the end of its output. The tick is for deadlines, and for a dead
// trainer whose pipe another process keeps open.
constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::milliseconds kIdle{1000};
constexpr std::chrono::milliseconds kEndingTick{5};
// A draining worker waits at most this long for a coordinator that is away.
constexpr std::chrono::seconds kDrainPatience{5};
// After this many, further tries would only use up the failures that each trial is allowed.
constexpr int kMostUnusableTrainers = 3;
constexpr char kDrainReason[] = "the worker drains";

// Writing to a trainer that has died must be an error of that call, not the end of the process.
void BlockSigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

TrainerLoop::TrainerLoop(Options options)
    : options_(std::move(options)),
      leases_(options_.context.leases),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  options_.context.post = [this](std::function<void()> task) { Post(std::move(task)); };
  options_.context.trainer_unusable = [this](const std::string& reason) {
    OnTrainerUnusable(reason);
  };
  options_.context.data_refused = [this](const std::string& reason) { OnDataRefused(reason); };
  options_.context.trainer_ready =
      [this, tell = options_.context.trainer_ready](const std::string& device) {
        unusable_in_a_row_ = 0;
        tell(device);
      };
  for (int i = 0; i < options_.slots; ++i) {
    slots_.push_back(std::make_unique<Slot>(i, options_.context));
  }
  thread_ = std::jthread([this] { Run(); });
}

TrainerLoop::~TrainerLoop() {
  Stop(absl::OkStatus());
  thread_.join();
  close(wake_fd_);
}

void TrainerLoop::Wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
}

void TrainerLoop::Post(std::function<void()> task) {
  {
    MutexLock lock(&mutex_);
    tasks_.push_back(std::move(task));
  }
  Wake();
}

void TrainerLoop::Drain() {
  Post([this] {
    if (drain_) return;
    drain_ = true;
    drain_patience_ = std::chrono::steady_clock::now() + kDrainPatience;
    for (const auto& slot : slots_) slot->GiveBack(kDrainReason);
  });
}

void TrainerLoop::DrainAtOnce(absl::Duration patience) {
  Post([this, patience] {
    if (!drain_) drain_patience_ = std::chrono::steady_clock::now() + kDrainPatience;
    drain_ = at_once_ = true;
    at_once_deadline_ = std::min(
        at_once_deadline_, std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(patience));
    for (const auto& slot : slots_) slot->GiveBackAtOnce(kDrainReason);
  });
}

void TrainerLoop::GiveBack(std::set<LeaseKey> leases, std::string reason) {
  Post([this, leases = std::move(leases), reason = std::move(reason)] {
    give_back_ = leases;
    give_back_reason_ = reason;
    for (const auto& slot : slots_) {
      for (const LeaseKey& lease : give_back_) {
        if (slot->Holds(lease)) slot->GiveBack(reason);
      }
    }
  });
}

void TrainerLoop::StopLeases(std::set<LeaseKey> leases) {
  Post([this, leases = std::move(leases)] {
    stopped_ = leases;
    for (const auto& slot : slots_) {
      for (const LeaseKey& lease : stopped_) {
        if (slot->Holds(lease)) slot->StopEarly();
      }
    }
  });
}

void TrainerLoop::DrainAcknowledged() {
  Post([this] { drain_acknowledged_ = true; });
}

void TrainerLoop::Stop(absl::Status status) {
  {
    MutexLock lock(&mutex_);
    if (stop_) return;
    stop_ = true;
    status_ = std::move(status);
  }
  Wake();
}

absl::Status TrainerLoop::Wait() {
  MutexLock lock(&mutex_);
  while (!finished_) changed_.Wait(&mutex_);
  return status_;
}

void TrainerLoop::Run() {
  pthread_setname_np(pthread_self(), "trainers");
  BlockSigpipe();
  while (Step()) PollPipes(AnyDeadline() || drain_ ? kTick : kIdle);
  EndTrainers();
  options_.finished();
  // The slots' reporters may still post events, which Post accepts and nobody runs.
  slots_.clear();
  {
    MutexLock lock(&mutex_);
    if (!stop_) status_ = failure_;
    stop_ = true;
    finished_ = true;
  }
  changed_.NotifyAll();
}

bool TrainerLoop::Step() {
  RunTasks();
  TickSlots();
  DistributeLeases();
  KillOrphans();
  if (Drained() || std::chrono::steady_clock::now() >= at_once_deadline_) return false;
  MutexLock lock(&mutex_);
  return !stop_;
}

void TrainerLoop::RunTasks() {
  std::vector<std::function<void()>> tasks;
  {
    MutexLock lock(&mutex_);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
}

void TrainerLoop::DistributeLeases() {
  for (const LeaseKey& key : leases_->TakeRevoked()) {
    for (const auto& slot : slots_) slot->Revoke(key);
  }
  for (const auto& slot : slots_) {
    if (!slot->free()) continue;
    if (options_.one_trial && begun_) return;
    const std::optional<v1::Lease> lease = leases_->Take();
    if (!lease) return;
    begun_ = true;
    slot->Assign(*lease);
    if (stopped_.contains(KeyOf(lease->token()))) {
      slot->StopEarly();
    } else if (at_once_) {
      slot->GiveBackAtOnce(kDrainReason);
    } else if (drain_) {
      slot->GiveBack(kDrainReason);
    } else if (give_back_.contains(KeyOf(lease->token()))) {
      slot->GiveBack(give_back_reason_);
    }
  }
}

bool TrainerLoop::Drained() {
  if (!drain_ || !leases_->empty()) return false;
  const bool all_free =
      std::all_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->free(); });
  return all_free && (drain_acknowledged_ || std::chrono::steady_clock::now() >= drain_patience_);
}

void TrainerLoop::OnTrainerUnusable(const std::string& reason) {
  if (++unusable_in_a_row_ < kMostUnusableTrainers || !failure_.ok()) return;
  GiveUp(absl::FailedPreconditionError(
      absl::StrCat("no trainer could be used, ", unusable_in_a_row_, " times in a row: ", reason)));
}

void TrainerLoop::OnDataRefused(const std::string& reason) {
  if (!options_.end_on_other_data || !failure_.ok()) return;
  GiveUp(absl::FailedPreconditionError(reason));
}

void TrainerLoop::GiveUp(absl::Status failure) {
  failure_ = std::move(failure);
  spdlog::error("worker ends error={}", failure_.ToString());
  Drain();
  options_.giving_up();
}

void TrainerLoop::PollPipes(std::chrono::milliseconds timeout) {
  std::vector<pollfd> fds = {{wake_fd_, POLLIN, 0}};
  std::vector<std::size_t> first(1, fds.size());  // index of each slot's first one, and the end
  for (const auto& slot : slots_) {
    slot->AppendPollFds(&fds);
    first.push_back(fds.size());
  }
  if (poll(fds.data(), fds.size(), static_cast<int>(timeout.count())) <= 0) return;
  if (fds[0].revents != 0) {
    std::uint64_t count;
    [[maybe_unused]] const ssize_t got = read(wake_fd_, &count, sizeof count);
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto begin = fds.begin() + static_cast<std::ptrdiff_t>(first[i]);
    const auto end = fds.begin() + static_cast<std::ptrdiff_t>(first[i + 1]);
    if (std::any_of(begin, end, [](const pollfd& fd) { return fd.revents != 0; })) {
      slots_[i]->Serve();
    }
  }
}

void TrainerLoop::TickSlots() {
  const Slot::TimePoint now = std::chrono::steady_clock::now();
  for (const auto& slot : slots_) slot->Tick(now);
}

bool TrainerLoop::AnyTrainer() const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const auto& slot) { return slot->has_trainer(); });
}

bool TrainerLoop::AnyDeadline() const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const auto& slot) { return slot->has_deadline(); });
}

void TrainerLoop::EndTrainers() {
  bool at_once;
  {
    MutexLock lock(&mutex_);
    at_once = stop_ || at_once_;
  }
  const auto grace = absl::ToChronoMilliseconds(options_.context.stop_grace);
  const Slot::TimePoint patience =
      std::chrono::steady_clock::now() + (at_once ? grace.zero() : grace);
  for (const auto& slot : slots_) slot->EndTrainer(at_once);
  while (AnyTrainer()) {
    PollPipes(kEndingTick);
    TickSlots();
    if (std::chrono::steady_clock::now() < patience) continue;
    for (const auto& slot : slots_) slot->EndTrainer(/*at_once=*/true);
  }
}

}  // namespace sweep

#include "tests/fault/chaos/cluster.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/time/clock.h"
#include "fmt/format.h"

namespace sweep::chaos {
namespace {

using testing::Process;

constexpr char kMark[] = "SWEEP_CHAOS";
// The exit code of a worker whose first call failed; see sweep-worker --help.
constexpr int kUnreachable = 4;
// A drain ends with a checkpoint and reports, while the coordinator may be away.
constexpr absl::Duration kLongestDrain = absl::Seconds(60);
constexpr absl::Duration kLongestTrap = absl::Seconds(3);

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

absl::Duration Between(double length, absl::Duration shortest, absl::Duration longest) {
  return shortest + (longest - shortest) * length;
}

}  // namespace

Cluster::Cluster(const Options& options) : options_(options) {
  StartCoordinator();
  const auto make_proxy = [&](int number) {
    auto proxy = std::make_unique<FaultyProxy>(
        FaultyProxy::Options{.longest_detention = 2 * options.lease_term,
                             .seed = options.seed + static_cast<std::uint64_t>(number),
                             .ledger = options.ledger,
                             .trap = &trap_});
    proxy->SetTarget(address_);
    return proxy;
  };
  people_proxy_ = make_proxy(options.workers);
  for (int i = 1; i <= options.callers; ++i) {
    caller_proxies_.push_back(make_proxy(options.workers + i));
  }
  for (int i = 0; i < options.workers; ++i) {
    workers_.emplace_back().proxy = make_proxy(i);
    StartWorker(static_cast<std::size_t>(i));
  }
}

std::vector<std::string> Cluster::CallerAddresses() const {
  std::vector<std::string> addresses;
  for (const auto& proxy : caller_proxies_) addresses.push_back(proxy->address());
  return addresses;
}

bool Cluster::coordinator_up() const {
  return coordinator_ != nullptr && coordinator_thaw_ == absl::InfiniteFuture();
}

// All coordinators of a run use one database; each gets another port.
void Cluster::StartCoordinator() {
  coordinator_ = std::make_unique<Process>(
      Process::Options{.command = {"sweep-coordinator", "--http", "off", "--listen", "127.0.0.1:0",
                                   "--db", "sweep.db", "--lease-term",
                                   fmt::format("{:g}", absl::ToDoubleSeconds(options_.lease_term)),
                                   "--log-level", "info"},
                       .folder = options_.folder,
                       .environment = {{kMark, options_.mark}}});
  address_ = testing::WaitForAddress(*coordinator_);
  if (people_proxy_ != nullptr) people_proxy_->SetTarget(address_);
  for (const auto& proxy : caller_proxies_) proxy->SetTarget(address_);
  for (Worker& worker : workers_) worker.proxy->SetTarget(address_);
}

std::string Cluster::WorkerName(std::size_t index) const {
  return fmt::format("w{}-{}", index, workers_[index].generation);
}

// Each worker gets a new name, as on a machine that was set up anew.
void Cluster::StartWorker(std::size_t index) {
  Worker& worker = workers_[index];
  ++worker.generation;
  std::vector<std::string> command = {"sweep-worker",
                                      "--coordinator",
                                      worker.proxy->address(),
                                      "--name",
                                      WorkerName(index),
                                      "--slots",
                                      "2",
                                      "--allow-program",
                                      "--log-level",
                                      "warn"};
  if (!options_.trainer.empty()) command.insert(command.end(), {"--trainer", options_.trainer});
  worker.process =
      std::make_unique<Process>(Process::Options{.command = std::move(command),
                                                 .folder = options_.folder,
                                                 .environment = {{kMark, options_.mark}}});
}

int Cluster::CountUp() const {
  int count = 0;
  for (const Worker& worker : workers_) count += worker.up() ? 1 : 0;
  return count;
}

bool Cluster::Strike(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::kKillCoordinator:
    case FaultKind::kKillCoordinatorAtAnswer:
    case FaultKind::kEndCoordinator:
    case FaultKind::kFreezeCoordinator:
      return StrikeCoordinator(fault);
    default:
      return StrikeWorker(fault);
  }
}

void Cluster::CoordinatorIsGone(absl::Duration restart_after) {
  coordinator_->Wait();
  coordinator_.reset();
  coordinator_restart_ = absl::Now() + restart_after;
}

bool Cluster::StrikeCoordinator(const Fault& fault) {
  if (!coordinator_up() || trap_deadline_ < absl::InfiniteFuture()) return false;
  const absl::Duration away = Between(fault.length, absl::ZeroDuration(), absl::Seconds(1));
  switch (fault.kind) {
    case FaultKind::kFreezeCoordinator:
      coordinator_->Signal(SIGSTOP);
      coordinator_thaw_ =
          absl::Now() + Between(fault.length, absl::Milliseconds(100), 1.5 * options_.lease_term);
      return true;
    case FaultKind::kKillCoordinatorAtAnswer:
      trap_ = coordinator_->pid();
      trap_deadline_ = absl::Now() + kLongestTrap;
      return true;
    case FaultKind::kEndCoordinator:
      coordinator_->Signal(SIGTERM);
      CoordinatorIsGone(away);
      return true;
    default:
      coordinator_->Signal(SIGKILL);
      CoordinatorIsGone(away);
      return true;
  }
}

bool Cluster::StrikeWorker(const Fault& fault) {
  // At least half of the workers must stay up.
  if (CountUp() <= options_.workers / 2) return false;
  std::size_t index = Place(fault.which, workers_.size());
  while (!workers_[index].up()) index = (index + 1) % workers_.size();
  Worker& worker = workers_[index];
  switch (fault.kind) {
    case FaultKind::kEndWorker:
      worker.process->Signal(SIGTERM);
      AwaitEnd(index);
      return true;
    case FaultKind::kFreezeWorker:
      worker.process->Signal(SIGSTOP);
      worker.thaw =
          absl::Now() + Between(fault.length, absl::Milliseconds(100), 2 * options_.lease_term);
      return true;
    case FaultKind::kCutConnection:
      if (worker.mend < absl::InfiniteFuture()) return false;
      worker.proxy->Cut();
      worker.mend =
          absl::Now() + Between(fault.length, absl::Milliseconds(50), 2 * options_.lease_term);
      return true;
    case FaultKind::kKillTrainer:
      return KillTrainer(fault, worker);
    default:
      worker.process->Signal(SIGKILL);
      worker.process->Wait();
      worker.process.reset();
      worker.restart = absl::Now() + Between(fault.length, absl::ZeroDuration(), absl::Seconds(1));
      return true;
  }
}

// A worker's children are supervisors; their children are the trainers.
bool Cluster::KillTrainer(const Fault& fault, const Worker& worker) {
  std::vector<pid_t> trainers;
  for (const pid_t supervisor : testing::ChildrenOf(worker.process->pid())) {
    for (const pid_t trainer : testing::ChildrenOf(supervisor)) trainers.push_back(trainer);
  }
  if (trainers.empty()) return false;
  // In half of the cases kill the supervisor between them.
  if (fault.length < 0.5) trainers = testing::ChildrenOf(worker.process->pid());
  if (trainers.empty()) return false;
  kill(trainers[Place(fault.which, trainers.size())], SIGKILL);
  return true;
}

// The worker drains while its successor starts.
void Cluster::AwaitEnd(std::size_t index) {
  Worker& worker = workers_[index];
  leaving_.push_back({.name = WorkerName(index),
                      .process = std::move(worker.process),
                      .deadline = absl::Now() + kLongestDrain});
  StartWorker(index);
}

void Cluster::Complain(const std::string& who, const Process& process) {
  std::string output = process.Output();
  if (output.size() > 1000) output = "…" + output.substr(output.size() - 1000);
  complaints_.push_back(fmt::format("{}; its output:\n{}", who, output));
}

void Cluster::TickCoordinator(absl::Time now) {
  if (coordinator_thaw_ <= now) {
    coordinator_thaw_ = absl::InfiniteFuture();
    coordinator_->Signal(SIGCONT);
  }
  if (coordinator_ != nullptr && !testing::IsAlive(coordinator_->pid())) {
    const bool by_trap = trap_deadline_ < absl::InfiniteFuture() && trap_ == 0;
    if (!by_trap) Complain("the coordinator ended by itself", *coordinator_);
    trap_ = 0;
    trap_deadline_ = absl::InfiniteFuture();
    CoordinatorIsGone(absl::ZeroDuration());
  }
  if (trap_deadline_ <= now && trap_.exchange(0) != 0) {  // no report was acknowledged meanwhile
    trap_deadline_ = absl::InfiniteFuture();
    coordinator_->Signal(SIGKILL);
    CoordinatorIsGone(absl::ZeroDuration());
  }
  if (coordinator_restart_ <= now) {
    coordinator_restart_ = absl::InfiniteFuture();
    StartCoordinator();
  }
}

void Cluster::TickWorker(std::size_t index, absl::Time now) {
  Worker& worker = workers_[index];
  const auto due = [now](absl::Time* time) {
    if (*time > now) return false;
    *time = absl::InfiniteFuture();
    return true;
  };
  if (due(&worker.thaw)) worker.process->Signal(SIGCONT);
  if (due(&worker.mend)) worker.proxy->Mend();
  if (due(&worker.restart)) StartWorker(index);
  if (worker.process == nullptr || testing::IsAlive(worker.process->pid())) return;
  // A client told the worker to drain, or the coordinator was away when the worker started.
  const int code = worker.process->Wait();
  // A worker ends when three trainers in a row die before they are ready; here they are killed.
  const bool without_trainer =
      worker.process->Output().find("no trainer could be used") != std::string::npos;
  if (code != 0 && code != kUnreachable && !without_trainer) {
    Complain(fmt::format("worker {} ended by itself, exit code {}", WorkerName(index), code),
             *worker.process);
  }
  StartWorker(index);
}

void Cluster::TickLeaving(absl::Time now) {
  std::erase_if(leaving_, [&](Leaving& leaving) {
    if (!testing::IsAlive(leaving.process->pid())) {
      const int code = leaving.process->Wait();
      // The signal came before the worker could block it or print anything.
      const bool too_early = code == 128 + SIGTERM && leaving.process->Output().empty();
      if (code != 0 && code != kUnreachable && !too_early) {
        Complain(fmt::format("worker {} was told to end, exit code {}", leaving.name, code),
                 *leaving.process);
      }
      return true;
    }
    if (leaving.deadline > now) return false;
    Complain(fmt::format("worker {} did not end within {}", leaving.name,
                         absl::FormatDuration(kLongestDrain)),
             *leaving.process);
    return true;
  });
}

void Cluster::Tick() {
  const absl::Time now = absl::Now();
  TickCoordinator(now);
  for (std::size_t i = 0; i < workers_.size(); ++i) TickWorker(i, now);
  TickLeaving(now);
}

void Cluster::Recover() {
  const auto make_due = [](absl::Time* time) {
    if (*time < absl::InfiniteFuture()) *time = absl::InfinitePast();
  };
  make_due(&coordinator_thaw_);
  make_due(&coordinator_restart_);
  make_due(&trap_deadline_);
  people_proxy_->Calm();
  for (const auto& proxy : caller_proxies_) proxy->Calm();
  for (Worker& worker : workers_) {
    for (absl::Time* time : {&worker.restart, &worker.thaw, &worker.mend}) make_due(time);
    worker.proxy->Calm();
  }
  Tick();
}

void Cluster::Stop() {
  Recover();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i].process == nullptr) continue;
    workers_[i].process->Signal(SIGTERM);
    leaving_.push_back({.name = WorkerName(i),
                        .process = std::move(workers_[i].process),
                        .deadline = absl::Now() + kLongestDrain});
  }
  while (!leaving_.empty()) {
    TickLeaving(absl::Now());
    absl::SleepFor(absl::Milliseconds(20));
  }
  for (Worker& worker : workers_) worker.proxy.reset();  // the last late calls arrive
  people_proxy_.reset();
  caller_proxies_.clear();
  TickCoordinator(absl::Now());
  if (coordinator_ == nullptr) return;
  coordinator_->Signal(SIGTERM);
  if (const int code = coordinator_->Wait(); code != 0) {
    Complain(fmt::format("the coordinator was told to end, exit code {}", code), *coordinator_);
  }
  coordinator_.reset();
}

std::map<std::string, int> Cluster::CallCounts() const {
  std::map<std::string, int> sum;
  const auto add = [&](const FaultyProxy& proxy) {
    for (const auto& [name, count] : proxy.counts()) sum[name] += count;
  };
  add(*people_proxy_);
  for (const auto& proxy : caller_proxies_) add(*proxy);
  for (const Worker& worker : workers_) add(*worker.proxy);
  return sum;
}

std::vector<int> FindMarked(const std::string& mark) {
  const std::string wanted = std::string(kMark) + "=" + mark;
  std::vector<int> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || pid == getpid()) continue;
    const std::string environment = '\0' + ReadFile(entry.path() / "environ");
    if (environment.find('\0' + wanted + '\0') != std::string::npos && testing::IsAlive(pid)) {
      found.push_back(pid);
    }
  }
  return found;
}

}  // namespace sweep::chaos

#include "tests/fault/chaos/cluster.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "absl/time/clock.h"
#include "fmt/format.h"

namespace sweep::chaos {
namespace {

using testing::Process;

constexpr char kMark[] = "SWEEP_CHAOS";

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

Cluster::Cluster(const Options& options) : options_(options), random_(options.seed) {
  StartCoordinator();
  for (int i = 0; i < options.workers; ++i) {
    Worker& worker = workers_.emplace_back();
    worker.proxy = std::make_unique<FaultyProxy>(FaultyProxy::Options{
        .seed = options.seed + static_cast<std::uint64_t>(i), .ledger = options.ledger});
    worker.proxy->SetTarget(address_);
    StartWorker(static_cast<std::size_t>(i));
  }
}

bool Cluster::coordinator_up() const {
  return coordinator_ != nullptr && coordinator_thaw_ == absl::InfiniteFuture();
}

// A database and an address of its own for the whole run; the port is another one each time.
void Cluster::StartCoordinator() {
  coordinator_ = std::make_unique<Process>(Process::Options{
      .command = {"sweep-coordinator", "--listen", "127.0.0.1:0", "--db", "sweep.db",
                  "--lease-term", fmt::format("{:g}", absl::ToDoubleSeconds(options_.lease_term)),
                  "--log-level", "info"},
      .folder = options_.folder,
      .environment = {{kMark, options_.mark}}});
  address_ = testing::WaitForAddress(*coordinator_);
  for (Worker& worker : workers_) worker.proxy->SetTarget(address_);
}

// Under a new name each time, as a machine that was set up anew.
void Cluster::StartWorker(std::size_t index) {
  Worker& worker = workers_[index];
  worker.process = std::make_unique<Process>(
      Process::Options{.command = {"sweep-worker", "--coordinator", worker.proxy->address(),
                                   "--name", fmt::format("w{}-{}", index, ++worker.generation),
                                   "--slots", "2", "--allow-program", "--log-level", "warn"},
                       .folder = options_.folder,
                       .environment = {{kMark, options_.mark}}});
}

absl::Duration Cluster::Within(absl::Duration shortest, absl::Duration longest) {
  return shortest + (longest - shortest) * std::uniform_real_distribution<double>(0, 1)(random_);
}

int Cluster::CountUp() const {
  int count = 0;
  for (const Worker& worker : workers_) count += worker.up() ? 1 : 0;
  return count;
}

Cluster::Worker* Cluster::PickUp() {
  std::vector<Worker*> up;
  for (Worker& worker : workers_) {
    if (worker.up()) up.push_back(&worker);
  }
  return up.empty() ? nullptr : up[random_() % up.size()];
}

std::string Cluster::Strike() {
  const bool coordinator = random_() % 5 == 0;
  std::string what = coordinator ? StrikeCoordinator() : "";
  if (what.empty()) what = StrikeWorker();
  if (!what.empty()) ++strikes_[what];
  return what;
}

std::string Cluster::StrikeCoordinator() {
  if (!coordinator_up()) return "";
  switch (random_() % 3) {
    case 0:  // frozen, for less or for more than a lease lasts
      coordinator_->Signal(SIGSTOP);
      coordinator_thaw_ = absl::Now() + Within(absl::Milliseconds(100), 1.5 * options_.lease_term);
      return "coordinator SIGSTOP";
    case 1:
      coordinator_->Signal(SIGTERM);
      coordinator_->Wait();
      coordinator_.reset();
      coordinator_restart_ = absl::Now() + Within(absl::ZeroDuration(), absl::Seconds(1));
      return "coordinator SIGTERM";
    default:
      coordinator_->Signal(SIGKILL);
      coordinator_->Wait();
      coordinator_.reset();
      coordinator_restart_ = absl::Now() + Within(absl::ZeroDuration(), absl::Seconds(1));
      return "coordinator SIGKILL";
  }
}

std::string Cluster::StrikeWorker() {
  Worker* const worker = PickUp();
  // Somebody has to go on working.
  if (worker == nullptr || CountUp() <= options_.workers / 2) return "";
  const absl::Duration lease_term = options_.lease_term;
  switch (random_() % 5) {
    case 0:
      worker->process->Signal(SIGKILL);
      worker->process->Wait();
      worker->process.reset();
      worker->restart = absl::Now() + Within(absl::ZeroDuration(), absl::Seconds(1));
      return "worker SIGKILL";
    case 1:
      worker->process->Signal(SIGTERM);  // it drains, and is replaced while it does
      worker->process->Wait(std::chrono::seconds(20));
      worker->process.reset();
      worker->restart = absl::Now() + Within(absl::ZeroDuration(), absl::Milliseconds(300));
      return "worker SIGTERM";
    case 2:
      worker->process->Signal(SIGSTOP);
      worker->thaw = absl::Now() + Within(absl::Milliseconds(100), 2 * lease_term);
      return "worker SIGSTOP";
    case 3:
      worker->proxy->Cut();
      worker->mend = absl::Now() + Within(absl::Milliseconds(50), 2 * lease_term);
      return "connection cut";
    default: {
      const std::vector<pid_t> trainers = testing::ChildrenOf(worker->process->pid());
      if (trainers.empty()) return "";
      kill(trainers[random_() % trainers.size()], SIGKILL);
      return "trainer SIGKILL";
    }
  }
}

void Cluster::Tick() {
  const absl::Time now = absl::Now();
  const auto due = [now](absl::Time* time) {
    if (*time > now) return false;
    *time = absl::InfiniteFuture();
    return true;
  };
  if (due(&coordinator_thaw_)) coordinator_->Signal(SIGCONT);
  if (due(&coordinator_restart_)) StartCoordinator();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = workers_[i];
    if (due(&worker.thaw)) worker.process->Signal(SIGCONT);
    if (due(&worker.mend)) worker.proxy->Mend();
    if (due(&worker.restart)) StartWorker(i);
    // One that gave up by itself: its session was refused, say, after the coordinator forgot it.
    const bool running = worker.process != nullptr && testing::IsAlive(worker.process->pid());
    if (worker.process != nullptr && !running) {
      worker.process.reset();
      worker.restart = now + absl::Milliseconds(200);
      ++strikes_["(a worker ended by itself)"];
    }
  }
}

void Cluster::Recover() {
  if (coordinator_thaw_ < absl::InfiniteFuture()) coordinator_thaw_ = absl::InfinitePast();
  if (coordinator_restart_ < absl::InfiniteFuture()) coordinator_restart_ = absl::InfinitePast();
  for (Worker& worker : workers_) {
    for (absl::Time* time : {&worker.restart, &worker.thaw, &worker.mend}) {
      if (*time < absl::InfiniteFuture()) *time = absl::InfinitePast();
    }
    worker.proxy->Calm();
  }
  Tick();
}

void Cluster::Stop() {
  Recover();
  for (Worker& worker : workers_) {
    if (worker.process != nullptr) worker.process->Signal(SIGTERM);
  }
  for (Worker& worker : workers_) {
    if (worker.process != nullptr) worker.process->Wait(std::chrono::seconds(20));
    worker.process.reset();
    worker.proxy.reset();
  }
  coordinator_->Signal(SIGTERM);
  coordinator_->Wait();
  coordinator_.reset();
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

#include "tests/fault/chaos/run.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "sweep/v1/sweeps.grpc.pb.h"
#include "tests/fault/chaos/callers.h"
#include "tests/fault/chaos/cluster.h"
#include "tests/fault/chaos/ledger.h"
#include "tests/fault/chaos/people.h"
#include "tests/fault/chaos/plan.h"
#include "tests/fault/chaos/proof.h"
#include "tests/integration/process.h"

namespace sweep::chaos {
namespace {

constexpr std::int64_t kRealConfigurations = 4;
// A fault that finds no target for this long is skipped.
constexpr absl::Duration kLongestWait = absl::Seconds(20);
constexpr absl::Duration kLongestEnd = absl::Minutes(10);

// Trials of a sweep that the timer trains. Short ones give many grants and ends; long ones let
// faults and late calls meet trials that another worker holds by then.
struct TimerTrials {
  int epoch_milliseconds;
  std::int64_t configurations;
};
constexpr TimerTrials kShort{.epoch_milliseconds = 50, .configurations = 30};
constexpr TimerTrials kLong{.epoch_milliseconds = 400, .configurations = 8};

std::string TimerSweep(const std::string& name, const TimerTrials& trials) {
  return fmt::format(
      "name: {}\n"
      "program: ['{}', '{}']\n"
      "model: cnn-18718\n"
      "dataset: {{name: synthetic, train: 64, test: 32}}\n"
      "method: random\n"
      "parameters:\n"
      "  lr: {{distribution: log_uniform_values, min: 0.001, max: 0.3}}\n"
      "epochs: 10\n"
      "run_cap: {}\n"
      "replicates: 2\n"
      "max_failures: 100\n",
      name, testing::ProgramPath("timer_trainer"), trials.epoch_milliseconds,
      trials.configurations);
}

// Small but real training, which shows whether resumed epochs are the same to the last bit.
std::string RealSweep(const std::string& name) {
  return fmt::format(
      "name: {}\n"
      "seed: 1\n"  // otherwise it is drawn from the name
      "model: cnn-18718\n"
      "dataset: {{name: synthetic, train: 512, test: 128}}\n"
      "method: random\n"
      "parameters:\n"
      "  lr: {{min: 0.01, max: 0.1}}\n"
      "  dropout: {{values: [0.0, 0.05]}}\n"
      "epochs: 6\n"
      "run_cap: {}\n"
      "max_failures: 100\n",
      name, kRealConfigurations);
}

constexpr std::int64_t kAskedConfigurations = 12;

std::string AskedSweep(const std::string& name) {
  return fmt::format(
      "name: {}\n"
      "trained_by: callers\n"
      "method: random\n"
      "parameters:\n"
      "  lr: {{distribution: log_uniform_values, min: 0.001, max: 0.3}}\n"
      "epochs: 8\n"
      "run_cap: {}\n"
      "max_failures: 100\n",
      name, kAskedConfigurations);
}

class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        cluster_({.folder = options.folder,
                  .workers = options.workers,
                  .callers = options.callers,
                  .trainer = options.real_trainer ? "" : testing::ProgramPath("timer_trainer"),
                  .lease_term = absl::Seconds(options.lease_term_seconds),
                  .mark = mark_,
                  .seed = options.seed,
                  .ledger = &ledger_}),
        people_({.address = cluster_.people_address(),
                 .longest_decision = absl::Seconds(options.lease_term_seconds),
                 .ledger = &ledger_}),
        callers_(std::make_unique<Callers>(
            Callers::Options{.addresses = cluster_.CallerAddresses(),
                             .lease_term = absl::Seconds(options.lease_term_seconds),
                             .seed = options.seed,
                             .ledger = &ledger_})) {}

  std::size_t Execute() {
    const absl::Time start = absl::Now();
    const std::vector<Fault> plan =
        MakePlan(options_.seed, options_.faults, absl::Seconds(options_.pause_seconds));
    for (const Fault& fault : plan) {
      if (options_.stop->load()) break;
      KeepBusy();
      Strike(fault);
      if (++struck_ % 10 == 0) {
        std::cerr << fmt::format("{:5} of {} faults, {} epochs acknowledged\n", struck_,
                                 options_.faults, ledger_.epochs().size());
      }
      WaitAndTick(fault.pause);
    }
    std::cerr << "no more faults; waiting for the sweeps to end\n";
    const bool ended = WaitForEnd();
    call_counts_ = cluster_.CallCounts();
    call_counts_.merge(callers_->counts());
    caller_complaints_ = callers_->complaints();
    callers_.reset();
    cluster_.Stop();
    return Report(ended, absl::Now() - start);
  }

 private:
  static std::string Mark() {
    return fmt::format("{}-{}", getpid(), absl::ToUnixMicros(absl::Now()));
  }

  void Strike(const Fault& fault) {
    if (IsDecision(fault.kind)) {
      people_.Do(fault);
      ++strikes_[FaultName(fault.kind)];
      return;
    }
    const absl::Time deadline = absl::Now() + kLongestWait;
    while (!cluster_.Strike(fault)) {
      if (absl::Now() > deadline || options_.stop->load()) {
        ++strikes_["(left out: nothing to hit) " + FaultName(fault.kind)];
        return;
      }
      KeepBusy();
      WaitAndTick(absl::Milliseconds(50));
    }
    ++strikes_[FaultName(fault.kind)];
  }

  void WaitAndTick(absl::Duration duration) {
    const absl::Time end = absl::Now() + duration;
    do {
      cluster_.Tick();
      absl::SleepFor(absl::Milliseconds(20));
    } while (absl::Now() < end);
  }

  // The remaining work: trials of active sweeps, plus one for each other sweep that has not
  // completed. nullopt when the coordinator does not answer just now.
  struct Work {
    std::int64_t trials = 0;
    std::int64_t other_sweeps = 0;
  };
  std::optional<Work> WorkLeft() {
    if (!cluster_.coordinator_up()) return std::nullopt;
    const auto stub = v1::SweepService::NewStub(
        grpc::CreateChannel(cluster_.address(), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
    v1::ListSweepsRequest request;
    request.set_page_size(1000);
    v1::ListSweepsResponse response;
    if (!stub->ListSweeps(&context, request, &response).ok()) return std::nullopt;
    Work work;
    for (const v1::Sweep& sweep : response.sweeps()) {
      if (sweep.state() == v1::SWEEP_STATE_ACTIVE) {
        work.trials +=
            std::max<std::int64_t>(1, sweep.planned_trials() - sweep.counts().completed());
      } else if (sweep.state() != v1::SWEEP_STATE_COMPLETED) {
        ++work.other_sweeps;
      }
    }
    return work;
  }

  // Keeps work available: submits another sweep before the last one ends.
  void KeepBusy() {
    if (absl::Now() < next_look_) return;
    next_look_ = absl::Now() + absl::Milliseconds(300);
    const std::optional<Work> work = WorkLeft();
    if (!work.has_value() || work->trials > 8 * options_.workers + 4 * options_.callers) {
      return;
    }
    const std::string timer = fmt::format("timer-{}", submitted_ + 1);
    const std::string real = fmt::format("real-{}", submitted_ + 1);
    // Submitting a sweep again is harmless, and so is a lost answer.
    const TimerTrials& trials = submitted_ % 2 == 0 ? kShort : kLong;
    const std::string asked = fmt::format("asked-{}", submitted_ + 1);
    if (options_.callers > 0) {
      if (!people_.Submit(asked, AskedSweep(asked), kAskedConfigurations)) return;
      if (asked_ < submitted_ + 1) callers_->Serve("sweeps/" + asked);
      asked_ = submitted_ + 1;
    }
    if (people_.Submit(timer, TimerSweep(timer, trials), trials.configurations) &&
        (!options_.real_trainer || people_.Submit(real, RealSweep(real), kRealConfigurations))) {
      ++submitted_;
    }
  }

  bool WaitForEnd() {
    const absl::Time deadline = absl::Now() + kLongestEnd;
    cluster_.Recover();
    callers_->Calm();
    while (!people_.Finish(absl::Milliseconds(200))) {
      cluster_.Tick();
      if (absl::Now() > deadline) return false;
    }
    while (absl::Now() < deadline) {
      WaitAndTick(absl::Milliseconds(300));
      const std::optional<Work> work = WorkLeft();
      if (work.has_value() && work->trials + work->other_sweeps == 0) return true;
    }
    return false;
  }

  std::vector<std::string> Violations(bool ended) {
    std::vector<std::string> violations = FindViolations(options_.folder + "/sweep.db", ledger_);
    if (!ended) violations.insert(violations.begin(), "the sweeps did not end within 10 minutes");
    for (const int pid : FindMarked(mark_)) {
      violations.push_back(fmt::format("process {} is left over", pid));
    }
    for (const std::string& complaint : cluster_.complaints()) violations.push_back(complaint);
    for (const std::string& complaint : people_.complaints()) violations.push_back(complaint);
    for (const std::string& complaint : caller_complaints_) violations.push_back(complaint);
    return violations;
  }

  std::size_t Report(bool ended, absl::Duration duration) {
    const std::vector<std::string> violations = Violations(ended);
    std::cout << fmt::format("seed {}, {} of {} faults, {:.0f} s, {} sweeps\n", options_.seed,
                             struck_, options_.faults, absl::ToDoubleSeconds(duration),
                             ledger_.budgets().size());
    for (const auto& [what, count] : strikes_) std::cout << fmt::format("{:8} {}\n", count, what);
    for (const auto& [what, count] : call_counts_) {
      std::cout << fmt::format("{:8} {}\n", count, what);
    }
    std::cout << fmt::format(
        "acknowledged: {} epochs, {} completions, {} lines of log, {} decisions of people\n",
        ledger_.epochs().size(), ledger_.completions().size(), ledger_.log_lines().size(),
        people_.done());
    for (const std::string& violation : violations) std::cout << "VIOLATION: " << violation << '\n';
    std::cout << fmt::format("{} violations\n", violations.size()) << std::flush;
    return violations.size();
  }

  const RunOptions options_;
  const std::string mark_ = Mark();
  Ledger ledger_;
  Cluster cluster_;
  People people_;
  std::unique_ptr<Callers> callers_;  // until the cluster stops
  std::vector<std::string> caller_complaints_;
  int submitted_ = 0;
  int asked_ = 0;  // sweeps that callers train
  int struck_ = 0;
  absl::Time next_look_ = absl::InfinitePast();
  std::map<std::string, int> strikes_;
  std::map<std::string, int> call_counts_;
};

}  // namespace

std::size_t RunChaos(const RunOptions& options) { return Run(options).Execute(); }

}  // namespace sweep::chaos

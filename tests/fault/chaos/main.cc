// chaos: a coordinator and workers under random faults, then a proof from the database that nothing
// was lost and nothing done twice. See --help and docs/reliability.md.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "grpcpp/grpcpp.h"
#include "sweep/v1/sweeps.grpc.pb.h"
#include "tests/fault/chaos/cluster.h"
#include "tests/fault/chaos/proof.h"
#include "tests/fault/chaos/proxy.h"

namespace sweep::chaos {
namespace {

struct Arguments {
  int faults = 50;
  std::uint64_t seed = 0;
  int workers = 5;
  double lease_term_seconds = 3;
  double pause_seconds = 0.25;  // between faults, on average
  bool real_trainer = false;
  bool keep = false;
  std::string folder;
};

// Trials of a sweep whose trainer is the timer: an epoch is 50 ms.
std::string TimerSweep(int number) {
  return fmt::format(
      "name: timer-{}\n"
      "program: ['{}', '50']\n"
      "model: cnn-18718\n"
      "dataset: {{name: synthetic, train: 64, test: 32}}\n"
      "method: random\n"
      "parameters:\n"
      "  lr: {{distribution: log_uniform_values, min: 0.001, max: 0.3}}\n"
      "epochs: 10\n"
      "run_cap: 30\n"
      "replicates: 2\n"
      "max_failures: 100\n",
      number, SWEEP_TIMER_TRAINER);
}

// The real thing, small: whether resumed epochs are the same to the last bit is seen here.
std::string RealSweep(int number) {
  return fmt::format(
      "name: real-{}\n"
      "model: cnn-18718\n"
      "dataset: {{name: synthetic, train: 512, test: 128}}\n"
      "method: random\n"
      "parameters:\n"
      "  lr: {{min: 0.01, max: 0.1}}\n"
      "  dropout: {{values: [0.0, 0.05]}}\n"
      "epochs: 6\n"
      "run_cap: 4\n"
      "max_failures: 100\n",
      number);
}

class Run {
 public:
  explicit Run(const Arguments& arguments)
      : arguments_(arguments),
        random_(arguments.seed),
        cluster_({.folder = arguments.folder,
                  .workers = arguments.workers,
                  .lease_term = absl::Seconds(arguments.lease_term_seconds),
                  .mark = mark_,
                  .seed = arguments.seed,
                  .ledger = &ledger_}) {}

  // The number of violations.
  std::size_t Execute() {
    const absl::Time start = absl::Now();
    for (int fault = 1; fault <= arguments_.faults;) {
      KeepBusy();
      const std::string what = cluster_.Strike();
      if (!what.empty()) {
        if (fault % 10 == 0) {
          std::cerr << fmt::format("{:5} of {} faults, {} epochs acknowledged\n", fault,
                                   arguments_.faults, ledger_.epochs().size());
        }
        ++fault;
      }
      WaitAndTick(absl::Seconds(
          std::exponential_distribution<double>(1 / arguments_.pause_seconds)(random_)));
    }
    cluster_.Recover();
    const bool ended = WaitForEnd();
    cluster_.Stop();
    return Report(ended, absl::Now() - start);
  }

 private:
  static std::string Mark() {
    return fmt::format("{}-{}", getpid(), absl::ToUnixMicros(absl::Now()));
  }

  void WaitAndTick(absl::Duration duration) {
    const absl::Time end = absl::Now() + std::min(duration, absl::Seconds(2));
    do {
      cluster_.Tick();
      absl::SleepFor(absl::Milliseconds(20));
    } while (absl::Now() < end);
  }

  // Trials that have not ended; nothing when the coordinator cannot be asked just now.
  std::optional<std::int64_t> TrialsLeft() {
    if (!cluster_.coordinator_up()) return std::nullopt;
    const auto stub = v1::SweepService::NewStub(
        grpc::CreateChannel(cluster_.address(), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
    v1::ListSweepsRequest request;
    request.set_page_size(1000);
    v1::ListSweepsResponse response;
    if (!stub->ListSweeps(&context, request, &response).ok()) return std::nullopt;
    std::int64_t left = 0;
    for (const v1::Sweep& sweep : response.sweeps()) {
      if (sweep.state() == v1::SWEEP_STATE_ACTIVE) {
        left += std::max<std::int64_t>(1, sweep.planned_trials() - sweep.counts().completed());
      }
    }
    return left;
  }

  // There is always work: another sweep is submitted before the last one ends.
  void KeepBusy() {
    const std::optional<std::int64_t> left = TrialsLeft();
    if (!left.has_value() || *left > 4 * arguments_.workers) return;
    if (Submit(TimerSweep(submitted_ + 1)) &&
        (!arguments_.real_trainer || Submit(RealSweep(submitted_ + 1)))) {
      ++submitted_;
    }
  }

  // Submitting again what was submitted is harmless, so an answer that got lost is too.
  bool Submit(const std::string& text) {
    const auto stub = v1::SweepService::NewStub(
        grpc::CreateChannel(cluster_.address(), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
    v1::CreateSweepRequest request;
    request.mutable_source()->set_file("chaos.yaml");
    request.mutable_source()->set_text(text);
    v1::CreateSweepResponse response;
    const grpc::Status status = stub->CreateSweep(&context, request, &response);
    if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT) {
      throw std::runtime_error(status.error_message());
    }
    return status.ok();
  }

  bool WaitForEnd() {
    std::cerr << "no more faults; waiting for the sweeps to end\n";
    const absl::Time deadline = absl::Now() + absl::Minutes(10);
    while (absl::Now() < deadline) {
      WaitAndTick(absl::Milliseconds(300));
      if (TrialsLeft() == 0) return true;
    }
    return false;
  }

  std::size_t Report(bool ended, absl::Duration duration) {
    std::vector<std::string> violations = FindViolations(arguments_.folder + "/sweep.db", ledger_);
    if (!ended) violations.insert(violations.begin(), "the sweeps did not end within 10 minutes");
    for (const int pid : FindMarked(mark_)) {
      violations.push_back(fmt::format("process {} is left over", pid));
    }
    std::cout << fmt::format("seed {}, {:.0f} s, {} sweeps\n", arguments_.seed,
                             absl::ToDoubleSeconds(duration), submitted_);
    for (const auto& [what, count] : cluster_.strikes()) {
      std::cout << fmt::format("{:6} × {}\n", count, what);
    }
    std::cout << fmt::format("{:6} epochs and {} completions were acknowledged\n",
                             ledger_.epochs().size(), ledger_.completions().size());
    for (const std::string& violation : violations) std::cout << "VIOLATION: " << violation << '\n';
    std::cout << fmt::format("{} violations\n", violations.size()) << std::flush;
    return violations.size();
  }

  const Arguments arguments_;
  const std::string mark_ = Mark();
  std::mt19937_64 random_;
  Ledger ledger_;
  Cluster cluster_;
  int submitted_ = 0;
};

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{
      "Runs a real coordinator and real workers under random faults (SIGKILL, SIGSTOP, SIGTERM, "
      "cut "
      "connections, delayed, doubled, reordered and lost calls), then proves from the database "
      "that "
      "nothing acknowledged was lost and nothing was done twice. Exit code 1 when something was.",
      "chaos"};
  app.add_option("--faults", arguments.faults, "how many")->capture_default_str();
  app.add_option("--seed", arguments.seed, "of the faults (default: from the clock)");
  app.add_option("--workers", arguments.workers, "processes, two slots each")
      ->check(CLI::Range(2, 64))
      ->capture_default_str();
  app.add_option("--lease-term", arguments.lease_term_seconds, "seconds")->capture_default_str();
  app.add_option("--pause", arguments.pause_seconds, "seconds between faults, on average")
      ->capture_default_str();
  app.add_flag("--real-trainer", arguments.real_trainer,
               "train small networks too, with sweep-trainer, and compare their epochs bit by bit");
  app.add_option("--folder", arguments.folder, "for the database and logs (default: temporary)");
  app.add_flag("--keep", arguments.keep, "leave the folder");
  CLI11_PARSE(app, argc, argv);
  if (arguments.seed == 0)
    arguments.seed = static_cast<std::uint64_t>(absl::ToUnixMicros(absl::Now()));
  std::unique_ptr<testing::TemporaryFolder> temporary;
  if (arguments.folder.empty()) {
    temporary = std::make_unique<testing::TemporaryFolder>();
    arguments.folder = temporary->path();
  } else {
    std::filesystem::create_directories(arguments.folder);
  }
  std::cerr << fmt::format("seed {}, folder {}\n", arguments.seed, arguments.folder);
  const std::size_t violations = Run(arguments).Execute();
  if (arguments.keep && temporary != nullptr) {
    const std::string kept = temporary->path() + "-kept";
    std::filesystem::rename(temporary->path(), kept);
    std::cout << "kept in " << kept << '\n';
  }
  return violations == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sweep::chaos

int main(int argc, char** argv) {
  try {
    return sweep::chaos::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "chaos: " << error.what() << '\n';
    return 1;
  }
}

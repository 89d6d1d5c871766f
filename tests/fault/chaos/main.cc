// chaos: runs a coordinator and workers under random faults, then proves from the database that
// nothing was lost and nothing done twice. See --help and docs/reliability.md.

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "tests/fault/chaos/plan.h"
#include "tests/fault/chaos/run.h"
#include "tests/integration/process.h"

namespace sweep::chaos {
namespace {

std::atomic<bool> stop = false;
static_assert(std::atomic<bool>::is_always_lock_free);

// The first signal ends the faults; the second ends the process and everything that it started.
void EndFaults(int number) {
  stop = true;
  std::signal(number, SIG_DFL);
}

constexpr char kDescription[] =
    "Runs a real coordinator and real workers under random faults (SIGKILL, SIGSTOP, SIGTERM, cut "
    "connections, delayed, doubled, reordered and lost calls) while sweeps are paused, extended, "
    "cancelled and retried, and callers ask for trials, report them and die, then proves from the "
    "database that nothing acknowledged was lost, "
    "nothing was done twice and every budget is exact. Exit code 1 when something was.";
constexpr char kFooter[] =
    "The same seed and number of faults give the same faults in the same order, with the same "
    "pauses and lengths (--list shows them). Not repeatable: what a fault finds (a target that is "
    "away is passed over for the next one), the timing of processes, and therefore which calls "
    "the proxies delay, double or lose.\n"
    "SIGINT or SIGTERM: no more faults; what there is, is proved and reported. A second one ends "
    "it at once. No process is left behind either way.";

void List(const RunOptions& options) {
  const auto plan = MakePlan(options.seed, options.faults, absl::Seconds(options.pause_seconds));
  for (std::size_t i = 0; i < plan.size(); ++i) {
    std::cout << fmt::format("{:5} {:44} which {:.3f} length {:.3f} pause {:.3f} s\n", i + 1,
                             FaultName(plan[i].kind), plan[i].which, plan[i].length,
                             absl::ToDoubleSeconds(plan[i].pause));
  }
}

int Main(int argc, char** argv) {
  RunOptions options{.stop = &stop};
  bool keep = false;
  bool list = false;
  CLI::App app{kDescription, "chaos"};
  app.footer(kFooter);
  app.add_option("--faults", options.faults, "how many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of the faults (default: from the clock)");
  app.add_option("--workers", options.workers, "processes, two slots each")
      ->check(CLI::Range(2, 64))
      ->capture_default_str();
  app.add_option("--callers", options.callers,
                 "programs that ask for trials; 0: no sweep is trained by callers")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app.add_option("--lease-term", options.lease_term_seconds, "seconds")
      ->check(CLI::Range(1.0, 3600.0))
      ->capture_default_str();
  app.add_option("--pause", options.pause_seconds, "seconds between faults, on average")
      ->check(CLI::Range(0.0, 60.0))
      ->capture_default_str();
  app.add_flag("--real-trainer", options.real_trainer,
               "train small networks too, with sweep-trainer, and compare their epochs bit by bit");
  app.add_option("--folder", options.folder, "for the database and logs (default: temporary)");
  app.add_flag("--keep", keep, "leave the temporary folder");
  app.add_flag("--list", list, "print the faults and do nothing");
  CLI11_PARSE(app, argc, argv);
  if (options.seed == 0) options.seed = static_cast<std::uint64_t>(absl::ToUnixMicros(absl::Now()));
  if (list) {
    List(options);
    return 0;
  }
  std::unique_ptr<testing::TemporaryFolder> temporary;
  if (options.folder.empty()) {
    temporary = std::make_unique<testing::TemporaryFolder>();
    options.folder = temporary->path();
  } else if (!std::filesystem::create_directories(options.folder) &&
             !std::filesystem::is_empty(options.folder)) {
    std::cerr << fmt::format("chaos: folder '{}' is not empty\n", options.folder);
    return 2;
  }
  std::signal(SIGINT, EndFaults);
  std::signal(SIGTERM, EndFaults);
  std::cerr << fmt::format("seed {}, folder {}\n", options.seed, options.folder);
  const std::size_t violations = RunChaos(options);
  if (keep && temporary != nullptr) {
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

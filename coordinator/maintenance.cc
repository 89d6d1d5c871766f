#include "coordinator/maintenance.h"

#include <atomic>
#include <csignal>
#include <cstdio>

#include "common/base/counted.h"
#include "common/base/end_signals.h"
#include "common/base/printable.h"
#include "coordinator/store/backup.h"
#include "coordinator/store/check.h"
#include "fmt/format.h"

namespace sweep {
namespace {

volatile std::sig_atomic_t interrupted = 0;

// The first end signal abandons the copy and removes its temporary file.
void EndByRequest() {
  const sigset_t signals = EndSignalSet();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (sigismember(&signals, signal) == 1) std::signal(signal, [](int) { interrupted = 1; });
  }
  IgnoreSignalsOfWrites();
}

// Prints the error and returns the exit code.
int Fail(const absl::Status& status) {
  fmt::print(stderr, "sweep-coordinator: {}\n", PrintableLines(std::string(status.message())));
  return absl::IsInvalidArgument(status) ? kBadArguments : kFailed;
}

}  // namespace

int RunBackup(const std::string& database, const std::string& file) {
  EndByRequest();
  const absl::StatusOr<BackupResult> result = BackUp(
      {.database = database,
       .file = file,
       .progress = [](const std::string& line) { fmt::print(stderr, "{}\n", Printable(line)); },
       .is_cancelled = [] { return interrupted != 0; }});
  if (!result.ok()) return Fail(result.status());
  for (const std::string& fault : result->faults) {
    fmt::print(stderr, "sweep-coordinator: not in the backup: {}\n", Printable(fault));
  }
  fmt::print("backed up '{}' to '{}': {:.1f} MB and {}\n", Printable(database), Printable(file),
             static_cast<double>(result->size_bytes) / 1e6, Counted(result->blobs, "blob"));
  return result->faults.empty() ? 0 : kFailed;
}

int RunCheck(const std::string& database) {
  fmt::print("database '{}'\n", Printable(database));
  const absl::StatusOr<CheckReport> report =
      CheckDatabase(database, [](const std::string& line) { fmt::print("{}\n", Printable(line)); });
  if (!report.ok()) return Fail(report.status());
  for (const std::string& fault : report->faults) fmt::print("fault: {}\n", Printable(fault));
  fmt::print("{}\n", report->sound() ? "sound" : fmt::format("{} faults", report->faults.size()));
  return report->sound() ? 0 : kFailed;
}

}  // namespace sweep

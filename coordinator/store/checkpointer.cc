#include "coordinator/store/checkpointer.h"

#include <algorithm>
#include <string>

#include "common/base/clock.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// SQLite's default page size and the header of a page in the log.
constexpr std::int64_t kPageBytes = 4096 + 24;
// How long to wait for a short query of another process.
constexpr int kForeignReaderMs = 100;
constexpr absl::Duration kComplainEvery = absl::Minutes(1);

}  // namespace

Checkpointer::Checkpointer(Database* database, ReaderPool* readers, Options options)
    : database_(*database),
      readers_(*readers),
      limit_pages_(static_cast<int>(std::max<std::int64_t>(options.limit_bytes / kPageBytes, 8))),
      step_pages_(limit_pages_ / 4),
      next_pages_(step_pages_) {}

bool Checkpointer::wants_work() const {
  const int pages = database_.log_pages();
  return pages >= (pages < last_pages_ ? step_pages_ : next_pages_);
}

void Checkpointer::AfterCommit() {
  const int pages = database_.log_pages();
  if (pages < last_pages_) next_pages_ = step_pages_;  // SQLite has restarted the log
  last_pages_ = pages;
  if (pages < next_pages_) return;
  if (pages < limit_pages_) {
    CopyBesideReaders();
  } else {
    EmptyWithoutReaders();
  }
}

void Checkpointer::CopyBesideReaders() {
  if (const absl::StatusOr<bool> copied = database_.Checkpoint(/*empty_it=*/false); !copied.ok()) {
    Complain(copied.status());
  }
  // A copy costs two syncs, so while readers prevent a restart of the log it is not repeated after
  // every commit.
  next_pages_ = std::min(last_pages_ + step_pages_ / 4 + 1, limit_pages_);
}

void Checkpointer::EmptyWithoutReaders() {
  readers_.CloseGate();
  database_.SetBusyTimeout(kForeignReaderMs);
  const absl::StatusOr<bool> emptied = database_.Checkpoint(/*empty_it=*/true);
  database_.SetBusyTimeout(Database::kBusyTimeoutMs);
  readers_.OpenGate();
  if (emptied.ok() && *emptied) {
    last_pages_ = 0;
    next_pages_ = step_pages_;
    return;
  }
  next_pages_ = last_pages_ + step_pages_;
  Complain(emptied.ok() ? absl::UnavailableError("another process keeps reading the database")
                        : emptied.status());
}

void Checkpointer::Complain(const absl::Status& status) {
  const absl::Duration now = RealClock()->Monotonic();
  if (complained_ && now - *complained_ < kComplainEvery) return;
  complained_ = now;
  spdlog::warn("write-ahead log cannot be emptied database={:?} log_bytes={} reason={:?}",
               database_.name(), last_pages_ * kPageBytes, std::string(status.message()));
}

}  // namespace sweep

#include "coordinator/store/reader_pool.h"

#include <chrono>
#include <utility>

#include "common/base/clock.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// How long CloseGate waits for queries before and after it stops them; most take milliseconds.
constexpr auto kPatience = std::chrono::milliseconds(500);
constexpr auto kGrace = std::chrono::seconds(1);

}  // namespace

absl::Status ReaderPool::Read(const std::function<absl::Status(Database&)>& query) {
  for (int attempt = 1;; ++attempt) {
    STORE_ASSIGN_OR_RETURN(std::unique_ptr<Reader> reader, Take());
    absl::Status status = InTransaction(*reader->database, query);
    const bool again = reader->made_way && attempt < kMaxAttempts;
    Return(std::move(reader));
    if (!again) return status;
  }
}

absl::Status ReaderPool::InTransaction(Database& database,
                                       const std::function<absl::Status(Database&)>& query) {
  std::unique_lock<std::mutex> turn;
  if (options_.turns != nullptr) turn = std::unique_lock(*options_.turns);
  STORE_RETURN_IF_ERROR(database.Run("BEGIN"));
  absl::Status status = query(database);
  const absl::Status ended = database.Run("COMMIT");
  return status.ok() ? ended : status;
}

absl::StatusOr<std::unique_ptr<ReaderPool::Reader>> ReaderPool::Take() {
  absl::Status refused;  // why no further connection can be opened
  while (true) {
    std::unique_ptr<Reader> reader;
    {
      MutexLock lock(&mutex_);
      const auto may_come_back = [&] {
        mutex_.AssertHeld();
        return lent_ >= kMaxReaders || (!refused.ok() && lent_ > 0);
      };
      while (gate_closed_ || (idle_.empty() && may_come_back())) changed_.Wait(&mutex_);
      if (idle_.empty() && !refused.ok()) return refused;
      ++lent_;
      if (!idle_.empty()) {
        reader = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (reader == nullptr) {
      absl::StatusOr<std::unique_ptr<Reader>> connected = Connect();
      if (!connected.ok()) {
        Return(nullptr);
        refused = connected.status();
        continue;
      }
      reader = *std::move(connected);
    }
    reader->deadline = RealClock()->Monotonic() + options_.time_limit;
    reader->made_way = false;
    return reader;
  }
}

void ReaderPool::Return(std::unique_ptr<Reader> reader) {
  // A transaction that cannot be ended would keep its snapshot for ever.
  if (reader != nullptr && reader->database->InTransaction()) reader.reset();
  {
    MutexLock lock(&mutex_);
    --lent_;
    if (reader != nullptr) idle_.push_back(std::move(reader));
  }
  changed_.NotifyAll();
}

absl::StatusOr<std::unique_ptr<ReaderPool::Reader>> ReaderPool::Connect() {
  if (options_.may_connect) STORE_RETURN_IF_ERROR(options_.may_connect());
  auto reader = std::make_unique<Reader>();
  STORE_ASSIGN_OR_RETURN(
      reader->database,
      Database::Open(options_.path, options_.mode, {.name = options_.where.name, .vfs = vfs_}));
  STORE_RETURN_IF_ERROR(reader->database->Execute("PRAGMA query_only = ON"));
  reader->database->SetStop([this, self = reader.get()] { return MayGoOn(self); });
  return reader;
}

absl::Status ReaderPool::MayGoOn(Reader* reader) const {
  if (make_way_) {
    reader->made_way = true;
    return absl::UnavailableError("a query was stopped so that the write-ahead log can be emptied");
  }
  if (RealClock()->Monotonic() < reader->deadline) return absl::OkStatus();
  return absl::DeadlineExceededError(
      fmt::format("no answer within {}", absl::FormatDuration(options_.time_limit)));
}

bool ReaderPool::CloseGate() {
  MutexLock lock(&mutex_);
  gate_closed_ = true;
  const auto wait = [&](auto time) {
    mutex_.AssertHeld();
    const auto end = std::chrono::steady_clock::now() + time;
    while (lent_ > 0) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= left.zero()) return false;
      changed_.WaitFor(&mutex_, left);
    }
    return true;
  };
  if (wait(kPatience)) return true;
  make_way_ = true;
  return wait(kGrace);
}

void ReaderPool::OpenGate() {
  make_way_ = false;
  {
    MutexLock lock(&mutex_);
    gate_closed_ = false;
  }
  changed_.NotifyAll();
}

void ReaderPool::UseVfs(Database::Vfs vfs) { vfs_ = vfs; }

int ReaderPool::lent() const {
  MutexLock lock(&mutex_);
  return lent_;
}

void ReaderPool::CloseIdle() {
  MutexLock lock(&mutex_);
  idle_.clear();
}

}  // namespace sweep

#include "coordinator/store/writer.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// What follows would be an answer for something that is not on disk.
[[noreturn]] void Die(const char* what, const absl::Status& status) {
  spdlog::critical("{} reason=\"{}\"", what, std::string(status.message()));
  spdlog::default_logger()->flush();
  std::abort();
}

absl::Status Call(const Store::WriteFunction& function, WriteTransaction& transaction) {
  try {
    return function(transaction);
  } catch (const std::exception& error) {
    return absl::InternalError(fmt::format("a write threw: {}", error.what()));
  }
}

}  // namespace

Writer::Writer(Database* database, Clock* clock, Options options)
    : database_(*database),
      options_(std::move(options)),
      transaction_(database, clock),
      thread_([this] { Loop(); }) {}

Writer::~Writer() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
}

void Writer::Submit(Store::WriteFunction function, Store::Completion done) {
  {
    MutexLock lock(&mutex_);
    if (queue_.size() < static_cast<std::size_t>(options_.max_queued)) {
      queue_.push_back({.function = std::move(function), .done = std::move(done)});
      changed_.NotifyOne();
      return;
    }
  }
  done(absl::ResourceExhaustedError(
      fmt::format("database '{}': {} writes are waiting; try again later", database_.name(),
                  options_.max_queued)));
}

std::int64_t Writer::queued() const {
  MutexLock lock(&mutex_);
  return std::ssize(queue_);
}

bool Writer::InsideFunction() const { return inside_function_ == std::this_thread::get_id(); }

void Writer::Loop() {
  std::vector<Item> batch;
  while (true) {
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) changed_.Wait(&mutex_);
      if (queue_.empty()) return;
      batch.swap(queue_);
    }
    RunBatch(batch);
    batch.clear();
  }
}

void Writer::RunBatch(std::vector<Item>& batch) {
  std::vector<absl::Status> results;
  BatchReport report{.writes = batch.size()};
  {
    std::unique_lock<std::mutex> turn;
    if (options_.turns != nullptr) turn = std::unique_lock(*options_.turns);
    const absl::Duration start = RealClock()->Monotonic();
    results = RunTransaction(batch, &report);
    report.duration = RealClock()->Monotonic() - start;
  }
  if (options_.on_batch) options_.on_batch(report);
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(std::move(results[i]));
  if (options_.after_batch) options_.after_batch();
}

std::vector<absl::Status> Writer::RunTransaction(const std::vector<Item>& batch,
                                                 BatchReport* report) {
  std::vector<absl::Status> results(batch.size());
  database_.ForgetDiskFull();
  changed_rows_ = 0;
  absl::Status begun = BeginTransaction();
  for (std::size_t i = 0; i < batch.size() && !database_.disk_was_full(); ++i) {
    results[i] = begun.ok() ? RunFunction(batch[i].function) : begun;
    if (begun.ok() && !database_.InTransaction() && !database_.disk_was_full()) {
      // SQLite gave up the whole transaction: what this batch did before is undone as well.
      for (std::size_t j = 0; j < i; ++j) results[j] = results[i];
      begun = BeginTransaction();
    }
  }
  const bool is_full = database_.disk_was_full() || (begun.ok() && !CommitOrDie(&report->commit));
  report->refused = is_full;
  if (is_full) {
    RollBackOrDie();
    std::fill(results.begin(), results.end(), database_.DiskFullStatus());
  }
  NoteRoom(is_full, batch.size());
  return results;
}

absl::Status Writer::BeginTransaction() { return database_.Run("BEGIN IMMEDIATE"); }

absl::Status Writer::RunFunction(const Store::WriteFunction& function) {
  absl::Status status = database_.Run("SAVEPOINT function");
  if (!status.ok()) return status;
  transaction_.Begin();
  const std::int64_t changes = database_.total_changes();
  inside_function_ = std::this_thread::get_id();
  status = Call(function, transaction_);
  inside_function_ = std::thread::id();
  if (status.ok()) status = transaction_.spoiled();
  if (status.ok()) status = database_.Run("RELEASE function");
  if (status.ok()) {
    changed_rows_ += database_.total_changes() - changes;
    return status;
  }
  transaction_.RolledBack();
  if (database_.InTransaction() && !database_.disk_was_full()) {
    if (const absl::Status undone = database_.Execute("ROLLBACK TO function; RELEASE function");
        !undone.ok()) {
      Die("rollback_failed", undone);
    }
  }
  return status;
}

bool Writer::CommitOrDie(absl::Duration* duration) {
  const absl::Duration start = RealClock()->Monotonic();
  const absl::Status committed = database_.Run("COMMIT");
  *duration = RealClock()->Monotonic() - start;
  if (committed.ok()) return true;
  // After a write that found no room the file is what it was; at worst the log's index found none,
  // and after a crash the batch is there although it was refused, as when an answer is lost. After
  // any other error nothing is known: when a sync fails, the kernel may drop what it was to write
  // and report success to the next sync.
  if (!database_.disk_was_full()) Die("commit_failed", committed);
  return false;
}

void Writer::RollBackOrDie() {
  transaction_.RolledBack();
  if (!database_.InTransaction()) return;
  if (const absl::Status undone = database_.Run("ROLLBACK"); !undone.ok()) {
    Die("rollback_failed", undone);
  }
}

void Writer::NoteRoom(bool is_full, std::size_t writes) {
  if (is_full) {
    refused_ += static_cast<std::int64_t>(writes);
    if (!disk_is_full_.exchange(true)) {
      spdlog::error("disk full database={:?}; writes are refused until there is room",
                    database_.name());
    }
  } else if (disk_is_full_ && changed_rows_ > 0) {  // a batch that wrote nothing needed no room
    disk_is_full_ = false;
    spdlog::warn("disk has room again database={:?} refused_writes={}", database_.name(),
                 std::exchange(refused_, 0));
  }
}

}  // namespace sweep

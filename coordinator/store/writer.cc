#include "coordinator/store/writer.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

constexpr auto kIdleTurn = std::chrono::seconds(1);

// Ends the process: an answer would acknowledge something that is not on the disk.
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
      disk_is_full_(options_.disk_is_full),
      obstacle_(options_.disk_is_full ? absl::UnavailableError("no room") : absl::OkStatus()),
      answerer_([this] { AnswerLoop(); }),
      thread_([this] { Loop(); }) {}

void Writer::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  if (answerer_.joinable()) answerer_.join();
}

void Writer::Submit(Store::WriteFunction function, Store::Completion done) {
  absl::Status refusal;
  {
    MutexLock lock(&mutex_);
    if (has_written_all_) {
      refusal = absl::UnavailableError(fmt::format("database '{}' is closed", database_.name()));
    } else if (queue_.size() >= static_cast<std::size_t>(options_.max_queued)) {
      refusal = absl::ResourceExhaustedError(
          fmt::format("database '{}': {} writes are waiting; try again later", database_.name(),
                      options_.max_queued));
    } else {
      queue_.push_back({.function = std::move(function), .done = std::move(done)});
      changed_.NotifyOne();
      return;
    }
  }
  done(std::move(refusal));
}

std::int64_t Writer::queued() const {
  MutexLock lock(&mutex_);
  return std::ssize(queue_);
}

bool Writer::InsideFunction() const { return inside_function_ == std::this_thread::get_id(); }

void Writer::Loop() {
  pthread_setname_np(pthread_self(), "writer");
  std::vector<Item> batch;
  while (true) {
    bool idle = false;
    {
      MutexLock lock(&mutex_);
      const auto is_done = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return stopping_ && !answers_ && !is_answering_;
      };
      while (queue_.empty() && !is_done() && !idle) {
        idle = !changed_.WaitFor(&mutex_, kIdleTurn);
      }
      if (queue_.empty() && is_done()) {
        has_written_all_ = true;
        answers_changed_.NotifyAll();
        return;
      }
      batch.swap(queue_);
    }
    if (batch.empty()) {
      CheckFiles().IgnoreError();
      if (options_.idle) options_.idle();
      continue;
    }
    RunBatch(std::exchange(batch, {}));
  }
}

void Writer::Answer(Answers answers) {
  MutexLock lock(&mutex_);
  while (answers_) answers_changed_.Wait(&mutex_);
  answers_ = std::move(answers);
  answers_changed_.NotifyAll();
}

void Writer::AnswerLoop() {
  pthread_setname_np(pthread_self(), "answers");
  while (true) {
    Answers answers;
    {
      MutexLock lock(&mutex_);
      while (!answers_ && !has_written_all_) answers_changed_.Wait(&mutex_);
      if (!answers_) return;
      answers = *std::exchange(answers_, std::nullopt);
      is_answering_ = true;
      answers_changed_.NotifyAll();
    }
    for (std::size_t i = 0; i < answers.batch.size(); ++i) {
      answers.batch[i].done(std::move(answers.results[i]));
    }
    answers.batch.clear();  // what the functions hold goes here, too
    MutexLock lock(&mutex_);
    is_answering_ = false;
    changed_.NotifyAll();
  }
}

void Writer::RunBatch(std::vector<Item> batch) {
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
  Answer({.batch = std::move(batch), .results = std::move(results)});
  if (options_.after_batch) options_.after_batch();
}

std::vector<absl::Status> Writer::RunTransaction(const std::vector<Item>& batch,
                                                 BatchReport* report) {
  std::vector<absl::Status> results(batch.size());
  database_.Forget();
  changed_rows_ = 0;  // when no transaction begins
  absl::Status obstacle = files_are_lost_ ? CheckFiles() : absl::OkStatus();
  if (obstacle.ok()) {
    obstacle = RunFunctions(batch, &results);
    if (obstacle.ok()) obstacle = CheckFiles();
    if (obstacle.ok()) obstacle = CommitOrDie(&report->commit);
    if (!obstacle.ok()) {
      RollBackOrDie();
    } else if (obstacle = CheckFiles(); !obstacle.ok() && changed_rows_ > 0) {
      lost_for_good_ = obstacle;
    }
    NoteObstacle(obstacle, batch.size());
  }
  report->stored = obstacle.ok() && changed_rows_ > 0;
  report->refused = !obstacle.ok();
  if (!obstacle.ok()) std::fill(results.begin(), results.end(), obstacle);
  return results;
}

absl::Status Writer::RunFunctions(const std::vector<Item>& batch,
                                  std::vector<absl::Status>* results) {
  if (!RunTogether(batch, results)) {
    RollBackOrDie();
    RunSeparately(batch, results);
  }
  return database_.obstacle();
}

bool Writer::RunTogether(const std::vector<Item>& batch, std::vector<absl::Status>* results) {
  const absl::Status begun = BeginTransaction();
  DieOfFault();
  if (!begun.ok()) std::fill(results->begin(), results->end(), begun);
  for (std::size_t i = 0; begun.ok() && i < batch.size() && database_.obstacle().ok(); ++i) {
    const std::int64_t before = database_.total_changes();
    absl::Status& result = (*results)[i];
    result = RunFunction(batch[i].function);
    DieOfFault();
    const std::int64_t changes = database_.total_changes() - before;
    const bool must_undo = !database_.InTransaction() || (!result.ok() && changes > 0);
    if (must_undo && database_.obstacle().ok()) return false;
    changed_rows_ += changes;
  }
  return true;
}

void Writer::RunSeparately(const std::vector<Item>& batch, std::vector<absl::Status>* results) {
  absl::Status begun = BeginTransaction();
  for (std::size_t i = 0; i < batch.size() && database_.obstacle().ok(); ++i) {
    absl::Status& result = (*results)[i];
    result = begun.ok() ? RunUnderSavepoint(batch[i].function) : begun;
    DieOfFault();
    if (begun.ok() && !database_.InTransaction() && database_.obstacle().ok()) {
      // SQLite has rolled back the whole transaction, including earlier functions of the batch.
      for (std::size_t j = 0; j < i; ++j) (*results)[j] = result;
      begun = BeginTransaction();
    }
  }
}

absl::Status Writer::BeginTransaction() {
  changed_rows_ = 0;
  return database_.Run("BEGIN IMMEDIATE");
}

absl::Status Writer::RunUnderSavepoint(const Store::WriteFunction& function) {
  absl::Status status = database_.Run("SAVEPOINT function");
  if (!status.ok()) return status;
  const std::int64_t before = database_.total_changes();
  status = RunFunction(function);
  if (status.ok()) status = database_.Run("RELEASE function");
  if (status.ok()) {
    changed_rows_ += database_.total_changes() - before;
    return status;
  }
  transaction_.RolledBack();
  if (database_.InTransaction() && database_.obstacle().ok()) {
    if (const absl::Status undone = database_.Execute("ROLLBACK TO function; RELEASE function");
        !undone.ok()) {
      Die("rollback_failed", undone);
    }
  }
  return status;
}

absl::Status Writer::RunFunction(const Store::WriteFunction& function) {
  transaction_.Begin();
  inside_function_ = std::this_thread::get_id();
  absl::Status status = Call(function, transaction_);
  inside_function_ = std::thread::id();
  return status.ok() ? transaction_.spoiled() : status;
}

absl::Status Writer::CommitOrDie(absl::Duration* duration) {
  if (!database_.InTransaction())
    return absl::OkStatus();  // it could not begin, and all writes have that error
  const absl::Duration start = RealClock()->Monotonic();
  const absl::Status committed = database_.Run("COMMIT");
  *duration = RealClock()->Monotonic() - start;
  // With an obstacle, such as a full disk, the database is unchanged. If only the log's index found
  // no room, the refused batch may reappear after a crash, which for a client is like a lost
  // answer. After any other error the state is unknown.
  if (!committed.ok() && database_.obstacle().ok()) Die("commit_failed", committed);
  return committed.ok() ? committed : database_.obstacle();
}

// A fault can occur before COMMIT: a transaction larger than the cache writes and syncs earlier.
void Writer::DieOfFault() {
  if (!database_.fault().ok()) Die("write_failed", database_.fault());
}

void Writer::RollBackOrDie() {
  transaction_.RolledBack();
  if (!database_.InTransaction()) return;
  if (const absl::Status undone = database_.Run("ROLLBACK"); !undone.ok()) {
    Die("rollback_failed", undone);
  }
}

absl::Status Writer::CheckFiles() {
  if (!options_.check_files) return absl::OkStatus();
  absl::Status status = lost_for_good_.ok() ? options_.check_files() : lost_for_good_;
  NoteFiles(status);
  return status;
}

void Writer::NoteFiles(const absl::Status& status) {
  if (files_are_lost_.exchange(!status.ok()) == !status.ok()) return;
  if (status.ok()) {
    spdlog::warn("database is back database={:?}; writes are taken again", database_.name());
  } else {
    spdlog::error("database lost database={:?}; writes are refused reason={:?}", database_.name(),
                  std::string(status.message()));
  }
}

void Writer::NoteObstacle(const absl::Status& obstacle, std::size_t writes) {
  if (files_are_lost_) return;  // which is logged separately
  if (!obstacle.ok()) {
    disk_is_full_ = database_.disk_was_full();
    refused_ += static_cast<std::int64_t>(writes);
    if (!std::exchange(obstacle_, obstacle).ok()) return;
    if (disk_is_full_) {
      spdlog::error("disk full database={:?}; writes are refused until there is room",
                    database_.name());
    } else {
      spdlog::error("database cannot be written database={:?}; writes are refused reason={:?}",
                    database_.name(), std::string(obstacle.message()));
    }
  } else if (!obstacle_.ok() &&
             changed_rows_ > 0) {  // a batch without changes says nothing about the disk
    spdlog::warn("{} database={:?} refused_writes={}",
                 disk_is_full_ ? "disk has room again" : "database can be written again",
                 database_.name(), std::exchange(refused_, 0));
    disk_is_full_ = false;
    obstacle_ = absl::OkStatus();
  }
}

}  // namespace sweep

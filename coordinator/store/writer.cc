#include "coordinator/store/writer.h"

#include <cstdlib>
#include <exception>
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
      options_(options),
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
  std::vector<absl::Status> results(batch.size());
  {
    std::unique_lock<std::mutex> turn;
    if (options_.turns != nullptr) turn = std::unique_lock(*options_.turns);
    absl::Status begun = BeginTransaction();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      results[i] = begun.ok() ? RunFunction(batch[i].function) : begun;
      if (begun.ok() && !database_.InTransaction()) {
        // SQLite gave up the whole transaction (a full disk, say): what this batch did before is
        // undone as well.
        for (std::size_t j = 0; j < i; ++j) {
          if (results[j].ok()) results[j] = results[i];
        }
        begun = BeginTransaction();
      }
    }
    if (begun.ok()) CommitOrDie();
  }
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(std::move(results[i]));
}

absl::Status Writer::BeginTransaction() { return database_.Run("BEGIN IMMEDIATE"); }

absl::Status Writer::RunFunction(const Store::WriteFunction& function) {
  absl::Status status = database_.Run("SAVEPOINT function");
  if (!status.ok()) return status;
  transaction_.Begin();
  inside_function_ = std::this_thread::get_id();
  status = Call(function, transaction_);
  inside_function_ = std::thread::id();
  if (status.ok()) status = transaction_.spoiled();
  if (status.ok()) status = database_.Run("RELEASE function");
  if (status.ok()) return status;
  transaction_.RolledBack();
  if (database_.InTransaction()) {
    if (const absl::Status undone = database_.Execute("ROLLBACK TO function; RELEASE function");
        !undone.ok()) {
      Die("rollback_failed", undone);
    }
  }
  return status;
}

void Writer::CommitOrDie() {
  if (const absl::Status committed = database_.Run("COMMIT"); !committed.ok()) {
    Die("commit_failed", committed);
  }
}

}  // namespace sweep

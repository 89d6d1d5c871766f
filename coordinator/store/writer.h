#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/base/mutex.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/store.h"
#include "coordinator/store/write_transaction.h"

namespace sweep {

// The one thread that writes. Group commit: it takes all that is queued, runs it in one
// transaction, each function under its own savepoint, and commits. A second thread then calls the
// completions in order, while the first is at the next transaction. Thread-safe.
//
// While the disk is full, or something else is in the way that may pass by, nothing of a batch is
// stored and every write of it is answered with Unavailable, also those that were refused for
// another reason: that reason may have been a write of the same batch. Each batch tries anew, so
// those who repeat their calls find out when there is room again. It is the same while the files
// are not those that were opened.
class Writer {
 public:
  struct Options {
    int max_queued = 4096;
    // Whether there was no room when it was opened, which has been said.
    bool disk_is_full = false;
    // Held for each transaction when not null. A database in memory has no snapshots for readers,
    // so there they and the writer take turns.
    std::mutex* turns = nullptr;
    // Whether the files are still where they were: asked before a batch is committed, before it is
    // answered, and once a second; null: not asked.
    std::function<absl::Status()> check_files = nullptr;
    // Called on the writer's thread once a second while there is nothing to write.
    std::function<void()> idle = nullptr;
    // Called on the writer's thread before a batch is answered.
    std::function<void(const BatchReport&)> on_batch = nullptr;
    // Called on the writer's thread when a batch is on disk and can be answered.
    std::function<void()> after_batch = nullptr;
  };

  // `database` and `clock` must outlive the writer, which is the only one to use `database`.
  Writer(Database* database, Clock* clock, Options options);
  // Runs what is queued, then stops.
  ~Writer();

  // As Store::Write.
  void Submit(Store::WriteFunction function, Store::Completion done);
  // True on the writer's thread while it runs a function.
  bool InsideFunction() const;
  // Writes that wait for the transaction under way.
  std::int64_t queued() const;
  bool disk_is_full() const { return disk_is_full_; }
  bool files_are_lost() const { return files_are_lost_; }

 private:
  struct Item {
    Store::WriteFunction function;
    Store::Completion done;
  };

  struct Answers {
    std::vector<Item> batch;
    std::vector<absl::Status> results;
  };

  void Loop();
  void RunBatch(std::vector<Item> batch);
  // Hands the answers to the other thread; waits while it has some that it has not begun with.
  void Answer(Answers answers);
  void AnswerLoop();
  // One transaction over the whole batch; what to answer to each, and in `report` how it went.
  std::vector<absl::Status> RunTransaction(const std::vector<Item>& batch, BatchReport* report);
  absl::Status BeginTransaction();
  absl::Status RunFunction(const Store::WriteFunction& function);
  // Why nothing of the batch is stored, or OK.
  absl::Status RunFunctions(const std::vector<Item>& batch, std::vector<absl::Status>* results);
  absl::Status CommitOrDie(absl::Duration* duration);
  void RollBackOrDie();
  void DieOfFault();
  absl::Status CheckFiles();
  void NoteFiles(const absl::Status& status);
  void NoteObstacle(const absl::Status& obstacle, std::size_t writes);

  Database& database_;
  const Options options_;
  WriteTransaction transaction_;
  std::atomic<std::thread::id> inside_function_{};
  std::atomic<bool> disk_is_full_ = false;
  std::atomic<bool> files_are_lost_ = false;
  // Of a commit that went into files that were gone: what was refused is stored if they come back.
  absl::Status lost_for_good_;
  absl::Status obstacle_;          // what was in the way of the last batch that wrote
  std::int64_t refused_ = 0;       // writes, since there is an obstacle
  std::int64_t changed_rows_ = 0;  // by the functions of this batch that succeeded

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Item> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  CondVar answers_changed_;
  std::optional<Answers> answers_ ABSL_GUARDED_BY(mutex_);  // that are next
  // Whether completions run, which may queue more.
  bool is_answering_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_written_all_ ABSL_GUARDED_BY(mutex_) = false;
  // Last, so that they start when all else is there.
  std::jthread answerer_;
  std::jthread thread_;
};

}  // namespace sweep

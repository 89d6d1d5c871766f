#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/store/store_files.h"
#include "coordinator/store/store_load.h"
#include "coordinator/store/write_transaction.h"

namespace sweep {

struct StoreOptions {
  std::string path;  // of the database, as DatabaseFile resolves it; "" for one in memory
  Clock* clock = RealClock();
  int max_queued_writes = 4096;
  // The write-ahead log does not outgrow this by more than one batch of writes, unless another
  // process keeps reading.
  std::int64_t log_limit_bytes = 64 << 20;
  // A read that takes longer is ended with DeadlineExceeded, which names the query.
  absl::Duration read_time_limit = absl::Seconds(10);
  // For a client's questions, during which a coordinator that starts waits for it.
  bool momentary = false;
  // How long to wait for such a client.
  absl::Duration patience = absl::ZeroDuration();
  // Told of every transaction, on the writer's thread before the completions; may be empty.
  std::function<void(const BatchReport&)> on_batch;
};

// All durable state, in one SQLite database. One thread and one connection write: it takes all
// that is queued, runs it in one transaction (each function under its own savepoint), commits with
// synchronous=FULL and only then calls the completions. While the disk is full, or one of its files
// is not the one that was opened, writes are Unavailable, and succeed again when that is over. A
// COMMIT that fails otherwise ends the process, since nothing acknowledged may be lost. Readers use
// connections of their own, read-only. Thread-safe.
class Store {
 public:
  // Runs alone on the writer's thread, under a savepoint that is released when it returns OK and
  // rolled back otherwise. It must not call the store's reads: they would not see its changes, and
  // are refused there.
  using WriteFunction = std::function<absl::Status(WriteTransaction&)>;
  using Completion = std::function<void(absl::Status)>;

  // Creates the file or migrates it. InvalidArgument for a name that can be no database, NotFound
  // when its folder does not exist; FailedPrecondition with the reason when the file belongs to
  // another application, has a newer schema, has several names, or is in use by another coordinator
  // (whose address the message then names); PermissionDenied when it cannot be written. On a full
  // disk a database that needs no migration opens, and writes are refused until there is room; a
  // new or older one is Unavailable.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const StoreOptions& options);
  virtual ~Store() = default;

  // Queues `function`. `done` is called after the commit, by one thread, in the order of
  // submission, while later functions may run; it must be quick and must not call Write and wait.
  // ResourceExhausted (through `done`, at once) when the queue is full.
  virtual void Write(WriteFunction function, Completion done) = 0;
  // Write, and wait for it. Not from a completion.
  absl::Status WriteAndWait(WriteFunction function);

  // What `query` gives, from a connection of its own that sees one consistent snapshot. A function
  // of queries.h takes its arguments behind it: store->Read(FindSweep, name). Several selects in
  // one snapshot are a lambda that takes a Database& and returns a StatusOr; it may run again from
  // the start when a checkpoint had to stop it, so it must not have effects.
  template <typename T, typename... Params>
  absl::StatusOr<T> Read(absl::StatusOr<T> (*query)(Database&, Params...),
                         std::type_identity_t<Params>... args) {
    return Read([&](Database& database) { return query(database, args...); });
  }
  template <typename Query>
    requires(!std::is_pointer_v<Query>)
  auto Read(Query query) -> decltype(query(std::declval<Database&>())) {
    std::optional<decltype(query(std::declval<Database&>()))> result;
    absl::Status status = RunRead([&](Database& database) {
      result.emplace(query(database));
      return result->status();
    });
    if (!status.ok()) return status;
    return *std::move(result);
  }
  // Read, without its types: for Read itself and for stores that pass it on.
  using ReadFunction = std::function<absl::Status(Database&)>;
  virtual absl::Status RunRead(const ReadFunction& query) = 0;

  // From memory and the file system: no query, and no waiting for writes.
  virtual StoreLoad Load() const = 0;
  StoreFiles& files() const { return *files_; }

 protected:
  explicit Store(StoreFiles* files) : files_(files) {}

 private:
  StoreFiles* const files_;
};

}  // namespace sweep

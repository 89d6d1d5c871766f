#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sweep {
class CoordinatorServer;
}

namespace sweep::cli {

struct Stubs;  // cli/stubs.h

struct ConnectionOptions {
  std::string coordinator;  // --coordinator or SWEEP_COORDINATOR; "" when not given
  std::string database = "sweep.db";
  // Whether a database that no process holds may be served from within this one. Not for commands
  // that need workers.
  bool allow_embedded = true;
  // How long to wait for an answer of the coordinator when connecting.
  absl::Duration patience = absl::Milliseconds(4500);
};

// The client's end of a coordinator: a remote one, the one that holds ./sweep.db at this moment
// (`sweep run` in another terminal), or one embedded in this process on that file. In this order:
// the address given; the holder of the database; the database itself; 127.0.0.1:7077.
// Used by one thread, except that stubs may be shared.
class Connection {
 public:
  // Unavailable, naming the address, when nobody answers there within 5 s.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  // To the one at `address`, such as one that the caller runs in this process.
  static absl::StatusOr<std::unique_ptr<Connection>> To(
      const std::string& address, absl::Duration patience = absl::Milliseconds(4500));
  ~Connection();

  // Tries for `patience` to reach a coordinator that has gone: at its address, or, when it was
  // found through the database, at the address of whoever holds that now. Unavailable when nobody
  // answers.
  absl::Status Reconnect(absl::Duration patience);

  // After a call that nobody answered: when the database through which the coordinator was found
  // has another holder now, or none, goes on with that one, or from within this process where the
  // options allowed it. What other commands run for a moment may so end at any time.
  void FollowDatabase();

  const std::string& address() const { return address_; }
  bool embedded() const { return server_ != nullptr; }

  // For the files that make calls; the others do without reading gRPC.
  Stubs& stubs() { return *stubs_; }

 private:
  Connection();
  // NotFound when no process holds the database.
  static absl::StatusOr<std::unique_ptr<Connection>> ToHolder(const ConnectionOptions& options);
  absl::Status Embed(const std::string& database);
  void Use(const std::string& address);
  // Whether the channel is connected by then.
  bool WaitUntil(absl::Time time) const;

  std::string address_;
  std::string holder_of_;  // the database through which it was found; "" when it was named
  bool may_embed_ = false;
  std::unique_ptr<CoordinatorServer> server_;  // when embedded
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace sweep::cli

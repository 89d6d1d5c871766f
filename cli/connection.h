#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/channel_security.h"

namespace sweep {
class CoordinatorServer;
}

namespace sweep::cli {

struct Stubs;  // cli/stubs.h

struct ConnectionOptions {
  std::string coordinator;  // --coordinator or SWEEP_COORDINATOR; "" when not given
  std::string database = "sweep.db";
  // For coordinators at an address. One that is found through its database is reached as it
  // published, since `sweep run` has no TLS, and without TLS it gets no token.
  ChannelSecurity security;
  // Allows this process to serve a database that no other process holds. Not for commands that need
  // workers.
  bool allow_embedded = true;
  // How long to wait for the coordinator's answer when connecting.
  absl::Duration patience = absl::Milliseconds(4500);
};

// The client's connection to a coordinator: a remote one, the current holder of ./sweep.db (`sweep
// run` in another terminal), or one embedded in this process on that file. Tried in this order: the
// given address; the holder of the database; the database itself; 127.0.0.1:7077. Used by one
// thread, except that stubs may be shared.
class Connection {
 public:
  // Unavailable, naming the address, when no coordinator answers within 5 s; errors of MakeChannel
  // with a ChannelSecurity.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  // Connects to `address`, such as a coordinator that the caller runs in this process.
  static absl::StatusOr<std::unique_ptr<Connection>> To(
      const std::string& address, absl::Duration patience = absl::Milliseconds(4500),
      const ChannelSecurity& security = {});
  ~Connection();

  // Tries for `patience` to reach a lost coordinator: at its address or, if it was found through
  // the database, at the address of the current holder. Unavailable when none answers.
  absl::Status Reconnect(absl::Duration patience);

  // Called after a call that nobody answered. If the coordinator was found through a database that
  // has another holder now, switches to that one; without a holder it embeds a coordinator if the
  // options allow it. The short-lived coordinators of other commands may end at any time.
  void FollowDatabase();

  const std::string& address() const { return address_; }
  bool embedded() const { return server_ != nullptr; }

  // For files that make calls; other files need no gRPC headers.
  Stubs& stubs() { return *stubs_; }

 private:
  Connection();
  // NotFound when no process holds the database.
  static absl::StatusOr<std::unique_ptr<Connection>> ToHolder(const ConnectionOptions& options);
  absl::Status Embed(const std::string& database);
  // Uses a published address: with TLS if it begins with kTlsScheme, else without.
  absl::Status UsePublished(const std::string& address);
  absl::Status Use(const std::string& address, const ChannelSecurity& security);
  absl::Status Unreachable() const;
  // True when the channel is connected by `time`.
  bool WaitUntil(absl::Time time) const;

  std::string address_;
  std::string published_;  // how it was found through a database
  ChannelSecurity security_;
  bool has_tls_ = false;   // the present channel
  std::string holder_of_;  // the database through which it was found; "" when it was named
  bool may_embed_ = false;
  std::unique_ptr<CoordinatorServer> server_;  // when embedded
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace sweep::cli

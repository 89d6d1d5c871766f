#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sweep {

struct ListenAddress {
  std::string host;  // "127.0.0.1", "[::1]", "localhost", "0.0.0.0"
  int port = 0;
  std::string ToString() const { return host + ":" + std::to_string(port); }
  // True when only this machine can reach it.
  bool IsLoopback() const;
  // The address for processes on this machine.
  ListenAddress Reachable() const;
};

// InvalidArgument naming the text when it is not HOST:PORT.
absl::StatusOr<ListenAddress> ParseListenAddress(const std::string& text);

// Checks that a server can listen there: Unavailable with the reason (in use, no such address, not
// permitted). gRPC itself gives no reason.
absl::Status ProbeListen(ListenAddress address);

// Returns a socket that listens there, which the caller closes; sets the port of `*address`.
// Unavailable with the reason.
absl::StatusOr<int> ListenOn(ListenAddress* address);

// True when a listening socket can be reached only from this machine, however its address was
// written.
bool IsLoopbackSocket(int socket);

}  // namespace sweep

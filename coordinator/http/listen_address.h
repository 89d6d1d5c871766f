#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sweep {

struct ListenAddress {
  std::string host;  // "127.0.0.1", "[::1]", "localhost", "0.0.0.0"
  int port = 0;
  std::string ToString() const { return host + ":" + std::to_string(port); }
  // Nobody but this machine can reach it.
  bool IsLoopback() const;
  // Where a process on this machine reaches it.
  ListenAddress Reachable() const;
};

// InvalidArgument naming the text when it is not HOST:PORT.
absl::StatusOr<ListenAddress> ParseListenAddress(const std::string& text);

// Whether a server can listen there now: Unavailable with the reason (in use, no such address, not
// permitted). gRPC itself only says that it could not.
absl::Status ProbeListen(ListenAddress address);

// A socket that listens there, which is the caller's to close; `*address` gets its port.
// Unavailable with the reason.
absl::StatusOr<int> ListenOn(ListenAddress* address);

// Whether a listening socket can be reached from this machine only, however its address was
// written.
bool IsLoopbackSocket(int socket);

}  // namespace sweep

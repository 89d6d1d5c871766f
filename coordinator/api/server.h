#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/scheduler/worker_builds.h"
#include "coordinator/security/security_options.h"

namespace sweep {

class StoppingRule;
struct SweepSpec;

struct ServerOptions {
  std::string listen = "127.0.0.1:7077";  // port 0: any free one
  SecurityOptions security;
  std::string database = "sweep.db";  // see DatabaseFile; "" keeps everything in memory
  // For the queries of one client command; see StoreOptions.
  bool momentary = false;
  // How long to wait for a client that is reading the database.
  absl::Duration patience = absl::Seconds(10);
  absl::Duration lease_term = absl::Seconds(60);
  // How long Synchronize parks a call; at most a third of lease_term.
  absl::Duration poll_time = absl::Seconds(20);
  WorkerBuilds worker_builds;
  // The dashboard's address: HOST:PORT, port 0 for any free one; "" or "off" for none.
  std::string http;
  // The name of a worker inside this process, as in `sweep run`. It cannot outlive the process, so
  // the database's next coordinator need not wait for its leases.
  std::string embedded_worker;
  // Continue with a warning when that port is taken.
  bool http_is_optional = false;
  Clock* clock = RealClock();
  // Creates the stopping rules of sweeps; null: the rules in their files.
  std::function<std::unique_ptr<StoppingRule>(const SweepSpec&)> make_rule;
};

// A whole coordinator in this process: store, search, scheduler, gRPC services, health, reflection.
// Thread-safe.
class CoordinatorServer {
 public:
  // FailedPrecondition or Unavailable with the reason when the port is in use or the database
  // cannot be used (see Store::Open); InvalidArgument for what CheckSecurity refuses; errors of
  // reading the certificates and tokens.
  static absl::StatusOr<std::unique_ptr<CoordinatorServer>> Start(const ServerOptions& options);
  // Calls Shutdown.
  virtual ~CoordinatorServer() = default;

  // "127.0.0.1:43211".
  virtual const std::string& address() const = 0;
  // The metrics in Prometheus's text format; see docs/metrics.md. Not during or after Shutdown.
  virtual std::string MetricsText() const = 0;
  // "http://127.0.0.1:43211/"; "" without a dashboard.
  virtual const std::string& dashboard() const = 0;
  // Finishes parked calls, commits queued writes, closes the store. Idempotent; under 2 s.
  virtual void Shutdown() = 0;
};

}  // namespace sweep

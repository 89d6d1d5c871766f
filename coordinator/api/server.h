#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"

namespace sweep {

class StoppingRule;
struct SweepSpec;

struct ServerOptions {
  std::string listen = "127.0.0.1:7077";  // port 0: any free one
  std::string database = "sweep.db";      // see DatabaseFile; "" keeps all in memory
  // For a client's questions; see StoreOptions.
  bool momentary = false;
  // How long to wait for a client that reads the database at this moment.
  absl::Duration patience = absl::Seconds(10);
  absl::Duration lease_term = absl::Seconds(60);
  // How long Synchronize parks; at most a third of lease_term.
  absl::Duration poll_time = absl::Seconds(20);
  // Where the web dashboard is served: HOST:PORT, port 0 for any free one; "" or "off" for none.
  std::string http;
  // The name of a worker that lives in this process, as in `sweep run`: it cannot outlive it, so
  // the next coordinator of this database need not wait for what it held.
  std::string embedded_worker;
  // Whether to go on, with a warning, when that port is taken.
  bool http_is_optional = false;
  Clock* clock = RealClock();
  // The stopping rules of sweeps; null: those that their files name.
  std::function<std::unique_ptr<StoppingRule>(const SweepSpec&)> make_rule;
};

// A whole coordinator in this process: store, search, scheduler, gRPC services, health, reflection.
// Thread-safe.
class CoordinatorServer {
 public:
  // FailedPrecondition or Unavailable with the reason when the port is in use or the database
  // cannot be used (see Store::Open).
  static absl::StatusOr<std::unique_ptr<CoordinatorServer>> Start(const ServerOptions& options);
  // As Shutdown.
  virtual ~CoordinatorServer() = default;

  // "127.0.0.1:43211".
  virtual const std::string& address() const = 0;
  // In Prometheus's text format; see docs/metrics.md. Not during Shutdown or after it.
  virtual std::string MetricsText() const = 0;
  // "http://127.0.0.1:43211/"; "" when there is no dashboard.
  virtual const std::string& dashboard() const = 0;
  // Finishes parked calls, commits what is queued, closes the store. Idempotent; under 2 s.
  virtual void Shutdown() = 0;
};

}  // namespace sweep

#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "coordinator/scheduler/event_bus.h"
#include "coordinator/scheduler/insight.h"
#include "coordinator/scheduler/lease_desk.h"
#include "coordinator/scheduler/report_desk.h"
#include "coordinator/scheduler/scheduler_options.h"
#include "coordinator/scheduler/sweep_desk.h"

namespace sweep {

// Who trains what: the queue of pending trials, the leases with their deadlines, the workers with
// their waiting calls, and the search that keeps the queue filled. The Store has everything that
// must survive: every change is written first, and memory follows in the order of the completions.
//
// Owns the parts, which share one lock: callers ask the desk that they need, and SearchDriver makes
// configurations. Owns a tick thread, too, and the threads of the search. Everything is
// thread-safe. Each callback is called exactly once, with no lock held, on any thread, and must be
// quick. Tests use the real one over a store in memory, so it needs no interface.
class Scheduler {
 public:
  // Restores what the store holds. Every lease gets a full term, but for those of workers that
  // lived in the process of an earlier coordinator: that process is gone, since this one has the
  // database, so their leases are given back at once.
  static absl::StatusOr<std::unique_ptr<Scheduler>> Start(const SchedulerOptions& options);
  // As Shutdown.
  ~Scheduler();

  SweepDesk& sweeps();             // what people decide
  LeaseDesk& leases();             // calls of workers
  ReportDesk& reports();           // reports of the holders of leases
  const Insight& insight() const;  // what goes on
  EventBus& events();

  // ---- What the threads do, for tests.

  // Expires leases and waiting calls.
  void Tick();
  // Makes configurations; true when it asked for any.
  bool SearchTurn();
  // Waits until no write and no callback is under way. Not to be called from a callback.
  void WaitIdle();

  // ---- Ending.

  // Answers every waiting call (Unavailable) and refuses new ones. Leases stay.
  void StopServing();
  // StopServing, ends the threads and waits for what is queued. Idempotent.
  void Shutdown();

 private:
  struct Parts;
  explicit Scheduler(const SchedulerOptions& options);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace sweep

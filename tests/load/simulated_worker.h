#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/alarm.h"
#include "grpcpp/security/credentials.h"
#include "sweep/v1/sweeps.grpc.pb.h"
#include "sweep/v1/workers.grpc.pb.h"

namespace sweep::testing {

// Statistics of simulated workers. Thread-safe.
class LoadStatistics {
 public:
  void AddReport(int rows, absl::Duration latency);
  void AddCompletedTrial();
  void AddLostLease();
  void AddError(const std::string& what);

  struct Totals {
    std::int64_t rows = 0;  // acknowledged epoch rows
    std::int64_t completed_trials = 0;
    std::int64_t lost_leases = 0;  // leases that were taken back during the work on them
    std::int64_t errors = 0;
    std::string first_error;
    std::vector<double> latencies;  // of reports, in seconds, in no order
  };
  // The totals since the last call.
  Totals Take();

 private:
  std::mutex mutex_;
  Totals totals_;
};

// A worker without trainers: speaks the worker's contract over its own connection, takes leases,
// and invents their epochs. Never blocks a thread, so that thousands fit into one process. Call
// Start, Stop and WaitStopped in this order, once each.
class SimulatedWorker {
 public:
  struct Options {
    std::string address;
    std::shared_ptr<grpc::ChannelCredentials> credentials;  // null: neither TLS nor token
    std::string name;
    int slots = 1;
    int epochs = 20;            // of a trial
    int rows_per_call = 16;     // epochs in one report
    absl::Duration epoch_time;  // zero: reports follow one another as fast as they are acknowledged
  };
  SimulatedWorker(const Options& options, LoadStatistics* statistics);
  ~SimulatedWorker();
  SimulatedWorker(const SimulatedWorker&) = delete;
  SimulatedWorker& operator=(const SimulatedWorker&) = delete;

  void Start();
  // Makes no more calls.
  void Stop();
  // Returns when no call is running any more.
  void WaitStopped();

 private:
  struct State;
  // Shared with running calls and alarms, whose callbacks may come after Stop.
  std::shared_ptr<State> state_;
};

}  // namespace sweep::testing

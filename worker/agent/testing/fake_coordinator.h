#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "sweep/v1/workers.pb.h"

namespace sweep {

// The worker's side of a coordinator, in this process, for tests: real gRPC, no store and no
// scheduler. It hands out the leases that the test offers, to whoever calls, and records what the
// worker says. What it knows survives Disconnect. Thread-safe.
class FakeCoordinator {
 public:
  FakeCoordinator();
  ~FakeCoordinator();

  const std::string& address() const { return address_; }

  // A lease on trial `number` of sweep "s" with this fake trainer's script, `attempt` 1.
  void Offer(int number, const std::string& script, int epochs);
  void OfferLease(v1::Lease lease);
  static v1::Lease MakeLease(int number, const std::string& script, int epochs);
  // The worker shall not hold trial `number` any more.
  void Revoke(int number);
  void SetDrain(bool drain);
  // The coordinator wants trial `number` back, as when its sweep is paused.
  void AskBack(int number);
  // The stopping rule wants no more of trial `number`.
  void AskStop(int number);
  // The texts that GetSweep gives for every sweep.
  void SetProgramFiles(const std::map<std::string, std::string>& files);
  // The data of every sweep, from now on; until then any is taken.
  void SetData(const std::string& sha256);
  // Answers to AppendLogs from now on.
  void SetLogStatus(absl::Status status);
  // Answers to Synchronize, and to reports of epochs, from now on.
  void SetSynchronizeStatus(absl::Status status);
  void SetReportStatus(absl::Status status);
  // Answers from now on to every end of a lease that comes with files.
  void SetFinishStatus(absl::Status status);
  std::string PutBlob(const std::string& bytes);

  // The server goes away with all that is under way, and comes back at the same address.
  void Disconnect();
  void Reconnect();

  // What was recorded. Epochs are in the order in which they came, per trial.
  struct Record {
    std::vector<v1::SynchronizeRequest> synchronized;
    std::vector<v1::ReportEpochsRequest> reports;
    int refused_reports = 0;  // see SetReportStatus
    std::vector<v1::FinishLeaseRequest> finished;
    std::vector<v1::Progress> progress;
    std::map<std::string, std::string> blobs;
    std::vector<v1::AppendLogsRequest> logs;
    std::vector<v1::ReportDataRequest> data;
    int refused_logs = 0;  // see SetLogStatus
    int programs_fetched = 0;

    // The lines of trial `number`, and their numbers.
    std::vector<std::string> LogOf(int number) const;
    std::vector<std::int64_t> LogNumbersOf(int number) const;
    std::vector<int> EpochsOf(int number) const;
    std::vector<v1::Epoch> RowsOf(int number) const;
    const v1::FinishLeaseRequest* FinishOf(int number) const;
  };
  // Waits until `condition` holds for what was recorded; false after 20 s.
  bool WaitUntil(const std::function<bool(const Record&)>& condition);
  Record record();
  // Waits for the end of trial `number`'s lease; an empty request after 20 s.
  v1::FinishLeaseRequest WaitForFinish(int number);
  // Waits for the first epoch row of trial `number` and returns the trainer's process id.
  int WaitForTrainer(int number);

 private:
  class Services;
  class Server;

  std::string address_ = "127.0.0.1:0";
  std::unique_ptr<Services> services_;
  std::unique_ptr<Server> server_;
};

// "sweeps/s/trials/{number}".
std::string FakeTrial(int number);

}  // namespace sweep

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

// A coordinator in this process, for tests of the worker: real gRPC, no store and no scheduler. It
// grants the leases that the test offers to any caller, and records what the worker says. Its state
// survives Disconnect. Thread-safe.
class FakeCoordinator {
 public:
  FakeCoordinator();
  ~FakeCoordinator();

  const std::string& address() const { return address_; }

  // Offers a lease on trial `number` of sweep "s" with this fake trainer's script, attempt 1.
  void Offer(int number, const std::string& script, int epochs);
  void OfferLease(v1::Lease lease);
  static v1::Lease MakeLease(int number, const std::string& script, int epochs);
  // Takes trial `number` from the worker.
  void Revoke(int number);
  void SetDrain(bool drain);
  // Asks for trial `number` back, as when its sweep is paused.
  void AskBack(int number);
  // Stops trial `number`, as a stopping rule does.
  void AskStop(int number);
  // The program files that GetSweep returns for every sweep.
  void SetProgramFiles(const std::map<std::string, std::string>& files);
  // The data digest of every sweep from now on; until then any is accepted.
  void SetData(const std::string& sha256);
  // Answer to AppendLogs from now on.
  void SetLogStatus(absl::Status status);
  // Answers to Synchronize and to ReportEpochs from now on.
  void SetSynchronizeStatus(absl::Status status);
  void SetReportStatus(absl::Status status);
  // Answer from now on to every end of a lease that has files.
  void SetFinishStatus(absl::Status status);
  std::string PutBlob(const std::string& bytes);

  // The server ends with all running calls, and comes back at the same address.
  void Disconnect();
  void Reconnect();

  // The record of all calls. Epochs are in the order in which they came, per trial.
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
  // Waits until `condition` holds for the record; false after 20 s.
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

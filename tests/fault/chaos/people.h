#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "sweep/v1/sweeps.grpc.pb.h"
#include "sweep/v1/trials.grpc.pb.h"
#include "sweep/v1/workers.grpc.pb.h"
#include "tests/fault/chaos/ledger.h"
#include "tests/fault/chaos/plan.h"

namespace sweep::chaos {

// People who submit sweeps and change their minds: a thread that carries out decisions, repeats
// each call with its request_id until it is answered, and reverses the decision after a while. A
// sweep has at most one decision at a time, so that it is clear what must hold meanwhile.
// Thread-safe.
class People {
 public:
  struct Options {
    std::string address;  // of their proxy
    absl::Duration longest_decision = absl::Seconds(3);
    Ledger* ledger = nullptr;  // outlives the object
  };
  explicit People(const Options& options);
  // Gives up unfinished decisions.
  ~People();
  People(const People&) = delete;
  People& operator=(const People&) = delete;

  // Repeats the submission until it is acknowledged. False when that takes too long; throws
  // std::runtime_error when the sweep file is refused.
  bool Submit(const std::string& name, const std::string& text, std::int64_t configurations);
  // Queues the decision until there is a sweep or worker for it.
  void Do(const Fault& decision);
  // Reverses all decisions now. False when that is not acknowledged in time.
  bool Finish(absl::Duration timeout);
  // Answers that must not occur, such as a refusal to resume a paused sweep.
  std::vector<std::string> complaints() const;
  std::size_t done() const;

 private:
  // Work that is left; `run` returns false when it must be tried again later.
  struct Task {
    absl::Time due = absl::InfinitePast();
    std::function<bool()> run;
  };

  void Loop();
  // Runs the first task that is due and can run. False when there is none.
  bool RunOne();
  bool Begin(const Fault& decision);
  bool BeginPause(const Fault& decision, const std::string& sweep);
  bool BeginExtend(const Fault& decision, const std::string& sweep);
  bool BeginCancelTrial(const Fault& decision, const std::string& sweep);
  bool BeginCancelSweep(const Fault& decision, const std::string& sweep);
  bool Drain(const Fault& decision);
  void Later(const Fault& decision, std::function<bool()> run);
  // The reversal of a decision on `sweep` is done.
  void Settle(const std::string& sweep);
  // A sweep without a decision, or "".
  std::string PickSweep(const Fault& decision);
  std::string NextRequest();
  void Complain(const std::string& what, const grpc::Status& status);
  bool stopping() const;

  template <typename Stub, typename Request, typename Response>
  grpc::Status Call(Stub* stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response);

  const Options options_;
  std::unique_ptr<v1::SweepService::Stub> sweeps_;
  std::unique_ptr<v1::TrialService::Stub> trials_;
  std::unique_ptr<v1::WorkerService::Stub> workers_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool running_task_ = false;
  bool hurry_ = false;  // everything is due
  bool stopping_ = false;
  std::set<std::string> busy_;  // sweeps with a decision
  std::vector<std::string> complaints_;
  std::size_t done_ = 0;
  std::int64_t last_request_ = 0;
  std::jthread thread_;
};

}  // namespace sweep::chaos

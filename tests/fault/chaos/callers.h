#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "sweep/v1/callers.grpc.pb.h"
#include "tests/fault/chaos/ledger.h"

namespace sweep::chaos {

// Programs with a loop of their own: threads that ask for trials of sweeps which callers train,
// report epochs and ends, and repeat each call until it is answered. At random one drops its trial
// without a word, as a program that is killed, says nothing for longer than a lease lasts and then
// goes on, reports a failure, or gives its trial back. Thread-safe.
class Callers {
 public:
  struct Options {
    std::vector<std::string> addresses;  // of the proxies: a caller for each
    absl::Duration lease_term;
    std::uint64_t seed = 1;
    Ledger* ledger = nullptr;  // outlives the object
  };
  explicit Callers(const Options& options);
  // Drops what is under way.
  ~Callers();
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

  // From now on they also ask for trials of "sweeps/{sweep}".
  void Serve(const std::string& sweep);
  // From now on none dies or fails.
  void Calm() { calm_ = true; }
  // Answers that must not occur.
  std::vector<std::string> complaints() const;
  // What the callers did, with numbers.
  std::map<std::string, int> counts() const;

 private:
  struct Caller {
    std::unique_ptr<v1::CallerService::Stub> stub;
    std::mt19937_64 random;
    std::string name;
    int number = 0;  // of this caller
    int lives = 0;
    int asked = 0;
  };
  enum class Turn { kGoesOn, kDies, kFreezes, kFails, kGivesBack };

  void Loop(std::size_t index);
  // True when it was given a trial.
  bool AskOnce(const std::string& sweep, Caller* caller);
  void Train(const v1::SuggestedTrial& trial, Caller* caller);
  Turn DrawTurn(Caller* caller);
  // False when the trial is the caller's no more.
  bool Report(const v1::ReportTrialRequest& request, Caller* caller);
  template <typename Request, typename Response>
  grpc::Status Call(Caller* caller,
                    grpc::Status (v1::CallerService::Stub::*method)(grpc::ClientContext*,
                                                                    const Request&, Response*),
                    const Request& request, Response* response);
  void Count(const std::string& what);
  void Complain(const std::string& what, const grpc::Status& status);

  const Options options_;
  std::atomic<bool> calm_ = false;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> sweeps_;
  std::vector<std::string> complaints_;
  std::map<std::string, int> counts_;
  std::vector<std::jthread> threads_;
};

}  // namespace sweep::chaos

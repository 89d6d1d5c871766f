#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <tuple>

#include "absl/time/time.h"

namespace sweep::chaos {

// What the coordinator has acknowledged to workers, as the proxies saw it. Thread-safe.
class Ledger {
 public:
  void AddEpoch(const std::string& trial, int attempt, int epoch);
  void AddCompletion(const std::string& trial, int attempt);

  using Epochs = std::set<std::tuple<std::string, int, int>>;
  Epochs epochs() const;
  std::set<std::pair<std::string, int>> completions() const;

 private:
  mutable std::mutex mutex_;
  Epochs epochs_;
  std::set<std::pair<std::string, int>> completions_;
};

// Stands between one worker and the coordinator: hands calls on whole, and by chance delays them,
// sends them a second time later (so that they also come out of order), or loses them or their
// answers. Thread-safe.
class FaultyProxy {
 public:
  struct Options {
    double delay = 0.1;  // probabilities per call
    double duplicate = 0.05;
    double lose_request = 0.03;
    double lose_answer = 0.03;
    absl::Duration longest_delay = absl::Milliseconds(400);
    std::uint64_t seed = 1;
    Ledger* ledger = nullptr;  // outlives the proxy
  };
  explicit FaultyProxy(const Options& options);
  // Waits for the calls under way.
  ~FaultyProxy();
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;

  // Where the worker connects to; the same for the proxy's whole life.
  const std::string& address() const;
  // Where calls go from now on.
  void SetTarget(const std::string& address);
  // Closes every connection and accepts none, and the reverse. Idempotent.
  void Cut();
  void Mend();
  // From now on every call goes through unharmed.
  void Calm();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sweep::chaos

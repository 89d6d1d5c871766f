#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/scheduler/testing/faulty_store.h"
#include "coordinator/store/testing/store_testing.h"
#include "fmt/format.h"

namespace sweep {

inline constexpr absl::Duration kTerm = absl::Seconds(60);

// Holds what a callback was given; empty until then.
template <typename T>
class Result {
 public:
  void Set(T value) {
    MutexLock lock(&mutex_);
    EXPECT_FALSE(value_.has_value()) << "a callback was called twice";
    value_ = std::move(value);
  }
  std::optional<T> Get() const {
    MutexLock lock(&mutex_);
    return value_;
  }

 private:
  mutable Mutex mutex_;
  std::optional<T> value_;
};

using Answer = Result<absl::StatusOr<SynchronizeAnswer>>;

inline std::vector<std::string> Trials(const std::vector<LeaseOffer>& leases) {
  std::vector<std::string> names;
  for (const LeaseOffer& lease : leases) {
    names.push_back(
        fmt::format("{}/{}#{}", lease.token.sweep, lease.token.number, lease.token.attempt));
  }
  return names;
}

// A scheduler without threads over a store in memory: only the test moves time and does the work of
// the threads.
class SchedulerTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = Must(Store::Open({.clock = &clock_}));
    Start();
  }
  void TearDown() override { scheduler_.reset(); }

  void Start() {
    scheduler_.reset();
    faulty_ = std::make_unique<FaultyStore>(store_.get());
    if (runs_writes_twice_) faulty_->RunTwice();
    specs_ = std::make_unique<SpecCache>(faulty_.get());
    scheduler_ = Must(Scheduler::Start({.store = faulty_.get(),
                                        .specs = specs_.get(),
                                        .clock = &clock_,
                                        .lease_term = kTerm,
                                        .worker_builds = worker_builds_,
                                        .embedded_worker = embedded_worker_,
                                        .make_rule = make_rule_,
                                        .threads = false}));
  }

  // Goes on until nothing is under way and the search has nothing to do.
  void Settle() {
    do {
      scheduler_->WaitIdle();
    } while (scheduler_->SearchTurn());
    scheduler_->WaitIdle();
  }

  // Lets time pass, with a tick per second.
  void Pass(absl::Duration time) {
    for (; time > absl::ZeroDuration(); time -= absl::Seconds(1)) {
      clock_.Advance(absl::Seconds(1));
      scheduler_->Tick();
      Settle();
    }
  }

  void Submit(const std::string& name, const std::string& extra = "") {
    const SweepSource source = TestSource(name, extra);
    auto result = std::make_shared<Result<absl::Status>>();
    scheduler_->sweeps().Submit(
        std::make_shared<const SweepSpec>(TestSpec(name, extra)), source, {.principal = "tester"},
        [result](const auto& submission) { result->Set(submission.status()); });
    Settle();
    EXPECT_EQ(result->Get(), absl::OkStatus());
  }

  struct CallFields {
    std::vector<LeaseToken> held = {};
    int slots = 1;
    bool draining = false;
    bool no_wait = false;
    bool allows_programs = false;
    std::set<std::string> only_sweeps = {};
    std::vector<std::string> changed_data = {};
    std::string session = "";  // the worker's name when empty
    int protocol = kWorkerProtocolVersion;
    std::string build = "";
    std::uint64_t poll_id = 1;
  };
  std::shared_ptr<Answer> Call(const std::string& worker, const CallFields& call) {
    auto answer = std::make_shared<Answer>();
    scheduler_->leases().Synchronize({.session = call.session.empty() ? worker : call.session,
                                      .worker = worker,
                                      .description = {.host = "here",
                                                      .pid = 7,
                                                      .slots = call.slots,
                                                      .build = call.build,
                                                      .allows_programs = call.allows_programs,
                                                      .only_sweeps = call.only_sweeps},
                                      .protocol = call.protocol,
                                      .held = call.held,
                                      .draining = call.draining,
                                      .no_wait = call.no_wait,
                                      .changed_data = call.changed_data,
                                      .poll_id = call.poll_id},
                                     [answer](const auto& result) { answer->Set(result); });
    Settle();
    return answer;
  }

  // The leases of a call that has been answered.
  std::vector<LeaseOffer> Leases(const std::shared_ptr<Answer>& answer) {
    const auto result = answer->Get();
    if (!result.has_value()) {
      ADD_FAILURE() << "the call is parked";
      return {};
    }
    EXPECT_TRUE(result->ok()) << result->status();
    return result->ok() ? (*result)->leases : std::vector<LeaseOffer>();
  }
  std::vector<LeaseToken> Tokens(const std::shared_ptr<Answer>& answer) {
    std::vector<LeaseToken> tokens;
    for (const LeaseOffer& lease : Leases(answer)) tokens.push_back(lease.token);
    return tokens;
  }
  absl::Status Refusal(const std::shared_ptr<Answer>& answer) {
    const auto result = answer->Get();
    return result.has_value() ? result->status() : absl::UnknownError("the call is parked");
  }

  absl::Status Report(const LeaseToken& token, int first, int last, double accuracy = 0.95) {
    auto result = std::make_shared<Result<absl::Status>>();
    scheduler_->reports().ReportEpochs(
        token, TestEpochs(first, last, accuracy), "", 0,
        [result](const absl::Status& status) { result->Set(status); });
    Settle();
    return result->Get().value_or(absl::UnknownError("no answer"));
  }
  absl::Status Finish(const LeaseToken& token, LeaseOutcome outcome,
                      const std::string& reason = "") {
    auto result = std::make_shared<Result<absl::Status>>();
    scheduler_->reports().FinishLease(
        token, outcome, reason, {}, [result](const absl::Status& status) { result->Set(status); });
    Settle();
    return result->Get().value_or(absl::UnknownError("no answer"));
  }
  void Train(const LeaseToken& token) {
    EXPECT_EQ(Report(token, 1, 5), absl::OkStatus());
    EXPECT_EQ(Finish(token, LeaseOutcome::kCompleted), absl::OkStatus());
  }
  absl::Status Cancel(const std::string& sweep, std::int64_t number,
                      const std::string& request = "") {
    return Ask<TrialRow>([&](auto callback) {
             scheduler_->sweeps().CancelTrial(sweep, number, request, callback);
           })
        .status();
  }
  absl::Status CancelSweep(const std::string& sweep, const std::string& request = "") {
    return Ask<SweepRow>(
               [&](auto callback) { scheduler_->sweeps().CancelSweep(sweep, request, callback); })
        .status();
  }

  // Calls the scheduler and returns the value that it answers.
  template <typename T, typename Start>
  absl::StatusOr<T> Ask(Start start) {
    auto result = std::make_shared<Result<absl::StatusOr<T>>>();
    start([result](const absl::StatusOr<T>& answer) { result->Set(answer); });
    Settle();
    return result->Get().value_or(absl::UnknownError("no answer"));
  }
  absl::StatusOr<SweepRow> Pause(bool now = false, const std::string& request = "",
                                 const std::string& sweep = "s") {
    return Ask<SweepRow>(
        [&](auto callback) { scheduler_->sweeps().PauseSweep(sweep, now, request, callback); });
  }
  absl::StatusOr<SweepRow> Resume(const std::string& request = "", const std::string& sweep = "s") {
    return Ask<SweepRow>(
        [&](auto callback) { scheduler_->sweeps().ResumeSweep(sweep, request, callback); });
  }
  absl::StatusOr<RetriedSweep> Retry(const RetryRequest& retry, const std::string& extra = "") {
    const auto spec = std::make_shared<const SweepSpec>(TestSpec("s", extra));
    return Ask<RetriedSweep>(
        [&](auto callback) { scheduler_->sweeps().RetrySweep(spec, retry, callback); });
  }
  absl::StatusOr<TrialRow> RetryTrial(std::int64_t number, const std::string& request = "",
                                      const std::string& extra = "", bool force = false) {
    const auto spec = std::make_shared<const SweepSpec>(TestSpec("s", extra));
    return Ask<TrialRow>([&](auto callback) {
      scheduler_->sweeps().RetryTrial(spec, number, {.diverged = force, .request_id = request},
                                      callback);
    });
  }

  TrialRow Trial(std::int64_t number, const std::string& sweep = "s") {
    return Must(store_->Read(FindTrial, sweep, number));
  }
  SweepRow Sweep(const std::string& name = "s") { return Must(store_->Read(FindSweep, name)); }

  FakeClock clock_;
  WorkerBuilds worker_builds_;                                            // used by Start
  std::string embedded_worker_;                                           // from the next Start on
  decltype(SchedulerOptions::make_rule) make_rule_ = StoppingRule::Make;  // likewise
  bool runs_writes_twice_ = false;                                        // likewise
  std::unique_ptr<Store> store_;
  std::unique_ptr<FaultyStore> faulty_;  // the scheduler's, over store_
  std::unique_ptr<SpecCache> specs_;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace sweep

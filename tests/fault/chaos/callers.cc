#include "tests/fault/chaos/callers.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cmath>
#include <memory>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "tests/fault/chaos/calls.h"

namespace sweep::chaos {
namespace {

constexpr absl::Duration kAskAgainAfter = absl::Milliseconds(100);
constexpr absl::Duration kEpoch = absl::Milliseconds(100);
// Of each epoch.
constexpr double kDies = 0.03, kFreezes = 0.02, kFails = 0.01, kGivesBack = 0.01;

// As timer_trainer: it depends only on the seed, the learning rate and the epoch.
v1::Epoch Measure(const v1::SuggestedTrial& trial, int number) {
  const double lr = trial.parameters().at("lr").double_value();
  const double share = std::fabs(std::sin(static_cast<double>(trial.seed() % 1000) + 31 * lr));
  v1::Epoch epoch;
  epoch.set_epoch(number);
  (*epoch.mutable_metrics())["train_loss"] = 1.0 / (number + share);
  (*epoch.mutable_metrics())["validation_accuracy"] = 0.97 + 0.025 * share * (1 - 0.3 / number);
  return epoch;
}

}  // namespace

Callers::Callers(const Options& options) : options_(options) {
  for (std::size_t i = 0; i < options.addresses.size(); ++i) {
    threads_.emplace_back([this, i] { Loop(i); });
  }
}

Callers::~Callers() { stopping_ = true; }

void Callers::Serve(const std::string& sweep) {
  const std::lock_guard lock(mutex_);
  sweeps_.push_back(sweep);
}

std::vector<std::string> Callers::complaints() const {
  const std::lock_guard lock(mutex_);
  return complaints_;
}

std::map<std::string, int> Callers::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Callers::Count(const std::string& what) {
  const std::lock_guard lock(mutex_);
  ++counts_["callers: " + what];
}

void Callers::Complain(const std::string& what, const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || IsOpen(status)) return;
  complaints_.push_back(fmt::format("{}: {}", what, status.error_message()));
}

template <typename Request, typename Response>
grpc::Status Callers::Call(Caller* caller,
                           grpc::Status (v1::CallerService::Stub::*method)(grpc::ClientContext*,
                                                                           const Request&,
                                                                           Response*),
                           const Request& request, Response* response) {
  grpc::Status status;
  do {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
    response->Clear();
    status = (caller->stub.get()->*method)(&context, request, response);
    if (!IsOpen(status)) break;
    absl::SleepFor(kRepeatAfter);
  } while (!stopping_);
  return status;
}

void Callers::Loop(std::size_t index) {
  Caller caller{.stub = v1::CallerService::NewStub(grpc::CreateChannel(
                    options_.addresses[index], grpc::InsecureChannelCredentials())),
                .random = std::mt19937_64(options_.seed + index),
                .name = fmt::format("c{}-0", index),
                .number = static_cast<int>(index)};
  while (!stopping_) {
    std::vector<std::string> sweeps;
    {
      const std::lock_guard lock(mutex_);
      sweeps = sweeps_;
    }
    bool had_trial = false;
    // One that has completed may be extended.
    for (const std::string& sweep : sweeps) had_trial |= !stopping_ && AskOnce(sweep, &caller);
    if (!had_trial) absl::SleepFor(kAskAgainAfter);
  }
}

bool Callers::AskOnce(const std::string& sweep, Caller* caller) {
  v1::SuggestTrialRequest request;
  request.set_parent(sweep);
  request.set_caller(caller->name);
  request.set_request_id(fmt::format("c{}-{}", caller->number, ++caller->asked));
  // Some wait at the coordinator until a trial is free.
  if (caller->random() % 4 == 0) request.mutable_wait()->set_nanos(500'000'000);
  options_.ledger->AddAsk(sweep);
  v1::SuggestTrialResponse response;
  const grpc::Status status =
      Call(caller, &v1::CallerService::Stub::SuggestTrial, request, &response);
  // FAILED_PRECONDITION: the lease that was granted for it has ended before its answer arrived.
  // ABORTED: a copy of the call has taken its place.
  if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION ||
      status.error_code() == grpc::StatusCode::ABORTED) {
    Count("answers that came too late");
    return false;
  }
  if (!status.ok()) {
    Complain("asking for a trial of " + sweep, status);
    return false;
  }
  if (!response.has_trial()) return false;
  Count("trials");
  Train(response.trial(), caller);
  return true;
}

Callers::Turn Callers::DrawTurn(Caller* caller) {
  double left = static_cast<double>(caller->random() >> 11) * 0x1p-53;
  if (calm_) return Turn::kGoesOn;
  if ((left -= kDies) < 0) return Turn::kDies;
  if ((left -= kFreezes) < 0) return Turn::kFreezes;
  if ((left -= kFails) < 0) return Turn::kFails;
  return left < kGivesBack ? Turn::kGivesBack : Turn::kGoesOn;
}

void Callers::Train(const v1::SuggestedTrial& trial, Caller* caller) {
  v1::ReportTrialRequest report;
  *report.mutable_token() = trial.token();
  for (int epoch = 1; epoch <= trial.epochs() && !stopping_; ++epoch) {
    absl::SleepFor(kEpoch);
    switch (DrawTurn(caller)) {
      case Turn::kDies:
        // Its successor has another name.
        caller->name = fmt::format("c{}-{}", caller->number, ++caller->lives);
        return Count("died with a trial");
      case Turn::kFreezes:
        Count("silent for longer than a lease");
        absl::SleepFor(1.3 * options_.lease_term);
        break;
      case Turn::kFails:
        report.set_outcome(v1::LEASE_OUTCOME_FAILED);
        break;
      case Turn::kGivesBack:
        report.set_outcome(v1::LEASE_OUTCOME_GIVEN_BACK);
        break;
      case Turn::kGoesOn:
        break;
    }
    if (report.outcome() != v1::LEASE_OUTCOME_UNSPECIFIED) {
      report.clear_epochs();
      report.set_reason("chaos");
      Report(report, caller);
      return Count("failed or gave back");
    }
    *report.add_epochs() = Measure(trial, epoch);
    // The end comes with the last row, and some rows come in twos.
    if (epoch == trial.epochs()) report.set_outcome(v1::LEASE_OUTCOME_COMPLETED);
    if (epoch < trial.epochs() && report.epochs_size() < 2 && caller->random() % 3 == 0) continue;
    if (!Report(report, caller)) return;
    report.clear_epochs();
  }
}

bool Callers::Report(const v1::ReportTrialRequest& request, Caller* caller) {
  v1::ReportTrialResponse response;
  const grpc::Status status =
      Call(caller, &v1::CallerService::Stub::ReportTrial, request, &response);
  if (status.ok()) {
    if (response.stop()) Count("told to stop");
    return !response.stop();
  }
  if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) {
    Count("leases lost");
  } else {
    Complain("reporting " + request.token().trial(), status);
  }
  return false;
}

}  // namespace sweep::chaos

#include "tests/load/simulated_worker.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <set>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/ids.h"
#include "grpcpp/grpcpp.h"

namespace sweep::testing {

void LoadStatistics::AddReport(int rows, absl::Duration latency) {
  const std::lock_guard lock(mutex_);
  totals_.rows += rows;
  totals_.latencies.push_back(absl::ToDoubleSeconds(latency));
}

void LoadStatistics::AddCompletedTrial() {
  const std::lock_guard lock(mutex_);
  ++totals_.completed_trials;
}

void LoadStatistics::AddLostLease() {
  const std::lock_guard lock(mutex_);
  ++totals_.lost_leases;
}

void LoadStatistics::AddError(const std::string& what) {
  const std::lock_guard lock(mutex_);
  if (totals_.errors++ == 0) totals_.first_error = what;
}

LoadStatistics::Totals LoadStatistics::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(totals_, {});
}

// The whole state of a worker. Its lock is never held across a call.
struct SimulatedWorker::State : std::enable_shared_from_this<State> {
  struct Job {
    v1::LeaseToken token;
    int epoch = 0;  // the last acknowledged one
    bool dropped = false;
    grpc::Alarm alarm;
  };

  // A running call, with everything that it needs until its callback has run.
  template <typename Request, typename Response>
  struct Call {
    grpc::ClientContext context;
    Request request;
    Response response;
    absl::Time start = absl::Now();
  };

  State(const Options& given, LoadStatistics* to) : options(given), statistics(to) {
    grpc::ChannelArguments arguments;
    // Without this, workers of one process would share one connection.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub = v1::WorkerService::NewStub(grpc::CreateCustomChannel(
        options.address,
        options.credentials == nullptr ? grpc::InsecureChannelCredentials() : options.credentials,
        arguments));
    session = RandomHex(16);
  }

  bool Enter() {
    const std::lock_guard lock(mutex);
    if (stopping) return false;
    ++under_way;
    return true;
  }

  void Leave() {
    const std::lock_guard lock(mutex);
    if (--under_way == 0) idle.notify_all();
  }

  void Synchronize();
  void OnSynchronized(const grpc::Status& status, const v1::SynchronizeResponse& response);
  void Report(const std::shared_ptr<Job>& job);
  void OnReported(const std::shared_ptr<Job>& job, int rows, absl::Duration latency,
                  const grpc::Status& status);
  void Finish(const std::shared_ptr<Job>& job);
  int NextRows(const Job& job) const {
    return std::min(options.rows_per_call, options.epochs - job.epoch);
  }
  // Calls Report after the duration of the next epochs.
  void Train(const std::shared_ptr<Job>& job);

  const Options options;
  LoadStatistics* const statistics;
  std::unique_ptr<v1::WorkerService::Stub> stub;
  std::string session;

  std::mutex mutex;
  std::condition_variable idle;
  bool stopping = false;
  int under_way = 0;  // calls and alarms
  grpc::ClientContext* parked = nullptr;
  std::map<std::pair<std::string, int>, std::shared_ptr<Job>> jobs;  // by trial and attempt
  std::set<std::pair<std::string, int>> finished;                    // may still be offered
  grpc::Alarm retry;
};

namespace {

v1::Epoch MakeEpoch(int number) {
  v1::Epoch epoch;
  epoch.set_epoch(number);
  epoch.set_train_loss(0.5 / number);
  epoch.set_train_accuracy(1 - 0.3 / number);
  epoch.set_validation_loss(0.4 / number);
  epoch.set_validation_accuracy(1 - 0.2 / number);
  epoch.set_lr(0.1);
  epoch.mutable_train_duration()->set_seconds(5);
  epoch.mutable_evaluate_duration()->set_nanos(200'000'000);
  epoch.set_images_per_second(4560);
  return epoch;
}

}  // namespace

void SimulatedWorker::State::Synchronize() {
  if (!Enter()) return;
  auto call = std::make_shared<Call<v1::SynchronizeRequest, v1::SynchronizeResponse>>();
  v1::SynchronizeRequest& request = call->request;
  request.set_session(session);
  request.set_worker(options.name);
  request.set_protocol(1);
  request.mutable_description()->set_host("simulated");
  request.mutable_description()->set_pid(getpid());
  request.mutable_description()->set_slots(options.slots);
  {
    const std::lock_guard lock(mutex);
    for (const auto& [key, job] : jobs) *request.add_held() = job->token;
    parked = &call->context;
  }
  stub->async()->Synchronize(&call->context, &call->request, &call->response,
                             [self = shared_from_this(), call](const grpc::Status& status) {
                               self->OnSynchronized(status, call->response);
                               self->Leave();
                             });
}

void SimulatedWorker::State::OnSynchronized(const grpc::Status& status,
                                            const v1::SynchronizeResponse& response) {
  std::vector<std::shared_ptr<Job>> begun;
  {
    const std::lock_guard lock(mutex);
    parked = nullptr;
    if (stopping) return;
    if (status.ok()) {
      std::map<std::pair<std::string, int>, std::shared_ptr<Job>> wanted;
      std::set<std::pair<std::string, int>> still_finished;
      for (const v1::Lease& lease : response.leases()) {
        const std::pair<std::string, int> key(lease.token().trial(), lease.token().attempt());
        if (const auto known = jobs.find(key); known != jobs.end()) {
          wanted.insert(*known);
          continue;
        }
        if (finished.contains(key)) {  // answered before the coordinator knew
          still_finished.insert(key);
          continue;
        }
        auto job = std::make_shared<Job>();
        job->token = lease.token();
        job->epoch = lease.checkpoint_epoch();
        begun.push_back(job);
        wanted.emplace(key, job);
      }
      for (const auto& [key, job] : jobs) {
        if (wanted.contains(key)) continue;
        job->dropped = true;
        statistics->AddLostLease();
      }
      jobs = std::move(wanted);
      finished = std::move(still_finished);
    }
  }
  for (const std::shared_ptr<Job>& job : begun) Train(job);
  if (status.ok()) return Synchronize();
  statistics->AddError("Synchronize: " + status.error_message());
  if (!Enter()) return;
  retry.Set(std::chrono::system_clock::now() + std::chrono::seconds(1),
            [self = shared_from_this()](bool) {
              self->Synchronize();
              self->Leave();
            });
}

void SimulatedWorker::State::Train(const std::shared_ptr<Job>& job) {
  if (options.epoch_time == absl::ZeroDuration()) return Report(job);
  if (!Enter()) return;
  job->alarm.Set(absl::ToChronoTime(absl::Now() + options.epoch_time * NextRows(*job)),
                 [self = shared_from_this(), job](bool) {
                   self->Report(job);
                   self->Leave();
                 });
}

void SimulatedWorker::State::Report(const std::shared_ptr<Job>& job) {
  if (!Enter()) return;
  auto call = std::make_shared<Call<v1::ReportEpochsRequest, v1::ReportEpochsResponse>>();
  *call->request.mutable_token() = job->token;
  const int rows = NextRows(*job);
  for (int i = 1; i <= rows; ++i) *call->request.add_epochs() = MakeEpoch(job->epoch + i);
  stub->async()->ReportEpochs(&call->context, &call->request, &call->response,
                              [self = shared_from_this(), call, job, rows](grpc::Status status) {
                                self->OnReported(job, rows, absl::Now() - call->start, status);
                                self->Leave();
                              });
}

void SimulatedWorker::State::OnReported(const std::shared_ptr<Job>& job, int rows,
                                        absl::Duration latency, const grpc::Status& status) {
  {
    const std::lock_guard lock(mutex);
    if (job->dropped || stopping) return;
    if (status.ok()) job->epoch += rows;
  }
  if (!status.ok()) {
    statistics->AddError("ReportEpochs: " + status.error_message());
    // Send the same rows again after a while, as a real worker does.
    if (!Enter()) return;
    job->alarm.Set(std::chrono::system_clock::now() + std::chrono::seconds(1),
                   [self = shared_from_this(), job](bool) {
                     self->Report(job);
                     self->Leave();
                   });
    return;
  }
  statistics->AddReport(rows, latency);
  job->epoch < options.epochs ? Train(job) : Finish(job);
}

void SimulatedWorker::State::Finish(const std::shared_ptr<Job>& job) {
  if (!Enter()) return;
  auto call = std::make_shared<Call<v1::FinishLeaseRequest, v1::FinishLeaseResponse>>();
  *call->request.mutable_token() = job->token;
  call->request.set_outcome(v1::LEASE_OUTCOME_COMPLETED);
  {
    // From here on the lease is not ours any more, whatever the parked call answers.
    const std::lock_guard lock(mutex);
    jobs.erase({job->token.trial(), job->token.attempt()});
    finished.emplace(job->token.trial(), job->token.attempt());
  }
  stub->async()->FinishLease(
      &call->context, &call->request, &call->response,
      [self = shared_from_this(), call](const grpc::Status& status) {
        if (status.ok())
          self->statistics->AddCompletedTrial();
        else
          self->statistics->AddError("FinishLease: " + status.error_message());
        self->Leave();
      });
}

SimulatedWorker::SimulatedWorker(const Options& options, LoadStatistics* statistics)
    : state_(std::make_shared<State>(options, statistics)) {}

SimulatedWorker::~SimulatedWorker() {
  Stop();
  WaitStopped();
}

void SimulatedWorker::Start() { state_->Synchronize(); }

void SimulatedWorker::Stop() {
  const std::lock_guard lock(state_->mutex);
  state_->stopping = true;
  if (state_->parked != nullptr) state_->parked->TryCancel();
  state_->retry.Cancel();
  for (const auto& [key, job] : state_->jobs) job->alarm.Cancel();
}

void SimulatedWorker::WaitStopped() {
  std::unique_lock lock(state_->mutex);
  state_->idle.wait(lock, [&] { return state_->under_way == 0; });
}

}  // namespace sweep::testing

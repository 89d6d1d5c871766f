#include "worker/agent/testing/fake_coordinator.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/sha256.h"
#include "common/protocol/trial_spec.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "proto/grpc_status.h"
#include "proto/names.h"
#include "sweep/v1/blobs.grpc.pb.h"
#include "sweep/v1/sweeps.grpc.pb.h"
#include "sweep/v1/workers.grpc.pb.h"

namespace sweep {
namespace {

constexpr std::chrono::milliseconds kPark{300};
constexpr std::chrono::seconds kPatience{20};

}  // namespace

std::string FakeTrial(int number) { return TrialResource("s", number); }

class FakeCoordinator::Services final : public v1::WorkerService::Service,
                                        public v1::BlobService::Service,
                                        public v1::SweepService::Service {
 public:
  grpc::Status Synchronize(grpc::ServerContext*, const v1::SynchronizeRequest* request,
                           v1::SynchronizeResponse* response) override {
    MutexLock lock(&mutex_);
    record_.synchronized.push_back(*request);
    changed_.NotifyAll();
    const auto until = std::chrono::steady_clock::now() + kPark;
    while (!request->no_wait() && !away_ && status_.ok() && !draining_ && Agrees(*request)) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= left.zero()) break;
      changed_.WaitFor(&mutex_, left);
    }
    if (!status_.ok()) return ToGrpcStatus(status_);
    for (const auto& [trial, lease] : leases_) *response->add_leases() = lease;
    response->set_drain(draining_);
    for (const auto& [trial, lease] : leases_) {
      if (asked_back_.contains(trial)) *response->add_give_back() = lease.token();
      if (asked_to_stop_.contains(trial)) *response->add_stop() = lease.token();
    }
    response->mutable_lease_term()->set_seconds(60);
    return grpc::Status::OK;
  }

  grpc::Status ReportEpochs(grpc::ServerContext*, const v1::ReportEpochsRequest* request,
                            v1::ReportEpochsResponse*) override {
    MutexLock lock(&mutex_);
    changed_.NotifyAll();
    if (!report_status_.ok()) {
      ++record_.refused_reports;
      return ToGrpcStatus(report_status_);
    }
    record_.reports.push_back(*request);
    return grpc::Status::OK;
  }

  grpc::Status ReportProgress(grpc::ServerContext*, const v1::ReportProgressRequest* request,
                              v1::ReportProgressResponse*) override {
    MutexLock lock(&mutex_);
    for (const v1::Progress& progress : request->progress()) record_.progress.push_back(progress);
    changed_.NotifyAll();
    return grpc::Status::OK;
  }

  grpc::Status FinishLease(grpc::ServerContext*, const v1::FinishLeaseRequest* request,
                           v1::FinishLeaseResponse*) override {
    MutexLock lock(&mutex_);
    if (!finish_status_.ok() && request->artifacts_size() > 0) return ToGrpcStatus(finish_status_);
    record_.finished.push_back(*request);
    leases_.erase(request->token().trial());
    changed_.NotifyAll();
    return grpc::Status::OK;
  }

  grpc::Status ReportData(grpc::ServerContext*, const v1::ReportDataRequest* request,
                          v1::ReportDataResponse* response) override {
    MutexLock lock(&mutex_);
    record_.data.push_back(*request);
    if (!data_sha256_.empty() && request->data_sha256() != data_sha256_) {
      response->set_refusal("other data");
      leases_.erase(request->token().trial());
    }
    changed_.NotifyAll();
    return grpc::Status::OK;
  }

  grpc::Status AppendLogs(grpc::ServerContext*, const v1::AppendLogsRequest* request,
                          v1::AppendLogsResponse*) override {
    MutexLock lock(&mutex_);
    changed_.NotifyAll();
    if (!log_status_.ok()) {
      ++record_.refused_logs;
      return ToGrpcStatus(log_status_);
    }
    if (!leases_.contains(request->token().trial())) {
      return {grpc::StatusCode::FAILED_PRECONDITION, "the lease has ended"};
    }
    record_.logs.push_back(*request);
    return grpc::Status::OK;
  }

  grpc::Status GetSweep(grpc::ServerContext*, const v1::GetSweepRequest* request,
                        v1::GetSweepResponse* response) override {
    MutexLock lock(&mutex_);
    ++record_.programs_fetched;
    response->mutable_sweep()->set_name(request->name());
    auto* const files = response->mutable_sweep()->mutable_source()->mutable_program_files();
    for (const auto& [name, text] : program_files_) (*files)[name] = text;
    return grpc::Status::OK;
  }

  grpc::Status PutBlob(grpc::ServerContext*, grpc::ServerReader<v1::PutBlobRequest>* reader,
                       v1::PutBlobResponse*) override {
    std::string sha256, bytes;
    for (v1::PutBlobRequest piece; reader->Read(&piece);) {
      if (!piece.sha256().empty()) sha256 = piece.sha256();
      bytes += piece.data();
    }
    if (Sha256Hex(bytes) != sha256) return {grpc::StatusCode::INVALID_ARGUMENT, "digest"};
    Store(std::move(bytes));
    return grpc::Status::OK;
  }

  grpc::Status GetBlob(grpc::ServerContext*, const v1::GetBlobRequest* request,
                       grpc::ServerWriter<v1::GetBlobResponse>* writer) override {
    std::string bytes;
    {
      MutexLock lock(&mutex_);
      const auto found = record_.blobs.find(request->sha256());
      if (found == record_.blobs.end()) return {grpc::StatusCode::NOT_FOUND, "no such blob"};
      bytes = found->second;
    }
    v1::GetBlobResponse piece;
    piece.set_size_bytes(static_cast<std::int64_t>(bytes.size()));
    piece.set_data(bytes.substr(0, bytes.size() / 2));
    writer->Write(piece);
    piece.set_data(bytes.substr(bytes.size() / 2));
    writer->Write(piece);
    return grpc::Status::OK;
  }

  std::string Store(std::string bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    MutexLock lock(&mutex_);
    record_.blobs[sha256] = std::move(bytes);
    changed_.NotifyAll();
    return sha256;
  }

  // Changes the script and wakes parked calls.
  void Change(const std::function<void()>& change) {
    MutexLock lock(&mutex_);
    change();
    changed_.NotifyAll();
  }

  bool WaitUntil(const std::function<bool(const Record&)>& condition) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    MutexLock lock(&mutex_);
    while (!condition(record_)) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= left.zero()) return false;
      changed_.WaitFor(&mutex_, left);
    }
    return true;
  }

  Record record() {
    MutexLock lock(&mutex_);
    return record_;
  }

  // The script; guarded by the mutex through Change.
  std::map<std::string, v1::Lease> leases_;  // by trial
  absl::Status status_;
  absl::Status report_status_;
  absl::Status finish_status_;
  absl::Status log_status_;
  std::string data_sha256_;
  std::set<std::string> asked_back_;  // trials
  std::set<std::string> asked_to_stop_;
  std::map<std::string, std::string> program_files_;
  bool draining_ = false;
  bool away_ = false;

 private:
  // True if a worker that says this need not change anything.
  bool Agrees(const v1::SynchronizeRequest& request) const {
    std::set<std::string> held, wanted;
    for (const v1::LeaseToken& token : request.held()) held.insert(token.secret());
    for (const auto& [trial, lease] : leases_) wanted.insert(lease.token().secret());
    for (const v1::LeaseToken& token : request.held()) {
      if (asked_back_.contains(token.trial())) return false;
      if (asked_to_stop_.contains(token.trial())) return false;
    }
    return held == wanted;
  }

  Mutex mutex_;
  CondVar changed_;
  Record record_;
};

class FakeCoordinator::Server {
 public:
  // Listens at `*address`, and replaces its port 0 by the port that it got.
  Server(std::string* address, Services* services) : services_(services) {
    services_->Change([&] { services_->away_ = false; });
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(*address, grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(static_cast<v1::WorkerService::Service*>(services));
    builder.RegisterService(static_cast<v1::BlobService::Service*>(services));
    builder.RegisterService(static_cast<v1::SweepService::Service*>(services));
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      std::fprintf(stderr, "fake coordinator cannot listen at %s\n", address->c_str());
      std::abort();
    }
    *address = absl::StrCat("127.0.0.1:", port);
  }
  ~Server() {
    services_->Change([this] { services_->away_ = true; });
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

 private:
  Services* const services_;
  std::unique_ptr<grpc::Server> server_;
};

FakeCoordinator::FakeCoordinator() : services_(std::make_unique<Services>()) { Reconnect(); }
FakeCoordinator::~FakeCoordinator() = default;

v1::Lease FakeCoordinator::MakeLease(int number, const std::string& script, int epochs) {
  TrialSpec spec{.trial = absl::StrCat("s/", number), .epochs = epochs};
  spec.dataset.name = "synthetic";
  spec.network.name = script;
  spec.network.layers = {{.kind = LayerKind::kLinear, .out = 10}, {.kind = LayerKind::kLogSoftmax}};
  InferShapes(&spec.network);
  v1::Lease lease;
  lease.mutable_token()->set_trial(FakeTrial(number));
  lease.mutable_token()->set_attempt(1);
  lease.mutable_token()->set_secret(RandomHex(8));
  lease.set_spec_json(TrialSpecToJson(spec));
  return lease;
}

void FakeCoordinator::Offer(int number, const std::string& script, int epochs) {
  OfferLease(MakeLease(number, script, epochs));
}

void FakeCoordinator::OfferLease(v1::Lease lease) {
  services_->Change([&] { services_->leases_[lease.token().trial()] = lease; });
}

void FakeCoordinator::Revoke(int number) {
  services_->Change([&] { services_->leases_.erase(FakeTrial(number)); });
}

void FakeCoordinator::SetDrain(bool drain) {
  services_->Change([&] { services_->draining_ = drain; });
}

void FakeCoordinator::AskStop(int number) {
  services_->Change([&] { services_->asked_to_stop_.insert(FakeTrial(number)); });
}

void FakeCoordinator::AskBack(int number) {
  services_->Change([&] { services_->asked_back_.insert(FakeTrial(number)); });
}

void FakeCoordinator::SetProgramFiles(const std::map<std::string, std::string>& files) {
  services_->Change([&] { services_->program_files_ = files; });
}

void FakeCoordinator::SetData(const std::string& sha256) {
  services_->Change([&] { services_->data_sha256_ = sha256; });
}

void FakeCoordinator::SetLogStatus(absl::Status status) {
  services_->Change([&] { services_->log_status_ = std::move(status); });
}

void FakeCoordinator::SetSynchronizeStatus(absl::Status status) {
  services_->Change([&] { services_->status_ = std::move(status); });
}

void FakeCoordinator::SetReportStatus(absl::Status status) {
  services_->Change([&] { services_->report_status_ = std::move(status); });
}

void FakeCoordinator::SetFinishStatus(absl::Status status) {
  services_->Change([&] { services_->finish_status_ = std::move(status); });
}

std::string FakeCoordinator::PutBlob(const std::string& bytes) { return services_->Store(bytes); }

void FakeCoordinator::Disconnect() { server_.reset(); }
void FakeCoordinator::Reconnect() {
  server_ = std::make_unique<Server>(&address_, services_.get());
}

bool FakeCoordinator::WaitUntil(const std::function<bool(const Record&)>& condition) {
  return services_->WaitUntil(condition);
}

FakeCoordinator::Record FakeCoordinator::record() { return services_->record(); }

v1::FinishLeaseRequest FakeCoordinator::WaitForFinish(int number) {
  WaitUntil([&](const Record& record) { return record.FinishOf(number) != nullptr; });
  const Record now = record();
  const v1::FinishLeaseRequest* finish = now.FinishOf(number);
  return finish == nullptr ? v1::FinishLeaseRequest() : *finish;
}

int FakeCoordinator::WaitForTrainer(int number) {
  WaitUntil([&](const Record& record) { return !record.RowsOf(number).empty(); });
  const std::vector<v1::Epoch> rows = record().RowsOf(number);
  return rows.empty() ? 0 : static_cast<int>(rows.front().images_per_second());
}

std::vector<v1::Epoch> FakeCoordinator::Record::RowsOf(int number) const {
  std::vector<v1::Epoch> rows;
  for (const v1::ReportEpochsRequest& report : reports) {
    if (report.token().trial() != FakeTrial(number)) continue;
    rows.insert(rows.end(), report.epochs().begin(), report.epochs().end());
  }
  return rows;
}

std::vector<std::string> FakeCoordinator::Record::LogOf(int number) const {
  std::vector<std::string> lines;
  for (const v1::AppendLogsRequest& request : logs) {
    if (request.token().trial() != FakeTrial(number)) continue;
    for (const v1::LogLine& line : request.lines()) lines.push_back(line.text());
  }
  return lines;
}

std::vector<std::int64_t> FakeCoordinator::Record::LogNumbersOf(int number) const {
  std::vector<std::int64_t> numbers;
  for (const v1::AppendLogsRequest& request : logs) {
    if (request.token().trial() != FakeTrial(number)) continue;
    for (const v1::LogLine& line : request.lines()) numbers.push_back(line.line());
  }
  return numbers;
}

std::vector<int> FakeCoordinator::Record::EpochsOf(int number) const {
  std::vector<int> epochs;
  for (const v1::Epoch& row : RowsOf(number)) epochs.push_back(row.epoch());
  return epochs;
}

const v1::FinishLeaseRequest* FakeCoordinator::Record::FinishOf(int number) const {
  for (const v1::FinishLeaseRequest& request : finished) {
    if (request.token().trial() == FakeTrial(number)) return &request;
  }
  return nullptr;
}

}  // namespace sweep

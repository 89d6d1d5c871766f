#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/api/server.h"
#include "coordinator/store/testing/store_testing.h"
#include "grpcpp/grpcpp.h"
#include "proto/grpc_status.h"
#include "proto/names.h"
#include "sweep/v1/blobs.grpc.pb.h"
#include "sweep/v1/sweeps.grpc.pb.h"
#include "sweep/v1/trials.grpc.pb.h"
#include "sweep/v1/workers.grpc.pb.h"

namespace sweep {

// Longer than any call here takes; a call that hangs fails its test instead of blocking it.
constexpr std::chrono::seconds kPatience(30);
inline void SetDeadline(grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() + kPatience);
}

// The call of an idle worker.
inline v1::SynchronizeRequest Says(const std::string& worker, int slots = 1) {
  v1::SynchronizeRequest request;
  request.set_session("session-of-" + worker);
  request.set_worker(worker);
  request.set_protocol(1);
  request.mutable_description()->set_slots(slots);
  request.mutable_description()->set_host("here");
  return request;
}

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    server_ = Must(CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = ""}));
    ASSERT_NE(server_, nullptr);
    channel_ = MakeChannel(server_->address());
    sweeps_ = v1::SweepService::NewStub(channel_);
    trials_ = v1::TrialService::NewStub(channel_);
    workers_ = v1::WorkerService::NewStub(channel_);
    blobs_ = v1::BlobService::NewStub(channel_);
  }

  // Makes one unary call: Invoke(*stub, &Stub::Method, request, &response).
  template <typename Stub, typename Method, typename Request, typename Response>
  absl::Status Invoke(Stub& stub, Method method, const Request& request, Response* response) {
    grpc::ClientContext context;
    SetDeadline(&context);
    response->Clear();
    return FromGrpcStatus((stub.*method)(&context, request, response));
  }

  absl::Status Create(const std::string& name, const std::string& extra = "",
                      bool* created = nullptr) {
    v1::CreateSweepRequest request;
    const SweepSource source = TestSource(name, extra);
    request.mutable_source()->set_file(source.file);
    request.mutable_source()->set_text(source.text);
    request.set_principal("ada");
    v1::CreateSweepResponse response;
    const absl::Status status =
        Invoke(*sweeps_, &v1::SweepService::Stub::CreateSweep, request, &response);
    if (created != nullptr) *created = response.created();
    return status;
  }

  absl::Status GetSweep(const std::string& name, v1::Sweep* sweep) {
    v1::GetSweepRequest request;
    request.set_name(SweepResource(name));
    v1::GetSweepResponse response;
    const absl::Status status =
        Invoke(*sweeps_, &v1::SweepService::Stub::GetSweep, request, &response);
    *sweep = response.sweep();
    return status;
  }

  absl::Status Synchronize(const v1::SynchronizeRequest& request,
                           v1::SynchronizeResponse* response) {
    return Invoke(*workers_, &v1::WorkerService::Stub::Synchronize, request, response);
  }
  // The first lease of an idle worker; parks until there is one.
  v1::Lease Lease(const std::string& worker) {
    v1::SynchronizeResponse response;
    EXPECT_EQ(Synchronize(Says(worker), &response), absl::OkStatus());
    EXPECT_EQ(response.leases_size(), 1);
    return response.leases_size() == 1 ? response.leases(0) : v1::Lease();
  }

  absl::Status Report(const v1::LeaseToken& token, int first, int last, double accuracy = 0.95) {
    v1::ReportEpochsRequest request;
    *request.mutable_token() = token;
    for (int number = first; number <= last; ++number) {
      v1::Epoch* const epoch = request.add_epochs();
      epoch->set_epoch(number);
      epoch->set_train_loss(0.5);
      epoch->set_validation_loss(1.0 / number);
      epoch->set_validation_accuracy(accuracy);
      epoch->mutable_train_duration()->set_nanos(250'000'000);
    }
    v1::ReportEpochsResponse response;
    return Invoke(*workers_, &v1::WorkerService::Stub::ReportEpochs, request, &response);
  }
  absl::Status Finish(const v1::LeaseToken& token, v1::LeaseOutcome outcome,
                      const v1::Artifact& artifact = {}, const std::string& reason = "") {
    v1::FinishLeaseRequest request;
    request.set_reason(reason);
    *request.mutable_token() = token;
    request.set_outcome(outcome);
    if (!artifact.role().empty()) *request.add_artifacts() = artifact;
    v1::FinishLeaseResponse response;
    return Invoke(*workers_, &v1::WorkerService::Stub::FinishLease, request, &response);
  }
  // Trains `count` trials; trial i reaches 0.9 + i * step.
  void Train(int count, double step = 0.01) {
    for (int i = 1; i <= count; ++i) {
      const v1::Lease lease = Lease("w");
      EXPECT_EQ(Report(lease.token(), 1, 5, 0.9 + i * step), absl::OkStatus());
      EXPECT_EQ(Finish(lease.token(), v1::LEASE_OUTCOME_COMPLETED), absl::OkStatus());
    }
  }

  absl::Status CancelTrial(const std::string& name) {
    v1::CancelTrialRequest request;
    request.set_name(name);
    v1::CancelTrialResponse response;
    return Invoke(*trials_, &v1::TrialService::Stub::CancelTrial, request, &response);
  }

  absl::Status PutBlob(const std::string& sha256, std::int64_t size, const std::string& data,
                       bool* existed = nullptr) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::PutBlobResponse response;
    const auto writer = blobs_->PutBlob(&context, &response);
    v1::PutBlobRequest request;
    request.set_sha256(sha256);
    request.set_size_bytes(size);
    bool open = true;
    for (std::size_t offset = 0; open && (offset == 0 || offset < data.size()); offset += 100'000) {
      request.set_data(data.substr(offset, 100'000));
      open = writer->Write(request);
      request.Clear();
    }
    writer->WritesDone();
    const absl::Status status = FromGrpcStatus(writer->Finish());
    if (existed != nullptr) *existed = response.existed();
    return status;
  }
  absl::StatusOr<std::string> GetBlob(const std::string& sha256) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::GetBlobRequest request;
    request.set_sha256(sha256);
    const auto reader = blobs_->GetBlob(&context, request);
    std::string data;
    std::int64_t size = -1;
    v1::GetBlobResponse piece;
    while (reader->Read(&piece)) {
      if (size < 0) size = piece.size_bytes();
      EXPECT_LE(piece.data().size(), std::size_t{256} << 10);
      data += piece.data();
    }
    const absl::Status status = FromGrpcStatus(reader->Finish());
    if (!status.ok()) return status;
    EXPECT_EQ(size, static_cast<std::int64_t>(data.size()));
    return data;
  }

  // Reads the stream from `cursor` to its end.
  absl::Status Watch(const std::string& name, const std::string& cursor,
                     std::vector<v1::WatchSweepResponse>* events) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::WatchSweepRequest request;
    request.set_name(SweepResource(name));
    request.set_cursor(cursor);
    const auto reader = sweeps_->WatchSweep(&context, request);
    v1::WatchSweepResponse event;
    while (reader->Read(&event)) events->push_back(event);
    return FromGrpcStatus(reader->Finish());
  }

  absl::Status List(const v1::ListTrialsRequest& request, v1::ListTrialsResponse* response) {
    return Invoke(*trials_, &v1::TrialService::Stub::ListTrials, request, response);
  }
  std::vector<std::int64_t> Numbers(const v1::ListTrialsResponse& response) {
    std::vector<std::int64_t> numbers;
    for (const v1::Trial& trial : response.trials()) numbers.push_back(trial.number());
    return numbers;
  }

  std::unique_ptr<CoordinatorServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::SweepService::Stub> sweeps_;
  std::unique_ptr<v1::TrialService::Stub> trials_;
  std::unique_ptr<v1::WorkerService::Stub> workers_;
  std::unique_ptr<v1::BlobService::Stub> blobs_;
};

inline std::string Message(const absl::Status& status) { return std::string(status.message()); }

}  // namespace sweep

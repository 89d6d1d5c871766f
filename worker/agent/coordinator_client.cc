#include "worker/agent/coordinator_client.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"
#include "proto/grpc_status.h"

namespace sweep {
namespace {

constexpr absl::Duration kReportTimeout = absl::Seconds(10);
constexpr absl::Duration kProgressTimeout = absl::Seconds(2);
constexpr absl::Duration kBlobTimeout = absl::Seconds(60);
constexpr std::size_t kPieceBytes = std::size_t{256} << 10;

}  // namespace

bool IsRetryable(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:  // a coordinator that shuts down cancels its calls
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

bool IsStaleLease(const absl::Status& status) {
  return status.code() == absl::StatusCode::kFailedPrecondition ||
         status.code() == absl::StatusCode::kNotFound;
}

// Registers a context while its call runs, so that Shutdown can cancel it.
//
// Calls wait for the connection while their deadline permits. A call that fails at once would also
// be slow to succeed: gRPC's blocking calls advance a connection only while one of them waits, and
// otherwise check it every 5 s.
class CoordinatorClient::Call {
 public:
  Call(CoordinatorClient* client, grpc::ClientContext* context, absl::Duration timeout,
       bool wait_for_connection = true)
      : client_(client), context_(context) {
    context_->set_wait_for_ready(wait_for_connection);
    context_->set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
    MutexLock lock(&client_->mutex_);
    client_->calls_.insert(context_);
    if (client_->shut_down_) context_->TryCancel();
  }
  ~Call() {
    MutexLock lock(&client_->mutex_);
    client_->calls_.erase(context_);
  }

 private:
  CoordinatorClient* const client_;
  grpc::ClientContext* const context_;
};

CoordinatorClient::CoordinatorClient(const std::shared_ptr<grpc::Channel>& channel) {
  workers_ = v1::WorkerService::NewStub(channel);
  blobs_ = v1::BlobService::NewStub(channel);
  sweeps_ = v1::SweepService::NewStub(channel);
}

absl::Status CoordinatorClient::Synchronize(grpc::ClientContext* context,
                                            const SynchronizeWait& wait,
                                            const v1::SynchronizeRequest& request,
                                            v1::SynchronizeResponse* response) {
  Call call(this, context, wait.timeout, wait.for_connection);
  return FromGrpcStatus(workers_->Synchronize(context, request, response));
}

absl::Status CoordinatorClient::ReportEpochs(const v1::ReportEpochsRequest& request) {
  grpc::ClientContext context;
  Call call(this, &context, kReportTimeout);
  v1::ReportEpochsResponse response;
  return FromGrpcStatus(workers_->ReportEpochs(&context, request, &response));
}

absl::Status CoordinatorClient::ReportProgress(const v1::ReportProgressRequest& request) {
  grpc::ClientContext context;
  Call call(this, &context, kProgressTimeout, /*wait_for_connection=*/false);
  v1::ReportProgressResponse response;
  return FromGrpcStatus(workers_->ReportProgress(&context, request, &response));
}

absl::Status CoordinatorClient::FinishLease(const v1::FinishLeaseRequest& request) {
  grpc::ClientContext context;
  Call call(this, &context, kReportTimeout);
  v1::FinishLeaseResponse response;
  return FromGrpcStatus(workers_->FinishLease(&context, request, &response));
}

absl::StatusOr<std::string> CoordinatorClient::ReportData(const v1::ReportDataRequest& request) {
  grpc::ClientContext context;
  Call call(this, &context, kReportTimeout);
  v1::ReportDataResponse response;
  const grpc::Status status = workers_->ReportData(&context, request, &response);
  if (!status.ok()) return FromGrpcStatus(status);
  return response.refusal();
}

absl::Status CoordinatorClient::AppendLogs(const v1::AppendLogsRequest& request) {
  grpc::ClientContext context;
  Call call(this, &context, kReportTimeout);
  v1::AppendLogsResponse response;
  return FromGrpcStatus(workers_->AppendLogs(&context, request, &response));
}

absl::StatusOr<v1::Sweep> CoordinatorClient::GetSweep(const std::string& name) {
  grpc::ClientContext context;
  Call call(this, &context, kReportTimeout);
  v1::GetSweepRequest request;
  request.set_name(name);
  v1::GetSweepResponse response;
  const grpc::Status status = sweeps_->GetSweep(&context, request, &response);
  if (!status.ok()) return FromGrpcStatus(status);
  return std::move(*response.mutable_sweep());
}

absl::StatusOr<StoredBlob> CoordinatorClient::PutBlob(const ArtifactFile& file) {
  absl::StatusOr<std::string> bytes = file.Read();
  if (!bytes.ok()) return bytes.status();
  const StoredBlob blob{.sha256 = Sha256Hex(*bytes),
                        .size_bytes = static_cast<std::int64_t>(bytes->size())};

  grpc::ClientContext context;
  Call call(this, &context, kBlobTimeout);
  v1::PutBlobResponse response;
  const auto writer = blobs_->PutBlob(&context, &response);
  v1::PutBlobRequest request;
  request.set_sha256(blob.sha256);
  request.set_size_bytes(blob.size_bytes);
  std::string_view rest = *bytes;
  do {
    const std::string_view piece = rest.substr(0, kPieceBytes);
    request.set_data(std::string(piece));
    rest.remove_prefix(piece.size());
    // False when the answer has come already, as for a stored blob; Finish returns it.
    if (!writer->Write(request)) break;
    request.Clear();
  } while (!rest.empty());
  writer->WritesDone();
  if (const grpc::Status status = writer->Finish(); !status.ok()) return FromGrpcStatus(status);
  return blob;
}

absl::Status CoordinatorClient::GetBlob(const std::string& sha256, const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  const absl::Status status = GetBlob(sha256, [&](std::string_view bytes) {
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return absl::OkStatus();
  });
  file.close();
  if (status.ok() && !file) {
    return absl::PermissionDeniedError(absl::StrCat(path, ": cannot be written"));
  }
  return status;
}

absl::Status CoordinatorClient::GetBlob(
    const std::string& sha256, const std::function<absl::Status(std::string_view bytes)>& take) {
  grpc::ClientContext context;
  Call call(this, &context, kBlobTimeout);
  v1::GetBlobRequest request;
  request.set_sha256(sha256);
  const auto reader = blobs_->GetBlob(&context, request);
  Sha256 digest;
  absl::Status taken;
  v1::GetBlobResponse piece;
  while (taken.ok() && reader->Read(&piece)) {
    digest.Update(piece.data().data(), piece.data().size());
    taken = take(piece.data());
  }
  if (!taken.ok()) context.TryCancel();
  const grpc::Status status = reader->Finish();
  if (!taken.ok()) return taken;
  if (!status.ok()) return FromGrpcStatus(status);
  if (const std::string got = digest.FinishHex(); got != sha256) {
    return absl::DataLossError(absl::StrCat("blob ", sha256, ": its bytes have SHA-256 ", got));
  }
  return absl::OkStatus();
}

void CoordinatorClient::Shutdown() {
  MutexLock lock(&mutex_);
  shut_down_ = true;
  for (grpc::ClientContext* context : calls_) context->TryCancel();
}

}  // namespace sweep

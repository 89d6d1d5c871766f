#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "sweep/v1/blobs.grpc.pb.h"
#include "sweep/v1/sweeps.grpc.pb.h"
#include "sweep/v1/workers.grpc.pb.h"
#include "worker/agent/artifact_file.h"

namespace sweep {

// True if the same call may succeed later: the coordinator is away, busy or starting.
bool IsRetryable(const absl::Status& status);
// True if the coordinator says that this worker does not hold the lease any more.
bool IsStaleLease(const absl::Status& status);

struct StoredBlob {
  std::string sha256;
  std::int64_t size_bytes = 0;
};

struct SynchronizeWait {
  absl::Duration timeout;
  bool for_connection = true;  // false: fails at once, with the reason, when there is none
};

// Blocking calls to the coordinator, each with a deadline. Thread-safe. After Shutdown every
// running or new call returns Cancelled, which ends the threads that make them.
class CoordinatorClient {
 public:
  explicit CoordinatorClient(const std::shared_ptr<grpc::Channel>& channel);

  // The caller owns the context, so that it can cancel a parked call.
  absl::Status Synchronize(grpc::ClientContext* context, const SynchronizeWait& wait,
                           const v1::SynchronizeRequest& request,
                           v1::SynchronizeResponse* response);
  absl::Status ReportEpochs(const v1::ReportEpochsRequest& request);
  absl::Status ReportProgress(const v1::ReportProgressRequest& request);
  absl::Status FinishLease(const v1::FinishLeaseRequest& request);
  // Returns the reason of a refusal, or "" if the data was accepted. Unimplemented by a coordinator
  // that is older than this call.
  absl::StatusOr<std::string> ReportData(const v1::ReportDataRequest& request);
  // Unimplemented by a coordinator that is older than this call.
  absl::Status AppendLogs(const v1::AppendLogsRequest& request);
  // Includes the sweep's source. `name` is "sweeps/{sweep}".
  absl::StatusOr<v1::Sweep> GetSweep(const std::string& name);
  // Stores a file, which is read once, at the start. Errors of ArtifactFile::Read.
  absl::StatusOr<StoredBlob> PutBlob(const ArtifactFile& file);
  // Writes the blob to `path`. DataLoss when the bytes do not have that digest.
  absl::Status GetBlob(const std::string& sha256, const std::string& path);
  // Hands the blob's bytes to `take` as they come, whose error ends the call. DataLoss, after the
  // last bytes, when they do not have that digest.
  absl::Status GetBlob(const std::string& sha256,
                       const std::function<absl::Status(std::string_view bytes)>& take);

  void Shutdown();

 private:
  class Call;

  std::unique_ptr<v1::WorkerService::Stub> workers_;
  std::unique_ptr<v1::BlobService::Stub> blobs_;
  std::unique_ptr<v1::SweepService::Stub> sweeps_;
  Mutex mutex_;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<grpc::ClientContext*> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep

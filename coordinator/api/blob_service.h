#pragma once

#include "coordinator/api/work_pool.h"
#include "coordinator/store/blob_store.h"
#include "coordinator/store/store.h"
#include "sweep/v1/blobs.grpc.pb.h"

namespace sweep {

// Implements blobs.proto over the blob store. Handles one piece at a time, at the client's pace.
// Thread-safe.
class BlobService final : public v1::BlobService::CallbackService {
 public:
  // `files` runs the file operations.
  BlobService(Store* store, BlobStore* blobs, WorkPool* files)
      : store_(store), blobs_(blobs), files_(files) {}

  grpc::ServerReadReactor<v1::PutBlobRequest>* PutBlob(grpc::CallbackServerContext* context,
                                                       v1::PutBlobResponse* response) override;
  grpc::ServerWriteReactor<v1::GetBlobResponse>* GetBlob(
      grpc::CallbackServerContext* context, const v1::GetBlobRequest* request) override;
  grpc::ServerUnaryReactor* FindMissingBlobs(grpc::CallbackServerContext* context,
                                             const v1::FindMissingBlobsRequest* request,
                                             v1::FindMissingBlobsResponse* response) override;

 private:
  Store* const store_;
  BlobStore* const blobs_;
  WorkPool* const files_;
};

}  // namespace sweep

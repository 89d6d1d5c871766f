#include "coordinator/api/blob_service.h"

#include <memory>
#include <string>
#include <utility>

#include "common/base/sha256.h"
#include "coordinator/api/convert.h"
#include "coordinator/api/reactors.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxPieceBytes = 1 << 20;
constexpr std::int64_t kSentPieceBytes = 256 << 10;

// Takes one blob in. Until it finishes either a read is under way, so that a client that goes away
// ends it through OnReadDone, or what was read is dealt with on a thread of `files`.
class PutBlobReactor final : public grpc::ServerReadReactor<v1::PutBlobRequest> {
 public:
  PutBlobReactor(Store* store, BlobStore* blobs, WorkPool* files,
                 grpc::CallbackServerContext* context, v1::PutBlobResponse* response)
      : store_(store), blobs_(blobs), files_(files), context_(context), response_(response) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!files_->Submit([this, ok] { Handle(ok); })) End(TooManyWaiting(*files_));
  }

  void OnDone() override { delete this; }

 private:
  void End(const absl::Status& status) {
    writer_.reset();  // leaves nothing behind unless it was committed
    Finish(Outgoing(context_, status));
  }

  void Handle(bool ok) {
    const absl::Status status = ok ? Take() : Complete();
    if (!status.ok()) {
      End(status);
    } else if (ok) {
      StartRead(&request_);
    } else {
      Record();
    }
  }

  absl::Status Open() {
    sha256_ = request_.sha256();
    size_bytes_ = request_.size_bytes();
    if (!IsSha256Hex(sha256_)) {
      return absl::InvalidArgumentError(fmt::format(
          "blob '{}': its name is a SHA-256 (64 hexadecimal digits)", CutText(sha256_, 80)));
    }
    if (size_bytes_ < 0 || size_bytes_ > BlobStore::kMaxSizeBytes) {
      return absl::InvalidArgumentError(fmt::format("blob {}: {} bytes; 0 to {} are possible",
                                                    sha256_, size_bytes_,
                                                    BlobStore::kMaxSizeBytes));
    }
    opened_ = true;
    // What comes of one that is there is read and dropped.
    existed_ = blobs_->Has(sha256_);
    if (existed_) return absl::OkStatus();
    absl::StatusOr<std::unique_ptr<BlobStore::Writer>> writer = blobs_->Put(sha256_, size_bytes_);
    if (writer.ok()) writer_ = *std::move(writer);
    return writer.status();
  }

  absl::Status Take() {
    if (!opened_) {
      if (absl::Status opened = Open(); !opened.ok()) return opened;
    }
    if (request_.data().size() > kMaxPieceBytes) {
      return absl::InvalidArgumentError(fmt::format("blob {}: a piece of {} bytes; at most {}",
                                                    sha256_, request_.data().size(),
                                                    kMaxPieceBytes));
    }
    return writer_ == nullptr ? absl::OkStatus() : writer_->Append(request_.data());
  }

  absl::Status Complete() {
    if (!opened_) return absl::InvalidArgumentError("PutBlob: the first message is missing");
    return writer_ == nullptr ? absl::OkStatus() : writer_->Commit();
  }

  // The file is durable; now the row that says so.
  void Record() {
    if (existed_) {
      const absl::StatusOr<std::int64_t> size = blobs_->Size(sha256_);
      if (!size.ok()) return End(size.status());
      size_bytes_ = *size;
    }
    store_->Write([sha256 = sha256_, size = size_bytes_](
                      WriteTransaction& transaction) { return transaction.AddBlob(sha256, size); },
                  [this](const absl::Status& status) {
                    response_->set_existed(existed_);
                    End(status);
                  });
  }

  Store* const store_;
  BlobStore* const blobs_;
  WorkPool* const files_;
  grpc::CallbackServerContext* const context_;
  v1::PutBlobResponse* const response_;
  v1::PutBlobRequest request_;
  std::string sha256_;
  std::int64_t size_bytes_ = 0;
  bool opened_ = false;
  bool existed_ = false;
  std::unique_ptr<BlobStore::Writer> writer_;
};

using GetStream = grpc::ServerWriteReactor<v1::GetBlobResponse>;

// Sends one blob. A write is always under way until it finishes.
class GetBlobReactor final : public GetStream {
 public:
  GetBlobReactor(const BlobStore* blobs, WorkPool* files, grpc::CallbackServerContext* context,
                 std::string sha256, std::int64_t size_bytes)
      : blobs_(blobs),
        files_(files),
        context_(context),
        sha256_(std::move(sha256)),
        size_bytes_(size_bytes) {
    response_.set_size_bytes(size_bytes);
    SendLater();
  }

  void OnWriteDone(bool ok) override {
    response_.clear_size_bytes();
    if (!ok) return Finish(grpc::Status::CANCELLED);
    if (offset_ == size_bytes_) return Finish(grpc::Status::OK);
    SendLater();
  }

  void OnDone() override { delete this; }

 private:
  void SendLater() {
    if (!files_->Submit([this] { Send(); })) Finish(Outgoing(context_, TooManyWaiting(*files_)));
  }

  void Send() {
    absl::StatusOr<std::string> piece = blobs_->Read(sha256_, offset_, kSentPieceBytes);
    if (piece.ok() && piece->empty() && offset_ < size_bytes_) {
      piece = absl::DataLossError(
          fmt::format("blob {} ends after {} of {} bytes", sha256_, offset_, size_bytes_));
    }
    if (!piece.ok()) return Finish(Outgoing(context_, piece.status()));
    offset_ += static_cast<std::int64_t>(piece->size());
    response_.set_data(*std::move(piece));
    StartWrite(&response_);
  }

  const BlobStore* const blobs_;
  WorkPool* const files_;
  grpc::CallbackServerContext* const context_;
  const std::string sha256_;
  const std::int64_t size_bytes_;
  std::int64_t offset_ = 0;
  v1::GetBlobResponse response_;
};

}  // namespace

grpc::ServerReadReactor<v1::PutBlobRequest>* BlobService::PutBlob(
    grpc::CallbackServerContext* context, v1::PutBlobResponse* response) {
  return new PutBlobReactor(store_, blobs_, files_, context, response);
}

grpc::ServerWriteReactor<v1::GetBlobResponse>* BlobService::GetBlob(
    grpc::CallbackServerContext* context, const v1::GetBlobRequest* request) {
  if (!IsSha256Hex(request->sha256())) {
    return new RefusedStream<GetStream>(
        context, absl::InvalidArgumentError(
                     fmt::format("blob '{}': its name is a SHA-256 (64 hexadecimal digits)",
                                 CutText(request->sha256(), 80))));
  }
  const absl::StatusOr<std::int64_t> size = blobs_->Size(request->sha256());
  if (!size.ok()) return new RefusedStream<GetStream>(context, size.status());
  return new GetBlobReactor(blobs_, files_, context, request->sha256(), *size);
}

}  // namespace sweep

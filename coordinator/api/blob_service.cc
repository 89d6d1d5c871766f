#include "coordinator/api/blob_service.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/sha256.h"
#include "coordinator/api/convert.h"
#include "coordinator/api/reactors.h"
#include "coordinator/store/blob_collector.h"
#include "coordinator/store/queries.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxPieceBytes = 1 << 20;
constexpr std::int64_t kSentPieceBytes = 256 << 10;
constexpr int kMaxSoughtBlobs = 1000;

// Receives one blob. Until it finishes, either a read is pending, so that OnReadDone notices a
// client that leaves, or a thread of `files` handles the received piece.
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
    writer_.reset();  // removes the file unless it was committed
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
    // Held from before the check until the row is committed; see BlobCollector.
    hold_ = blobs_->HoldBlob(sha256_);
    // The pieces of an existing blob are read and dropped.
    existed_ = blobs_->Has(sha256_);
    if (existed_) return blobs_->Confirm(sha256_);
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

  // The file is durable; adds its row.
  void Record() {
    if (existed_) {
      const absl::StatusOr<std::int64_t> size = blobs_->Size(sha256_);
      if (absl::IsNotFound(size.status())) {
        return End(absl::UnavailableError(
            fmt::format("blob {} was found damaged meanwhile; send it again", sha256_)));
      }
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
  std::unique_ptr<BlobStore::Hold> hold_;
  std::unique_ptr<BlobStore::Writer> writer_;
};

using GetStream = grpc::ServerWriteReactor<v1::GetBlobResponse>;

// Sends one blob and verifies it: the last piece is sent only if the whole content matches its
// name. Until it finishes, either a write is pending or a thread of `files` reads the next piece.
class GetBlobReactor final : public GetStream {
 public:
  GetBlobReactor(Store* store, BlobStore* blobs, WorkPool* files,
                 grpc::CallbackServerContext* context, std::string sha256)
      : store_(store), blobs_(blobs), files_(files), context_(context), sha256_(std::move(sha256)) {
    SendLater();
  }

  void OnWriteDone(bool ok) override {
    response_.clear_size_bytes();
    if (!ok) return Finish(grpc::Status::CANCELLED);
    if (sent_bytes_ == reader_->size_bytes()) return Finish(grpc::Status::OK);
    SendLater();
  }

  void OnDone() override { delete this; }

 private:
  void SendLater() {
    if (!files_->Submit([this] { Send(); })) Finish(Outgoing(context_, TooManyWaiting(*files_)));
  }

  void Send() {
    absl::StatusOr<std::string> piece = Next();
    if (!piece.ok()) return Finish(Outgoing(context_, piece.status()));
    sent_bytes_ += static_cast<std::int64_t>(piece->size());
    response_.set_data(*std::move(piece));
    StartWrite(&response_);
  }

  absl::StatusOr<std::string> Next() {
    if (reader_ == nullptr) {
      absl::StatusOr<std::unique_ptr<BlobStore::Reader>> reader = blobs_->Read(sha256_);
      if (!reader.ok()) return OpenError(reader.status());
      reader_ = *std::move(reader);
      response_.set_size_bytes(reader_->size_bytes());
    }
    absl::StatusOr<std::string> piece = reader_->Next(kSentPieceBytes);
    if (absl::IsDataLoss(piece.status())) GiveUpBlob(store_, blobs_, sha256_, piece.status());
    return piece;
  }

  // A blob with a row but no file is lost; forgets it, so that it is not requested again.
  absl::Status OpenError(const absl::Status& status) {
    if (!absl::IsNotFound(status)) return status;
    const absl::StatusOr<std::optional<std::int64_t>> known = store_->Read(FindBlobSize, sha256_);
    if (!known.ok() || !known->has_value()) return status;
    const absl::Status lost =
        absl::DataLossError(fmt::format("the file of blob {} is gone", sha256_));
    GiveUpBlob(store_, blobs_, sha256_, lost);
    return lost;
  }

  Store* const store_;
  BlobStore* const blobs_;
  WorkPool* const files_;
  grpc::CallbackServerContext* const context_;
  const std::string sha256_;
  std::unique_ptr<BlobStore::Reader> reader_;
  std::int64_t sent_bytes_ = 0;
  v1::GetBlobResponse response_;
};

absl::Status CheckSought(const v1::FindMissingBlobsRequest& request) {
  if (request.sha256_size() > kMaxSoughtBlobs) {
    return absl::InvalidArgumentError(
        fmt::format("{} blobs; at most {} are possible", request.sha256_size(), kMaxSoughtBlobs));
  }
  for (const std::string& sha256 : request.sha256()) {
    if (IsSha256Hex(sha256)) continue;
    return absl::InvalidArgumentError(fmt::format(
        "blob '{}': its name is a SHA-256 (64 hexadecimal digits)", CutText(sha256, 80)));
  }
  return absl::OkStatus();
}

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
  return new GetBlobReactor(store_, blobs_, files_, context, request->sha256());
}

grpc::ServerUnaryReactor* BlobService::FindMissingBlobs(grpc::CallbackServerContext* context,
                                                        const v1::FindMissingBlobsRequest* request,
                                                        v1::FindMissingBlobsResponse* response) {
  if (absl::Status good = CheckSought(*request); !good.ok()) {
    return Respond(context, [&] { return good; });
  }
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const bool queued = files_->Submit([=, this] {
    // A blob is there when it has both a file and a row. The file is looked for first: the
    // collector removes no file of a blob whose row is touched afterwards.
    std::vector<std::string> with_file;
    for (const std::string& sha256 : request->sha256()) {
      if (blobs_->Has(sha256)) with_file.push_back(sha256);
    }
    auto missing = std::make_shared<std::set<std::string>>(  // shared by write and completion
        request->sha256().begin(), request->sha256().end());
    store_->Write(
        [missing, with_file](WriteTransaction& transaction) {
          const auto without_row = transaction.TouchBlobs(with_file);
          if (!without_row.ok()) return without_row.status();
          for (const std::string& sha256 : with_file) missing->erase(sha256);
          missing->insert(without_row->begin(), without_row->end());
          return absl::OkStatus();
        },
        [=](const absl::Status& status) {
          for (const std::string& sha256 : request->sha256()) {
            if (missing->contains(sha256)) response->add_missing_sha256(sha256);
          }
          reactor->Finish(Outgoing(context, status));
        });
  });
  if (!queued) reactor->Finish(Outgoing(context, TooManyWaiting(*files_)));
  return reactor;
}

}  // namespace sweep

#include "cli/connection.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "coordinator/api/server.h"
#include "coordinator/store/store.h"
#include "proto/grpc_status.h"
#include "proto/names.h"

namespace sweep::cli {
namespace {

constexpr char kDefaultAddress[] = "127.0.0.1:7077";

}  // namespace

Connection::Connection() = default;

Connection::~Connection() {
  // Stubs first: the embedded server waits for its calls to end.
  sweeps_.reset();
  trials_.reset();
  workers_.reset();
  blobs_.reset();
  if (server_ != nullptr) server_->Shutdown();
}

void Connection::UseChannel(std::shared_ptr<grpc::Channel> channel, const std::string& address) {
  address_ = address;
  channel_ = std::move(channel);
  sweeps_ = sweep::v1::SweepService::NewStub(channel_);
  trials_ = sweep::v1::TrialService::NewStub(channel_);
  workers_ = sweep::v1::WorkerService::NewStub(channel_);
  blobs_ = sweep::v1::BlobService::NewStub(channel_);
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::To(const std::string& address,
                                                           absl::Duration patience) {
  std::shared_ptr<grpc::Channel> channel = MakeChannel(address);
  if (!channel->WaitForConnected(absl::ToChronoTime(absl::Now() + patience))) {
    return absl::UnavailableError(absl::StrCat(
        "no coordinator answers at ", address,
        " (start one with sweep-coordinator, or name another with --coordinator HOST:PORT)"));
  }
  std::unique_ptr<Connection> connection(new Connection);
  connection->UseChannel(std::move(channel), address);
  return connection;
}

absl::Status Connection::Reconnect(absl::Duration patience) {
  if (!holder_of_.empty()) {
    const absl::StatusOr<std::string> holder = Store::FindHolder(holder_of_);
    if (holder.ok() && *holder != address_) UseChannel(MakeChannel(*holder), *holder);
  }
  // gRPC waits longer and longer between its own attempts.
  grpc::experimental::ChannelResetConnectionBackoff(channel_.get());
  if (channel_->WaitForConnected(absl::ToChronoTime(absl::Now() + patience)))
    return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("the coordinator at ", address_, " does not answer"));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  if (!options.coordinator.empty()) return To(options.coordinator, options.patience);
  std::error_code error;
  if (!std::filesystem::exists(options.database, error)) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = To(kDefaultAddress, options.patience);
    if (connection.ok()) return connection;
    return absl::UnavailableError(absl::StrCat(connection.status().message(), "; and there is no ",
                                               options.database, " here to read"));
  }
  const absl::StatusOr<std::string> holder = Store::FindHolder(options.database);
  if (holder.ok()) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = To(*holder, options.patience);
    if (connection.ok()) (*connection)->holder_of_ = options.database;
    return connection;
  }
  if (!absl::IsNotFound(holder.status())) return holder.status();
  if (!options.allow_embedded) return To(kDefaultAddress, options.patience);

  absl::StatusOr<std::unique_ptr<CoordinatorServer>> server =
      CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = options.database});
  if (!server.ok()) return server.status();
  absl::StatusOr<std::unique_ptr<Connection>> connection = To((*server)->address());
  if (!connection.ok()) return connection.status();
  (*connection)->server_ = *std::move(server);
  return connection;
}

}  // namespace sweep::cli

#include "cli/connection.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <filesystem>

#include "absl/strings/str_cat.h"
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

absl::StatusOr<std::unique_ptr<Connection>> Connection::To(const std::string& address) {
  std::shared_ptr<grpc::Channel> channel = MakeChannel(address);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::milliseconds(4500))) {
    return absl::UnavailableError(absl::StrCat(
        "no coordinator answers at ", address,
        " (start one with sweep-coordinator, or name another with --coordinator HOST:PORT)"));
  }
  std::unique_ptr<Connection> connection(new Connection);
  connection->address_ = address;
  connection->sweeps_ = sweep::v1::SweepService::NewStub(channel);
  connection->trials_ = sweep::v1::TrialService::NewStub(channel);
  connection->workers_ = sweep::v1::WorkerService::NewStub(channel);
  connection->blobs_ = sweep::v1::BlobService::NewStub(channel);
  return connection;
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  if (!options.coordinator.empty()) return To(options.coordinator);
  std::error_code error;
  if (!std::filesystem::exists(options.database, error)) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = To(kDefaultAddress);
    if (connection.ok()) return connection;
    return absl::UnavailableError(absl::StrCat(connection.status().message(), "; and there is no ",
                                               options.database, " here to read"));
  }
  const absl::StatusOr<std::string> holder = Store::FindHolder(options.database);
  if (holder.ok()) return To(*holder);
  if (!absl::IsNotFound(holder.status())) return holder.status();
  if (!options.allow_embedded) return To(kDefaultAddress);

  absl::StatusOr<std::unique_ptr<CoordinatorServer>> server =
      CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = options.database});
  if (!server.ok()) return server.status();
  absl::StatusOr<std::unique_ptr<Connection>> connection = To((*server)->address());
  if (!connection.ok()) return connection.status();
  (*connection)->server_ = *std::move(server);
  return connection;
}

}  // namespace sweep::cli

#include "cli/connection.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/stubs.h"
#include "coordinator/api/server.h"
#include "coordinator/store/store_files.h"
#include "proto/grpc_status.h"
#include "proto/names.h"

namespace sweep::cli {
namespace {

constexpr char kDefaultAddress[] = "127.0.0.1:7077";
constexpr absl::Duration kBetweenLooks = absl::Milliseconds(20);

constexpr int kTries = 3;
constexpr absl::Duration kConnectLook = absl::Milliseconds(500);

absl::Status Unreachable(const std::string& address) {
  return absl::UnavailableError(absl::StrCat(
      "no coordinator answers at ", address,
      " (start one with sweep-coordinator, or name another with --coordinator HOST:PORT)"));
}

// The address of the process that holds the database; NotFound when none does. A starting process
// holds the database briefly before it has an address.
absl::StatusOr<std::string> WaitForHolder(const std::string& database, absl::Duration patience) {
  const absl::Time until = absl::Now() + patience;
  absl::StatusOr<std::string> holder = StoreFiles::FindHolder(database);
  while (absl::IsUnavailable(holder.status()) && absl::Now() < until) {
    absl::SleepFor(kBetweenLooks);
    holder = StoreFiles::FindHolder(database);
  }
  return holder;
}

}  // namespace

Connection::Connection() = default;

Connection::~Connection() {
  stubs_.reset();  // first: the embedded server waits for its calls
  if (server_ != nullptr) server_->Shutdown();
}

void Connection::Use(const std::string& address) {
  address_ = address;
  stubs_ = std::make_unique<Stubs>(MakeChannel(address));
}

bool Connection::WaitUntil(absl::Time time) const {
  return stubs_->channel->WaitForConnected(absl::ToChronoTime(time));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::To(const std::string& address,
                                                           absl::Duration patience) {
  std::unique_ptr<Connection> connection(new Connection);
  connection->Use(address);
  if (!connection->WaitUntil(absl::Now() + patience)) return Unreachable(address);
  return connection;
}

absl::Status Connection::Reconnect(absl::Duration patience) {
  if (!holder_of_.empty()) {
    const absl::StatusOr<std::string> holder = StoreFiles::FindHolder(holder_of_);
    if (holder.ok() && *holder != address_) Use(*holder);
  }
  // Resets gRPC's growing delay between attempts.
  grpc::experimental::ChannelResetConnectionBackoff(stubs_->channel.get());
  if (WaitUntil(absl::Now() + patience)) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("the coordinator at ", address_, " does not answer"));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  if (!options.coordinator.empty()) return To(options.coordinator, options.patience);
  // An invalid name is refused even when a coordinator would answer elsewhere.
  const absl::StatusOr<std::string> found = StoreFiles::FindHolder(options.database);
  if (absl::IsInvalidArgument(found.status())) return found.status();
  std::error_code error;
  if (!std::filesystem::exists(options.database, error)) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = To(kDefaultAddress, options.patience);
    if (connection.ok()) return connection;
    return absl::UnavailableError(absl::StrCat(connection.status().message(), "; and there is no ",
                                               options.database, " here to read"));
  }
  absl::Status status = absl::UnknownError("not tried");
  int times_free = 0;
  // Commands that start together may meet each other's short-lived coordinators.
  for (const absl::Time until = absl::Now() + options.patience;; absl::SleepFor(kBetweenLooks)) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = ToHolder(options);
    if (!absl::IsNotFound(connection.status())) return connection;
    if (!options.allow_embedded) return To(kDefaultAddress, options.patience);
    connection = std::unique_ptr<Connection>(new Connection);
    status = (*connection)->Embed(options.database);
    if (status.ok()) return connection;
    if (!absl::IsFailedPrecondition(status) || absl::Now() > until) return status;
    // Without a holder the refusal concerns the file itself, unless its holder just left.
    const bool is_free = absl::IsNotFound(StoreFiles::FindHolder(options.database).status());
    if (is_free && ++times_free == kTries) return status;
  }
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::ToHolder(const ConnectionOptions& options) {
  absl::StatusOr<std::string> holder = WaitForHolder(options.database, options.patience);
  if (!holder.ok()) return holder.status();
  const absl::Time until = absl::Now() + options.patience;
  std::unique_ptr<Connection> connection(new Connection);
  connection->holder_of_ = options.database;
  connection->may_embed_ = options.allow_embedded;
  connection->Use(*holder);
  while (!connection->WaitUntil(absl::Now() + kConnectLook)) {
    if (absl::Now() > until) return Unreachable(connection->address_);
    holder = StoreFiles::FindHolder(options.database);
    if (absl::IsNotFound(holder.status())) return holder.status();
    if (holder.ok() && *holder != connection->address_) connection->Use(*holder);
  }
  return connection;
}

absl::Status Connection::Embed(const std::string& database) {
  absl::StatusOr<std::unique_ptr<CoordinatorServer>> server =
      CoordinatorServer::Start({.listen = "127.0.0.1:0",
                                .database = database,
                                .momentary = true,
                                .patience = absl::ZeroDuration()});
  if (!server.ok()) return server.status();
  Use((*server)->address());
  server_ = *std::move(server);
  holder_of_.clear();
  return absl::OkStatus();
}

void Connection::FollowDatabase() {
  if (holder_of_.empty()) return;
  const absl::StatusOr<std::string> holder = StoreFiles::FindHolder(holder_of_);
  if (holder.ok() && *holder != address_) Use(*holder);
  if (absl::IsNotFound(holder.status()) && may_embed_) Embed(std::string(holder_of_)).IgnoreError();
}

}  // namespace sweep::cli

#include "cli/connection.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/stubs.h"
#include "coordinator/api/server.h"
#include "coordinator/store/store_files.h"
#include "proto/secure_channel.h"

namespace sweep::cli {
namespace {

constexpr char kDefaultAddress[] = "127.0.0.1:7077";
constexpr absl::Duration kBetweenLooks = absl::Milliseconds(20);

constexpr int kTries = 3;
constexpr absl::Duration kConnectLook = absl::Milliseconds(500);

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

absl::Status Connection::Use(const std::string& address, const ChannelSecurity& security) {
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = MakeChannel(address, security);
  if (!channel.ok()) return channel.status();
  address_ = address;
  has_tls_ = security.UsesTls();
  stubs_ = std::make_unique<Stubs>(*std::move(channel));
  return absl::OkStatus();
}

absl::Status Connection::UsePublished(const std::string& address) {
  published_ = address;
  // No token: whoever made this database file could be anybody.
  if (!address.starts_with(kTlsScheme)) return Use(address, {});
  const std::string place = address.substr(sizeof(kTlsScheme) - 1);
  if (!security_.UsesTls()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the coordinator at ", place,
                     " speaks TLS: --tls-ca FILE (SWEEP_TLS_CA, or "
                     "`sweep config set tls_ca FILE`) names its authority's certificate"));
  }
  return Use(place, security_);
}

absl::Status Connection::Unreachable() const {
  constexpr char kAdvice[] =
      "start one with sweep-coordinator, or name another with --coordinator HOST:PORT";
  if (!has_tls_) {
    return absl::UnavailableError(absl::StrCat("no coordinator answers at ", address_, " (",
                                               kAdvice, "; one with TLS needs --tls-ca FILE)"));
  }
  const std::string reason = WhyUnreachable(stubs_->channel);
  return absl::UnavailableError(absl::StrCat("no coordinator answers at ", address_, " with TLS",
                                             reason.empty() ? "" : ": ", reason, " (", kAdvice,
                                             ")"));
}

bool Connection::WaitUntil(absl::Time time) const {
  return stubs_->channel->WaitForConnected(absl::ToChronoTime(time));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::To(const std::string& address,
                                                           absl::Duration patience,
                                                           const ChannelSecurity& security) {
  std::unique_ptr<Connection> connection(new Connection);
  connection->security_ = security;
  if (absl::Status used = connection->Use(address, security); !used.ok()) return used;
  if (!connection->WaitUntil(absl::Now() + patience)) return connection->Unreachable();
  return connection;
}

absl::Status Connection::Reconnect(absl::Duration patience) {
  if (!holder_of_.empty()) {
    const absl::StatusOr<std::string> holder = StoreFiles::FindHolder(holder_of_);
    if (holder.ok() && *holder != published_) {
      if (absl::Status used = UsePublished(*holder); !used.ok()) return used;
    }
  }
  // Resets gRPC's growing delay between attempts.
  grpc::experimental::ChannelResetConnectionBackoff(stubs_->channel.get());
  if (WaitUntil(absl::Now() + patience)) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("the coordinator at ", address_, " does not answer"));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  if (!options.coordinator.empty()) {
    return To(options.coordinator, options.patience, options.security);
  }
  // An invalid name is refused even when a coordinator would answer elsewhere.
  const absl::StatusOr<std::string> found = StoreFiles::FindHolder(options.database);
  if (absl::IsInvalidArgument(found.status())) return found.status();
  std::error_code error;
  if (!std::filesystem::exists(options.database, error)) {
    absl::StatusOr<std::unique_ptr<Connection>> connection =
        To(kDefaultAddress, options.patience, options.security);
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
    if (!options.allow_embedded) {
      return To(kDefaultAddress, options.patience, options.security);
    }
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
  connection->security_ = options.security;
  if (absl::Status used = connection->UsePublished(*holder); !used.ok()) return used;
  while (!connection->WaitUntil(absl::Now() + kConnectLook)) {
    if (absl::Now() > until) return connection->Unreachable();
    holder = StoreFiles::FindHolder(options.database);
    if (absl::IsNotFound(holder.status())) return holder.status();
    if (holder.ok() && *holder != connection->published_) {
      if (absl::Status used = connection->UsePublished(*holder); !used.ok()) return used;
    }
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
  if (absl::Status used = UsePublished((*server)->address()); !used.ok()) return used;
  server_ = *std::move(server);
  holder_of_.clear();
  return absl::OkStatus();
}

void Connection::FollowDatabase() {
  if (holder_of_.empty()) return;
  const absl::StatusOr<std::string> holder = StoreFiles::FindHolder(holder_of_);
  if (holder.ok() && *holder != published_) UsePublished(*holder).IgnoreError();
  if (absl::IsNotFound(holder.status()) && may_embed_) Embed(std::string(holder_of_)).IgnoreError();
}

}  // namespace sweep::cli

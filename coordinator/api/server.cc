#include "coordinator/api/server.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <random>
#include <utility>

#include "coordinator/api/blob_service.h"
#include "coordinator/api/call_meter.h"
#include "coordinator/api/caller_service.h"
#include "coordinator/api/security_check.h"
#include "coordinator/api/server_credentials.h"
#include "coordinator/api/sweep_service.h"
#include "coordinator/api/time_left_gauge.h"
#include "coordinator/api/trial_service.h"
#include "coordinator/api/view_service.h"
#include "coordinator/api/watch.h"
#include "coordinator/api/work_pool.h"
#include "coordinator/api/worker_service.h"
#include "coordinator/http/http_server.h"
#include "coordinator/http/listen_address.h"
#include "coordinator/metrics/metrics.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/security/access_gate.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/blob_collector.h"
#include "coordinator/store/blob_store.h"
#include "coordinator/store/store.h"
#include "coordinator/views/views.h"
#include "fmt/format.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/grpcpp.h"
#include "proto/channel_security.h"
#include "proto/grpc_status.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// Calls still open after this are cancelled, so that the whole shutdown takes under 2 s.
constexpr auto kShutdownGrace = std::chrono::milliseconds(800);

// Open calls of one connection from another machine. A worker has a few, a client fewer; a gRPC
// client keeps further ones until there is room.
constexpr int kMaxStreamsFromElsewhere = 256;

// Queries, files of blobs, and parsing of sweep files. Each has its own threads, so that none waits
// for another: checking a large search space takes seconds.
constexpr WorkPool::Options kReads = {.name = "reads", .threads = 4, .max_queued = 256};
constexpr WorkPool::Options kFiles = {.name = "files", .threads = 2, .max_queued = 256};
constexpr WorkPool::Options kParsing = {.name = "parsing", .threads = 2, .max_queued = 64};
// One thread, because a model may think for long and sweeps that run are to get the processors.
constexpr WorkPool::Options kSearches = {.name = "searches", .threads = 1, .max_queued = 16};

class CoordinatorServerImpl final : public CoordinatorServer {
 public:
  ~CoordinatorServerImpl() override { CoordinatorServerImpl::Shutdown(); }

  // Reads certificates and tokens. Before Open, so that a refusal leaves no database behind.
  absl::Status Secure(const ServerOptions& options) {
    security_ = options.security;
    if (!security_.tokens.empty()) {
      absl::StatusOr<std::unique_ptr<TokenTable>> tokens = TokenTable::Open(security_.tokens);
      if (!tokens.ok()) return tokens.status();
      gate_ = std::make_shared<AccessGate>(*std::move(tokens), options.clock,
                                           security_.calls_per_second);
    }
    auto credentials = MakeServerCredentials(security_, gate_, options.clock);
    if (!credentials.ok()) return credentials.status();
    credentials_ = *std::move(credentials);
    return absl::OkStatus();
  }

  absl::Status Open(const ServerOptions& options) {
    clock_ = options.clock;
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = options.database,
                     .clock = options.clock,
                     .momentary = options.momentary,
                     .patience = options.patience,
                     .on_batch = [this](const BatchReport& batch) { metrics_->OnBatch(batch); }});
    if (!store.ok()) return store.status();
    store_ = *std::move(store);
    absl::StatusOr<std::unique_ptr<BlobStore>> blobs =
        BlobStore::Open(store_->files().BlobFolder());
    if (!blobs.ok()) return blobs.status();
    blobs_ = *std::move(blobs);
    specs_ = std::make_unique<SpecCache>(store_.get());
    absl::StatusOr<std::unique_ptr<Scheduler>> scheduler =
        Scheduler::Start({.store = store_.get(),
                          .specs = specs_.get(),
                          .clock = options.clock,
                          .lease_term = options.lease_term,
                          .poll_time = std::min(options.poll_time, options.lease_term / 3),
                          .worker_builds = options.worker_builds,
                          .jitter_seed = std::random_device()(),
                          .embedded_worker = options.embedded_worker,
                          .make_rule = options.make_rule ? options.make_rule : StoppingRule::Make});
    if (!scheduler.ok()) return scheduler.status();
    scheduler_ = *std::move(scheduler);
    collector_ = std::make_unique<BlobCollector>(store_.get(), blobs_.get(), options.clock,
                                                 BlobCollector::Options{});
    time_left_ = std::make_unique<TimeLeft>(store_.get(), scheduler_.get(), options.clock);
    watches_ =
        std::make_unique<WatchHub>(store_.get(), scheduler_.get(), specs_.get(), time_left_.get());
    views_ = Views::Make({.store = store_.get(),
                          .scheduler = scheduler_.get(),
                          .blobs = blobs_.get(),
                          .specs = specs_.get(),
                          .time_left = time_left_.get(),
                          .clock = options.clock,
                          .database = options.database,
                          .version = SWEEP_VERSION});
    MakePools();
    return absl::OkStatus();
  }

  // Before anything is served: the dashboard's /metrics reads them, too.
  void MakePools() {
    reads_ = std::make_unique<WorkPool>(kReads);
    files_ = std::make_unique<WorkPool>(kFiles);
    parsing_ = std::make_unique<WorkPool>(kParsing);
    searches_ = std::make_unique<WorkPool>(kSearches);
    time_left_gauge_ =
        std::make_unique<TimeLeftGauge>(TimeLeftGauge::Parts{.store = store_.get(),
                                                             .specs = specs_.get(),
                                                             .time_left = time_left_.get(),
                                                             .pool = reads_.get()});
  }

  absl::Status Listen(ListenAddress address) {
    sweeps_ = std::make_unique<SweepService>(SweepService::Parts{.store = store_.get(),
                                                                 .blobs = blobs_.get(),
                                                                 .scheduler = scheduler_.get(),
                                                                 .specs = specs_.get(),
                                                                 .time_left = time_left_.get(),
                                                                 .watches = watches_.get(),
                                                                 .reads = reads_.get(),
                                                                 .parsing = parsing_.get(),
                                                                 .searches = searches_.get()});
    trials_ = std::make_unique<TrialService>(TrialService::Parts{.store = store_.get(),
                                                                 .scheduler = scheduler_.get(),
                                                                 .specs = specs_.get(),
                                                                 .reads = reads_.get(),
                                                                 .parsing = parsing_.get()});
    workers_ = std::make_unique<WorkerService>(scheduler_.get(), reads_.get());
    callers_ = std::make_unique<CallerService>(scheduler_.get(), specs_.get(), parsing_.get());
    blob_service_ = std::make_unique<BlobService>(store_.get(), blobs_.get(), files_.get());
    view_service_ = std::make_unique<ViewService>(views_.get(), reads_.get());
    grpc::ServerBuilder builder;
    SetArguments(&builder);
    if (!address.IsLoopback()) {
      builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsFromElsewhere);
    }
    int port = 0;
    builder.AddListeningPort(address.ToString(), credentials_, &port);
    builder.RegisterService(sweeps_.get());
    builder.RegisterService(trials_.get());
    builder.RegisterService(workers_.get());
    builder.RegisterService(callers_.get());
    builder.RegisterService(blob_service_.get());
    builder.RegisterService(view_service_.get());
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> meters;
    meters.push_back(MakeCallMeter(metrics_.get()));
    builder.experimental().SetInterceptorCreators(std::move(meters));
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      const absl::Status reason = ProbeListen(address);
      if (!reason.ok()) return reason;
      return absl::UnavailableError("cannot listen on " + address.ToString());
    }
    address.port = port;
    address_ = address.ToString();
    const std::string scheme = security_.HasTls() ? kTlsScheme : "";
    return store_->files().PublishAddress(scheme + address.Reachable().ToString());
  }

  // If the dashboard's port is taken, workers still get their coordinator, unless a person asked
  // for that port.
  absl::Status ServeDashboard(const ServerOptions& options) {
    if (options.http.empty() || options.http == "off") return absl::OkStatus();
    absl::StatusOr<std::unique_ptr<HttpServer>> server =
        HttpServer::Start({.listen = options.http,
                           .views = views_.get(),
                           .scheduler = scheduler_.get(),
                           .store = store_.get(),
                           .blobs = blobs_.get(),
                           .specs = specs_.get(),
                           .metrics = [this] { return MetricsText(); },
                           .gate = gate_.get()});
    if (absl::IsUnavailable(server.status()) && options.http_is_optional) {
      spdlog::warn("no dashboard: {}; --http HOST:PORT takes another port",
                   std::string(server.status().message()));
      return absl::OkStatus();
    }
    if (!server.ok()) {
      return absl::Status(server.status().code(),
                          fmt::format("the dashboard: {}", std::string(server.status().message())));
    }
    http_ = *std::move(server);
    dashboard_ = http_->url();
    views_->Prepare();
    return absl::OkStatus();
  }

  const std::string& address() const override { return address_; }
  const std::string& dashboard() const override { return dashboard_; }

  std::string MetricsText() const override {
    return metrics_->Text({.now = [this] { return clock_->Now(); },
                           .scheduler = [this] { return scheduler_->insight().Counts(); },
                           .store = [this] { return store_->Load(); },
                           .time_left = [this] { return time_left_gauge_->Read(); },
                           .waiting = [this]() -> CoordinatorMetrics::Waiting {
                             return {.reads = reads_->queued(), .files = files_->queued()};
                           }});
  }

  // Ends every parked call and every stream first: gRPC's Shutdown returns only when no call is
  // left. The scheduler's writes and callbacks end before the store that they use. A thread that
  // answered a call may still be inside gRPC, so the server is destroyed after those threads have
  // ended.
  void Shutdown() override {
    const std::lock_guard<std::mutex> lock(shutdown_mutex_);
    if (std::exchange(is_down_, true)) return;
    if (scheduler_ != nullptr) scheduler_->StopServing();
    if (watches_ != nullptr) watches_->Stop();
    if (http_ != nullptr) http_->Shutdown();
    if (server_ != nullptr) {
      server_->Shutdown(std::chrono::system_clock::now() + kShutdownGrace);
      server_->Wait();
    }
    reads_.reset();
    files_.reset();
    parsing_.reset();
    searches_.reset();
    watches_.reset();
    http_.reset();
    if (scheduler_ != nullptr) scheduler_->Shutdown();
    views_.reset();
    scheduler_.reset();
    collector_.reset();
    store_.reset();
    server_.reset();
  }

 private:
  static void SetArguments(grpc::ServerBuilder* builder) {
    builder->SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder->SetMaxSendMessageSize(kMaxMessageBytes);
    builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
    // Otherwise a second server on the same port would get half of the calls.
    builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    // Detects the parked call of a dead worker; also permits clients' own pings (every 10 s).
    builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
    builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
    builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
    builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  }

  std::mutex shutdown_mutex_;
  bool is_down_ = false;
  std::string address_;
  Clock* clock_ = nullptr;
  SecurityOptions security_;
  std::shared_ptr<AccessGate> gate_;  // shared with the credentials; null without tokens
  std::shared_ptr<grpc::ServerCredentials> credentials_;  // as gRPC takes them
  const std::unique_ptr<CoordinatorMetrics> metrics_ =
      CoordinatorMetrics::Make({.version = SWEEP_VERSION, .methods = MeteredMethods()});
  std::string dashboard_;
  // In order of use: later members use earlier ones.
  std::unique_ptr<Store> store_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<BlobCollector> collector_;
  std::unique_ptr<SpecCache> specs_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<TimeLeft> time_left_;
  std::unique_ptr<WatchHub> watches_;
  std::unique_ptr<Views> views_;
  std::unique_ptr<TimeLeftGauge> time_left_gauge_;
  std::unique_ptr<WorkPool> reads_;
  std::unique_ptr<WorkPool> files_;
  std::unique_ptr<WorkPool> parsing_;
  std::unique_ptr<WorkPool> searches_;
  std::unique_ptr<SweepService> sweeps_;
  std::unique_ptr<TrialService> trials_;
  std::unique_ptr<WorkerService> workers_;
  std::unique_ptr<CallerService> callers_;
  std::unique_ptr<BlobService> blob_service_;
  std::unique_ptr<ViewService> view_service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CoordinatorServer>> CoordinatorServer::Start(
    const ServerOptions& options) {
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(options.listen);
  if (!address.ok()) return address.status();
  absl::Status secure = CheckSecurity(options.security, options.listen, options.http);
  if (!secure.ok()) return secure;
  // Before opening the database: a server that cannot listen leaves nothing behind.
  if (absl::Status probed = ProbeListen(*address); !probed.ok()) return probed;
  static std::once_flag plugins;  // gRPC keeps them for the whole process
  std::call_once(plugins, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
  auto server = std::make_unique<CoordinatorServerImpl>();
  secure = server->Secure(options);
  if (!secure.ok()) return secure;
  if (absl::Status opened = server->Open(options); !opened.ok()) return opened;
  if (absl::Status serving = server->ServeDashboard(options); !serving.ok()) return serving;
  if (absl::Status listening = server->Listen(*address); !listening.ok()) return listening;
  WarnOfOpenDoors(options.security, server->address());
  return server;
}

}  // namespace sweep

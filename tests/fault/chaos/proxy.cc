#include "tests/fault/chaos/proxy.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "sweep/v1/callers.pb.h"
#include "sweep/v1/workers.pb.h"
#include "tests/load/raw_call.h"

namespace sweep::chaos {
namespace {

using testing::Exchange;
using testing::RawAnswer;
using testing::ToText;

struct Request {
  std::string method;  // "/sweep.v1.WorkerService/ReportEpochs"
  std::vector<grpc::ByteBuffer> messages;
  std::int64_t number = 0;  // in the order in which the client made them
};

// The answer for the caller of a call that did not get through.
RawAnswer Lost() { return {.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "lost")}; }

std::string ShortName(const std::string& method) { return method.substr(method.rfind('/') + 1); }

// The lease of a call; "" for calls without one.
std::string TokenOf(const Request& request) {
  if (request.messages.empty()) return "";
  const auto token = [&](auto message) {
    message.ParseFromString(ToText(request.messages[0]));
    return message.token().trial() + " " + std::to_string(message.token().attempt());
  };
  if (request.method.ends_with("/ReportEpochs")) return token(v1::ReportEpochsRequest());
  if (request.method.ends_with("/FinishLease")) return token(v1::FinishLeaseRequest());
  if (request.method.ends_with("/AppendLogs")) return token(v1::AppendLogsRequest());
  if (request.method.ends_with("/ReportTrial")) return token(v1::ReportTrialRequest());
  return "";
}

}  // namespace

class FaultyProxy::Impl {
 public:
  explicit Impl(const Options& options) : options_(options), random_(options.seed) { Listen(0); }

  ~Impl() {
    Cut();
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return under_way_ == 0; });
  }

  const std::string& address() const { return address_; }

  void SetTarget(const std::string& address) {
    const std::lock_guard lock(mutex_);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }

  void Cut() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
  }

  void Mend() {
    if (server_ == nullptr) Listen(port_);
  }

  void Calm() { calm_ = true; }

  std::map<std::string, int> counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  // The faults of one call.
  struct Fate {
    absl::Duration delay;
    absl::Duration duplicate_after = absl::InfiniteDuration();
    absl::Duration detain = absl::InfiniteDuration();
    bool lose_request = false;
    bool lose_answer = false;
  };

  // One call of the client: reads it whole, forwards it on a thread, writes the answer back.
  class Call final : public grpc::ServerGenericBidiReactor {
   public:
    Call(Impl* proxy, grpc::GenericCallbackServerContext* context)
        : proxy_(proxy), context_(context) {
      proxy_->Enter();
      request_.method = context->method();
      StartRead(&incoming_);
    }

    void OnReadDone(bool ok) override {
      if (ok) {
        request_.messages.push_back(incoming_);
        StartRead(&incoming_);
      } else {
        std::thread([this] { Pass(); }).detach();
      }
    }

    void OnWriteDone(bool ok) override { ok ? WriteNext() : Finish(answer_.status); }

    void OnCancel() override {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
      if (outgoing_ != nullptr) outgoing_->TryCancel();
    }

    void OnDone() override {
      Impl* const proxy = proxy_;
      delete this;
      proxy->Leave();
    }

   private:
    void Pass() {
      const Fate fate = proxy_->Draw(&request_);
      absl::SleepFor(fate.delay);
      if (fate.detain < absl::InfiniteDuration()) {
        DeliverLater(fate.detain);
      } else if (!fate.lose_request) {
        const std::shared_ptr<grpc::Channel> channel = proxy_->channel();  // outlives the context
        grpc::ClientContext context;
        context.set_deadline(context_->deadline());
        {
          const std::lock_guard lock(mutex_);
          outgoing_ = &context;
          if (cancelled_) context.TryCancel();
        }
        const absl::Time sent = absl::Now();
        answer_ = Exchange(channel, request_.method, request_.messages, &context);
        {
          const std::lock_guard lock(mutex_);
          outgoing_ = nullptr;
        }
        if (answer_.status.ok()) proxy_->Record(request_, answer_, sent);
        if (fate.duplicate_after < absl::InfiniteDuration()) DeliverLater(fate.duplicate_after);
      }
      if (fate.lose_answer) answer_ = Lost();
      WriteNext();
    }

    // Delivers the call on a thread; nobody waits for the answer.
    void DeliverLater(absl::Duration after) {
      proxy_->Enter();
      std::thread([proxy = proxy_, request = request_, after] {
        absl::SleepFor(after);
        const std::shared_ptr<grpc::Channel> channel = proxy->channel();  // outlives the context
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
        const absl::Time sent = absl::Now();
        const RawAnswer answer = Exchange(channel, request.method, request.messages, &context);
        if (answer.status.ok()) proxy->Record(request, answer, sent);
        proxy->NoteLate(request, answer.status.ok());
        proxy->Leave();
      }).detach();
    }

    void WriteNext() {
      if (next_ < answer_.messages.size()) {
        StartWrite(&answer_.messages[next_++]);
      } else {
        Finish(answer_.status);
      }
    }

    Impl* const proxy_;
    grpc::GenericCallbackServerContext* const context_;
    grpc::ByteBuffer incoming_;
    Request request_;
    RawAnswer answer_ = Lost();
    std::size_t next_ = 0;
    std::mutex mutex_;
    bool cancelled_ = false;
    grpc::ClientContext* outgoing_ = nullptr;
  };

  class Service final : public grpc::CallbackGenericService {
   public:
    explicit Service(Impl* proxy) : proxy_(proxy) {}
    grpc::ServerGenericBidiReactor* CreateReactor(
        grpc::GenericCallbackServerContext* context) override {
      return new Call(proxy_, context);  // deletes itself in OnDone
    }

   private:
    Impl* const proxy_;
  };

  void Listen(int port) {
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(-1);
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(),
                             &port_);
    // A service can be registered with one server only, even after that is gone.
    service_ = std::make_unique<Service>(this);
    builder.RegisterCallbackGenericService(service_.get());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) throw std::runtime_error("the proxy cannot listen");
    address_ = "127.0.0.1:" + std::to_string(port_);
  }

  std::shared_ptr<grpc::Channel> channel() {
    const std::lock_guard lock(mutex_);
    return channel_;
  }

  Fate Draw(Request* request) {
    const std::lock_guard lock(mutex_);
    request->number = ++last_number_;
    ++counts_["calls"];
    Fate fate;
    if (calm_) return fate;
    std::uniform_real_distribution<double> uniform;
    const auto chance = [&](double p, const char* name) {
      const bool hit = uniform(random_) < p;
      if (hit) ++counts_[std::string("calls ") + name];
      return hit;
    };
    if (chance(options_.delay, "delayed")) fate.delay = options_.longest_delay * uniform(random_);
    if (chance(options_.detain, "detained, delivered when the caller had given up")) {
      fate.detain = options_.longest_detention * uniform(random_);
      return fate;
    }
    if (chance(options_.lose_request, "lost")) {
      fate.lose_request = true;
      return fate;
    }
    if (chance(options_.duplicate, "delivered twice")) {
      ++counts_["  of these " + ShortName(request->method)];
      const bool soon = random_() % 2 == 0;
      fate.duplicate_after =
          (soon ? options_.longest_delay : options_.longest_detention) * uniform(random_);
    }
    fate.lose_answer = chance(options_.lose_answer, "answered in vain");
    return fate;
  }

  // Records a call that the coordinator has answered with OK.
  void Record(const Request& request, const RawAnswer& answer, absl::Time sent) {
    if (request.messages.empty()) return;
    const std::string& method = request.method;
    const std::string first = ToText(request.messages[0]);
    if (method.ends_with("/ReportEpochs")) {
      SpringTrap();
      v1::ReportEpochsRequest report;
      report.ParseFromString(first);
      for (const v1::Epoch& epoch : report.epochs()) {
        options_.ledger->AddEpoch(report.token().trial(), report.token().attempt(), epoch.epoch(),
                                  sent);
      }
    } else if (method.ends_with("/FinishLease")) {
      SpringTrap();
      v1::FinishLeaseRequest finish;
      finish.ParseFromString(first);
      if (finish.outcome() == v1::LEASE_OUTCOME_COMPLETED) {
        options_.ledger->AddCompletion(finish.token().trial(), finish.token().attempt());
      }
    } else if (method.ends_with("/ReportTrial")) {
      SpringTrap();
      v1::ReportTrialRequest report;
      report.ParseFromString(first);
      const std::string& trial = report.token().trial();
      v1::ReportTrialResponse response;
      if (!answer.messages.empty()) response.ParseFromString(ToText(answer.messages[0]));
      // What ends a lease is answered as before when it comes again, however late.
      const bool ends = response.stop() || report.outcome() != v1::LEASE_OUTCOME_UNSPECIFIED;
      if (ends) sent = absl::InfinitePast();
      for (const v1::Epoch& epoch : report.epochs()) {
        options_.ledger->AddEpoch(trial, report.token().attempt(), epoch.epoch(), sent);
      }
      if (report.outcome() == v1::LEASE_OUTCOME_COMPLETED) {
        options_.ledger->AddCompletion(trial, report.token().attempt());
      }
    } else if (method.ends_with("/AppendLogs")) {
      SpringTrap();
      v1::AppendLogsRequest logs;
      logs.ParseFromString(first);
      for (const v1::LogLine& line : logs.lines()) {
        options_.ledger->AddLogLine(logs.token().trial(), logs.token().attempt(), line.line());
      }
    }
    const std::string token = TokenOf(request);
    if (token.empty()) return;
    const std::lock_guard lock(mutex_);
    std::int64_t& latest = latest_[token];
    latest = std::max(latest, request.number);
  }

  void SpringTrap() {
    const pid_t pid = options_.trap == nullptr ? 0 : options_.trap->exchange(0);
    if (pid > 0) kill(pid, SIGKILL);
  }

  // Counts the late deliveries, and those that came after a later call of the same lease.
  void NoteLate(const Request& request, bool accepted) {
    const std::string token = TokenOf(request);
    const std::lock_guard lock(mutex_);
    ++counts_[accepted ? "late deliveries accepted" : "late deliveries refused"];
    const auto found = latest_.find(token);
    if (!token.empty() && found != latest_.end() && found->second > request.number) {
      ++counts_["late deliveries after a later call of the same lease"];
    }
  }

  void Enter() {
    const std::lock_guard lock(mutex_);
    ++under_way_;
  }
  void Leave() {
    const std::lock_guard lock(mutex_);
    if (--under_way_ == 0) idle_.notify_all();
  }

  const Options options_;
  std::string address_;
  int port_ = 0;
  std::unique_ptr<Service> service_;  // outlives the server
  std::unique_ptr<grpc::Server> server_;
  std::atomic<bool> calm_ = false;

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  int under_way_ = 0;
  std::int64_t last_number_ = 0;
  std::map<std::string, std::int64_t> latest_;  // number of the last call accepted, by lease
  std::map<std::string, int> counts_;
  std::mt19937_64 random_;
  std::shared_ptr<grpc::Channel> channel_;
};

FaultyProxy::FaultyProxy(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
FaultyProxy::~FaultyProxy() = default;
const std::string& FaultyProxy::address() const { return impl_->address(); }
void FaultyProxy::SetTarget(const std::string& address) { impl_->SetTarget(address); }
void FaultyProxy::Cut() { impl_->Cut(); }
void FaultyProxy::Mend() { impl_->Mend(); }
void FaultyProxy::Calm() { impl_->Calm(); }
std::map<std::string, int> FaultyProxy::counts() const { return impl_->counts(); }

}  // namespace sweep::chaos

#include "tests/fault/chaos/proxy.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <condition_variable>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "sweep/v1/workers.pb.h"
#include "tests/load/raw_call.h"

namespace sweep::chaos {

void Ledger::AddEpoch(const std::string& trial, int attempt, int epoch) {
  const std::lock_guard lock(mutex_);
  epochs_.emplace(trial, attempt, epoch);
}

void Ledger::AddCompletion(const std::string& trial, int attempt) {
  const std::lock_guard lock(mutex_);
  completions_.emplace(trial, attempt);
}

Ledger::Epochs Ledger::epochs() const {
  const std::lock_guard lock(mutex_);
  return epochs_;
}

std::set<std::pair<std::string, int>> Ledger::completions() const {
  const std::lock_guard lock(mutex_);
  return completions_;
}

namespace {

using testing::ToText;
using testing::Wait;

// A call as a whole: every message of one side, and how it ended.
struct Answer {
  std::vector<grpc::ByteBuffer> messages;
  grpc::Status status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "lost");
};

// Makes the call and waits for its end.
Answer Forward(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
               const std::vector<grpc::ByteBuffer>& requests, grpc::ClientContext* context) {
  Answer answer;
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(context, method, &queue);
  call->StartCall(nullptr);
  bool alive = Wait(&queue);
  for (const grpc::ByteBuffer& request : requests) {
    if (!alive) break;
    call->Write(request, nullptr);
    alive = Wait(&queue);
  }
  if (alive) {
    call->WritesDone(nullptr);
    alive = Wait(&queue);
  }
  while (true) {
    grpc::ByteBuffer message;
    call->Read(&message, nullptr);
    if (!Wait(&queue)) break;
    answer.messages.push_back(message);
  }
  call->Finish(&answer.status, nullptr);
  Wait(&queue);
  queue.Shutdown();
  return answer;
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

 private:
  // What happens to one call.
  struct Fate {
    absl::Duration delay;
    absl::Duration duplicate_after = absl::InfiniteDuration();
    bool lose_request = false;
    bool lose_answer = false;
  };

  // One call of the worker: reads it whole, lets a thread hand it on, writes the answer back.
  class Call final : public grpc::ServerGenericBidiReactor {
   public:
    Call(Impl* proxy, grpc::GenericCallbackServerContext* context)
        : proxy_(proxy), context_(context) {
      proxy_->Enter();
      StartRead(&incoming_);
    }

    void OnReadDone(bool ok) override {
      if (ok) {
        requests_.push_back(incoming_);
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
      const Fate fate = proxy_->Draw();
      absl::SleepFor(fate.delay);
      if (!fate.lose_request) {
        grpc::ClientContext context;
        context.set_deadline(context_->deadline());
        {
          const std::lock_guard lock(mutex_);
          outgoing_ = &context;
          if (cancelled_) context.TryCancel();
        }
        answer_ = Forward(proxy_->channel(), context_->method(), requests_, &context);
        {
          const std::lock_guard lock(mutex_);
          outgoing_ = nullptr;
        }
        if (answer_.status.ok()) proxy_->Record(context_->method(), requests_);
        if (fate.duplicate_after < absl::InfiniteDuration()) Repeat(fate.duplicate_after);
      }
      if (fate.lose_answer) answer_ = Answer();
      WriteNext();
    }

    // The same call once more, later, for nobody.
    void Repeat(absl::Duration after) {
      proxy_->Enter();
      std::thread([proxy = proxy_, method = context_->method(), requests = requests_, after] {
        absl::SleepFor(after);
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
        const Answer answer = Forward(proxy->channel(), method, requests, &context);
        if (answer.status.ok()) proxy->Record(method, requests);
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
    std::vector<grpc::ByteBuffer> requests_;
    Answer answer_;
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
    // One can be registered with one server only, also when that is gone.
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

  Fate Draw() {
    const std::lock_guard lock(mutex_);
    Fate fate;
    if (calm_) return fate;
    std::uniform_real_distribution<double> uniform;
    const auto chance = [&](double p) { return uniform(random_) < p; };
    if (chance(options_.delay)) fate.delay = options_.longest_delay * uniform(random_);
    if (chance(options_.duplicate))
      fate.duplicate_after = options_.longest_delay * uniform(random_);
    fate.lose_request = chance(options_.lose_request);
    fate.lose_answer = chance(options_.lose_answer);
    return fate;
  }

  // The coordinator has said OK to this call.
  void Record(const std::string& method, const std::vector<grpc::ByteBuffer>& requests) {
    if (requests.empty()) return;
    if (method.ends_with("/ReportEpochs")) {
      v1::ReportEpochsRequest request;
      request.ParseFromString(ToText(requests[0]));
      for (const v1::Epoch& epoch : request.epochs()) {
        options_.ledger->AddEpoch(request.token().trial(), request.token().attempt(),
                                  epoch.epoch());
      }
    } else if (method.ends_with("/FinishLease")) {
      v1::FinishLeaseRequest request;
      request.ParseFromString(ToText(requests[0]));
      if (request.outcome() != v1::LEASE_OUTCOME_COMPLETED) return;
      options_.ledger->AddCompletion(request.token().trial(), request.token().attempt());
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

  std::mutex mutex_;
  std::condition_variable idle_;
  int under_way_ = 0;
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

}  // namespace sweep::chaos

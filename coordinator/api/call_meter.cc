#include "coordinator/api/call_meter.h"

#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/clock.h"
#include "google/protobuf/descriptor.h"
#include "sweep/v1/blobs.pb.h"
#include "sweep/v1/callers.pb.h"
#include "sweep/v1/sweeps.pb.h"
#include "sweep/v1/trials.pb.h"
#include "sweep/v1/workers.pb.h"

namespace sweep {
namespace {

bool MayBeParked(std::string_view method) {
  return method == "Synchronize" || method == "SuggestTrial";
}

std::vector<const google::protobuf::MethodDescriptor*> Methods() {
  std::vector<const google::protobuf::MethodDescriptor*> methods;
  for (const google::protobuf::FileDescriptor* const file :
       {v1::ListSweepsRequest::descriptor()->file(), v1::ListTrialsRequest::descriptor()->file(),
        v1::SynchronizeRequest::descriptor()->file(), v1::PutBlobRequest::descriptor()->file(),
        v1::SuggestTrialRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.push_back(file->service(i)->method(j));
      }
    }
  }
  return methods;
}

// Meters one call; gRPC owns it.
class CallMeter final : public grpc::experimental::Interceptor {
 public:
  CallMeter(CoordinatorMetrics* metrics, std::size_t method)
      : metrics_(metrics), method_(method), start_(RealClock()->Monotonic()) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      metrics_->OnCall(method_, methods->GetSendStatus().error_code(),
                       RealClock()->Monotonic() - start_);
    }
    methods->Proceed();
  }

 private:
  CoordinatorMetrics* const metrics_;
  const std::size_t method_;
  const absl::Duration start_;
};

class CallMeterFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CallMeterFactory(CoordinatorMetrics* metrics) : metrics_(metrics) {
    for (const auto* method : Methods()) {
      const std::string path = "/" + method->service()->full_name() + "/" + method->name();
      places_.emplace(path, places_.size());
    }
  }

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    const auto place = places_.find(info->method());
    return place == places_.end() ? nullptr : new CallMeter(metrics_, place->second);
  }

 private:
  CoordinatorMetrics* const metrics_;
  std::unordered_map<std::string, std::size_t> places_;  // index in Methods(), by the call's path
};

}  // namespace

std::vector<CoordinatorMetrics::Method> MeteredMethods() {
  std::vector<CoordinatorMetrics::Method> metered;
  for (const auto* method : Methods()) {
    metered.push_back({.name = method->service()->name() + "/" + method->name(),
                       .timed = !method->client_streaming() && !method->server_streaming() &&
                                !MayBeParked(method->name())});
  }
  return metered;
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCallMeter(
    CoordinatorMetrics* metrics) {
  return std::make_unique<CallMeterFactory>(metrics);
}

}  // namespace sweep

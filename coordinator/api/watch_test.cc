#include "coordinator/api/watch.h"

#include <chrono>
#include <memory>
#include <vector>

#include "coordinator/api/sweep_service.h"
#include "coordinator/store/testing/meddling_store.h"
#include "coordinator/store/testing/store_testing.h"
#include "grpcpp/grpcpp.h"
#include "proto/names.h"
#include "sweep/v1/sweeps.grpc.pb.h"

namespace sweep {
namespace {

// Watches over a store that changes between two reads.
class WatchTest : public testing::Test {
 protected:
  void SetUp() override {
    base_ = Must(Store::Open({}));
    store_ = std::make_unique<MeddlingStore>(base_.get());
    specs_ = std::make_unique<SpecCache>(base_.get());
    scheduler_ =
        Must(Scheduler::Start({.store = base_.get(), .specs = specs_.get(), .threads = false}));
    time_left_ = std::make_unique<TimeLeft>(base_.get(), scheduler_.get());
    hub_ =
        std::make_unique<WatchHub>(store_.get(), scheduler_.get(), specs_.get(), time_left_.get());
    service_ = std::make_unique<SweepService>(SweepService::Parts{.store = store_.get(),
                                                                  .scheduler = scheduler_.get(),
                                                                  .specs = specs_.get(),
                                                                  .time_left = time_left_.get(),
                                                                  .watches = hub_.get()});
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    stub_ = v1::SweepService::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                                          grpc::InsecureChannelCredentials()));
  }
  void TearDown() override {
    hub_->Stop();
    server_->Shutdown();
    server_.reset();
    hub_.reset();
    scheduler_.reset();
  }

  std::vector<v1::WatchSweepResponse> Watch(const std::string& sweep) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    v1::WatchSweepRequest request;
    request.set_name(SweepResource(sweep));
    const auto reader = stub_->WatchSweep(&context, request);
    std::vector<v1::WatchSweepResponse> events(1);
    while (reader->Read(&events.back())) events.emplace_back();
    events.pop_back();
    EXPECT_TRUE(reader->Finish().ok());
    return events;
  }

  std::unique_ptr<Store> base_;
  std::unique_ptr<MeddlingStore> store_;
  std::unique_ptr<SpecCache> specs_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<TimeLeft> time_left_;
  std::unique_ptr<WatchHub> hub_;
  std::unique_ptr<SweepService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::SweepService::Stub> stub_;
};

TEST_F(WatchTest, TheLastWordIsTheEndAlsoWhenItComesBetweenTwoReads) {
  // Each read of a watch whose answer may be from before the end.
  for (int read = 1; read <= 4; ++read) {
    SCOPED_TRACE(read);
    const std::string name = "s" + std::to_string(read);
    StoreDriver(base_.get()).Create(TestSpec(name));
    store_->AfterReads(read, [&] {
      const absl::Status cancelled = base_->WriteAndWait([&](WriteTransaction& transaction) {
        return transaction.CancelSweep(name, nullptr).status();
      });
      EXPECT_EQ(cancelled, absl::OkStatus());
    });
    const std::vector<v1::WatchSweepResponse> events = Watch(name);
    ASSERT_TRUE(store_->has_meddled());
    ASSERT_FALSE(events.empty());
    ASSERT_TRUE(events.back().has_sweep());
    EXPECT_EQ(events.back().sweep().state(), v1::SWEEP_STATE_CANCELLED);
  }
}

}  // namespace
}  // namespace sweep

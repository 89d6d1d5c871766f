#include <atomic>
#include <future>
#include <thread>
#include <utility>

#include "coordinator/api/testing/server_testing.h"
#include "coordinator/api/trial_service.h"
#include "coordinator/api/work_pool.h"
#include "coordinator/api/worker_service.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/store.h"

namespace sweep {
namespace {

// Tasks that block until they are released.
class Barrier {
 public:
  std::function<void()> Task() {
    return [opened = opened_, this] {
      ++entered_;
      opened.wait();
    };
  }
  void Open() {
    if (!std::exchange(is_open_, true)) open_.set_value();
  }
  void WaitForEntered(int count) const {
    while (entered_ < count) std::this_thread::yield();
  }

 private:
  bool is_open_ = false;
  std::promise<void> open_;
  std::shared_future<void> opened_ = open_.get_future().share();
  std::atomic<int> entered_ = 0;
};

TEST(WorkPool, RunsSoManyAtOnceKeepsSoManyWaitingAndRefusesTheRest) {
  Barrier gate;
  std::atomic<int> done = 0;
  {
    WorkPool pool({.threads = 2, .max_queued = 3});
    ASSERT_TRUE(pool.Submit(gate.Task()) && pool.Submit(gate.Task()));
    gate.WaitForEntered(2);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.Submit([&] { ++done; }));
    EXPECT_FALSE(pool.Submit([&] { ++done; }));
    EXPECT_EQ(done, 0);
    gate.Open();
  }
  EXPECT_EQ(done, 3) << "what was taken is done before the pool ends";
}

// Two services over one store, as in the coordinator, and a pool that the test keeps full.
class OverloadTest : public ServerTest {
 protected:
  void SetUp() override {
    store_ = Must(Store::Open({}));
    specs_ = std::make_unique<SpecCache>(store_.get());
    scheduler_ = Must(Scheduler::Start({.store = store_.get(), .specs = specs_.get()}));
    trial_service_ =
        std::make_unique<TrialService>(TrialService::Parts{.store = store_.get(),
                                                           .scheduler = scheduler_.get(),
                                                           .specs = specs_.get(),
                                                           .reads = &reads_});
    worker_service_ = std::make_unique<WorkerService>(scheduler_.get(), &reads_);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(trial_service_.get());
    builder.RegisterService(worker_service_.get());
    grpc_server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
    channel_ = MakeChannel(address_);
    trials_ = v1::TrialService::NewStub(channel_);
    workers_ = v1::WorkerService::NewStub(channel_);
    Submit();
    ASSERT_TRUE(reads_.Submit(gate_.Task()));
    gate_.WaitForEntered(1);
    ASSERT_TRUE(reads_.Submit([] {}) && reads_.Submit([] {}));
  }
  void TearDown() override {
    gate_.Open();
    scheduler_->StopServing();
    grpc_server_->Shutdown();
    grpc_server_->Wait();
  }

  void Submit() {
    const SweepSource source = TestSource("s");
    Diagnostics diagnostics;
    std::promise<absl::Status> submitted;
    scheduler_->sweeps().Submit(
        std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics))), source,
        {.principal = "ada"}, [&](const auto& result) { submitted.set_value(result.status()); });
    ASSERT_EQ(submitted.get_future().get(), absl::OkStatus());
  }

  static v1::ListTrialsRequest AllTrials() {
    v1::ListTrialsRequest request;
    request.set_parent("sweeps/s");
    return request;
  }

  std::unique_ptr<Store> store_;
  std::unique_ptr<SpecCache> specs_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<TrialService> trial_service_;
  std::unique_ptr<WorkerService> worker_service_;
  std::unique_ptr<grpc::Server> grpc_server_;
  Barrier gate_;
  WorkPool reads_{{.threads = 1, .max_queued = 2}};  // destroyed before what its tasks use
  std::string address_;
};

TEST_F(OverloadTest, HeartbeatsAndReportsDoNotWaitBehindListings) {
  const v1::Lease lease = Lease("w");
  EXPECT_EQ(Report(lease.token(), 1, 5), absl::OkStatus());
  EXPECT_EQ(Finish(lease.token(), v1::LEASE_OUTCOME_COMPLETED), absl::OkStatus());
}

TEST_F(OverloadTest, ARefusalSaysWhenToComeAgain) {
  // Without the service config of our channels, so that the refusal is visible.
  const auto stub =
      v1::TrialService::NewStub(grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::ListTrialsResponse response;
  const grpc::Status status = stub->ListTrials(&context, AllTrials(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "2 calls are waiting; try again later");
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto pushback = metadata.find(kRetryPushback);
  ASSERT_NE(pushback, metadata.end());
  EXPECT_EQ(pushback->second, kRetryPushbackMs);
}

TEST_F(OverloadTest, OurChannelsComeAgainByThemselves) {
  std::future<absl::Status> listing = std::async(std::launch::async, [this] {
    v1::ListTrialsResponse response;
    return List(AllTrials(), &response);
  });
  // The call was refused at least once by then: its delay before a retry is longer than this.
  EXPECT_EQ(listing.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  gate_.Open();
  EXPECT_EQ(listing.get(), absl::OkStatus());
}

// More events than fit into the window of a stream that nobody reads.
TEST_F(ServerTest, WatchersThatDoNotReadHoldUpNobody) {
  constexpr int kTrials = 160;
  constexpr int kEventsOfATrial = 9;  // created, granted, running, five epochs, completed
  ASSERT_EQ(Create("s", "replicates: 40\n"), absl::OkStatus());
  v1::WatchSweepRequest request;
  request.set_name("sweeps/s");
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::WatchSweepResponse>>> unread;
  for (int i = 0; i < 32; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    unread.push_back(sweeps_->WatchSweep(contexts.back().get(), request));
  }
  std::vector<v1::WatchSweepResponse> events;
  auto watching = std::async(std::launch::async, [&] {
    absl::Status status = Watch("s", "", &events);
    // A stream's deadline detects one that stands still; a slow machine may need several.
    for (std::size_t seen = 0; absl::IsDeadlineExceeded(status) && events.size() > seen;) {
      seen = events.size();
      status = Watch("s", events.back().cursor(), &events);
    }
    return status;
  });
  Train(kTrials, 0);
  EXPECT_EQ(watching.get(), absl::OkStatus());
  EXPECT_GT(std::ssize(events), kTrials * kEventsOfATrial);
  // The server cancels the streams. If it waited for readers, it would never end.
  auto stopping = std::async(std::launch::async, [&] { server_->Shutdown(); });
  EXPECT_EQ(stopping.wait_for(kPatience), std::future_status::ready);
  for (const auto& context : contexts) context->TryCancel();
}

}  // namespace
}  // namespace sweep

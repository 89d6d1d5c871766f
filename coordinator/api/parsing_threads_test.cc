// A large search space takes seconds to parse. Heartbeats and reports arrive on gRPC's threads and
// wait for the store's writer: neither may ever parse a sweep file.

#include <functional>
#include <set>

#include "common/yaml/testing/yaml_loads.h"
#include "coordinator/api/testing/server_testing.h"
#include "sweep/v1/views.grpc.pb.h"

namespace sweep {
namespace {

using testing::Each;
using testing::IsEmpty;

const std::set<std::string>& MayParse() {
  static const std::set<std::string> names = {"reads", "parsing", "watch"};
  return names;
}

MATCHER(IsAThreadThatMayParse, "") { return MayParse().contains(arg); }

// A server on a database with sweeps that ended before it started, so that it has parsed none of
// them; each call concerns another sweep.
class ParsingThreadsTest : public ServerTest {
 protected:
  void SetUp() override {
    const std::string path = folder_.File("sweep.db");
    {
      const std::unique_ptr<Store> store = Must(Store::Open({.path = path}));
      for (const char* const name : kNames) End(store.get(), name);
    }
    server_ = Must(CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = path}));
    ASSERT_NE(server_, nullptr);
    channel_ = MakeChannel(server_->address());
    sweeps_ = v1::SweepService::NewStub(channel_);
    trials_ = v1::TrialService::NewStub(channel_);
    workers_ = v1::WorkerService::NewStub(channel_);
    views_ = v1::ViewService::NewStub(channel_);
  }

  // Completes a sweep with one failed trial.
  static void End(Store* store, const std::string& name) {
    StoreDriver driver(store);
    const SweepSpec spec = TestSpec(name);
    const SweepRow sweep = driver.Create(spec);
    const LeaseRow lease = driver.Grant(driver.Add(sweep, spec, 1).at(0).id, "w");
    ASSERT_TRUE(driver.Record(lease, spec, TestEpochs(1, 1, 0.5)).ok());
    ASSERT_TRUE(driver.Finish(lease, spec, LeaseOutcome::kFailedForGood, "broken").ok());
    ASSERT_TRUE(driver.Exhaust(sweep).ok());
  }

  // True when the call parses; also checks on which thread.
  static bool Parses(absl::StatusCode code, const std::function<absl::Status()>& call) {
    const YamlLoads loads;
    const absl::Status status = call();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(loads.threads(), Each(IsAThreadThatMayParse()));
    return !loads.threads().empty();
  }

  template <typename Request, typename Stub, typename Method, typename Response>
  bool AskParses(absl::StatusCode code, Stub& stub, Method method, Request request,
                 Response response) {
    return Parses(code, [&] { return Invoke(stub, method, request, &response); });
  }

  static constexpr const char* kNames[] = {
      "get",     "rank",        "cancel",       "pause", "resume", "retry", "extend",
      "archive", "delete",      "rename",       "edit",  "watch",  "trial", "trials",
      "explain", "retry-trial", "cancel-trial", "view",  "again"};
  TemporaryFolder folder_;
  std::unique_ptr<v1::ViewService::Stub> views_;
};

template <typename Request>
Request Named(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

constexpr absl::StatusCode kOk = absl::StatusCode::kOk;
constexpr absl::StatusCode kRefused = absl::StatusCode::kFailedPrecondition;

TEST_F(ParsingThreadsTest, QuestionsParseOnThreadsForQuestions) {
  using Sweeps = v1::SweepService::Stub;
  using Trials = v1::TrialService::Stub;
  EXPECT_TRUE(AskParses(kOk, *sweeps_, &Sweeps::GetSweep, Named<v1::GetSweepRequest>("sweeps/get"),
                        v1::GetSweepResponse()));
  EXPECT_TRUE(AskParses(kOk, *sweeps_, &Sweeps::RankSweep,
                        Named<v1::RankSweepRequest>("sweeps/rank"), v1::RankSweepResponse()));
  EXPECT_TRUE(AskParses(kOk, *trials_, &Trials::GetTrial,
                        Named<v1::GetTrialRequest>("sweeps/trial/trials/1"),
                        v1::GetTrialResponse()));
  EXPECT_TRUE(AskParses(kOk, *trials_, &Trials::ExplainTrial,
                        Named<v1::ExplainTrialRequest>("sweeps/explain/trials/1"),
                        v1::ExplainTrialResponse()));
  v1::ListTrialsRequest trials;
  trials.set_parent("sweeps/trials");
  EXPECT_TRUE(AskParses(kOk, *trials_, &Trials::ListTrials, trials, v1::ListTrialsResponse()));
  v1::GetViewRequest view;
  view.set_path("/api/sweeps/view");
  EXPECT_TRUE(
      AskParses(kOk, *views_, &v1::ViewService::Stub::GetView, view, v1::GetViewResponse()));
  std::vector<v1::WatchSweepResponse> events;
  EXPECT_TRUE(Parses(kOk, [&] { return Watch("watch", "", &events); }));
  EXPECT_FALSE(Parses(absl::StatusCode::kNotFound, [&] { return Watch("none", "", &events); }));
  // The remaining sweeps too.
  EXPECT_TRUE(AskParses(kOk, *sweeps_, &Sweeps::ListSweeps, v1::ListSweepsRequest(),
                        v1::ListSweepsResponse()));
  EXPECT_FALSE(AskParses(kOk, *sweeps_, &Sweeps::ListSweeps, v1::ListSweepsRequest(),
                         v1::ListSweepsResponse()))
      << "each is parsed once";
}

TEST_F(ParsingThreadsTest, ChangesParseOnThreadsForParsing) {
  using Sweeps = v1::SweepService::Stub;
  using Trials = v1::TrialService::Stub;
  EXPECT_FALSE(AskParses(kRefused, *sweeps_, &Sweeps::CancelSweep,
                         Named<v1::CancelSweepRequest>("sweeps/cancel"),
                         v1::CancelSweepResponse()));
  EXPECT_FALSE(AskParses(kRefused, *sweeps_, &Sweeps::PauseSweep,
                         Named<v1::PauseSweepRequest>("sweeps/pause"), v1::PauseSweepResponse()));
  EXPECT_FALSE(AskParses(kRefused, *sweeps_, &Sweeps::ResumeSweep,
                         Named<v1::ResumeSweepRequest>("sweeps/resume"),
                         v1::ResumeSweepResponse()));
  auto archive = Named<v1::ArchiveSweepRequest>("sweeps/archive");
  archive.set_archived(true);
  EXPECT_TRUE(AskParses(kOk, *sweeps_, &Sweeps::ArchiveSweep, archive, v1::ArchiveSweepResponse()));
  auto retry = Named<v1::RetrySweepRequest>("sweeps/retry");
  retry.set_failed(true);
  EXPECT_TRUE(AskParses(kOk, *sweeps_, &Sweeps::RetrySweep, retry, v1::RetrySweepResponse()));
  auto extend = Named<v1::ExtendSweepRequest>("sweeps/extend");
  extend.set_run_cap(9);
  EXPECT_TRUE(AskParses(absl::StatusCode::kInvalidArgument, *sweeps_, &Sweeps::ExtendSweep, extend,
                        v1::ExtendSweepResponse()));
  EXPECT_FALSE(AskParses(kOk, *sweeps_, &Sweeps::DeleteSweep,
                         Named<v1::DeleteSweepRequest>("sweeps/delete"),
                         v1::DeleteSweepResponse()));
  auto rename = Named<v1::RenameSweepRequest>("sweeps/rename");
  rename.set_new_name("renamed");
  EXPECT_TRUE(AskParses(kOk, *sweeps_, &Sweeps::RenameSweep, rename, v1::RenameSweepResponse()));
  auto edit = Named<v1::EditSweepRequest>("sweeps/edit");
  edit.mutable_source()->set_text("name: edit\n");
  EXPECT_TRUE(AskParses(absl::StatusCode::kInvalidArgument, *sweeps_, &Sweeps::EditSweep, edit,
                        v1::EditSweepResponse()));
  EXPECT_FALSE(AskParses(kRefused, *trials_, &Trials::CancelTrial,
                         Named<v1::CancelTrialRequest>("sweeps/cancel-trial/trials/1"),
                         v1::CancelTrialResponse()));
  EXPECT_TRUE(AskParses(kOk, *trials_, &Trials::RetryTrial,
                        Named<v1::RetryTrialRequest>("sweeps/retry-trial/trials/1"),
                        v1::RetryTrialResponse()));
  EXPECT_TRUE(Parses(kOk, [&] { return Create("new"); }));
  EXPECT_TRUE(Parses(kOk, [&] { return Create("again"); })) << "is there already";
}

// Unfinished sweeps were parsed when they were submitted, or when the coordinator started.
TEST_F(ParsingThreadsTest, WorkersAndSweepsThatRunParseNothing) {
  ASSERT_EQ(Create("new"), absl::OkStatus());
  using Sweeps = v1::SweepService::Stub;
  EXPECT_FALSE(Parses(kOk, [&] {
    const v1::Lease lease = Lease("w");
    EXPECT_EQ(Report(lease.token(), 1, 5), absl::OkStatus());
    return Finish(lease.token(), v1::LEASE_OUTCOME_COMPLETED);
  }));
  EXPECT_FALSE(AskParses(kOk, *sweeps_, &Sweeps::PauseSweep,
                         Named<v1::PauseSweepRequest>("sweeps/new"), v1::PauseSweepResponse()));
  EXPECT_FALSE(AskParses(kOk, *sweeps_, &Sweeps::ResumeSweep,
                         Named<v1::ResumeSweepRequest>("sweeps/new"), v1::ResumeSweepResponse()));
  EXPECT_FALSE(Parses(kOk, [&] { return CancelTrial("sweeps/new/trials/2"); }));
  EXPECT_FALSE(AskParses(kOk, *sweeps_, &Sweeps::CancelSweep,
                         Named<v1::CancelSweepRequest>("sweeps/new"), v1::CancelSweepResponse()));
}

}  // namespace
}  // namespace sweep

// The calls that still work for a stored sweep whose file this build does not accept.

#include "coordinator/api/testing/server_testing.h"
#include "nlohmann/json.hpp"
#include "sweep/v1/views.grpc.pb.h"

namespace sweep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Sweeps = v1::SweepService::Stub;
using TrialsStub = v1::TrialService::Stub;

// "old" has a completed trial and a pending one.
class RefusedSweepServerTest : public ServerTest {
 protected:
  void SetUp() override {
    const std::string path = folder_.File("sweep.db");
    {
      const std::unique_ptr<Store> store = Must(Store::Open({.path = path}));
      StoreDriver driver(store.get());
      const SweepSpec spec = TestSpec("old");
      const SweepRow row = driver.CreateRefused("old");
      driver.Train(driver.Add(row, spec, 1).at(0), spec, 0.95);
      driver.Add(row, spec, 2);
    }
    server_ = Must(CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = path}));
    ASSERT_NE(server_, nullptr);
    channel_ = MakeChannel(server_->address());
    sweeps_ = v1::SweepService::NewStub(channel_);
    trials_ = v1::TrialService::NewStub(channel_);
    workers_ = v1::WorkerService::NewStub(channel_);
    views_ = v1::ViewService::NewStub(channel_);
  }

  template <typename Request>
  static Request Named(const std::string& name) {
    Request request;
    request.set_name(name);
    return request;
  }
  // FailedPrecondition with the error in the file.
  static void ExpectRefused(const absl::Status& status) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("does not accept its file: old.yaml:"), HasSubstr("not_a_key")));
  }

  TemporaryFolder folder_;
  std::unique_ptr<v1::ViewService::Stub> views_;
};

TEST_F(RefusedSweepServerTest, IsShownWithTheReason) {
  v1::Sweep sweep;
  ASSERT_EQ(GetSweep("old", &sweep), absl::OkStatus());
  EXPECT_THAT(sweep.file_refusal(), AllOf(HasSubstr("old.yaml:"), HasSubstr("not_a_key")));
  EXPECT_EQ(sweep.state(), v1::SWEEP_STATE_ACTIVE);
  EXPECT_EQ(sweep.best_trial(), "old/1");
  EXPECT_EQ(sweep.metric(), "accuracy");
  EXPECT_EQ(sweep.counts().completed(), 1);
  EXPECT_THAT(sweep.source().text(), HasSubstr("not_a_key"));
  ASSERT_EQ(Create("new"), absl::OkStatus());
  v1::ListSweepsResponse list;
  ASSERT_EQ(Invoke(*sweeps_, &Sweeps::ListSweeps, v1::ListSweepsRequest(), &list),
            absl::OkStatus());
  ASSERT_EQ(list.sweeps_size(), 2);
  EXPECT_EQ(list.sweeps(0).file_refusal(), "");
  EXPECT_EQ(list.sweeps(1).file_refusal(), sweep.file_refusal());
}

TEST_F(RefusedSweepServerTest, ItsResultsCanBeRead) {
  v1::ListTrialsRequest request;
  request.set_parent("sweeps/old");
  v1::ListTrialsResponse trials;
  ASSERT_EQ(List(request, &trials), absl::OkStatus());
  EXPECT_THAT(Numbers(trials), testing::ElementsAre(1, 2));
  EXPECT_EQ(trials.trials(0).parameters().size(), 1u);
  v1::RankSweepResponse ranking;
  ASSERT_EQ(
      Invoke(*sweeps_, &Sweeps::RankSweep, Named<v1::RankSweepRequest>("sweeps/old"), &ranking),
      absl::OkStatus());
  EXPECT_EQ(ranking.rows_size(), 1);
  v1::GetTrialResponse trial;
  ASSERT_EQ(Invoke(*trials_, &TrialsStub::GetTrial,
                   Named<v1::GetTrialRequest>("sweeps/old/trials/1"), &trial),
            absl::OkStatus());
  EXPECT_EQ(trial.spec_json(), "");
  v1::ExplainTrialResponse explained;
  ASSERT_EQ(Invoke(*trials_, &TrialsStub::ExplainTrial,
                   Named<v1::ExplainTrialRequest>("sweeps/old/trials/2"), &explained),
            absl::OkStatus());
  ASSERT_EQ(explained.reasons_size(), 1);
  EXPECT_THAT(explained.reasons(0), AllOf(HasSubstr("does not run"), HasSubstr("not_a_key")));
}

TEST_F(RefusedSweepServerTest, TheDashboardShowsIt) {
  for (const char* const path :
       {"/api/sweeps", "/api/sweeps/old", "/api/sweeps/old/ranking", "/api/sweeps/old/trials",
        "/api/sweeps/old/trials/1", "/api/sweeps/old/trials/2", "/api/sweeps/old/curves"}) {
    v1::GetViewRequest request;
    request.set_path(path);
    v1::GetViewResponse response;
    EXPECT_EQ(Invoke(*views_, &v1::ViewService::Stub::GetView, request, &response),
              absl::OkStatus())
        << path;
    if (std::string_view(path) != "/api/sweeps/old") continue;
    const auto view = nlohmann::json::parse(response.json());
    EXPECT_THAT(view["file_refusal"].get<std::string>(), HasSubstr("not_a_key"));
  }
}

TEST_F(RefusedSweepServerTest, IsNotMadeToRun) {
  v1::ResumeSweepResponse resumed;
  ExpectRefused(Invoke(*sweeps_, &Sweeps::ResumeSweep, Named<v1::ResumeSweepRequest>("sweeps/old"),
                       &resumed));
  auto retry = Named<v1::RetrySweepRequest>("sweeps/old");
  retry.set_failed(true);
  v1::RetrySweepResponse retried;
  ExpectRefused(Invoke(*sweeps_, &Sweeps::RetrySweep, retry, &retried));
  v1::RetryTrialResponse trial;
  ExpectRefused(Invoke(*trials_, &TrialsStub::RetryTrial,
                       Named<v1::RetryTrialRequest>("sweeps/old/trials/1"), &trial));
  auto extend = Named<v1::ExtendSweepRequest>("sweeps/old");
  extend.set_run_cap(9);
  v1::ExtendSweepResponse extended;
  ExpectRefused(Invoke(*sweeps_, &Sweeps::ExtendSweep, extend, &extended));
  auto edit = Named<v1::EditSweepRequest>("sweeps/old");
  edit.mutable_source()->set_text(TestSource("old").text);
  v1::EditSweepResponse edited;
  ExpectRefused(Invoke(*sweeps_, &Sweeps::EditSweep, edit, &edited));
  edit.set_validate_only(true);
  ExpectRefused(Invoke(*sweeps_, &Sweeps::EditSweep, edit, &edited));
  auto rename = Named<v1::RenameSweepRequest>("sweeps/old");
  rename.set_new_name("older");
  v1::RenameSweepResponse renamed;
  ExpectRefused(Invoke(*sweeps_, &Sweeps::RenameSweep, rename, &renamed));
}

TEST_F(RefusedSweepServerTest, IsPutAwayWhileAnotherRuns) {
  ASSERT_EQ(Create("new"), absl::OkStatus());
  Train(2);
  v1::PauseSweepResponse paused;
  ASSERT_EQ(
      Invoke(*sweeps_, &Sweeps::PauseSweep, Named<v1::PauseSweepRequest>("sweeps/old"), &paused),
      absl::OkStatus());
  EXPECT_THAT(paused.sweep().file_refusal(), HasSubstr("not_a_key"));
  v1::CancelSweepResponse cancelled;
  ASSERT_EQ(Invoke(*sweeps_, &Sweeps::CancelSweep, Named<v1::CancelSweepRequest>("sweeps/old"),
                   &cancelled),
            absl::OkStatus());
  EXPECT_EQ(cancelled.sweep().state(), v1::SWEEP_STATE_CANCELLED);
  auto archive = Named<v1::ArchiveSweepRequest>("sweeps/old");
  archive.set_archived(true);
  v1::ArchiveSweepResponse archived;
  EXPECT_EQ(Invoke(*sweeps_, &Sweeps::ArchiveSweep, archive, &archived), absl::OkStatus());
  v1::DeleteSweepResponse deleted;
  EXPECT_EQ(
      Invoke(*sweeps_, &Sweeps::DeleteSweep, Named<v1::DeleteSweepRequest>("sweeps/old"), &deleted),
      absl::OkStatus());
  EXPECT_EQ(deleted.trials(), 2);
  Train(2);
  v1::Sweep sweep;
  ASSERT_EQ(GetSweep("new", &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.state(), v1::SWEEP_STATE_COMPLETED);
}

}  // namespace
}  // namespace sweep

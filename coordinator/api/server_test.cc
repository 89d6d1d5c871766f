// The services as clients see them, through a real server on loopback.
#include "coordinator/api/server.h"

#include <fstream>
#include <future>
#include <set>
#include <thread>

#include "common/base/sha256.h"
#include "coordinator/api/testing/server_testing.h"
#include "fmt/format.h"
#include "grpcpp/generic/generic_stub.h"
#include "proto/data_manifest.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// ---- Sweeps

TEST_F(ServerTest, TheSameSweepAgainIsTheSameAndOtherContentIsRefused) {
  bool created = false;
  EXPECT_EQ(Create("s", "", &created), absl::OkStatus());
  EXPECT_TRUE(created);
  EXPECT_EQ(Create("s", "# a comment\n", &created), absl::OkStatus());
  EXPECT_FALSE(created);
  const absl::Status other = Create("s", "seed: 99\n");
  EXPECT_EQ(other.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(Message(other), HasSubstr("s"));

  v1::Sweep sweep;
  ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.name(), "sweeps/s");
  EXPECT_EQ(sweep.state(), v1::SWEEP_STATE_ACTIVE);
  EXPECT_EQ(sweep.source().text(), TestSource("s").text);
  EXPECT_EQ(sweep.method(), "grid");
  EXPECT_EQ(sweep.planned_trials(), 4);
  EXPECT_EQ(sweep.principal(), "ada");
  EXPECT_THAT(sweep.gates(), ElementsAre("accuracy >= 0.9", "epochs < 5"));
  EXPECT_EQ(sweep.metric(), "accuracy");
  EXPECT_TRUE(sweep.maximize());
}

TEST_F(ServerTest, EveryComplaintAboutAFileComesBack) {
  const absl::Status status = Create("s", "epoch: 3\nruncap: 4\n");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("'epoch'"));
  EXPECT_THAT(Message(status), HasSubstr("runcap"));
  EXPECT_THAT(Message(status), HasSubstr("s.yaml:"));
  v1::Sweep sweep;
  EXPECT_EQ(GetSweep("s", &sweep).code(), absl::StatusCode::kNotFound);
}

TEST_F(ServerTest, AFileThatIsTooLargeIsRefused) {
  const absl::Status status = Create("s", "#" + std::string(1 << 20, 'x'));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("1048576"));
}

TEST_F(ServerTest, ValidateOnlyStoresNothing) {
  v1::CreateSweepRequest request;
  request.mutable_source()->set_text(TestSource("s").text);
  request.set_validate_only(true);
  v1::CreateSweepResponse response;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::CreateSweep, request, &response),
            absl::OkStatus());
  EXPECT_EQ(response.sweep().planned_trials(), 4);
  EXPECT_FALSE(response.created());
  v1::Sweep sweep;
  EXPECT_EQ(GetSweep("s", &sweep).code(), absl::StatusCode::kNotFound);
}

TEST_F(ServerTest, SweepsAreListedNewestFirstInPages) {
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(Create(name), absl::OkStatus());
  v1::ListSweepsRequest request;
  request.set_page_size(2);
  v1::ListSweepsResponse response;
  const auto list = &v1::SweepService::Stub::ListSweeps;
  ASSERT_EQ(Invoke(*sweeps_, list, request, &response), absl::OkStatus());
  ASSERT_EQ(response.sweeps_size(), 2);
  EXPECT_EQ(response.sweeps(0).name(), "sweeps/c");
  EXPECT_EQ(response.sweeps(1).name(), "sweeps/b");
  EXPECT_TRUE(response.sweeps(0).source().text().empty());
  request.set_page_token(response.next_page_token());
  ASSERT_EQ(Invoke(*sweeps_, list, request, &response), absl::OkStatus());
  ASSERT_EQ(response.sweeps_size(), 1);
  EXPECT_EQ(response.sweeps(0).name(), "sweeps/a");
  EXPECT_EQ(response.next_page_token(), "");
}

TEST_F(ServerTest, ACancelledSweepIsCancelledAndMayBeCancelledAgain) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  v1::CancelSweepRequest request;
  request.set_name("sweeps/s");
  v1::CancelSweepResponse response;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::CancelSweep, request, &response),
              absl::OkStatus());
    EXPECT_EQ(response.sweep().state(), v1::SWEEP_STATE_CANCELLED);
  }
  request.set_name("sweeps/none");
  EXPECT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::CancelSweep, request, &response).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ServerTest, TheRankingIsBestFirstWithIntervals) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(4);
  v1::RankSweepRequest request;
  request.set_name("sweeps/s");
  request.set_top(2);
  v1::RankSweepResponse response;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::RankSweep, request, &response),
            absl::OkStatus());
  EXPECT_EQ(response.sweep().state(), v1::SWEEP_STATE_COMPLETED);
  EXPECT_EQ(response.sweep().best_trial(), "s/4");
  EXPECT_DOUBLE_EQ(response.sweep().best_value(), 0.94);
  ASSERT_EQ(response.rows_size(), 2);
  const v1::RankedConfiguration& best = response.rows(0);
  EXPECT_EQ(best.rank(), 1);
  EXPECT_EQ(best.trial().name(), "sweeps/s/trials/4");
  EXPECT_TRUE(best.qualifies());
  EXPECT_EQ(best.gates_size(), 2);
  EXPECT_EQ(best.trial().evaluation_images(), 100);
  EXPECT_EQ(best.value_epoch(), best.trial().best_epoch());
  EXPECT_GT(best.value_epoch(), 0);
  EXPECT_LT(best.interval_low(), 0.94);
  EXPECT_GT(best.interval_high(), 0.94);
}

// ---- Trials

TEST_F(ServerTest, TrialsAreListedByStateFilterAndOrder) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(3);
  v1::ListTrialsRequest request;
  request.set_parent("sweeps/s");
  v1::ListTrialsResponse response;
  ASSERT_EQ(List(request, &response), absl::OkStatus());
  EXPECT_THAT(Numbers(response), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(response.trials(0).parameters().at("lr").double_value(), 0.01);
  EXPECT_EQ(response.trials(0).epochs_to_target(), 1);
  request.set_state(v1::TRIAL_STATE_PENDING);
  ASSERT_EQ(List(request, &response), absl::OkStatus());
  EXPECT_THAT(Numbers(response), ElementsAre(4));
  request.clear_state();
  request.set_order_by("best_accuracy desc");
  request.set_filter("best_accuracy > 91.5% and state == 'completed'");
  ASSERT_EQ(List(request, &response), absl::OkStatus());
  EXPECT_THAT(Numbers(response), ElementsAre(3, 2));
  // A pending trial has no accuracy, so neither this nor its opposite is true.
  request.set_filter("not (best_accuracy > 0.5)");
  ASSERT_EQ(List(request, &response), absl::OkStatus());
  EXPECT_THAT(Numbers(response), IsEmpty());
  // Filters see the resolved configuration, not only the search's choice.
  request.set_filter("batch_size == 64 and parameters == 18718 and lr >= 0.02");
  request.clear_order_by();
  ASSERT_EQ(List(request, &response), absl::OkStatus());
  EXPECT_THAT(Numbers(response), ElementsAre(2, 3, 4));
}

TEST_F(ServerTest, BadListsAreRefused) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(1);  // makes the sweep's hyperparameters known
  v1::ListTrialsRequest request;
  request.set_parent("sweeps/s");
  v1::ListTrialsResponse response;
  request.set_filter("best_acuracy > 0.5");
  absl::Status status = List(request, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("'best_accuracy'"));
  request.set_filter("lr >");
  EXPECT_EQ(List(request, &response).code(), absl::StatusCode::kInvalidArgument);
  request.clear_filter();
  request.set_order_by("no_such_key");
  EXPECT_EQ(List(request, &response).code(), absl::StatusCode::kInvalidArgument);
  request.clear_order_by();
  request.set_page_size(-1);
  EXPECT_EQ(List(request, &response).code(), absl::StatusCode::kInvalidArgument);
  request.clear_page_size();
  request.set_parent("sweeps/none");
  EXPECT_EQ(List(request, &response).code(), absl::StatusCode::kNotFound);
  request.set_parent("a b");
  EXPECT_EQ(List(request, &response).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ServerTest, PagesFollowEachOtherAndATokenOfAnotherQueryIsRefused) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(4);
  for (const char* filter : {"", "lr > 0"}) {
    v1::ListTrialsRequest request;
    request.set_parent("sweeps/s");
    request.set_filter(filter);
    request.set_page_size(3);
    v1::ListTrialsResponse response;
    ASSERT_EQ(List(request, &response), absl::OkStatus());
    EXPECT_THAT(Numbers(response), ElementsAre(1, 2, 3));
    request.set_page_token(response.next_page_token());
    ASSERT_EQ(List(request, &response), absl::OkStatus());
    EXPECT_THAT(Numbers(response), ElementsAre(4));
    EXPECT_EQ(response.next_page_token(), "");
    v1::ListTrialsRequest halves = request;
    halves.clear_page_token();
    halves.set_page_size(2);
    ASSERT_EQ(List(halves, &response), absl::OkStatus());
    halves.set_page_token(response.next_page_token());
    ASSERT_EQ(List(halves, &response), absl::OkStatus());
    EXPECT_THAT(Numbers(response), ElementsAre(3, 4));
    EXPECT_EQ(response.next_page_token(), "") << "a full page is the last one, too";
    request.set_filter("lr > 0.001");
    EXPECT_EQ(List(request, &response).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(ServerTest, ATrialIsShownWithWhatItsTrainerGetsItsEpochsAndAttempts) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  const v1::Lease lease = Lease("w");
  ASSERT_EQ(Report(lease.token(), 1, 2), absl::OkStatus());
  v1::GetTrialRequest get;
  get.set_name("s/1");
  v1::GetTrialResponse trial;
  ASSERT_EQ(Invoke(*trials_, &v1::TrialService::Stub::GetTrial, get, &trial), absl::OkStatus());
  EXPECT_EQ(trial.trial().state(), v1::TRIAL_STATE_RUNNING);
  EXPECT_EQ(trial.trial().worker(), "workers/w");
  EXPECT_EQ(trial.spec_json(), lease.spec_json());

  v1::ListEpochsRequest epochs_of;
  epochs_of.set_parent("s/1");
  epochs_of.set_page_size(1);
  v1::ListEpochsResponse epochs;
  const auto list = &v1::TrialService::Stub::ListEpochs;
  ASSERT_EQ(Invoke(*trials_, list, epochs_of, &epochs), absl::OkStatus());
  ASSERT_EQ(epochs.epochs_size(), 1);
  EXPECT_EQ(epochs.epochs(0).train_duration().nanos(), 250'000'000);
  epochs_of.set_page_token(epochs.next_page_token());
  ASSERT_EQ(Invoke(*trials_, list, epochs_of, &epochs), absl::OkStatus());
  ASSERT_EQ(epochs.epochs_size(), 1);
  EXPECT_EQ(epochs.epochs(0).epoch(), 2);
  EXPECT_EQ(epochs.next_page_token(), "");

  v1::ListAttemptsRequest attempts_of;
  attempts_of.set_parent("s/1");
  v1::ListAttemptsResponse attempts;
  ASSERT_EQ(Invoke(*trials_, &v1::TrialService::Stub::ListAttempts, attempts_of, &attempts),
            absl::OkStatus());
  ASSERT_EQ(attempts.attempts_size(), 1);
  EXPECT_EQ(attempts.attempts(0).worker(), "workers/w");
  EXPECT_FALSE(attempts.attempts(0).has_end_time());
}

TEST_F(ServerTest, ACancelledTrialMayBeCancelledAgainButNotACompletedOne) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(1);
  EXPECT_EQ(CancelTrial("s/1").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CancelTrial("s/2"), absl::OkStatus());
  EXPECT_EQ(CancelTrial("s/2"), absl::OkStatus());
  EXPECT_EQ(CancelTrial("s/9").code(), absl::StatusCode::kNotFound);
}

// ---- Workers

TEST_F(ServerTest, AParkedCallReturnsWhenItsTrialIsCancelled) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  v1::SynchronizeRequest request = Says("w");
  *request.add_held() = Lease("w").token();
  v1::ListWorkersRequest list;
  v1::ListWorkersResponse workers;
  const auto last_seen = [&] {
    EXPECT_EQ(Invoke(*workers_, &v1::WorkerService::Stub::ListWorkers, list, &workers),
              absl::OkStatus());
    return workers.workers(0).last_seen_time();
  };
  const auto before = last_seen();
  auto parked = std::async(std::launch::async, [&] {
    v1::SynchronizeResponse response;
    EXPECT_EQ(Synchronize(request, &response), absl::OkStatus());
    return response;
  });
  while (last_seen().SerializeAsString() == before.SerializeAsString()) std::this_thread::yield();
  EXPECT_EQ(workers.workers(0).name(), "workers/w");
  EXPECT_THAT(workers.workers(0).trials(), ElementsAre("s/1"));
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(CancelTrial("s/1"), absl::OkStatus());
  const v1::SynchronizeResponse answer = parked.get();
  for (const v1::Lease& lease : answer.leases()) {
    EXPECT_NE(lease.token().trial(), "sweeps/s/trials/1");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, kPatience);
}

TEST_F(ServerTest, AStaleTokenIsAFailedPrecondition) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  const v1::Lease old = Lease("w");
  ASSERT_EQ(Finish(old.token(), v1::LEASE_OUTCOME_GIVEN_BACK), absl::OkStatus());
  const v1::Lease current = Lease("w");
  EXPECT_EQ(current.token().attempt(), 2);
  EXPECT_EQ(Report(old.token(), 1, 1).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Report(current.token(), 1, 1), absl::OkStatus());
  v1::LeaseToken unknown = current.token();
  unknown.set_trial("sweeps/none/trials/1");
  EXPECT_EQ(Report(unknown, 1, 1).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ServerTest, BadReportsAreRefused) {
  ASSERT_EQ(Create("s", "epochs_of_no_interest: 1\n").code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(Create("s"), absl::OkStatus());
  v1::LeaseToken token = Lease("w").token();
  EXPECT_EQ(Report(token, 1, 17).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Report(token, 1, 0).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Report(token, 100, 100).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Report(token, 1, 1, 1.5).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Finish(token, v1::LEASE_OUTCOME_UNSPECIFIED).code(),
            absl::StatusCode::kInvalidArgument);
  v1::Artifact artifact;
  artifact.set_role("weights_best");
  artifact.set_sha256(Sha256Hex("nobody has stored this"));
  const absl::Status missing = Finish(token, v1::LEASE_OUTCOME_FAILED, artifact);
  EXPECT_EQ(missing.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(missing), HasSubstr(artifact.sha256()));
  token.set_trial("no trial");
  EXPECT_EQ(Report(token, 1, 1).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ServerTest, AWorkerOfAnotherProtocolIsToldBothVersions) {
  v1::SynchronizeRequest request = Says("w");
  request.set_protocol(3);
  v1::SynchronizeResponse response;
  const absl::Status status = Synchronize(request, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr("protocol 3"));
  EXPECT_THAT(Message(status), HasSubstr("protocol 1"));
}

TEST_F(ServerTest, AClientMayCancelItsParkedCall) {
  v1::SynchronizeResponse response;
  grpc::ClientContext context;
  auto parked = std::async(std::launch::async, [&] {
    const v1::SynchronizeRequest request = Says("w");
    return FromGrpcStatus(workers_->Synchronize(&context, request, &response)).code();
  });
  v1::ListWorkersResponse workers;
  do {
    ASSERT_EQ(Invoke(*workers_, &v1::WorkerService::Stub::ListWorkers, v1::ListWorkersRequest(),
                     &workers),
              absl::OkStatus());
  } while (workers.workers_size() == 0);
  context.TryCancel();
  EXPECT_EQ(parked.get(), absl::StatusCode::kCancelled);
  // Other calls of the same session still work.
  v1::SynchronizeRequest request = Says("w");
  request.set_no_wait(true);
  EXPECT_EQ(Synchronize(request, &response), absl::OkStatus());
}

// ---- Watching

TEST_F(ServerTest, AWatchTellsEverythingAndEndsWithTheSweep) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  std::vector<v1::WatchSweepResponse> live;
  auto watching = std::async(std::launch::async, [&] { return Watch("s", "", &live); });
  Train(4);
  EXPECT_EQ(watching.get(), absl::OkStatus());
  int epochs = 0;
  std::set<std::string> completed;
  for (const v1::WatchSweepResponse& event : live) {
    epochs += event.has_epoch();
    if (event.has_trial() && event.trial().state() == v1::TRIAL_STATE_COMPLETED) {
      completed.insert(event.trial().name());
    }
  }
  EXPECT_EQ(epochs, 20);
  EXPECT_EQ(completed.size(), 4u);
  ASSERT_TRUE(live.back().has_sweep());
  EXPECT_EQ(live.back().sweep().state(), v1::SWEEP_STATE_COMPLETED);

  // From any cursor: the same events, none repeated, none missing.
  const std::size_t middle = live.size() / 2;
  std::vector<v1::WatchSweepResponse> rest;
  EXPECT_EQ(Watch("s", live[middle].cursor(), &rest), absl::OkStatus());
  ASSERT_EQ(rest.size(), live.size() - middle - 1);
  for (std::size_t i = 0; i < rest.size(); ++i) {
    EXPECT_EQ(rest[i].cursor(), live[middle + 1 + i].cursor());
  }
  std::vector<v1::WatchSweepResponse> none;
  EXPECT_EQ(Watch("s", live.back().cursor(), &none), absl::OkStatus());
  EXPECT_THAT(none, IsEmpty());
}

TEST_F(ServerTest, AWatchEndsWhenTheSweepIsCancelled) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  std::vector<v1::WatchSweepResponse> events;
  auto watching = std::async(std::launch::async, [&] { return Watch("s", "", &events); });
  v1::CancelSweepRequest request;
  request.set_name("s");
  v1::CancelSweepResponse response;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::CancelSweep, request, &response),
            absl::OkStatus());
  EXPECT_EQ(watching.get(), absl::OkStatus());
  ASSERT_FALSE(events.empty());
}

TEST_F(ServerTest, ProgressIsSentToThoseWhoAsk) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  const v1::Lease lease = Lease("w");
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::WatchSweepRequest request;
  request.set_name("sweeps/s");
  request.set_progress(true);
  const auto reader = sweeps_->WatchSweep(&context, request);
  v1::ReportProgressRequest progress;
  progress.set_session("session-of-w");
  v1::Progress* const item = progress.add_progress();
  item->set_trial(lease.token().trial());
  item->set_epoch(1);
  item->set_step(7);
  v1::ReportProgressResponse ignored;
  ASSERT_EQ(Invoke(*workers_, &v1::WorkerService::Stub::ReportProgress, progress, &ignored),
            absl::OkStatus());
  v1::WatchSweepResponse event;
  while (reader->Read(&event) && event.progress().progress_size() == 0) {
    if (event.has_progress()) {
      EXPECT_EQ(event.progress().sweep().name(), "sweeps/s") << "news of the sweep";
    }
  }
  ASSERT_EQ(event.progress().progress_size(), 1);
  EXPECT_EQ(event.progress().progress(0).step(), 7);
  EXPECT_EQ(event.cursor(), "");
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ServerTest, BadWatchesAreRefused) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  std::vector<v1::WatchSweepResponse> events;
  for (const char* cursor : {"x", "-1", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(Watch("s", cursor, &events).code(), absl::StatusCode::kInvalidArgument) << cursor;
  }
  EXPECT_EQ(Watch("none", "", &events).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(events, IsEmpty());
}

// ---- Blobs

TEST_F(ServerTest, ABlobComesBackAsItWasAndMayBeArtifact) {
  std::string data;
  while (data.size() < 600'000) data += std::to_string(data.size());
  const std::string sha256 = Sha256Hex(data);
  bool existed = true;
  EXPECT_EQ(PutBlob(sha256, static_cast<std::int64_t>(data.size()), data, &existed),
            absl::OkStatus());
  EXPECT_FALSE(existed);
  EXPECT_EQ(PutBlob(sha256, static_cast<std::int64_t>(data.size()), data, &existed),
            absl::OkStatus());
  EXPECT_TRUE(existed);
  EXPECT_EQ(GetBlob(sha256).value_or("nothing"), data);

  ASSERT_EQ(Create("s"), absl::OkStatus());
  v1::Artifact artifact;
  artifact.set_role("weights_best");
  artifact.set_sha256(sha256);
  const v1::Lease lease = Lease("w");
  ASSERT_EQ(Report(lease.token(), 1, 5), absl::OkStatus());
  ASSERT_EQ(Finish(lease.token(), v1::LEASE_OUTCOME_COMPLETED, artifact), absl::OkStatus());
  v1::GetTrialRequest get;
  get.set_name("s/1");
  v1::GetTrialResponse trial;
  ASSERT_EQ(Invoke(*trials_, &v1::TrialService::Stub::GetTrial, get, &trial), absl::OkStatus());
  ASSERT_EQ(trial.trial().artifacts_size(), 1);
  EXPECT_EQ(trial.trial().artifacts(0).size_bytes(), static_cast<std::int64_t>(data.size()));
}

TEST_F(ServerTest, AnUploadSaysWhatIsMissing) {
  const std::string there = Sha256Hex("abc"), missing = Sha256Hex("never stored");
  ASSERT_EQ(PutBlob(there, 3, "abc"), absl::OkStatus());
  v1::FindMissingBlobsRequest request;
  v1::FindMissingBlobsResponse response;
  for (const std::string& name : {missing, there, missing}) request.add_sha256(name);
  const auto find = [&] {
    return Invoke(*blobs_, &v1::BlobService::Stub::FindMissingBlobs, request, &response);
  };
  ASSERT_EQ(find(), absl::OkStatus());
  EXPECT_THAT(response.missing_sha256(), testing::ElementsAre(missing, missing));
  request.add_sha256("x");
  EXPECT_EQ(find().code(), absl::StatusCode::kInvalidArgument);
  request.clear_sha256();
  for (int i = 0; i < 1001; ++i) request.add_sha256(there);
  EXPECT_EQ(find().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ServerTest, ASweepOnUploadedDataNeedsAllOfIt) {
  const DataManifest manifest{
      .files = {{.name = "a", .size_bytes = 3, .pieces = {Sha256Hex("abc")}}}};
  const std::string text = manifest.Text(), name = Sha256Hex(text);
  const auto create = [&](const std::string& sweep, const std::string& data) {
    v1::CreateSweepRequest request;
    SweepSource source = TestSource(sweep);
    const std::string before = "dataset: {name: synthetic, train: 100, test: 100}";
    EXPECT_NE(source.text.find(before), std::string::npos);
    source.text.replace(source.text.find(before), before.size(),
                        "dataset: {format: idx, path: \"sha256:" + data + "\"}");
    request.mutable_source()->set_file(source.file);
    request.mutable_source()->set_text(source.text);
    v1::CreateSweepResponse response;
    return Invoke(*sweeps_, &v1::SweepService::Stub::CreateSweep, request, &response);
  };
  const absl::Status nothing = create("s", name);
  EXPECT_EQ(nothing.code(), absl::StatusCode::kFailedPrecondition) << nothing;
  EXPECT_THAT(std::string(nothing.message()),
              testing::AllOf(testing::HasSubstr(name), testing::HasSubstr("--upload-data")));
  ASSERT_EQ(PutBlob(name, std::ssize(text), text), absl::OkStatus());
  const absl::Status piece = create("s", name);
  EXPECT_EQ(piece.code(), absl::StatusCode::kFailedPrecondition) << piece;
  EXPECT_THAT(std::string(piece.message()), testing::HasSubstr(Sha256Hex("abc")));
  ASSERT_EQ(PutBlob(Sha256Hex("abc"), 3, "abc"), absl::OkStatus());
  EXPECT_EQ(create("s", Sha256Hex("abc")).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(create("s", name), absl::OkStatus());
  EXPECT_EQ(create("t", name), absl::OkStatus()) << "without another upload";
}

// Of this process, which is also its clients.
std::int64_t MemoryInUse() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kilobytes = 0;
    if (word == "VmRSS:" && status >> kilobytes) return kilobytes << 10;
  }
  return 0;
}

// Each has a connection of its own, as a worker on its own machine has.
TEST_F(ServerTest, AHundredReadersAtOnceDoNotHoldAHundredCopies) {
  constexpr std::int64_t kReaders = 100, kSize = 60 << 20;
  const std::string bytes(kSize, 'x'), sha256 = Sha256Hex(bytes);
  ASSERT_EQ(PutBlob(sha256, kSize, bytes), absl::OkStatus());
  struct Reader {
    std::unique_ptr<v1::BlobService::Stub> stub;
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::GetBlobResponse>> stream;
    v1::GetBlobResponse piece;
  };
  const std::int64_t before = MemoryInUse();
  ASSERT_GT(before, 0);
  std::vector<std::unique_ptr<Reader>> readers;
  v1::GetBlobRequest request;
  request.set_sha256(sha256);
  for (int i = 0; i < kReaders; ++i) {
    auto reader = std::make_unique<Reader>();
    grpc::ChannelArguments own;
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    reader->stub = v1::BlobService::NewStub(
        grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(), own));
    SetDeadline(&reader->context);
    reader->stream = reader->stub->GetBlob(&reader->context, request);
    readers.push_back(std::move(reader));
  }
  // All are in the middle of the blob at once.
  for (int piece = 0; piece < 8; ++piece) {
    for (const auto& reader : readers) ASSERT_TRUE(reader->stream->Read(&reader->piece));
  }
  EXPECT_LT(MemoryInUse() - before, kReaders * kSize / 10);
  for (const auto& reader : readers) {
    reader->context.TryCancel();
    reader->stream->Finish();
  }
}

TEST_F(ServerTest, AnEmptyBlobIsABlob) {
  EXPECT_EQ(PutBlob(Sha256Hex(""), 0, ""), absl::OkStatus());
  EXPECT_EQ(GetBlob(Sha256Hex("")).value_or("nothing"), "");
}

TEST_F(ServerTest, BadBlobsAreRefusedAndLeaveNothing) {
  const std::string sha256 = Sha256Hex("good");
  EXPECT_EQ(PutBlob(sha256, 4, "evil").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PutBlob(sha256, 3, "good").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PutBlob(sha256, 5, "good").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PutBlob("../../etc/passwd", 4, "good").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PutBlob(sha256, std::int64_t{65} << 20, "good").code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(GetBlob(sha256).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(GetBlob("x").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PutBlob(sha256, 4, "good"), absl::OkStatus());
}

// ---- The server

std::string Bytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

grpc::ByteBuffer Buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// Sends one message to a method without a stub and returns the answer.
std::string CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                    const std::string& request) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  SetDeadline(&context);
  grpc::CompletionQueue queue;
  const auto wait = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, method, &queue);
  grpc::ByteBuffer answer;
  call->StartCall(nullptr);
  EXPECT_TRUE(wait());
  call->Write(Buffer(request), nullptr);
  EXPECT_TRUE(wait());
  call->Read(&answer, nullptr);
  EXPECT_TRUE(wait());
  context.TryCancel();
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  return Bytes(answer);
}

TEST_F(ServerTest, HealthAndReflectionAreOn) {
  // HealthCheckResponse{status: SERVING}
  EXPECT_EQ(CallRaw(channel_, "/grpc.health.v1.Health/Check", ""), std::string("\x08\x01"));
  // ServerReflectionRequest{list_services: ""}
  const std::string services =
      CallRaw(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              std::string("\x3a\x00", 2));
  for (const char* name : {"sweep.v1.SweepService", "sweep.v1.TrialService",
                           "sweep.v1.WorkerService", "sweep.v1.BlobService"}) {
    EXPECT_THAT(services, HasSubstr(name));
  }
}

TEST_F(ServerTest, ShutdownIsQuickWithParkedCallsAndOpenWatches) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  std::vector<std::future<absl::Status>> open;
  for (int i = 0; i < 4; ++i) {
    open.push_back(std::async(std::launch::async, [this, i] {
      v1::SynchronizeRequest request = Says("drained-" + std::to_string(i));
      request.set_draining(true);  // parked, whatever is pending
      v1::SynchronizeResponse response;
      return Synchronize(request, &response);
    }));
  }
  grpc::ClientContext blocked_context;
  v1::WatchSweepRequest request;
  request.set_name("sweeps/s");
  const auto blocked = sweeps_->WatchSweep(&blocked_context, request);  // never read
  grpc::ClientContext upload_context;
  v1::PutBlobResponse ignored;
  const auto upload = blobs_->PutBlob(&upload_context, &ignored);  // never written
  grpc::ClientContext watch_context;
  const auto watch = sweeps_->WatchSweep(&watch_context, request);
  v1::WatchSweepResponse event;
  ASSERT_TRUE(watch->Read(&event));
  open.push_back(std::async(std::launch::async, [&] {
    while (watch->Read(&event)) {
    }
    return FromGrpcStatus(watch->Finish());
  }));
  v1::ListWorkersResponse workers;
  do {
    ASSERT_EQ(Invoke(*workers_, &v1::WorkerService::Stub::ListWorkers, v1::ListWorkersRequest(),
                     &workers),
              absl::OkStatus());
  } while (workers.workers_size() < 4);

  const auto start = std::chrono::steady_clock::now();
  server_->Shutdown();
  EXPECT_LT(std::chrono::steady_clock::now() - start, kPatience);
  server_->Shutdown();
  for (auto& status : open) EXPECT_EQ(status.get().code(), absl::StatusCode::kUnavailable);
}

TEST(Server, ASecondOneOnThePortOrTheDatabaseIsRefused) {
  TemporaryFolder folder;
  const std::string database = folder.File("sweep.db");
  auto server = Must(CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = database}));
  ASSERT_NE(server, nullptr);
  const auto same_port =
      CoordinatorServer::Start({.listen = server->address(), .database = folder.File("other.db")});
  ASSERT_FALSE(same_port.ok());
  EXPECT_EQ(same_port.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(same_port.status()), HasSubstr(server->address()));
  EXPECT_THAT(Message(same_port.status()), HasSubstr("in use"));
  EXPECT_FALSE(std::ifstream(folder.File("other.db")).good()) << "it left a database behind";
  const auto same_database =
      CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = database});
  ASSERT_FALSE(same_database.ok());
  EXPECT_EQ(same_database.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(same_database.status()), HasSubstr(server->address()));
  server.reset();
  EXPECT_TRUE(CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = database}).ok());
}

TEST(Server, BadAddressesAreRefused) {
  for (const char* listen :
       {"", "7077", "host:", ":7077", "127.0.0.1:99999", "::1:7077", "127.0.0.1:x"}) {
    const auto server = CoordinatorServer::Start({.listen = listen, .database = ""});
    ASSERT_FALSE(server.ok()) << listen;
    EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument) << listen;
  }
  const auto foreign = CoordinatorServer::Start(
      {.listen = "192.0.2.1:0", .security = {.insecure = true}, .database = ""});
  ASSERT_FALSE(foreign.ok());
  EXPECT_THAT(Message(foreign.status()), HasSubstr("192.0.2.1:0"));
}

TEST(Server, ARestartGoesOnWithWhatItHas) {
  TemporaryFolder folder;
  const std::string database = folder.File("sweep.db");
  v1::LeaseToken token;
  {
    auto server = Must(CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = database}));
    const auto channel = MakeChannel(server->address());
    v1::CreateSweepRequest create;
    create.mutable_source()->set_text(TestSource("s").text);
    v1::CreateSweepResponse created;
    grpc::ClientContext context;
    ASSERT_TRUE(v1::SweepService::NewStub(channel)->CreateSweep(&context, create, &created).ok());
    v1::SynchronizeResponse response;
    grpc::ClientContext second;
    ASSERT_TRUE(
        v1::WorkerService::NewStub(channel)->Synchronize(&second, Says("w"), &response).ok());
    ASSERT_EQ(response.leases_size(), 1);
    token = response.leases(0).token();
  }
  auto server = Must(CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = database}));
  v1::ReportEpochsRequest report;
  *report.mutable_token() = token;
  report.add_epochs()->set_epoch(1);
  v1::ReportEpochsResponse ignored;
  grpc::ClientContext context;
  const grpc::Status status = v1::WorkerService::NewStub(MakeChannel(server->address()))
                                  ->ReportEpochs(&context, report, &ignored);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST(Server, AFileThatABuildOfAnEarlierEditionStoredIsTheSameSweep) {
  TemporaryFolder folder;
  const std::string database = folder.File("sweep.db");
  SweepSource source = TestSource("s");
  source.edition = 1;
  Diagnostics diagnostics;
  const SweepSpec before = Must(SweepSpec::Parse(source, &diagnostics));
  ASSERT_NE(before.digest, TestSpec("s").digest);
  ASSERT_TRUE(Must(Store::Open({.path = database}))
                  ->WriteAndWait([&](WriteTransaction& transaction) {
                    bool created = false;
                    return transaction.CreateSweep(before, source, "", &created).status();
                  })
                  .ok());
  auto server = Must(CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = database}));
  const auto sweeps = v1::SweepService::NewStub(MakeChannel(server->address()));
  const auto submit = [&](const std::string& text) {
    grpc::ClientContext context;
    v1::CreateSweepRequest request;
    request.mutable_source()->set_text(text);
    v1::CreateSweepResponse response;
    const grpc::Status status = sweeps->CreateSweep(&context, request, &response);
    EXPECT_FALSE(response.created());
    return status.error_code();
  };
  EXPECT_EQ(submit(source.text), grpc::StatusCode::OK);
  EXPECT_EQ(submit(source.text + "seed: 99\n"), grpc::StatusCode::ALREADY_EXISTS);
}

}  // namespace
}  // namespace sweep

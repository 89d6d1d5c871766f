// Changes that people make to sweeps, trials and workers, through a real server.

#include <future>
#include <thread>

#include "coordinator/api/testing/server_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ControlTest : public ServerTest {
 protected:
  // A grid of four configurations whose trials exist.
  void CreateFour() {
    ASSERT_EQ(Create("s"), absl::OkStatus());
    v1::Sweep sweep;
    while (sweep.counts().pending() < 4) ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  }
  absl::Status Pause(bool now = false, v1::Sweep* sweep = nullptr) {
    v1::PauseSweepRequest request;
    request.set_name("sweeps/s");
    request.set_now(now);
    v1::PauseSweepResponse response;
    const absl::Status status =
        Invoke(*sweeps_, &v1::SweepService::Stub::PauseSweep, request, &response);
    if (sweep != nullptr) *sweep = response.sweep();
    return status;
  }
  absl::Status Resume() {
    v1::ResumeSweepRequest request;
    request.set_name("sweeps/s");
    v1::ResumeSweepResponse response;
    return Invoke(*sweeps_, &v1::SweepService::Stub::ResumeSweep, request, &response);
  }
  absl::Status Retry(bool failed, bool cancelled, v1::RetrySweepResponse* response) {
    v1::RetrySweepRequest request;
    request.set_name("sweeps/s");
    request.set_failed(failed);
    request.set_cancelled(cancelled);
    return Invoke(*sweeps_, &v1::SweepService::Stub::RetrySweep, request, response);
  }
  absl::Status RetryTrial(const std::string& name, v1::RetryTrialResponse* response) {
    v1::RetryTrialRequest request;
    request.set_name(name);
    return Invoke(*trials_, &v1::TrialService::Stub::RetryTrial, request, response);
  }
  absl::Status Extend(std::int64_t run_cap, v1::Sweep* sweep = nullptr) {
    v1::ExtendSweepRequest request;
    request.set_name("sweeps/s");
    request.set_run_cap(run_cap);
    v1::ExtendSweepResponse response;
    const absl::Status status =
        Invoke(*sweeps_, &v1::SweepService::Stub::ExtendSweep, request, &response);
    if (sweep != nullptr) *sweep = response.sweep();
    return status;
  }
  absl::Status Drain(const std::string& worker, v1::Worker* shown = nullptr) {
    v1::DrainWorkerRequest request;
    request.set_name(worker);
    v1::DrainWorkerResponse response;
    const absl::Status status =
        Invoke(*workers_, &v1::WorkerService::Stub::DrainWorker, request, &response);
    if (shown != nullptr) *shown = response.worker();
    return status;
  }
  v1::ExplainTrialResponse Explain(const std::string& name) {
    v1::ExplainTrialRequest request;
    request.set_name(name);
    v1::ExplainTrialResponse response;
    EXPECT_EQ(Invoke(*trials_, &v1::TrialService::Stub::ExplainTrial, request, &response),
              absl::OkStatus());
    return response;
  }
  static v1::AppendLogsRequest Lines(const v1::LeaseToken& token, std::int64_t first,
                                     std::int64_t last) {
    v1::AppendLogsRequest request;
    *request.mutable_token() = token;
    for (std::int64_t number = first; number <= last; ++number) {
      v1::LogLine* const line = request.add_lines();
      line->set_line(number);
      line->mutable_time()->set_seconds(1'700'000'000 + number);
      line->set_text(fmt::format("line {}", number));
    }
    return request;
  }
  absl::Status Append(const v1::AppendLogsRequest& request) {
    v1::AppendLogsResponse response;
    return Invoke(*workers_, &v1::WorkerService::Stub::AppendLogs, request, &response);
  }
  absl::Status Logs(v1::ListLogsResponse* response, int page_size = 0,
                    const std::string& page_token = "", int tail = 0) {
    v1::ListLogsRequest request;
    request.set_parent("s/1");
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    request.set_tail(tail);
    return Invoke(*trials_, &v1::TrialService::Stub::ListLogs, request, response);
  }
  // "1:3" for line 3 of attempt 1.
  static std::vector<std::string> Numbers(const v1::ListLogsResponse& response) {
    std::vector<std::string> numbers;
    for (const v1::LogLine& line : response.lines()) {
      numbers.push_back(fmt::format("{}:{}", line.attempt(), line.line()));
    }
    return numbers;
  }

  // Starts a call of worker w, which holds `lease`; it is answered when something changes.
  std::future<v1::SynchronizeResponse> Park(const v1::Lease& lease) {
    v1::SynchronizeRequest request = Says("w");
    *request.add_held() = lease.token();
    return std::async(std::launch::async, [this, request] {
      v1::SynchronizeResponse response;
      EXPECT_EQ(Synchronize(request, &response), absl::OkStatus());
      return response;
    });
  }
  static bool IsQuick(const std::future<v1::SynchronizeResponse>& call) {
    return call.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
  }
};

// ---- Pausing

TEST_F(ControlTest, PausingNowReachesAParkedWorkerAtOnce) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  const v1::Lease lease = Lease("w");
  auto parked = Park(lease);
  v1::Sweep sweep;
  ASSERT_EQ(Pause(/*now=*/true, &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.state(), v1::SWEEP_STATE_PAUSED);
  ASSERT_TRUE(IsQuick(parked)) << "not after the poll time of 20 s";
  const v1::SynchronizeResponse answer = parked.get();
  ASSERT_EQ(answer.leases_size(), 1);
  ASSERT_EQ(answer.give_back_size(), 1);
  EXPECT_EQ(answer.give_back(0).trial(), lease.token().trial());
  EXPECT_EQ(answer.give_back(0).attempt(), 1);
  EXPECT_EQ(answer.give_back(0).secret(), lease.token().secret());
  EXPECT_FALSE(answer.drain());
  ASSERT_EQ(Finish(lease.token(), v1::LEASE_OUTCOME_GIVEN_BACK), absl::OkStatus());
  v1::SynchronizeRequest idle = Says("w");
  idle.set_no_wait(true);
  v1::SynchronizeResponse nothing;
  ASSERT_EQ(Synchronize(idle, &nothing), absl::OkStatus());
  EXPECT_EQ(nothing.leases_size(), 0);
  ASSERT_EQ(Resume(), absl::OkStatus());
  EXPECT_EQ(Lease("w").token().attempt(), 2);
}

TEST_F(ControlTest, AWatchShowsEveryNewStateOfTheSweep) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::WatchSweepRequest request;
  request.set_name("sweeps/s");
  const auto reader = sweeps_->WatchSweep(&context, request);
  const auto next_state = [&] {
    v1::WatchSweepResponse event;
    while (reader->Read(&event)) {
      if (event.has_sweep()) return event.sweep().state();
    }
    return v1::SWEEP_STATE_UNSPECIFIED;
  };
  EXPECT_EQ(next_state(), v1::SWEEP_STATE_ACTIVE);
  ASSERT_EQ(Pause(), absl::OkStatus());
  EXPECT_EQ(next_state(), v1::SWEEP_STATE_PAUSED);
  ASSERT_EQ(Resume(), absl::OkStatus());
  EXPECT_EQ(next_state(), v1::SWEEP_STATE_ACTIVE);
  context.TryCancel();
  reader->Finish();
}

TEST_F(ControlTest, AnEndedSweepIsNeitherPausedNorResumed) {
  EXPECT_TRUE(absl::IsNotFound(Pause()));
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(4);
  const absl::Status status = Pause();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_EQ(Message(status), "sweep 's' has ended (completed)");
  EXPECT_TRUE(absl::IsFailedPrecondition(Resume()));
}

// ---- Retrying and extending

TEST_F(ControlTest, FailedTrialsAreRetried) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  const v1::Lease lease = Lease("w");
  ASSERT_EQ(Finish(lease.token(), v1::LEASE_OUTCOME_FAILED_FOR_GOOD), absl::OkStatus());
  Train(3);
  v1::RetrySweepResponse response;
  EXPECT_TRUE(absl::IsInvalidArgument(Retry(false, false, &response)));
  ASSERT_EQ(Retry(true, false, &response), absl::OkStatus());
  EXPECT_EQ(response.retried(), 1);
  EXPECT_EQ(response.sweep().state(), v1::SWEEP_STATE_ACTIVE);
  EXPECT_FALSE(response.sweep().has_end_time());
  EXPECT_EQ(response.sweep().counts().pending(), 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(Report(lease.token(), 1, 1)));
  Train(1);
  v1::Sweep sweep;
  ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.state(), v1::SWEEP_STATE_COMPLETED);
  EXPECT_EQ(sweep.counts().completed(), 4);
}

TEST_F(ControlTest, ATrialThatDivergedIsRetriedOnlyWhenForced) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  const v1::Lease lease = Lease("w");
  ASSERT_EQ(Finish(lease.token(), v1::LEASE_OUTCOME_FAILED_FOR_GOOD, {}, "diverged: loss is nan"),
            absl::OkStatus());
  v1::Sweep sweep;
  ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.counts().diverged(), 1);
  EXPECT_EQ(sweep.counts().failed(), 0);
  v1::RetrySweepResponse response;
  ASSERT_EQ(Retry(true, false, &response), absl::OkStatus());
  EXPECT_EQ(response.retried(), 0);
  v1::RetryTrialRequest request;
  request.set_name("sweeps/s/trials/1");
  v1::RetryTrialResponse trial;
  const auto retry = [&] {
    return Invoke(*trials_, &v1::TrialService::Stub::RetryTrial, request, &trial);
  };
  EXPECT_TRUE(absl::IsFailedPrecondition(retry()));
  request.set_force(true);
  EXPECT_EQ(retry(), absl::OkStatus());
  EXPECT_EQ(trial.trial().state(), v1::TRIAL_STATE_PENDING);
}

TEST_F(ControlTest, OneTrialIsRetried) {
  CreateFour();
  v1::RetryTrialResponse response;
  EXPECT_TRUE(absl::IsFailedPrecondition(RetryTrial("s/1", &response)));
  ASSERT_EQ(CancelTrial("s/1"), absl::OkStatus());
  ASSERT_EQ(RetryTrial("s/1", &response), absl::OkStatus());
  EXPECT_EQ(response.trial().state(), v1::TRIAL_STATE_PENDING);
  EXPECT_EQ(response.trial().reason(), "");
  EXPECT_TRUE(absl::IsNotFound(RetryTrial("s/99", &response)));
  EXPECT_TRUE(absl::IsInvalidArgument(RetryTrial("s", &response)));
}

TEST_F(ControlTest, AnExtensionIsShownWithTheSweep) {
  v1::CreateSweepRequest create;
  create.mutable_source()->set_text(
      "name: s\nmodel: cnn-18718\ndataset: synthetic\nmethod: random\nrun_cap: 2\nreplicates: 3\n"
      "epochs: 5\nparameters:\n  lr: {min: 0.01, max: 0.1}\n");
  v1::CreateSweepResponse created;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::CreateSweep, create, &created),
            absl::OkStatus());
  EXPECT_EQ(created.sweep().planned_configurations(), 2);
  EXPECT_EQ(created.sweep().planned_trials(), 6);
  EXPECT_EQ(created.sweep().replicates(), 3);
  Train(6);
  v1::Sweep sweep;
  ASSERT_EQ(Extend(4, &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.state(), v1::SWEEP_STATE_ACTIVE);
  EXPECT_EQ(sweep.planned_configurations(), 4);
  EXPECT_EQ(sweep.planned_trials(), 12);
  EXPECT_TRUE(absl::IsInvalidArgument(Extend(4)));
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::CreateSweep, create, &created),
            absl::OkStatus());
  EXPECT_FALSE(created.created());
  EXPECT_EQ(created.sweep().planned_configurations(), 4);
  Train(6);
  ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.state(), v1::SWEEP_STATE_COMPLETED);
  EXPECT_EQ(sweep.counts().completed(), 12);
}

// ---- Logs

TEST_F(ControlTest, LogsAreListedInPagesAndFollowed) {
  CreateFour();
  v1::ListLogsResponse page;
  ASSERT_EQ(Logs(&page), absl::OkStatus());
  EXPECT_THAT(Numbers(page), IsEmpty());
  EXPECT_NE(page.next_page_token(), "") << "to follow from the beginning";
  const std::string beginning = page.next_page_token();
  const v1::Lease lease = Lease("w");
  ASSERT_EQ(Append(Lines(lease.token(), 1, 3)), absl::OkStatus());
  ASSERT_EQ(Append(Lines(lease.token(), 2, 5)), absl::OkStatus()) << "two of them again";
  ASSERT_EQ(Logs(&page, 2, beginning), absl::OkStatus());
  EXPECT_THAT(Numbers(page), ElementsAre("1:1", "1:2"));
  EXPECT_TRUE(page.more());
  EXPECT_EQ(page.lines(1).text(), "line 2");
  EXPECT_EQ(page.lines(1).time().seconds(), 1'700'000'002);
  ASSERT_EQ(Logs(&page, 0, page.next_page_token()), absl::OkStatus());
  EXPECT_THAT(Numbers(page), ElementsAre("1:3", "1:4", "1:5"));
  EXPECT_FALSE(page.more());
  const std::string end = page.next_page_token();
  ASSERT_EQ(Logs(&page, 0, end), absl::OkStatus());
  EXPECT_THAT(Numbers(page), IsEmpty());
  EXPECT_EQ(page.next_page_token(), end);

  // The last lines of an ended lease, and those of the next attempt.
  ASSERT_EQ(Finish(lease.token(), v1::LEASE_OUTCOME_FAILED), absl::OkStatus());
  ASSERT_EQ(Append(Lines(lease.token(), 6, 6)), absl::OkStatus());
  const v1::Lease second = Lease("w");
  ASSERT_EQ(second.token().trial(), lease.token().trial());
  ASSERT_EQ(Append(Lines(second.token(), 1, 1)), absl::OkStatus());
  ASSERT_EQ(Logs(&page, 0, end), absl::OkStatus());
  EXPECT_THAT(Numbers(page), ElementsAre("1:6", "2:1"));
  EXPECT_TRUE(absl::IsFailedPrecondition(Append(Lines(lease.token(), 7, 7)))) << "too late";

  ASSERT_EQ(Logs(&page, 0, "", 2), absl::OkStatus());
  EXPECT_THAT(Numbers(page), ElementsAre("1:6", "2:1"));
  ASSERT_EQ(Logs(&page, 0, "", 100), absl::OkStatus());
  EXPECT_EQ(page.lines_size(), 7);
}

TEST_F(ControlTest, BadLogCallsAreRefused) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  const v1::Lease lease = Lease("w");
  EXPECT_TRUE(absl::IsInvalidArgument(Append(Lines(lease.token(), 1, 201))));
  EXPECT_TRUE(absl::IsInvalidArgument(Append(Lines(lease.token(), 0, 1))));
  v1::LeaseToken forged = lease.token();
  forged.set_secret("guess");
  EXPECT_TRUE(absl::IsFailedPrecondition(Append(Lines(forged, 1, 1))));
  forged.set_trial("sweeps/s/trials/99");
  EXPECT_TRUE(absl::IsNotFound(Append(Lines(forged, 1, 1))));
  v1::ListLogsResponse page;
  EXPECT_TRUE(absl::IsInvalidArgument(Logs(&page, 0, "1.abc")));
  EXPECT_TRUE(absl::IsInvalidArgument(Logs(&page, 0, "", -1)));
  ASSERT_EQ(Logs(&page), absl::OkStatus());
  EXPECT_TRUE(absl::IsInvalidArgument(Logs(&page, 0, page.next_page_token(), 5)));
  EXPECT_EQ(page.lines_size(), 0);
}

TEST_F(ControlTest, LogLinesAreNoEvents) {
  CreateFour();
  const v1::Lease lease = Lease("w");
  ASSERT_EQ(Append(Lines(lease.token(), 1, 100)), absl::OkStatus());
  v1::CancelSweepRequest cancel;
  cancel.set_name("sweeps/s");
  v1::CancelSweepResponse cancelled;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::CancelSweep, cancel, &cancelled),
            absl::OkStatus());
  std::vector<v1::WatchSweepResponse> events;
  ASSERT_EQ(Watch("s", "", &events), absl::OkStatus());
  // The sweep twice; four trials created, one granted, four cancelled.
  EXPECT_EQ(events.size(), 11u);
}

// ---- Workers

TEST_F(ControlTest, DrainingReachesAParkedWorkerAtOnce) {
  EXPECT_TRUE(absl::IsNotFound(Drain("workers/w")));
  EXPECT_TRUE(absl::IsInvalidArgument(Drain("a b")));
  ASSERT_EQ(Create("s"), absl::OkStatus());
  const v1::Lease lease = Lease("w");
  auto parked = Park(lease);
  v1::Worker shown;
  ASSERT_EQ(Drain("workers/w", &shown), absl::OkStatus());
  EXPECT_TRUE(shown.draining());
  EXPECT_EQ(shown.name(), "workers/w");
  EXPECT_THAT(shown.trials(), ElementsAre("s/1"));
  ASSERT_TRUE(IsQuick(parked));
  const v1::SynchronizeResponse answer = parked.get();
  EXPECT_TRUE(answer.drain());
  EXPECT_EQ(answer.leases_size(), 1);
}

// ---- Explaining

TEST_F(ControlTest, ATrialIsExplainedInEveryState) {
  CreateFour();
  EXPECT_THAT(Explain("s/1").reasons(), ElementsAre("no worker is connected"));
  const v1::Lease lease = Lease("w");
  EXPECT_THAT(Explain("s/1").reasons(0), HasSubstr("worker w trains it: attempt 1 was granted"));
  const v1::ExplainTrialResponse waits = Explain("s/4");
  EXPECT_THAT(waits.reasons(), ElementsAre("the slot of 1 worker is busy: 1 with sweep s",
                                           "2 trials go first, of its own sweep"));
  EXPECT_EQ(waits.trials_ahead(), 2);
  EXPECT_EQ(waits.trial().name(), "sweeps/s/trials/4");
  ASSERT_EQ(Pause(), absl::OkStatus());
  EXPECT_THAT(Explain("s/4").reasons(0), HasSubstr("sweep s is paused"));
  ASSERT_EQ(Resume(), absl::OkStatus());
  ASSERT_EQ(Finish(lease.token(), v1::LEASE_OUTCOME_FAILED), absl::OkStatus());
  EXPECT_THAT(Explain("s/1").reasons(), Contains(HasSubstr("(failure 1 of 3)")));
  ASSERT_EQ(CancelTrial("s/1"), absl::OkStatus());
  EXPECT_THAT(Explain("s/1").reasons(0), HasSubstr("it was cancelled"));
  v1::ExplainTrialRequest request;
  request.set_name("s/9");
  v1::ExplainTrialResponse response;
  EXPECT_TRUE(absl::IsNotFound(
      Invoke(*trials_, &v1::TrialService::Stub::ExplainTrial, request, &response)));
}

// ---- Programs

class ProgramSweepTest : public ControlTest {
 protected:
  v1::CreateSweepRequest Request() {
    v1::CreateSweepRequest request;
    request.mutable_source()->set_text(
        TestSource("s", "program: [python3, train.py]\nfiles: [train.py]\n").text);
    (*request.mutable_source()->mutable_program_files())["train.py"] = "print('hello')\n";
    return request;
  }
  absl::Status CreateProgram(const v1::CreateSweepRequest& request,
                             v1::CreateSweepResponse* response) {
    return Invoke(*sweeps_, &v1::SweepService::Stub::CreateSweep, request, response);
  }
};

TEST_F(ProgramSweepTest, AProgramReachesAWorkerThatAllowsItWithItsFiles) {
  v1::CreateSweepResponse created;
  ASSERT_EQ(CreateProgram(Request(), &created), absl::OkStatus());
  EXPECT_THAT(created.sweep().program(), ElementsAre("python3", "train.py"));
  v1::SynchronizeRequest plain = Says("plain");
  plain.set_no_wait(true);
  v1::SynchronizeResponse answer;
  ASSERT_EQ(Synchronize(plain, &answer), absl::OkStatus());
  EXPECT_EQ(answer.leases_size(), 0);
  v1::Sweep made;
  while (made.counts().pending() < 4) ASSERT_EQ(GetSweep("s", &made), absl::OkStatus());
  EXPECT_THAT(Explain("s/1").reasons(0), HasSubstr("brings its own program"));

  v1::SynchronizeRequest free = Says("free");
  free.mutable_description()->set_allows_programs(true);
  ASSERT_EQ(Synchronize(free, &answer), absl::OkStatus());
  ASSERT_EQ(answer.leases_size(), 1);
  EXPECT_THAT(answer.leases(0).program(), ElementsAre("python3", "train.py"));
  EXPECT_THAT(Explain("s/1").reasons(0), HasSubstr("worker free trains it"));
  EXPECT_EQ(answer.leases(0).program_digest().size(), 64u);
  v1::Sweep sweep;
  ASSERT_EQ(GetSweep("s", &sweep), absl::OkStatus());
  EXPECT_EQ(sweep.source().program_files().at("train.py"), "print('hello')\n");
  v1::ListWorkersResponse workers;
  ASSERT_EQ(
      Invoke(*workers_, &v1::WorkerService::Stub::ListWorkers, v1::ListWorkersRequest(), &workers),
      absl::OkStatus());
  EXPECT_TRUE(workers.workers(0).allows_programs());
  EXPECT_FALSE(workers.workers(1).allows_programs());
}

TEST_F(ProgramSweepTest, AProgramNeedsNoNetwork) {
  v1::CreateSweepRequest request;
  request.mutable_source()->set_text(
      "name: s\nprogram: [./train.sh]\nmethod: grid\nepochs: 5\n"
      "parameters:\n  lr: {values: [0.1, 0.2]}\n");
  v1::CreateSweepResponse created;
  ASSERT_EQ(CreateProgram(request, &created), absl::OkStatus());
  for (int i = 0; i < 2; ++i) {
    v1::SynchronizeRequest free = Says("w");
    free.mutable_description()->set_allows_programs(true);
    v1::SynchronizeResponse answer;
    ASSERT_EQ(Synchronize(free, &answer), absl::OkStatus());
    ASSERT_EQ(answer.leases_size(), 1);
    ASSERT_EQ(Report(answer.leases(0).token(), 1, 5), absl::OkStatus());
    ASSERT_EQ(Finish(answer.leases(0).token(), v1::LEASE_OUTCOME_COMPLETED), absl::OkStatus());
  }
  v1::RankSweepRequest rank;
  rank.set_name("sweeps/s");
  v1::RankSweepResponse ranking;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::RankSweep, rank, &ranking), absl::OkStatus());
  ASSERT_EQ(ranking.rows_size(), 2);
  EXPECT_EQ(ranking.sweep().state(), v1::SWEEP_STATE_COMPLETED);
  EXPECT_EQ(ranking.rows(0).trial().model(), "");
  EXPECT_EQ(ranking.rows(0).trial().network_parameters(), 0);
  EXPECT_EQ(ranking.rows(0).trial().evaluation_images(), 0) << "not those of MNIST";
  EXPECT_EQ(ranking.rows(0).interval_high(), 0);
  v1::GetTrialRequest get;
  get.set_name("s/1");
  v1::GetTrialResponse trial;
  EXPECT_EQ(Invoke(*trials_, &v1::TrialService::Stub::GetTrial, get, &trial), absl::OkStatus());
}

TEST_F(ProgramSweepTest, TooManyOrTooLargeFilesAreRefused) {
  v1::CreateSweepResponse created;
  v1::CreateSweepRequest request = Request();
  (*request.mutable_source()->mutable_program_files())["train.py"] =
      std::string((1 << 20) + 1, 'x');
  const absl::Status large = CreateProgram(request, &created);
  EXPECT_TRUE(absl::IsInvalidArgument(large));
  EXPECT_THAT(Message(large), HasSubstr("1048577"));
  request = Request();
  for (int i = 0; i < 16; ++i) {
    (*request.mutable_source()->mutable_program_files())[fmt::format("f{}", i)] = "x";
  }
  const absl::Status many = CreateProgram(request, &created);
  EXPECT_TRUE(absl::IsInvalidArgument(many));
  EXPECT_THAT(Message(many), HasSubstr("17 files"));
  request = Request();
  (*request.mutable_source()->mutable_program_files())["../up.py"] = "x";
  EXPECT_TRUE(absl::IsInvalidArgument(CreateProgram(request, &created)));
}

}  // namespace
}  // namespace sweep

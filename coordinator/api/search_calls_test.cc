#include <atomic>
#include <thread>

#include "coordinator/api/testing/server_testing.h"

namespace sweep {
namespace {

using testing::HasSubstr;

class SearchCallsTest : public ServerTest {
 protected:
  absl::Status Preview(const std::string& sweep, int count,
                       v1::PreviewSuggestionsResponse* response) {
    v1::PreviewSuggestionsRequest request;
    request.set_name(SweepResource(sweep));
    request.set_count(count);
    return Invoke(*sweeps_, &v1::SweepService::Stub::PreviewSuggestions, request, response);
  }
  // Reads all answers; `*last` is the last one.
  absl::Status Replay(const std::string& sweep, v1::ReplaySearchResponse* last) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::ReplaySearchRequest request;
    request.set_name(SweepResource(sweep));
    const auto reader = sweeps_->ReplaySearch(&context, request);
    v1::ReplaySearchResponse answer;
    while (reader->Read(&answer)) *last = answer;
    return FromGrpcStatus(reader->Finish());
  }
  std::string TrainerOf(const std::string& trial) {
    v1::ListAttemptsRequest request;
    request.set_parent(trial);
    v1::ListAttemptsResponse response;
    EXPECT_EQ(Invoke(*trials_, &v1::TrialService::Stub::ListAttempts, request, &response),
              absl::OkStatus());
    return response.attempts_size() == 1 ? response.attempts(0).trainer() : "?";
  }
  absl::Status ReportFrom(const v1::LeaseToken& token, int epoch, const std::string& trainer) {
    v1::ReportEpochsRequest request;
    *request.mutable_token() = token;
    request.set_trainer(trainer);
    v1::Epoch* const row = request.add_epochs();
    row->set_epoch(epoch);
    row->set_validation_accuracy(0.5);
    v1::ReportEpochsResponse response;
    return Invoke(*workers_, &v1::WorkerService::Stub::ReportEpochs, request, &response);
  }
};

TEST_F(SearchCallsTest, ASearchThatHasEndedSaysWhyNothingComes) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(4);
  v1::PreviewSuggestionsResponse response;
  ASSERT_EQ(Preview("s", 3, &response), absl::OkStatus());
  EXPECT_EQ(response.points_size(), 0);
  EXPECT_THAT(response.reason(), HasSubstr("only 4 points"));
}

TEST_F(SearchCallsTest, WrongRequestsNameWhatIsWrong) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  v1::PreviewSuggestionsResponse response;
  for (const int count : {-1, 0, 65}) {
    const absl::Status status = Preview("s", count, &response);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("count is " + std::to_string(count)));
  }
  EXPECT_EQ(Preview("nobody", 1, &response).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Preview("no such name", 1, &response).code(), absl::StatusCode::kInvalidArgument);
  v1::ReplaySearchResponse last;
  EXPECT_EQ(Replay("nobody", &last).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Replay("no such name", &last).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SearchCallsTest, AReplayComparesWhatThereIsWhileTheSweepRuns) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(2);
  v1::ReplaySearchResponse last;
  ASSERT_EQ(Replay("s", &last), absl::OkStatus());
  EXPECT_TRUE(last.done());
  EXPECT_EQ(last.configurations(), 4);
  EXPECT_EQ(last.compared(), 4);
  EXPECT_EQ(last.equal(), 4);
}

// What each file has made is compared with what the search of that file suggests.
TEST_F(SearchCallsTest, AnEditedSweepIsReplayedFileByFile) {
  const auto file = [](const std::string& lr) {
    return "name: s\nmodel: cnn-18718\ndataset: synthetic\nmethod: tpe\nrun_cap: 30\nepochs: "
           "5\nseed: 7\nparameters:\n  lr: {" +
           lr + "}\n";
  };
  v1::CreateSweepRequest create;
  create.mutable_source()->set_file("s.yaml");
  create.mutable_source()->set_text(file("min: 0.01, max: 0.1"));
  v1::CreateSweepResponse created;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::CreateSweep, create, &created),
            absl::OkStatus());
  Train(12, 0.001);
  v1::PauseSweepRequest pause;
  pause.set_name("sweeps/s");
  v1::PauseSweepResponse paused;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::PauseSweep, pause, &paused),
            absl::OkStatus());
  v1::EditSweepRequest edit;
  edit.set_name("sweeps/s");
  *edit.mutable_source() = create.source();
  edit.mutable_source()->set_text(file("min: 0.05, max: 0.5"));
  v1::EditSweepResponse edited;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::EditSweep, edit, &edited), absl::OkStatus());
  // A paused sweep makes nothing of this file before the next.
  edit.mutable_source()->set_text(file("min: 0.05, max: 0.6"));
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::EditSweep, edit, &edited), absl::OkStatus());
  ASSERT_EQ(edited.sweep().revision(), 3);
  v1::ResumeSweepRequest resume;
  resume.set_name("sweeps/s");
  v1::ResumeSweepResponse resumed;
  ASSERT_EQ(Invoke(*sweeps_, &v1::SweepService::Stub::ResumeSweep, resume, &resumed),
            absl::OkStatus());
  Train(12, 0.001);
  v1::ReplaySearchResponse last;
  ASSERT_EQ(Replay("s", &last), absl::OkStatus());
  EXPECT_TRUE(last.done());
  EXPECT_GE(last.configurations(), 24);
  EXPECT_EQ(last.compared(), last.configurations());
  EXPECT_EQ(last.equal(), last.compared());
  EXPECT_EQ(last.files(), 2) << "that have made configurations";
  EXPECT_EQ(last.not_compared(), 0);
  v1::PreviewSuggestionsResponse next;
  ASSERT_EQ(Preview("s", 2, &next), absl::OkStatus());
  ASSERT_EQ(next.points_size(), 2) << next.reason();
  for (const v1::SuggestedPoint& point : next.points()) {
    EXPECT_GE(point.parameters().at("lr").double_value(), 0.05);
  }
}

TEST_F(SearchCallsTest, ManyReplaysTakeTurns) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  Train(1);
  std::vector<std::jthread> callers;
  std::atomic<int> done = 0;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      v1::ReplaySearchResponse last;
      EXPECT_EQ(Replay("s", &last), absl::OkStatus());
      if (last.done()) ++done;
    });
  }
  callers.clear();  // joins
  EXPECT_EQ(done, 8);
}

TEST_F(SearchCallsTest, WhatTrainsAnAttemptIsKept) {
  ASSERT_EQ(Create("s"), absl::OkStatus());
  const v1::Lease lease = Lease("w");
  EXPECT_EQ(TrainerOf("s/1"), "");
  ASSERT_EQ(ReportFrom(lease.token(), 1, std::string(1025, 'x')), absl::OkStatus());
  EXPECT_EQ(TrainerOf("s/1"), "") << "too long";
  ASSERT_EQ(ReportFrom(lease.token(), 2, "{\"type\":\"ready\"}"), absl::OkStatus());
  EXPECT_EQ(TrainerOf("s/1"), "{\"type\":\"ready\"}");
  ASSERT_EQ(Report(lease.token(), 3, 3), absl::OkStatus());
  EXPECT_EQ(TrainerOf("s/1"), "{\"type\":\"ready\"}") << "a report without it";
  v1::LeaseToken stale = lease.token();
  stale.set_secret("other");
  EXPECT_FALSE(ReportFrom(stale, 4, "{\"type\":\"other\"}").ok());
  EXPECT_EQ(TrainerOf("s/1"), "{\"type\":\"ready\"}");
}

}  // namespace
}  // namespace sweep

// Callers: programs with their own loop that ask for trials and tell what came of them.

#include <map>
#include <set>

#include "common/protocol/trial_spec.h"
#include "coordinator/scheduler/testing/scheduler_testing.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kCallers[] = "trained_by: callers\n";
constexpr absl::Duration kWait = absl::Seconds(20);

std::string Text(const LeaseToken& token) {
  return fmt::format("{}/{}#{} {}", token.sweep, token.number, token.attempt, token.secret);
}

using Asked = std::shared_ptr<Result<absl::StatusOr<AskAnswer>>>;

class AskTest : public SchedulerTest {
 protected:
  struct AskFields {
    std::string request = "";
    absl::Duration wait = absl::ZeroDuration();
    std::string sweep = "s";
    std::string caller = "c";
  };
  Asked AskFor(const AskFields& fields) {
    auto answer = std::make_shared<Result<absl::StatusOr<AskAnswer>>>();
    scheduler_->leases().Ask({.sweep = fields.sweep,
                              .caller = fields.caller,
                              .request_id = fields.request,
                              .wait = fields.wait,
                              .id = ++asks_},
                             [answer](const auto& result) { answer->Set(result); });
    Settle();
    return answer;
  }
  AskAnswer Answered(const Asked& asked) {
    const auto result = asked->Get();
    EXPECT_TRUE(result.has_value()) << "the request waits";
    if (!result.has_value()) return {};
    EXPECT_TRUE(result->ok()) << result->status();
    return result->ok() ? **result : AskAnswer();
  }
  absl::Status Refused(const Asked& asked) {
    const auto result = asked->Get();
    return result.has_value() ? result->status() : absl::UnknownError("the request waits");
  }
  // A lease that the caller gets at once.
  LeaseToken Get(const std::string& caller = "c", const std::string& request = "") {
    // The search makes points for those who wait.
    const AskAnswer answer =
        Answered(AskFor({.request = request, .wait = kWait, .caller = caller}));
    EXPECT_TRUE(answer.trial.has_value()) << answer.reason;
    return answer.trial ? answer.trial->token : LeaseToken();
  }

  struct TellFields {
    int first = 1, last = 0;  // epochs; none
    double accuracy = 0.95;
    std::optional<LeaseOutcome> outcome = std::nullopt;
    std::string reason = "";
  };
  absl::StatusOr<TellAnswer> Tell(const LeaseToken& token, const TellFields& fields,
                                  const std::string& extra = kCallers) {
    const auto spec = std::make_shared<const SweepSpec>(TestSpec(token.sweep, extra));
    return Ask<TellAnswer>([&](auto callback) {
      scheduler_->reports().Tell(spec,
                                 {.token = token,
                                  .epochs = TestEpochs(fields.first, fields.last, fields.accuracy),
                                  .outcome = fields.outcome,
                                  .reason = fields.reason},
                                 callback);
    });
  }
  TrialState TellState(const LeaseToken& token, const TellFields& fields) {
    const absl::StatusOr<TellAnswer> answer = Tell(token, fields);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->state : TrialState::kPending;
  }
  void Complete(const LeaseToken& token) {
    EXPECT_EQ(TellState(token, {.last = 5, .outcome = LeaseOutcome::kCompleted}),
              TrialState::kCompleted);
  }

  std::uint64_t asks_ = 0;
};

// ---- Grants

TEST_F(AskTest, ACallerGetsOneTrialAfterTheOtherUntilTheSweepHasEnded) {
  Submit("s", kCallers);
  for (int number = 1; number <= 4; ++number) {
    const AskAnswer answer = Answered(AskFor({}));
    ASSERT_TRUE(answer.trial.has_value());
    EXPECT_FALSE(answer.ended);
    EXPECT_EQ(answer.lease_term, kTerm);
    EXPECT_EQ(answer.trial->token.number, number);
    EXPECT_EQ(answer.trial->token.attempt, 1);
    EXPECT_EQ(answer.trial->token.secret.size(), 32u);
    EXPECT_EQ(TrialSpecFromJson(*answer.trial->spec_json).lr, 0.01 * number);
    EXPECT_EQ(TrialSpecFromJson(*answer.trial->spec_json).trial, fmt::format("s/{}", number));
    EXPECT_EQ(Trial(number).state, TrialState::kLeased);
    EXPECT_EQ(Trial(number).worker, "caller:c");
    EXPECT_EQ(TellState(answer.trial->token, {.last = 3}), TrialState::kRunning);
    EXPECT_EQ(Trial(number).result.epoch, 3);
    EXPECT_EQ(TellState(answer.trial->token,
                        {.first = 4, .last = 5, .outcome = LeaseOutcome::kCompleted}),
              TrialState::kCompleted);
  }
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  const AskAnswer last = Answered(AskFor({.wait = kWait}));
  EXPECT_TRUE(last.ended);
  EXPECT_FALSE(last.trial.has_value());
}

TEST_F(AskTest, NoWorkerTrainsSuchASweepAndNoCallerAnotherOne) {
  Submit("s", kCallers);
  Submit("t");
  EXPECT_THAT(Trials(Leases(Call("w", {.slots = 9, .allows_programs = true}))),
              testing::UnorderedElementsAre("t/1#1", "t/2#1", "t/3#1", "t/4#1"));
  EXPECT_THAT(Explain(scheduler_->insight().Situation(Trial(1))).reasons,
              ElementsAre("it waits for a program that asks for it (sweep ask s)"));
  const absl::Status refused = Refused(AskFor({.sweep = "t"}));
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("'trained_by: callers'"));
  EXPECT_EQ(Get().number, 1);
}

TEST_F(AskTest, ANameThatIsNoneIsRefused) {
  Submit("s", kCallers);
  for (const std::string name : {"", "caller:c", "a b", "\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Refused(AskFor({.caller = name})))) << name;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(Call("caller:c", {}))))
      << "a worker cannot have a caller's name";
}

TEST_F(AskTest, EightCallersTrainEveryTrialOnce) {
  const std::string extra = std::string(kCallers) + "replicates: 10\n";
  Submit("s", extra);
  std::map<int, LeaseToken> held;  // by caller
  std::multiset<std::string> granted;
  int ended = 0;
  for (int turn = 0; ended < 8 && turn < 1000; ++turn) {
    const int caller = turn * 5 % 8;
    if (const auto lease = held.find(caller); lease != held.end()) {
      EXPECT_TRUE(
          Tell(lease->second, {.last = 5, .outcome = LeaseOutcome::kCompleted}, extra).ok());
      held.erase(lease);
      continue;
    }
    const AskAnswer answer = Answered(AskFor({.caller = fmt::format("c{}", caller)}));
    if (answer.trial) {
      held[caller] = answer.trial->token;
      granted.insert(fmt::format("{}#{}", answer.trial->token.number, answer.trial->token.attempt));
    }
    ended = answer.ended ? ended + 1 : 0;
  }
  EXPECT_EQ(ended, 8);
  EXPECT_EQ(granted.size(), 40u);
  EXPECT_EQ(std::set<std::string>(granted.begin(), granted.end()).size(), 40u);
  EXPECT_EQ(Sweep().counts.completed, 40);
  EXPECT_EQ(Sweep().counts.total(), 40);
}

// ---- Waiting

TEST_F(AskTest, ACallerWaitsForATrialThatAnotherOneGivesBack) {
  Submit("s", kCallers);
  for (int i = 0; i < 3; ++i) Get();
  const LeaseToken last = Get();
  const Asked waits = AskFor({.wait = kWait, .caller = "d"});
  EXPECT_FALSE(waits->Get().has_value());
  EXPECT_EQ(TellState(last, {.outcome = LeaseOutcome::kGivenBack}), TrialState::kPending);
  ASSERT_TRUE(Answered(waits).trial.has_value());
  EXPECT_EQ(Answered(waits).trial->token.attempt, 2);
  EXPECT_EQ(Trial(4).failures, 0);
}

TEST_F(AskTest, AnEditGivesThoseWhoWaitWhatIsNew) {
  Submit("s", kCallers);
  std::vector<LeaseToken> held;
  for (int i = 0; i < 4; ++i) held.push_back(Get());
  const Asked waiting = AskFor({.wait = kWait, .caller = "other"});
  EXPECT_FALSE(waiting->Get().has_value());
  SweepSource source = TestSource("s", kCallers);
  source.text.replace(source.text.find("0.04]"), 5, "0.04, 0.05]");
  Diagnostics diagnostics;
  const auto spec = std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics)));
  const EditRequest edit{
      .name = "s",
      .spec = spec,
      .source = source,
      .plan = Must(EditPlan::Make(store_.get(), Sweep(), Must(specs_->Get("s")), spec)),
      .replaces_sha256 = "",
      .request_id = ""};
  ASSERT_TRUE(
      Ask<SweepRow>([&](auto callback) { scheduler_->sweeps().EditSweep(edit, callback); }).ok());
  const AskAnswer answer = Answered(waiting);
  ASSERT_TRUE(answer.trial.has_value());
  EXPECT_EQ(answer.trial->token.number, 5);
  EXPECT_EQ(TrialSpecFromJson(*answer.trial->spec_json).lr, 0.05);
  for (const LeaseToken& token : held) Complete(token);
  EXPECT_EQ(Sweep().state, SweepState::kActive) << "what ran goes on as it was";
}

TEST_F(AskTest, NobodyWaitsForLongerThanAsked) {
  Submit("s", kCallers);
  for (int i = 0; i < 4; ++i) Get();
  const AskAnswer now = Answered(AskFor({}));
  EXPECT_FALSE(now.trial || now.ended);
  EXPECT_EQ(now.reason, "no trial of sweep s is free: 4 are being trained");
  const Asked five = AskFor({.wait = absl::Seconds(5)});
  const Asked days = AskFor({.wait = absl::Hours(100)});
  Pass(absl::Seconds(4));
  EXPECT_FALSE(five->Get().has_value());
  Pass(absl::Seconds(1));
  EXPECT_EQ(Answered(five).reason, now.reason);
  Pass(absl::Seconds(16));
  EXPECT_EQ(Answered(days).reason, now.reason) << "no call waits for longer than poll_time";
}

TEST_F(AskTest, WhoWaitsHearsThatTheSweepHasEnded) {
  Submit("s", kCallers);
  for (int i = 0; i < 4; ++i) Get();
  const Asked first = AskFor({.wait = kWait}), second = AskFor({.request = "r", .wait = kWait});
  EXPECT_EQ(CancelSweep("s"), absl::OkStatus());
  EXPECT_TRUE(Answered(first).ended);
  EXPECT_TRUE(Answered(second).ended);
}

TEST_F(AskTest, ASearchThatLearnsMakesAPointForACallerThatDoesNotWait) {
  const SweepSource source{.file = "s.yaml",
                           .text =
                               "name: s\ntrained_by: callers\nmethod: tpe\nrun_cap: 3\n"
                               "epochs: 5\nparameters: {x: {min: 0.0, max: 1.0}}\n"};
  Diagnostics diagnostics;
  const auto spec = std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics)));
  scheduler_->sweeps().Submit(spec, source, {},
                              [](const auto& result) { EXPECT_TRUE(result.ok()); });
  Settle();
  EXPECT_EQ(Sweep().configurations, 0) << "nobody has asked";
  for (int number = 1; number <= 3; ++number) {
    const AskAnswer none = Answered(AskFor({}));
    EXPECT_FALSE(none.trial || none.ended);
    EXPECT_THAT(none.reason, HasSubstr("the search makes the next ones"));
    EXPECT_EQ(Sweep().configurations, number) << "one point, although nobody waits";
    ASSERT_TRUE(Answered(AskFor({})).trial.has_value());
    EXPECT_EQ(Sweep().configurations, number) << "and none ahead of the results";
  }
}

TEST_F(AskTest, OnlyASweepThatHasEndedIsSaidToHaveEnded) {
  EXPECT_TRUE(absl::IsNotFound(Refused(AskFor({}))));
  // An ask that comes while the sweep is being stored.
  std::optional<Asked> early;
  const auto ask = [&] {
    early = std::make_shared<Result<absl::StatusOr<AskAnswer>>>();
    scheduler_->leases().Ask({.sweep = "s", .caller = "c", .id = ++asks_},
                             [asked = *early](const auto& result) { asked->Set(result); });
  };
  faulty_->BeforeNextWrite(ask);
  Submit("s", kCallers);
  ASSERT_TRUE(early.has_value());
  EXPECT_FALSE(Answered(*early).ended);
  EXPECT_EQ(Answered(*early).reason, "sweep s is not served yet; ask again");
  for (int i = 0; i < 4; ++i) Complete(Get());
  EXPECT_TRUE(Answered(AskFor({})).ended);
  Start();
  EXPECT_TRUE(Answered(AskFor({})).ended) << "also after a restart";
}

TEST_F(AskTest, WhoHasGoneGetsNothing) {
  Submit("s", kCallers);
  const LeaseToken first = Get();
  for (int i = 0; i < 3; ++i) Get();
  const Asked gone = AskFor({.wait = kWait, .caller = "gone"});
  scheduler_->leases().DropAsk(asks_);
  Settle();
  EXPECT_TRUE(absl::IsCancelled(Refused(gone)));
  EXPECT_EQ(TellState(first, {.outcome = LeaseOutcome::kGivenBack}), TrialState::kPending);
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
}

TEST_F(AskTest, WhoGoesWhileTheGrantIsWrittenCostsNoFailure) {
  Submit("s", kCallers);
  const auto go = [&] { scheduler_->leases().DropAsk(asks_); };
  faulty_->BeforeNextWrite(go);
  EXPECT_TRUE(absl::IsCancelled(Refused(AskFor({.wait = kWait}))));
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_EQ(Must(store_->Read(SelectAttempts, "s", 1)).at(0).reason,
            "the program that asked for it has gone");

  faulty_->BeforeNextWrite(go);
  faulty_->Refuse(absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(absl::IsCancelled(Refused(AskFor({.wait = kWait}))));
  faulty_->Refuse(absl::StatusCode::kOk);
  Pass(absl::Seconds(1));
  EXPECT_EQ(Trial(1).state, TrialState::kPending) << "a grant that failed is not tried again";

  // Whoever has named the request can ask for its lease again.
  faulty_->BeforeNextWrite([&] { faulty_->BeforeNextWrite(go); });  // after the look for a lease
  AskFor({.request = "r", .wait = kWait});
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
  EXPECT_EQ(Get("c", "r").attempt, 2);
}

TEST_F(AskTest, ACoordinatorThatStopsAnswersWhoWaits) {
  Submit("s", kCallers);
  for (int i = 0; i < 4; ++i) Get();
  const Asked waits = AskFor({.wait = kWait});
  scheduler_->StopServing();
  EXPECT_TRUE(absl::IsUnavailable(Refused(waits)));
  EXPECT_TRUE(absl::IsUnavailable(Refused(AskFor({.wait = kWait}))));
}

TEST_F(AskTest, AFullStorePostponesTheGrant) {
  Submit("s", kCallers);
  faulty_->Refuse(absl::StatusCode::kResourceExhausted);
  const Asked waits = AskFor({.wait = kWait});
  EXPECT_FALSE(waits->Get().has_value());
  faulty_->Refuse(absl::StatusCode::kOk);
  Pass(absl::Seconds(1));
  EXPECT_TRUE(Answered(waits).trial.has_value());
}

// ---- Requests that are repeated

TEST_F(AskTest, ARepeatedRequestGetsTheSameTrial) {
  for (const bool twice : {false, true}) {
    runs_writes_twice_ = twice;
    Start();
    const std::string name = twice ? "twice" : "once";
    Submit(name, kCallers);
    const auto ask = [&](const std::string& request, const std::string& caller = "c") {
      return Answered(AskFor({.request = request, .sweep = name, .caller = caller})).trial->token;
    };
    const LeaseToken first = ask("r1");
    EXPECT_EQ(Text(ask("r1")), Text(first));
    const LeaseToken second = ask("r2");
    EXPECT_EQ(second.number, 2);
    EXPECT_EQ(ask("r1", "d").number, 3) << "requests are each caller's own";
    Start();
    EXPECT_EQ(Text(ask("r1")), Text(first)) << "after a restart";
    Complete(first);
    EXPECT_EQ(Text(ask("r2")), Text(second));
    const absl::Status over = Refused(AskFor({.request = "r1", .sweep = name}));
    EXPECT_TRUE(absl::IsFailedPrecondition(over)) << "the lease is over: " << over;
    EXPECT_EQ(Trial(4, name).state, TrialState::kPending) << "no request has two grants";
  }
}

TEST_F(AskTest, AGrantWhoseCoordinatorWasKilledBeforeItAnsweredIsFoundByItsRequest) {
  Submit("s", kCallers);
  // With a full store grants pause, so that the next commit is that of the grant.
  faulty_->Refuse(absl::StatusCode::kResourceExhausted);
  AskFor({.wait = kWait});
  scheduler_->leases().DropAsk(asks_);
  faulty_->Refuse(absl::StatusCode::kOk);
  const Asked lost = AskFor({.request = "r", .wait = kWait});
  EXPECT_FALSE(lost->Get().has_value());
  faulty_->KillAfterNextCommit();
  clock_.Advance(absl::Seconds(1));
  AskFor({.caller = "d"});  // wakes the desk, which serves those first who have waited
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
  EXPECT_FALSE(lost->Get().has_value());
  Start();
  EXPECT_EQ(Get("c", "r").number, 1);
  EXPECT_EQ(Trial(1).attempt, 1);
  EXPECT_EQ(Get("c", "r2").number, 2);
}

TEST_F(AskTest, TheNewerOfTwoEqualRequestsIsAnswered) {
  Submit("s", kCallers);
  const LeaseToken first = Get();
  for (int i = 0; i < 3; ++i) Get();
  const Asked older = AskFor({.request = "r", .wait = kWait});
  const Asked newer = AskFor({.request = "r", .wait = kWait});
  EXPECT_TRUE(absl::IsAborted(Refused(older)));
  EXPECT_FALSE(newer->Get().has_value());
  EXPECT_EQ(TellState(first, {.outcome = LeaseOutcome::kGivenBack}), TrialState::kPending);
  EXPECT_EQ(Answered(newer).trial->token.number, 1);
}

TEST_F(AskTest, ARepeatedRequestRevivesTheLeaseThatRanOut) {
  Submit("s", kCallers);
  const LeaseToken token = Get("c", "r");
  Pass(kTerm + absl::Seconds(1));
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_EQ(Trial(1).failures, 1);
  EXPECT_EQ(Text(Get("c", "r")), Text(token));
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
  EXPECT_EQ(Trial(1).failures, 0);
  Pass(kTerm - absl::Seconds(1));
  Complete(token);
}

TEST_F(AskTest, ARepeatedRequestKeepsTheLeaseThatIsJustRunningOut) {
  Submit("s", kCallers);
  const LeaseToken token = Get("c", "r");
  Pass(kTerm - absl::Seconds(1));
  clock_.Advance(absl::Seconds(2));
  faulty_->BeforeNextWrite([&] { scheduler_->Tick(); });  // before the look for the lease
  EXPECT_EQ(Text(Get("c", "r")), Text(token));
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
  EXPECT_EQ(Trial(1).failures, 0);
  Complete(token);
}

TEST_F(AskTest, ALookForALeaseThatFailsChangesNothing) {
  Submit("s", kCallers);
  Get("c", "r");
  Pass(kTerm + absl::Seconds(1));
  faulty_->KillAfterNextCommit();
  EXPECT_TRUE(absl::IsUnavailable(Refused(AskFor({.request = "r"}))));
  EXPECT_EQ(scheduler_->insight().Counts().leased, 0);
}

TEST_F(AskTest, RequestsOfCallersAndOfPeopleDoNotReplaceEachOther) {
  Submit("s", kCallers);
  const LeaseToken first = Get("c", "r");
  constexpr int kKept = 10'000;
  const auto remember = [](WriteTransaction& transaction) {
    for (int i = 0; i < kKept; ++i) {
      const absl::Status kept = transaction.RememberRequest(fmt::format("person {}", i), i);
      if (!kept.ok()) return kept;
    }
    return absl::OkStatus();
  };
  ASSERT_EQ(store_->WriteAndWait(remember), absl::OkStatus());
  EXPECT_EQ(Text(Get("c", "r")), Text(first));
  Get("c", "r2");
  std::optional<std::int64_t> oldest;
  const auto find = [&](WriteTransaction& transaction) {
    oldest = Must(transaction.FindRequest("person 0"));
    return absl::OkStatus();
  };
  ASSERT_EQ(store_->WriteAndWait(find), absl::OkStatus());
  EXPECT_EQ(oldest, 0);
}

// ---- Leases

TEST_F(AskTest, ALeaseWithoutReportsRunsOutAndItsTrialIsGivenAgain) {
  Submit("s", kCallers);
  const LeaseToken silent = Get("silent");
  Pass(kTerm - absl::Seconds(1));
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
  Pass(absl::Seconds(2));
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_EQ(Trial(1).failures, 1);
  EXPECT_EQ(Must(store_->Read(SelectAttempts, "s", 1)).at(0).reason,
            "caller silent: no report for 60 s");
  const LeaseToken again = Get("other");
  EXPECT_EQ(again.number, 1) << "the same program need not wait for another one";
  EXPECT_EQ(again.attempt, 2);
  const absl::Status stale = Tell(silent, {.last = 1}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(stale));
  EXPECT_THAT(std::string(stale.message()), HasSubstr("attempt 2 was granted to worker"));
  Complete(again);
  EXPECT_EQ(Trial(1).worker, "caller:other");
}

TEST_F(AskTest, EveryReportRenewsTheLease) {
  Submit("s", kCallers);
  const LeaseToken token = Get();
  for (int epoch = 1; epoch <= 4; ++epoch) {
    Pass(kTerm - absl::Seconds(2));
    EXPECT_EQ(TellState(token, {.first = epoch, .last = epoch}), TrialState::kRunning);
    Pass(kTerm - absl::Seconds(2));
    EXPECT_EQ(TellState(token, {}), TrialState::kRunning) << "without epochs";
  }
  Complete(token);
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_EQ(Trial(1).attempt, 1);
}

TEST_F(AskTest, ALateReportKeepsTheTrialThatNobodyElseGot) {
  Submit("s", kCallers);
  const LeaseToken token = Get();
  Pass(kTerm + absl::Seconds(5));
  EXPECT_EQ(Trial(1).failures, 1);
  EXPECT_EQ(TellState(token, {.last = 2}), TrialState::kRunning);
  EXPECT_EQ(Trial(1).failures, 0);
  Pass(kTerm - absl::Seconds(1));
  Complete(token);
}

TEST_F(AskTest, ARestartGivesEveryLeaseAFullTerm) {
  Submit("s", kCallers);
  const LeaseToken token = Get();
  Pass(kTerm - absl::Seconds(5));
  Start();
  EXPECT_THAT(Explain(scheduler_->insight().Situation(Trial(1))).reasons,
              testing::Contains(HasSubstr("caller c has not been heard from")));
  Pass(kTerm - absl::Seconds(1));
  EXPECT_EQ(TellState(token, {.last = 2}), TrialState::kRunning);
  Pass(kTerm - absl::Seconds(1));
  Complete(token);
  EXPECT_EQ(Trial(1).failures, 0);
}

TEST_F(AskTest, ACancelledTrialRefusesReports) {
  Submit("s", kCallers);
  const LeaseToken token = Get();
  EXPECT_EQ(Cancel("s", 1), absl::OkStatus());
  EXPECT_TRUE(absl::IsFailedPrecondition(Tell(token, {.last = 1}).status()));
  EXPECT_EQ(Trial(1).state, TrialState::kCancelled);
}

// ---- Ends

TEST_F(AskTest, AnEndThatIsToldAgainIsAnsweredAgain) {
  for (const bool twice : {false, true}) {
    runs_writes_twice_ = twice;
    Start();
    const std::string name = twice ? "twice" : "once";
    Submit(name, kCallers);
    for (int number = 1; number <= 4; ++number) {
      const LeaseToken token = Answered(AskFor({.sweep = name})).trial->token;
      const TellFields end{.last = 5, .outcome = LeaseOutcome::kCompleted};
      EXPECT_EQ(TellState(token, end), TrialState::kCompleted);
      EXPECT_EQ(TellState(token, end), TrialState::kCompleted);
      EXPECT_FALSE(Tell(token, end)->stop);
      EXPECT_TRUE(
          absl::IsFailedPrecondition(Tell(token, {.outcome = LeaseOutcome::kFailed}).status()))
          << "another end";
    }
    Start();
    EXPECT_EQ(Sweep(name).counts.completed, 4);
  }
}

TEST_F(AskTest, AFailureIsTriedAgainUntilMaxFailures) {
  Submit("s", kCallers);  // three failures
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const LeaseToken token = Get();
    EXPECT_EQ(token.number, 1) << "at once, by the same caller";
    EXPECT_EQ(token.attempt, attempt);
    const absl::StatusOr<TellAnswer> told =
        Tell(token, {.outcome = LeaseOutcome::kFailed, .reason = "no memory"});
    EXPECT_EQ(told->state, attempt < 3 ? TrialState::kPending : TrialState::kFailed);
    EXPECT_EQ(told->reason, "no memory");
    EXPECT_FALSE(told->stop);
  }
  const LeaseToken token = Get();
  EXPECT_EQ(token.number, 2);
  EXPECT_EQ(TellState(token, {.last = 1, .outcome = LeaseOutcome::kFailedForGood}),
            TrialState::kFailed);
}

TEST_F(AskTest, ACompletedTrialWithoutTheMetricHasFailed) {
  Submit("s", kCallers);
  const absl::StatusOr<TellAnswer> told = Tell(Get(), {.outcome = LeaseOutcome::kCompleted});
  EXPECT_EQ(told->state, TrialState::kFailed);
  EXPECT_THAT(told->reason, HasSubstr("never reported the sweep's metric"));
}

TEST_F(AskTest, AReportThatCannotBeIsRefusedAndChangesNothing) {
  Submit("s", kCallers);
  const LeaseToken token = Get();
  EXPECT_TRUE(absl::IsInvalidArgument(Tell(token, {.first = 6, .last = 6}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      Tell(token, {.last = 1, .accuracy = 1.5, .outcome = LeaseOutcome::kCompleted}).status()));
  LeaseToken guessed = token;
  guessed.secret = std::string(32, '0');
  EXPECT_TRUE(absl::IsFailedPrecondition(Tell(guessed, {.last = 1}).status()));
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
  EXPECT_EQ(Trial(1).result.epoch, 0);
}

// ---- Trials that end early

TEST_F(AskTest, TheReportAfterAStopEndsTheTrial) {
  const std::string extra =
      std::string(kCallers) + "early_terminate: {type: median, min_epochs: 2, min_trials: 2}\n";
  Submit("s", extra);
  const LeaseToken good = Get(), fair = Get(), bad = Get();
  EXPECT_FALSE(Tell(good, {.last = 2, .accuracy = 0.9}, extra)->stop);
  EXPECT_FALSE(Tell(fair, {.last = 2, .accuracy = 0.8}, extra)->stop);
  EXPECT_FALSE(Tell(bad, {.last = 2, .accuracy = 0.3}, extra)->stop) << "not judged yet";
  EXPECT_EQ(Trial(3).state, TrialState::kRunning);
  for (int i = 0; i < 2; ++i) {  // the second time as after a lost answer
    const absl::StatusOr<TellAnswer> told =
        Tell(bad, {.first = 3, .last = 3, .accuracy = 0.3}, extra);
    ASSERT_TRUE(told.ok()) << told.status();
    EXPECT_TRUE(told->stop);
    EXPECT_EQ(told->state, TrialState::kStopped);
    EXPECT_THAT(told->reason, HasSubstr("by the median rule"));
  }
  EXPECT_EQ(Trial(3).result.epoch, 3);
  EXPECT_TRUE(Tell(bad, {.outcome = LeaseOutcome::kCompleted}, extra)->stop) << "it has not heard";
  EXPECT_EQ(Sweep().counts.stopped, 1);
  EXPECT_FALSE(Tell(good, {.first = 3, .last = 3, .accuracy = 0.9}, extra)->stop);
}

TEST_F(AskTest, APausedSweepCallsItsTrialsBack) {
  Submit("s", kCallers);
  const LeaseToken token = Get();
  ASSERT_TRUE(Pause().ok());
  EXPECT_FALSE(Tell(token, {.last = 1})->stop) << "what runs goes on";
  const Asked waits = AskFor({.wait = kWait});
  EXPECT_EQ(Answered(AskFor({})).reason, "sweep s is paused");
  ASSERT_TRUE(Pause(/*now=*/true).ok());
  for (int i = 0; i < 2; ++i) {
    const absl::StatusOr<TellAnswer> told = Tell(token, {.first = 2, .last = 2});
    ASSERT_TRUE(told.ok()) << told.status();
    EXPECT_TRUE(told->stop);
    EXPECT_EQ(told->state, TrialState::kPending);
  }
  EXPECT_EQ(Trial(1).result.epoch, 2);
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_FALSE(waits->Get().has_value());
  ASSERT_TRUE(Resume().ok());
  EXPECT_EQ(Answered(waits).trial->token.attempt, 2);
  EXPECT_EQ(Answered(waits).trial->trial.result.epoch, 2) << "where it may go on";
}

TEST_F(AskTest, ASweepWhoseFirstTrialsFailAlikeIsPaused) {
  Submit("s", std::string(kCallers) + "max_failures: 1\n");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Tell(Get(), {.outcome = LeaseOutcome::kFailed, .reason = "no module torch"},
                     std::string(kCallers) + "max_failures: 1\n")
                    .ok());
  }
  EXPECT_EQ(Sweep().state, SweepState::kPaused);
  EXPECT_THAT(Answered(AskFor({})).reason, HasSubstr("no module torch"));
}

// ---- What is seen

TEST_F(AskTest, CallersAreListedAndHaveNoSlots) {
  Submit("s", kCallers);
  const LeaseToken token = Get("lab");
  Get("lab");
  const std::vector<WorkerInfo> workers = scheduler_->insight().Workers();
  ASSERT_EQ(workers.size(), 1u);
  EXPECT_EQ(workers[0].name, "caller:lab");
  EXPECT_TRUE(workers[0].connected);
  EXPECT_THAT(workers[0].trials, ElementsAre("s/1", "s/2"));
  const SchedulerCounts counts = scheduler_->insight().Counts();
  EXPECT_EQ(counts.slots, 0);
  EXPECT_EQ(counts.workers_connected, 0);
  EXPECT_EQ(counts.leased, 2);
  Complete(token);
  EXPECT_EQ(scheduler_->insight().Workers()[0].completed, 1);
  EXPECT_EQ(scheduler_->insight().Counts().attempts_completed, 1);
  EXPECT_THAT(Explain(scheduler_->insight().Situation(Trial(2))).reasons[0],
              HasSubstr("caller lab trains it"));
  Pass(kTerm + absl::Seconds(2));
  EXPECT_THAT(scheduler_->insight().Workers(), IsEmpty()) << "silent, and it holds nothing";
  EXPECT_EQ(scheduler_->insight().Counts().workers_lost, 0);
}

TEST_F(AskTest, ACallerThatWaitsIsConnected) {
  Submit("s", kCallers);
  for (int i = 0; i < 4; ++i) Get("lab");
  const Asked waits = AskFor({.wait = kWait, .caller = "waits"});
  AskFor({.caller = "left"});
  std::map<std::string, bool> connected;
  for (const WorkerInfo& info : scheduler_->insight().Workers()) {
    connected[info.name] = info.connected;
  }
  EXPECT_THAT(connected,
              ElementsAre(testing::Pair("caller:lab", true), testing::Pair("caller:left", false),
                          testing::Pair("caller:waits", true)));
}

TEST_F(AskTest, CallersHaveALimitOfTheirOwn) {
  constexpr int kMost = 10'000;
  Submit("s", kCallers);
  ASSERT_TRUE(Pause().ok());
  for (int i = 0; i < kMost; ++i) {
    scheduler_->leases().Ask(
        {.sweep = "s", .caller = fmt::format("c{}", i), .id = ++asks_},
        [](const auto& answer) { EXPECT_TRUE(answer.ok()) << answer.status(); });
  }
  const absl::Status refused = Refused(AskFor({.caller = "more"}));
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_EQ(refused.message(), "caller more: 10000 callers are known; no more are possible");
  EXPECT_EQ(Answered(AskFor({.caller = "c7"})).reason, "sweep s is paused");
  EXPECT_FALSE(Call("w", {})->Get().has_value()) << "a worker may come";
  Pass(kTerm + absl::Seconds(1));
  EXPECT_EQ(Answered(AskFor({.caller = "more"})).reason, "sweep s is paused");
}

TEST_F(AskTest, CallersTakeNothingFromWorkers) {
  Submit("s", kCallers);
  Submit("t");
  for (int i = 0; i < 4; ++i) Get();
  EXPECT_EQ(Leases(Call("w", {.slots = 4})).size(), 4u);
  EXPECT_EQ(Explain(scheduler_->insight().Situation(Trial(1, "s"))).trials_ahead, 0);
}

}  // namespace
}  // namespace sweep

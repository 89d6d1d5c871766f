// Deleting, renaming and archiving sweeps, and their disk use.

#include <cmath>
#include <limits>

#include "common/base/sha256.h"
#include "coordinator/store/check.h"
#include "coordinator/store/deleted_sweeps.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/testing/store_testing.h"

namespace sweep {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class StoreLifecycleTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = Must(Store::Open({.path = path_}));
    driver_ = std::make_unique<StoreDriver>(store_.get());
  }

  // A sweep with one completed, one failed and one pending trial.
  SweepRow MakeSweep(const std::string& name) {
    const SweepSpec spec = TestSpec(name);
    const SweepRow sweep = driver_->Create(spec);
    driver_->Train(driver_->Add(sweep, spec, 1).front(), spec, 0.95);
    const LeaseRow lease = driver_->Grant(driver_->Add(sweep, spec, 2).front().id, "w");
    EXPECT_EQ(Write([&](WriteTransaction& transaction) {
                return transaction.AppendLogs(StoreDriver::Token(lease),
                                              {{.line = 1, .text = "hello"}});
              }),
              absl::OkStatus());
    EXPECT_TRUE(driver_->Finish(lease, spec, LeaseOutcome::kFailedForGood, "no").ok());
    driver_->Add(sweep, spec, 3);
    return Must(store_->Read(FindSweep, name));
  }

  absl::Status Write(const Store::WriteFunction& function) {
    return store_->WriteAndWait(function);
  }
  absl::Status Delete(const std::string& name) {
    return Write(
        [&](WriteTransaction& transaction) { return transaction.DeleteSweep(name).status(); });
  }
  absl::Status Rename(const std::string& name, const std::string& new_name) {
    const std::string digest = store_->Read(FindSweep, name).value_or(SweepRow()).digest;
    return Write([&](WriteTransaction& transaction) {
      return transaction
          .RenameSweep({.name = name,
                        .new_name = new_name,
                        .digest = digest,
                        .text = TestSource(new_name).text})
          .status();
    });
  }
  // False when nothing is left.
  bool PurgeOnce(std::int64_t rows) {
    bool more = false;
    EXPECT_EQ(Write([&](WriteTransaction& transaction) {
                const auto purged = transaction.PurgeDeleted(rows);
                more = purged.value_or(false);
                return purged.status();
              }),
              absl::OkStatus());
    EXPECT_THAT(Faults(), IsEmpty());
    return more;
  }
  // Purges until nothing is left. Returns the number of writes.
  int Purge(std::int64_t rows = kRowsPerPurge) {
    int writes = 1;
    while (PurgeOnce(rows)) ++writes;
    return writes;
  }
  std::vector<std::string> Faults() {
    return Must(CheckDatabase(path_, [](const std::string&) {})).faults;
  }
  std::int64_t Count(const std::string& table) {
    return Must(Must(Database::Open(path_, Database::Mode::kReadOnly))
                    ->QueryInt("SELECT count(*) FROM " + table));
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.File("sweep.db");
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreDriver> driver_;
};

TEST_F(StoreLifecycleTest, ADeletedSweepIsGoneAtOnceAndItsNameIsFree) {
  const SweepRow old = MakeSweep("s");
  ASSERT_EQ(Delete("s"), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(store_->Read(FindSweep, "s").status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Read(FindSweepById, old.id).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Read(FindTrial, "s", 1).status()));
  EXPECT_THAT(Must(store_->Read(SelectSweeps, 0, 10, /*archived=*/true)), IsEmpty());
  EXPECT_THAT(Must(store_->Read(SelectUnfinishedSweeps)), IsEmpty());
  EXPECT_EQ(Must(store_->Read(CountSweeps)), 0);
  EXPECT_TRUE(absl::IsNotFound(Delete("s")));
  const SweepRow fresh = MakeSweep("s");
  EXPECT_GT(fresh.id, old.id);
  EXPECT_EQ(fresh.counts.completed, 1);
  EXPECT_THAT(Faults(), IsEmpty());
}

TEST_F(StoreLifecycleTest, NothingOfADeletedSweepStays) {
  MakeSweep("gone");
  // An epoch whose repetition differed, and a file.
  const SweepSpec spec = TestSpec("gone");
  const TrialRow twice = Must(store_->Read(FindTrial, "gone", 3));
  const LeaseRow lost = driver_->Grant(twice.id, "w");
  ASSERT_TRUE(driver_->Record(lost, spec, TestEpochs(1, 1, 0.5)).ok());
  ASSERT_TRUE(driver_->Lose(lost, spec).ok());
  const LeaseRow again = driver_->Grant(twice.id, "w");
  ASSERT_TRUE(driver_->Record(again, spec, TestEpochs(1, 5, 0.7)).ok());
  const std::string blob(64, 'a');
  ASSERT_EQ(Write([&](WriteTransaction& transaction) { return transaction.AddBlob(blob, 7); }),
            absl::OkStatus());
  ASSERT_TRUE(driver_
                  ->Finish(again, spec, LeaseOutcome::kCompleted, "",
                           {{.role = "weights_best", .sha256 = blob}})
                  .ok());
  const std::vector<std::string> tables = {
      "sweeps",      "sweep_files",  "configurations", "parameter_values", "trials",
      "attempts",    "log_lines",    "epoch_reports",  "events",           "artifacts",
      "divergences", "trial_values", "measure_names"};
  for (const std::string& table : tables) EXPECT_GT(Count(table), 0) << table;
  ASSERT_EQ(Delete("gone"), absl::OkStatus());
  Purge();
  for (const std::string& table : tables) EXPECT_EQ(Count(table), 0) << table;
  MakeSweep("stays");
  const std::int64_t rows = Count("events");
  MakeSweep("gone");
  ASSERT_EQ(Delete("gone"), absl::OkStatus());
  Purge();
  EXPECT_EQ(Count("events"), rows);
  EXPECT_EQ(Must(store_->Read(FindSweep, "stays")).counts.completed, 1);
}

TEST_F(StoreLifecycleTest, ALargeSweepGoesInManyShortWritesAcrossRestarts) {
  const SweepSpec spec = TestSpec("big", "replicates: 700\n");
  const SweepRow sweep = driver_->Create(spec, "replicates: 700\n");
  for (int number = 1; number <= 4; ++number) {
    const std::vector<TrialRow> trials = driver_->Add(sweep, spec, number);
    for (int i = 0; i < 2; ++i) driver_->Train(trials[static_cast<std::size_t>(i)], spec, 0.5);
  }
  ASSERT_EQ(Delete("big"), absl::OkStatus());
  EXPECT_TRUE(PurgeOnce(kRowsPerPurge));
  const std::int64_t left = Count("trials");
  EXPECT_GT(left, 0);
  EXPECT_LT(left, 2800);
  driver_.reset();
  store_.reset();
  SetUp();
  EXPECT_THAT(Must(store_->Read(SelectUnfinishedSweeps)), IsEmpty());
  EXPECT_GE(Purge(), 2);
  EXPECT_EQ(Count("trials") + Count("sweeps") + Count("events"), 0);
}

// A coordinator may end, or a user may check the file, after any of the writes.
TEST_F(StoreLifecycleTest, TheCheckFindsNoFaultInASweepHalfOfWhichIsGone) {
  MakeSweep("s");
  MakeSweep("stays");
  const SweepSpec spec = TestSpec("s");
  const LeaseRow lease = driver_->Grant(Must(store_->Read(FindTrial, "s", 3)).id, "w");
  ASSERT_TRUE(driver_->Record(lease, spec, TestEpochs(1, 2, 0.5)).ok());
  ASSERT_TRUE(driver_->Finish(lease, spec, LeaseOutcome::kDiverged, "diverged: nan").ok());
  const SweepRow sweep = Must(store_->Read(FindSweep, "s"));
  ASSERT_GT(sweep.counts.completed, 0);
  ASSERT_GT(sweep.counts.failed, 0);
  ASSERT_GT(sweep.counts.diverged, 0);
  ASSERT_GT(sweep.qualifying, 0);
  ASSERT_THAT(Faults(), IsEmpty());
  ASSERT_EQ(Delete("s"), absl::OkStatus());
  EXPECT_THAT(Faults(), IsEmpty());
  EXPECT_GT(Purge(/*rows=*/1), 10) << "each trial, configuration and event by itself";
  EXPECT_EQ(Count("sweeps"), 1);
}

TEST_F(StoreLifecycleTest, TheCheckComparesInfinitiesToo) {
  const std::string program = "program: ./train\nmetric: loss\n";
  const SweepSpec spec = TestSpec("own", program.c_str());
  const TrialRow trial = driver_->Add(driver_->Create(spec, program.c_str()), spec, 1).at(0);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const LeaseRow lease = driver_->Grant(trial.id, "w");
  ASSERT_TRUE(driver_
                  ->Record(lease, spec,
                           {{.epoch = 1, .values = {{"loss", 1.0}, {"gain", 1.0}}},
                            {.epoch = 2, .values = {{"loss", kInfinity}, {"gain", -kInfinity}}},
                            {.epoch = 3, .values = {{"loss", std::nan("")}}}})
                  .ok());
  EXPECT_THAT(Faults(), IsEmpty());
  const auto database = Must(Database::Open(path_, Database::Mode::kReadWrite));
  ASSERT_TRUE(
      database->Execute("UPDATE trials SET measures = replace(measures, '\"-Infinity\"', '-7')")
          .ok());
  EXPECT_THAT(Faults(), testing::ElementsAre(HasSubstr("has another gain")));
}

TEST_F(StoreLifecycleTest, WhatRunsIsNotDeletedOrRenamed) {
  const SweepSpec spec = TestSpec("s");
  const SweepRow sweep = driver_->Create(spec);
  driver_->Grant(driver_->Add(sweep, spec, 1).front().id, "w");
  const absl::Status refused = Delete("s");
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("1 trial of sweep 's' runs; cancel it first"));
  EXPECT_THAT(std::string(Rename("s", "t").message()), HasSubstr("pause it first"));
  ASSERT_EQ(Write([&](WriteTransaction& transaction) {
              return transaction.CancelSweep("s", &spec).status();
            }),
            absl::OkStatus());
  EXPECT_EQ(Delete("s"), absl::OkStatus());
}

TEST_F(StoreLifecycleTest, WhatIsUnderWayForADeletedSweepIsRefused) {
  const SweepSpec spec = TestSpec("s");
  const SweepRow sweep = driver_->Create(spec);
  const TrialRow trial = driver_->Add(sweep, spec, 1).front();
  ASSERT_EQ(Delete("s"), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(Write([&](WriteTransaction& transaction) {
    return transaction.Grant(trial.id, "w", "secret", /*embedded=*/false).status();
  })));
  EXPECT_TRUE(absl::IsNotFound(Write([&](WriteTransaction& transaction) {
    return transaction.AddConfiguration(sweep.id, spec, TestConfiguration(spec, 2)).status();
  })));
}

TEST_F(StoreLifecycleTest, AnEditKeepsTheFileThatItReplaces) {
  const SweepSpec before = TestSpec("s");
  const SweepRow row = driver_->Create(before);
  driver_->Add(row, before, 1);
  const SweepSource source = TestSource("s", "early_terminate: {type: median}\n");
  const SweepSpec after = TestSpec("s", "early_terminate: {type: median}\n");
  const auto edit = [&](const SweepSpec& spec, const SweepSource& file, std::string replaces) {
    return store_->WriteAndWait([&](WriteTransaction& transaction) {
      return transaction
          .EditSweep({.spec = &spec,
                      .source = &file,
                      .replaces_sha256 = std::move(replaces),
                      .planned_configurations = 3})
          .status();
    });
  };
  EXPECT_TRUE(absl::IsAborted(edit(after, source, Sha256Hex("another"))));
  EXPECT_EQ(Must(store_->Read(FindSweep, "s")).revision, 1);
  ASSERT_EQ(edit(after, source, Sha256Hex(TestSource("s").text)), absl::OkStatus());
  const SweepRow edited = Must(store_->Read(FindSweep, "s"));
  EXPECT_EQ(edited.revision, 2);
  EXPECT_EQ(edited.first_configuration, 2);
  EXPECT_EQ(edited.digest, after.digest);
  EXPECT_EQ(edited.planned_configurations, 3);
  EXPECT_FALSE(edited.keep_going);
  for (const bool keep_going : {true, false}) {
    ASSERT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      return transaction
                          .EditSweep({.spec = &after,
                                      .source = &source,
                                      .replaces_sha256 = "",
                                      .planned_configurations = 3,
                                      .keep_going = keep_going})
                          .status();
                    })
                    .ok());
    EXPECT_EQ(Must(store_->Read(FindSweep, "s")).keep_going, keep_going);
  }
  EXPECT_EQ(edited.source.text, source.text);
  EXPECT_EQ(Must(store_->Read(FindFirstConfiguration, row.id)), 2);
  const auto revisions = Must(store_->Read(SelectRevisions, row.id));
  ASSERT_EQ(revisions.size(), 2u);
  EXPECT_EQ(revisions[0].digest, before.digest);
  EXPECT_EQ(revisions[0].text, TestSource("s").text);
  const auto check = [&](std::int64_t revision) {
    return store_->WriteAndWait(
        [&](WriteTransaction& transaction) { return transaction.CheckRevision(row.id, revision); });
  };
  EXPECT_TRUE(absl::IsAborted(check(1)));
  EXPECT_EQ(check(2), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(edit(TestSpec("t"), TestSource("t"), "")));
}

TEST_F(StoreLifecycleTest, ARenamedSweepKeepsItsContent) {
  MakeSweep("s");
  MakeSweep("taken");
  const std::int64_t before = Must(store_->Read(FindLastSequence, 0));
  ASSERT_EQ(Rename("s", "t"), absl::OkStatus());
  EXPECT_GT(Must(store_->Read(FindLastSequence, 0)), before)
      << "pages that look at it have to learn of it";
  EXPECT_TRUE(absl::IsNotFound(store_->Read(FindSweep, "s").status()));
  const SweepRow renamed = Must(store_->Read(FindSweep, "t"));
  EXPECT_THAT(renamed.source.text, HasSubstr("name: t\n"));
  EXPECT_EQ(Must(store_->Read(FindTrial, "t", 1)).short_name(), "t/1");
  EXPECT_EQ(Rename("t", "t"), absl::OkStatus());
  EXPECT_TRUE(absl::IsAlreadyExists(Rename("t", "taken")));
  EXPECT_TRUE(absl::IsInvalidArgument(Rename("t", "no name")));
  EXPECT_TRUE(absl::IsInvalidArgument(Rename("t", DeletedName(1))));
  EXPECT_TRUE(absl::IsNotFound(Rename("s", "u")));
  // Another sweep got the name after the caller had read it.
  EXPECT_TRUE(absl::IsAborted(Write([](WriteTransaction& transaction) {
    return transaction
        .RenameSweep({.name = "t", .new_name = "u", .digest = "other", .text = "name: u\n"})
        .status();
  })));
  EXPECT_THAT(Must(store_->Read(FindSweep, "t")).source.text, HasSubstr("name: t\n"));
}

TEST_F(StoreLifecycleTest, AnArchivedSweepIsNotListed) {
  MakeSweep("s");
  const auto archive = [&](bool archived) {
    return Write([&](WriteTransaction& transaction) {
      return transaction.ArchiveSweep("s", archived).status();
    });
  };
  EXPECT_THAT(std::string(archive(true).message()), HasSubstr("sweep 's' is active"));
  ASSERT_EQ(Write([](WriteTransaction& transaction) {
              return transaction.PauseSweep("s", false).status();
            }),
            absl::OkStatus());
  const std::int64_t before = Must(store_->Read(FindLastSequence, 0));
  ASSERT_EQ(archive(true), absl::OkStatus());
  EXPECT_GT(Must(store_->Read(FindLastSequence, 0)), before)
      << "pages that list it have to learn of it";
  EXPECT_THAT(Must(store_->Read(SelectSweeps, 0, 10, /*archived=*/false)), IsEmpty());
  EXPECT_EQ(Must(store_->Read(SelectSweeps, 0, 10, /*archived=*/true)).size(), 1u);
  EXPECT_TRUE(Must(store_->Read(FindSweep, "s")).archived);
  ASSERT_EQ(archive(false), absl::OkStatus());
  EXPECT_EQ(Must(store_->Read(SelectSweeps, 0, 10, /*archived=*/false)).size(), 1u);
  ASSERT_EQ(archive(true), absl::OkStatus());
  ASSERT_EQ(
      Write([](WriteTransaction& transaction) { return transaction.ResumeSweep("s").status(); }),
      absl::OkStatus());
  EXPECT_FALSE(Must(store_->Read(FindSweep, "s")).archived) << "it is active again";
}

TEST_F(StoreLifecycleTest, ALastEventThatWasDeletedIsNotForgotten) {
  MakeSweep("s");
  const std::int64_t before = Must(store_->Read(FindLastSequence, 0));
  ASSERT_EQ(Delete("s"), absl::OkStatus());
  Purge();
  EXPECT_GT(Must(store_->Read(FindLastSequence, 0)), before);
}

TEST_F(StoreLifecycleTest, DiskUseGrowsWithEpochsLogsAndFiles) {
  const SweepSpec spec = TestSpec("s");
  const SweepRow sweep = driver_->Create(spec);
  const auto bytes = [&] { return Must(store_->Read(FindSweep, "s")).disk_bytes; };
  const std::int64_t created = bytes();
  EXPECT_EQ(created, std::ssize(TestSource("s").text));
  const TrialRow trial = driver_->Add(sweep, spec, 1).front();
  const std::int64_t made = bytes();
  EXPECT_GT(made, created);
  const std::string blob(64, 'a');
  ASSERT_EQ(Write([&](WriteTransaction& transaction) { return transaction.AddBlob(blob, 70'000); }),
            absl::OkStatus());
  const LeaseRow lease = driver_->Grant(trial.id, "w");
  ASSERT_TRUE(driver_->Record(lease, spec, TestEpochs(1, 5, 0.9)).ok());
  ASSERT_TRUE(driver_->Lose(lease, spec).ok());
  const std::int64_t lost = bytes();
  EXPECT_EQ(lost, made + 120 + 5 * 160);
  bool revived = false;
  ASSERT_TRUE(driver_->Record(lease, spec, {}, "", 0, &revived).ok());
  ASSERT_TRUE(driver_
                  ->Finish(lease, spec, LeaseOutcome::kCompleted, "",
                           {{.role = "weights_best", .sha256 = blob}})
                  .ok());
  EXPECT_EQ(bytes(), lost + 70'000) << "what was counted when it was lost is not counted again";
}

}  // namespace
}  // namespace sweep

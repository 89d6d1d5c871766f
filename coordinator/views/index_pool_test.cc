#include "coordinator/views/index_pool.h"

#include <chrono>
#include <thread>

#include "coordinator/store/testing/store_testing.h"
#include "coordinator/store/trial_facts.h"
#include "coordinator/views/fill_facts.h"
#include "coordinator/views/trial_filter.h"
#include "sweep/documents/documents.pb.h"

namespace sweep {
namespace {

TEST(IndexPool, DropsWhatBelongsToADeletedSweep) {
  const auto store = Must(Store::Open({}));
  StoreDriver driver(store.get());
  IndexPool pool(store.get(), {.look_time = absl::Milliseconds(5)});
  const IndexPool::Patience patience{absl::Seconds(20), absl::Seconds(20)};
  for (const std::string name : {"kept", "other", "third"}) {
    const SweepSpec spec = TestSpec(name);
    const SweepRow sweep = driver.Create(spec);
    driver.Train(driver.Add(sweep, spec, 1).at(0), spec, 0.9);
    EXPECT_TRUE(Must(pool.Get(sweep.id, std::make_shared<const SweepSpec>(spec), patience)).ready);
  }
  EXPECT_EQ(pool.size(), 3u);
  ASSERT_TRUE(store
                  ->WriteAndWait([](WriteTransaction& transaction) {
                    const absl::Status deleted = transaction.DeleteSweep("other").status();
                    return deleted.ok() ? transaction.DeleteSweep("third").status() : deleted;
                  })
                  .ok());
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (pool.size() != 1 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(pool.size(), 1u);
  EXPECT_TRUE(
      Must(pool.Get(1, std::make_shared<const SweepSpec>(TestSpec("kept")), patience)).ready);
}

TEST(IndexPool, HasEveryFactOfATrialAsItIsStored) {
  const auto store = Must(Store::Open({}));
  StoreDriver driver(store.get());
  IndexPool pool(store.get(), {.look_time = absl::Milliseconds(5)});
  const SweepSpec spec = TestSpec("s");
  const SweepRow sweep = driver.Create(spec);
  driver.Train(driver.Add(sweep, spec, 1).at(0), spec, 0.95);
  // A segment has all facts.
  ASSERT_EQ(store->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction
        .AddConfiguration(
            sweep.id, spec, TestConfiguration(spec, 2),
            {.origin = TestOrigin(),
             .segment = Segment{.member = 2, .parent = 1, .start_epoch = 1, .target_epoch = 4}})
        .status();
  }),
            absl::OkStatus());
  const LeaseRow lease = driver.Grant(2, "w");
  ASSERT_TRUE(driver.Record(lease, spec, TestEpochs(2, 4, 0.95)).ok());
  const TrialRow trial = Must(store->Read(FindTrial, "s", 2));
  const IndexPool::Patience patience{absl::Seconds(20), absl::Seconds(20)};
  const auto answer = Must(pool.Get(sweep.id, std::make_shared<const SweepSpec>(spec), patience));
  ASSERT_TRUE(answer.ready);
  ASSERT_GE(TrialFacts().size(), 14u);
  answer.entry->Look([&](const SweepIndex& index) {
    for (const TrialFact& fact : TrialFacts()) {
      const std::string name = std::string(kTrialPrefix).append(fact.name);
      EXPECT_TRUE(fact.value(trial).has_value()) << name;
      EXPECT_EQ(index.Find(name)(1), fact.value(trial)) << name;
    }
    EXPECT_EQ(NetworkFacts().size(), 3u);
    for (const TrialFact& fact : NetworkFacts()) {
      EXPECT_TRUE(fact.value(trial).has_value()) << fact.name;
      EXPECT_EQ(index.Find(std::string(fact.name))(1), fact.value(trial)) << fact.name;
    }
    return 0;
  });
}

// A field whose type does not fit its fact would silently stay empty.
TEST(FillFacts, SetsEveryFieldThatHasTheNameOfAFact) {
  const auto store = Must(Store::Open({}));
  StoreDriver driver(store.get());
  const SweepSpec spec = TestSpec("s");
  const SweepRow sweep = driver.Create(spec);
  driver.Train(driver.Add(sweep, spec, 1).at(0), spec, 0.95);
  TrialRow trial = Must(store->Read(FindTrial, "s", 1));
  trial.replicate = trial.failures = 3;  // an unset field has 0
  trial.member = trial.start_epoch = trial.target_epoch = 1;
  trial.parent = 1;
  documents::TrialFacts row;
  FillFacts(trial, &row);
  const google::protobuf::Reflection& reflection = *row.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(row, &fields);
  int named = 0;
  for (const TrialFact& fact : TrialFacts()) {
    const auto* const field = row.GetDescriptor()->FindFieldByName(std::string(fact.name));
    if (field == nullptr || field->is_repeated() || fact.name == "state") continue;
    ++named;
    EXPECT_THAT(fields, testing::Contains(field)) << fact.name;
  }
  EXPECT_EQ(std::ssize(fields), named);
  EXPECT_GE(named, 8);
  EXPECT_EQ(row.model(), trial.model);
  EXPECT_EQ(row.failures(), 3);
  EXPECT_EQ(row.best_epoch(), trial.result.best_epoch);
  trial.result.best_epoch = 0;
  row.Clear();
  FillFacts(trial, &row);
  EXPECT_FALSE(row.has_best_epoch());
}

}  // namespace
}  // namespace sweep

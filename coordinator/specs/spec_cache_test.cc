#include "coordinator/specs/spec_cache.h"

#include <thread>

#include "common/yaml/testing/yaml_loads.h"
#include "coordinator/store/testing/store_testing.h"

namespace sweep {
namespace {

using testing::HasSubstr;

class SpecCacheTest : public testing::Test {
 protected:
  SweepRow Create(const std::string& name) { return driver_.Create(TestSpec(name)); }
  SweepRow CreateRefused(const std::string& name) {
    const SweepRow row = driver_.CreateRefused(name, "replicates: 2\n");
    driver_.Add(row, TestSpec(name, "replicates: 2\n"), 1);
    return Must(store_->Read(FindSweep, name));
  }

  const std::unique_ptr<Store> store_ = Must(Store::Open({}));
  StoreDriver driver_{store_.get()};
  SpecCache specs_{store_.get()};
};

TEST_F(SpecCacheTest, AFileIsParsedOnce) {
  const SweepRow row = Create("s");
  EXPECT_EQ(specs_.Known("s"), std::nullopt);
  EXPECT_EQ(specs_.Known(row), std::nullopt);
  const SharedSpec spec = Must(specs_.Get("s"));
  EXPECT_EQ(spec->digest, row.digest);
  const YamlLoads loads;
  EXPECT_EQ(Must(specs_.Get("s")), spec);
  EXPECT_EQ(Must(specs_.Show(row)).spec, spec);
  EXPECT_EQ(specs_.Known("s")->spec, spec);
  EXPECT_EQ(specs_.Known(row)->spec, spec);
  SweepRow listed = row;
  listed.source = {};
  EXPECT_EQ(Must(specs_.Show(listed)).spec, spec);
  EXPECT_TRUE(loads.threads().empty());
  EXPECT_TRUE(absl::IsNotFound(specs_.Get("t").status()));
}

// A reader may have the row of before an edit, and put what it has parsed after it.
TEST_F(SpecCacheTest, AnEditedFileStays) {
  const SweepRow row = Create("s");
  const StoredSpec old = Must(specs_.Show(row));
  const StoredSpec edited{.spec = std::make_shared<const SweepSpec>(*old.spec)};
  SweepRow later = row;
  later.revision = 2;
  specs_.Replace(later, edited);
  specs_.Keep(row, old);
  EXPECT_EQ(Must(specs_.Get("s")), edited.spec);
  EXPECT_EQ(specs_.Known(row)->spec, edited.spec);
  later.revision = 3;
  EXPECT_EQ(specs_.Known(later), std::nullopt) << "the one of before";
  EXPECT_NE(Must(specs_.Show(later)).spec, edited.spec);
}

TEST_F(SpecCacheTest, OfThreadsThatAskAtOnceOneParses) {
  const SweepRow row = Create("s");
  const std::size_t once = [&] {
    const YamlLoads loads;
    EXPECT_TRUE(SpecCache(store_.get()).Get("s").ok());
    return loads.threads().size();
  }();
  const YamlLoads loads;
  std::vector<SharedSpec> specs(8);
  {
    std::vector<std::jthread> threads;
    for (SharedSpec& spec : specs) {
      threads.emplace_back([&] { spec = Must(specs_.Show(row)).spec; });
    }
  }
  EXPECT_EQ(loads.threads().size(), once);
  for (const SharedSpec& spec : specs) EXPECT_EQ(spec, specs.front());
}

TEST_F(SpecCacheTest, SaysWhyAFileIsNotAccepted) {
  const SweepRow row = CreateRefused("s");
  const StoredSpec stored = Must(specs_.Show(row));
  EXPECT_FALSE(stored.is_accepted());
  EXPECT_THAT(stored.refusal, HasSubstr("s.yaml:"));
  EXPECT_THAT(stored.refusal, HasSubstr("not_a_key"));
  EXPECT_EQ(stored.spec->name, "s");
  EXPECT_EQ(stored.spec->digest, row.digest);
  EXPECT_EQ(stored.spec->method->word, "");
  EXPECT_EQ(stored.spec->objective().name, TestSpec("s").objective().name);
  EXPECT_EQ(stored.spec->replicates, 2);
  EXPECT_EQ(stored.spec->epochs, 0);
  const absl::Status refused = specs_.Get("s").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_THAT(std::string(refused.message()),
              testing::AllOf(HasSubstr("sweep 's': this build does not accept its file: s.yaml:"),
                             HasSubstr("; it does not run")));
  const YamlLoads loads;
  EXPECT_EQ(Must(specs_.Show(row)).spec, stored.spec);
  EXPECT_TRUE(loads.threads().empty()) << "what is not accepted is not parsed again either";
}

TEST_F(SpecCacheTest, ANameThatMeansAnotherSweepGivesItsSpec) {
  const SweepRow first = Create("s");
  EXPECT_EQ(Must(specs_.Get("s"))->replicates, 1);
  ASSERT_TRUE(store_
                  ->WriteAndWait([](WriteTransaction& transaction) {
                    return transaction.DeleteSweep("s").status();
                  })
                  .ok());
  const SweepRow second = driver_.Create(TestSpec("s", "replicates: 3\n"), "replicates: 3\n");
  ASSERT_NE(second.id, first.id);
  EXPECT_EQ(Must(specs_.Show(second)).spec->replicates, 3);
  specs_.Drop(first.id);
  EXPECT_EQ(Must(specs_.Get("s"))->replicates, 3);
  EXPECT_EQ(specs_.Known(first), std::nullopt);
}

TEST_F(SpecCacheTest, ARowWithAnotherNameIsReadAnew) {
  SweepRow row = Create("s");
  EXPECT_TRUE(specs_.Show(row).ok());
  row.name = "t";
  EXPECT_EQ(specs_.Known(row), std::nullopt);
}

TEST_F(SpecCacheTest, WhatIsKeptStaysAndTheLeastUsedOfTheOthersGoes) {
  const auto row = [](std::int64_t id) {
    SweepRow row;
    row.id = id;
    row.name = "s" + std::to_string(id);
    return row;
  };
  const auto put = [&](std::int64_t id) {
    specs_.Keep(row(id), {.spec = std::make_shared<const SweepSpec>()});
  };
  put(1);
  for (std::int64_t id = 2; id <= 257; ++id) {
    put(id);
    specs_.Release(id);
  }
  for (std::int64_t id = 1; id <= 257; ++id) EXPECT_TRUE(specs_.Known(row(id)).has_value()) << id;
  EXPECT_TRUE(specs_.Known("s2").has_value());  // just used
  put(258);
  EXPECT_TRUE(specs_.Known(row(3)).has_value()) << "what is kept takes no place";
  specs_.Release(258);
  EXPECT_TRUE(specs_.Known(row(1)).has_value());
  EXPECT_EQ(specs_.Known(row(4)), std::nullopt);
  EXPECT_TRUE(specs_.Known(row(2)).has_value());
}

}  // namespace
}  // namespace sweep

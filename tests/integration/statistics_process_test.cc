// What a ranking, a confirmation and a comparison say, from real sweeps to the client's answers.
// The trainer is a script whose accuracy follows from the learning rate and the seed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Process;
using testing::Result;

constexpr char kLuckSweep[] = R"(name: luck
description: chosen by luck
labels: {team: vision}
program: ["sh", "train.sh"]
files: [train.sh]
method: grid
parameters:
  lr: {values: [0.1, 0.2, 0.3]}
epochs: 2
early_terminate: {type: median}
require: {accuracy: ">= 99 %"}
)";

// The accuracy is 0.99 at lr 0.1 and 0.2 and 0.90 at 0.3, with up to 0.002 more or less by the
// seed.
constexpr char kLuckScript[] = R"sh(read -r trial
name=$(printf '%s' "$trial" | sed 's/.*"trial":"\([^"]*\)".*/\1/')
seed=$(printf '%s' "$trial" | sed 's/.*"seed":\([0-9]*\).*/\1/')
lr=$(printf '%s' "$trial" | sed 's/.*"lr":\([0-9.]*\).*/\1/')
tail=$(printf '%s' "$seed" | tail -c 6)
awk -v tail="$tail" -v lr="$lr" -v name="$name" 'BEGIN {
  draw = (tail * (7919 + int(lr * 10 + 0.5) * 613)) % 1009 / 1008
  accuracy = (lr < 0.25 ? 0.99 : 0.90) + (draw - 0.5) * 0.004
  for (epoch = 1; epoch <= 2; ++epoch)
    printf "{\"type\":\"epoch\",\"trial\":\"%s\",\"epoch\":%d,\"validation_accuracy\":%.6f}\n",
           name, epoch, accuracy
  printf "{\"type\":\"done\",\"trial\":\"%s\",\"epochs\":2}\n", name
}'
)sh";

class StatisticsProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    coordinator_ = std::make_unique<Process>(
        Process::Options{.command = {"sweep-coordinator", "--http", "off", "--listen",
                                     "127.0.0.1:0", "--db", "server.db"},
                         .folder = folder_.path()});
    address_ = testing::WaitForAddress(*coordinator_);
    worker_ = std::make_unique<Process>(
        Process::Options{.command = {"sweep-worker", "--coordinator", address_, "--name", "w1",
                                     "--slots", "2", "--trainer", FAKE_TRAINER, "--allow-program"},
                         .folder = worker_folder_.path()});
    folder_.Write("train.sh", kLuckScript);
  }

  Result Sweep(std::vector<std::string> words) {
    words.insert(words.begin(), "sweep");
    words.insert(words.end(), {"--coordinator", address_});
    return testing::Run({.command = words, .folder = folder_.path()}, std::chrono::seconds(90));
  }
  json Json(std::vector<std::string> words, int code = 0) {
    words.insert(words.end(), {"--format", "json"});
    const Result result = Sweep(words);
    EXPECT_EQ(result.code, code) << result.output;
    return json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  }
  void Train(const std::string& text) {
    const Result result = Sweep({"submit", folder_.Write("luck.yaml", text), "--wait"});
    ASSERT_EQ(result.code, 0) << result.output;
  }
  std::string Read(const std::string& name) {
    std::ifstream file(folder_.path() + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  // Of the last epochs of a configuration's trials.
  double MeanOf(const std::string& sweep, int configuration) {
    double sum = 0;
    int runs = 0;
    for (const json& trial : Json({"trials", sweep})) {
      if (trial["configuration"] != configuration) continue;
      sum += trial["last"].get<double>();
      ++runs;
    }
    return sum / runs;
  }

  testing::TemporaryFolder folder_, worker_folder_;
  std::string address_;
  std::unique_ptr<Process> coordinator_, worker_;
};

constexpr char kRegionSweep[] = R"(name: region
program: ["sh", "train.sh"]
files: [train.sh]
method: sobol
parameters:
  lr: {min: 0.05, max: 0.45}
run_cap: 24
epochs: 2
require: {accuracy: ">= 95 %"}
)";

TEST_F(StatisticsProcessTest, TheRegionIsWhereRunsQualify) {
  Train(kRegionSweep);
  const json region = Json({"best", "region", "--region", "--share", "85%"});
  EXPECT_EQ(region["answer"], "found");
  EXPECT_EQ(region["share"], 0.85);
  EXPECT_EQ(region["runs"], 24);
  ASSERT_EQ(region["ranges"].size(), 1u);
  EXPECT_LT(region["ranges"][0]["low"], 0.1);
  EXPECT_NEAR(region["ranges"][0]["high"], 0.25, 0.04);
  EXPECT_GE(region["qualifying_inside"], 6);
  const Result words = Sweep({"best", "region", "--region"});
  EXPECT_EQ(words.code, 0);
  EXPECT_THAT(words.output,
              AllOf(HasSubstr("at least 90 % of the runs in this region of region are expected"),
                    HasSubstr("lr"), HasSubstr("expected: 9"), HasSubstr("trained in it: "),
                    HasSubstr("of the search space")));
  const Result csv = Sweep({"best", "region", "--region", "--format", "csv"});
  EXPECT_THAT(csv.output, HasSubstr("name,low,high,values,tried_low,tried_high,tried\nlr,"));

  EXPECT_THAT(Sweep({"best", "region", "--region", "--share", "30%"}).output,
              HasSubstr("--share must be from 50% to 99%"));
  EXPECT_EQ(Sweep({"best", "region", "--region", "--share", "30%"}).code, 2);
  EXPECT_EQ(Sweep({"best", "region", "--share", "80%"}).code, 2) << "without --region";
  EXPECT_EQ(Sweep({"best", "region", "--region", "--top", "3"}).code, 2);
  Train(kLuckSweep);
  const json few = Json({"best", "luck", "--region"}, 3);
  EXPECT_EQ(few["answer"], "too_few");
  const Result why = Sweep({"best", "luck", "--region"});
  EXPECT_EQ(why.code, 3);
  EXPECT_EQ(why.output,
            "no region of luck: a region needs 10 configurations that have ended; 3 have so far\n");
  std::string plain = kLuckSweep;
  plain.replace(plain.find("name: luck"), 10, "name: free");
  plain.resize(plain.find("require"));
  Train(plain);
  EXPECT_EQ(Json({"best", "free", "--region"}, 2)["answer"], "no_gates");
}

// Two of six configurations are as good as each other; the others are far behind.
TEST_F(StatisticsProcessTest, SeedsGoWhereTheyMatter) {
  std::string text = kLuckSweep;
  text.replace(text.find("[0.1, 0.2, 0.3]"), 15, "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]");
  text.replace(text.find("early_terminate"), text.find("require") - text.find("early_terminate"),
               "replicates: {max: 6}\n");
  text.replace(text.find(">= 99 %"), 7, ">= 98 %");
  const std::string file = folder_.Write("luck.yaml", text);
  EXPECT_THAT(Sweep({"preview", file}).output,
              HasSubstr("6 configurations × 1 to 6 replicates = 6 to 31 trials"));
  const Result submitted = Sweep({"submit", file, "--wait"});
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  EXPECT_THAT(submitted.output, HasSubstr("6 to 31 trials"));

  std::map<int, int> runs;                     // by configuration
  std::map<int, std::set<std::string>> seeds;  // by replicate
  const json trials = Json({"trials", "luck"});
  for (const json& trial : trials) {
    EXPECT_EQ(trial["state"], "completed");
    seeds[runs[trial["configuration"].get<int>()]++].insert(
        Json({"trial", trial["trial"]})["seed"].dump());
  }
  ASSERT_EQ(runs.size(), 6u);
  EXPECT_GE(runs[1], 4);
  EXPECT_GE(runs[2], 4);
  for (const int bad : {3, 4, 5, 6}) EXPECT_LE(runs[bad], 3) << bad;
  EXPECT_LE(runs[3] + runs[4] + runs[5] + runs[6], 4 + 4) << "the deviation is scouted with four";
  for (const auto& [replicate, different] : seeds) EXPECT_EQ(different.size(), 1u) << replicate;

  const json shown = Json({"show", "luck"});
  EXPECT_EQ(shown["planned_trials"], trials.size());
  EXPECT_EQ(shown["most_trials"], trials.size()) << "it is over";
  EXPECT_EQ(shown["min_replicates"], 1);
  EXPECT_EQ(shown["replicates"], 6);
  const json best = Json({"best", "luck"});
  EXPECT_EQ(best[0]["replicates"], std::max(runs[1], runs[2]));
  EXPECT_THAT(Sweep({"best", "luck"}).output,
              AllOf(HasSubstr(" of at most 6)"), HasSubstr("(1 of at most 6)")));

  EXPECT_THAT(
      Sweep({"explain", "luck/6"}).output,
      HasSubstr("configuration 6 cannot be the best and gets no further runs: its mean of "));
  EXPECT_THAT(Sweep({"explain", "luck/7"}).output, HasSubstr("it is run 2 of configuration "));
  EXPECT_THAT(Sweep({"explain", best[0]["trial"]}).output, HasSubstr(" leads with a mean of "));
  const Result compared = Sweep({"compare", "luck/1", "luck/6"});
  EXPECT_EQ(compared.code, 3) << "two pairs at most: " << compared.output;
  EXPECT_EQ(Sweep({"replay", "luck", "--search"}).code, 0);
}

TEST_F(StatisticsProcessTest, TheBestAreConfirmedWithFreshSeeds) {
  Train(kLuckSweep);
  const json selection = Json({"best", "luck"});
  const json finalists =
      Json({"confirm", "luck", "--top", "2", "--replicates", "5", "--wait"}, /*code=*/0);
  ASSERT_EQ(finalists.size(), 2u) << finalists;
  for (int i = 0; i < 2; ++i) {
    const json& one = finalists[i];
    EXPECT_EQ(one["trial"], selection[i]["trial"]);
    EXPECT_EQ(one["parameters"]["lr"], selection[i]["parameters"]["lr"]);
    EXPECT_EQ(one["selected"], selection[i]["value"]);
    EXPECT_EQ(one["selected_mean"], selection[i]["last"]);
    EXPECT_EQ(one["ended_runs"], 5);
    EXPECT_NEAR(one["confirmed"], MeanOf("luck-confirm", i + 1), 1e-9);
    EXPECT_NEAR(one["optimism"],
                one["selected_mean"].get<double>() - one["confirmed"].get<double>(), 1e-12);
    EXPECT_LT(one["confirmed_interval"][0], one["confirmed_bound"]);
    EXPECT_LT(one["confirmed_bound"], one["confirmed"]);
    EXPECT_TRUE(one["test_looks"].is_null()) << "the program has images of its own";
  }
  EXPECT_EQ(finalists[0]["group"], 1);
  EXPECT_EQ(finalists[1]["group_size"], 2) << "they are equally good";
  std::set<std::string> seeds;
  for (const json& trial : Json({"trials", "luck"})) seeds.insert(trial["seed"]);
  for (const json& trial : Json({"trials", "luck-confirm"})) {
    EXPECT_FALSE(seeds.contains(trial["seed"])) << "it had a part in the selection";
    EXPECT_EQ(trial["state"], "completed") << "no early stopping";
  }
  const json shown = Json({"show", "luck-confirm"});
  EXPECT_EQ(shown["labels"]["confirms"], "luck");
  EXPECT_EQ(shown["labels"]["team"], "vision");

  EXPECT_EQ(Json({"confirm", "luck"}), finalists) << "the same again is only shown";
  EXPECT_EQ(Json({"list"}).size(), 2u);
  const Result other = Sweep({"confirm", "luck", "--top", "3", "--replicates", "5"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.output,
              AllOf(HasSubstr("luck-confirm confirms 2 of luck with 5 seeds"), HasSubstr("--new")));
  const Result table = Sweep({"confirm", "luck"});
  EXPECT_THAT(table.output, AllOf(HasSubstr("FINALIST"), HasSubstr("OPTIMISM"), HasSubstr("5 of 5"),
                                  HasSubstr("LOWER BOUND"), HasSubstr("GROUP"),
                                  HasSubstr(" cannot be told apart by their fresh runs")));
}

TEST_F(StatisticsProcessTest, AClearDifferenceIsKnownAfterFivePairs) {
  Train(kLuckSweep + std::string("replicates: 8\n"));
  const json ranking = Json({"best", "luck"});
  EXPECT_EQ(ranking[0]["group"], 1);
  EXPECT_EQ(ranking[1]["group"], 1) << "two of the same";
  EXPECT_EQ(ranking[0]["group_size"], 2);
  EXPECT_EQ(ranking[2]["group"], 2);
  EXPECT_EQ(ranking[0]["ended_runs"], 8);
  EXPECT_EQ(ranking[2]["qualifying_runs"], 0) << ranking[2];
  EXPECT_THAT(Sweep({"best", "luck"}).output,
              AllOf(HasSubstr("GROUP"), HasSubstr("┌ 1"), HasSubstr("RUNS THAT QUALIFY"),
                    HasSubstr("and another one cannot be told apart")));

  const std::string good = ranking[0]["trial"];
  const std::string bad = ranking[2]["trial"];
  const json known = Json({"compare", bad, good});
  EXPECT_EQ(known["verdict"], "different");
  EXPECT_EQ(known["better"], good);
  EXPECT_EQ(known["pairs"], 5);
  EXPECT_EQ(known["all_pairs"], 8);
  EXPECT_NEAR(known["difference"], -0.09, 0.004);
  EXPECT_LT(known["difference_interval"][1], 0);
  EXPECT_THAT(Sweep({"compare", good, bad}).output,
              HasSubstr(good + " has a better accuracy than " + bad + ", after 5 pairs of 8"));
  EXPECT_EQ(known["left_out_pairs"], 0);
  EXPECT_EQ(known["left_out_reasons"], json::array());
  EXPECT_EQ(known["open_pairs"], 0);
  EXPECT_EQ(known["unpaired_runs"], 0);
  EXPECT_EQ(Json({"compare", good, ranking[1]["trial"]}, /*code=*/3)["verdict"], "unknown");
  EXPECT_EQ(Json({"compare", good, ranking[1]["trial"], "--within", "2%"})["verdict"], "same");
  EXPECT_THAT(Sweep({"compare", good, bad, "--within", "0"}).output, HasSubstr("not '0'"));
}

// A race gives the good configurations seeds that a bad one lacks; a failed run has no result.
TEST_F(StatisticsProcessTest, AComparisonSaysWhatItLeavesOut) {
  std::string text = kLuckSweep;
  text.replace(text.find("early_terminate"), text.find("require") - text.find("early_terminate"),
               "replicates: {max: 6}\n");
  text.replace(text.find("[0.1, 0.2, 0.3]"), 15, "[0.1, 0.2, 0.3, 0.4]");
  Train(text);
  const json raced = Json({"compare", "luck/1", "luck/3"}, /*code=*/3);
  std::map<int, int> runs;
  for (const json& trial : Json({"trials", "luck"})) ++runs[trial["configuration"].get<int>()];
  ASSERT_GT(runs[1], runs[3]);
  EXPECT_EQ(raced["unpaired_runs"], runs[1] - runs[3]);
  EXPECT_THAT(Sweep({"compare", "luck/1", "luck/3"}).output,
              HasSubstr(std::to_string(runs[1] - runs[3]) +
                        " runs with a seed that only one of the two has"));

  std::string failing = kLuckSweep;
  failing.replace(failing.find("name: luck"), 10, "name: some");
  failing.replace(failing.find("train.sh\"]"), 8, "fails.sh");
  failing.replace(failing.find("[train.sh]"), 10, "[fails.sh]");
  failing.replace(failing.find("early_terminate"),
                  failing.find("require") - failing.find("early_terminate"),
                  "replicates: 3\nmax_failures: 1\nkeep_going: true\n");
  // The first run of lr 0.1 fails.
  std::string script = kLuckScript;
  script.insert(script.find("tail="), "case $name in some/1) exit 3;; esac\n");
  folder_.Write("fails.sh", script);
  ASSERT_NE(Sweep({"submit", folder_.Write("some.yaml", failing), "--wait"}).code, 2);
  const json left = Json({"compare", "some/1", "some/4"}, /*code=*/3);
  EXPECT_EQ(left["all_pairs"], 2);
  EXPECT_EQ(left["left_out_pairs"], 1);
  EXPECT_EQ(left["left_out_reasons"], json({"some/1 failed"}));
  EXPECT_THAT(Sweep({"compare", "some/1", "some/4"}).output,
              HasSubstr("left out: 1 pair of which a run did not complete: some/1 failed"));
}

TEST_F(StatisticsProcessTest, AGateAtAConfidenceIsMissedByWhatIsNotSure) {
  const auto criteria = [](const std::string& bound) {
    std::string text = kLuckSweep;
    const std::string plain = "accuracy: \">= 99 %\"";
    text.replace(text.find(plain), plain.size(),
                 "accuracy: \">= " + bound + "\", confidence: 0.95");
    return text + "replicates: 8\n";
  };
  Train(criteria("98.7 %"));
  json best = Json({"best", "luck"});
  EXPECT_EQ(best[0]["gates"][0]["gate"], "accuracy >= 0.987 at 95 % confidence");
  EXPECT_TRUE(best[0]["qualifies"]);
  EXPECT_LT(best[0]["gates"][0]["value"], best[0]["value"]) << "the bound is below the mean";
  EXPECT_FALSE(best[2]["qualifies"]);
}

constexpr char kOwnNetwork[] = R"(name: own
layers:
  - conv: {out: 4, kernel: 3}
  - relu
  - linear: 10
)";

// The file is written to another folder than that of the sweep's file, with the networks that it
// names, and is trained from there.
TEST_F(StatisticsProcessTest, AConfirmationsFileHasItsNetworksBesideIt) {
  for (const char* const folder : {"sweeps/nets", "other/dir"}) {
    std::filesystem::create_directories(folder_.path() + "/" + folder);
  }
  folder_.Write("sweeps/nets/mine.yaml", kOwnNetwork);
  folder_.Write("outer.yaml", std::string(kOwnNetwork).replace(6, 3, "outer"));
  folder_.Write("sweeps/net.yaml",
                "name: net\nmodel: {values: [nets/mine.yaml, ../outer.yaml]}\n"
                "dataset: {name: synthetic, train: 64, test: 200}\nmethod: grid\n"
                "parameters: {lr: {values: [0.02, 0.05]}}\nepochs: 2\n");
  ASSERT_EQ(Sweep({"submit", "sweeps/net.yaml", "--wait"}).code, 0);
  const std::vector<std::string> write = {"confirm",      "net", "--top", "4",
                                          "--replicates", "2",   "-o",    "other/dir/again.yaml"};
  const Result written = Sweep(write);
  ASSERT_EQ(written.code, 0) << written.output;
  EXPECT_THAT(written.output, HasSubstr("wrote other/dir/nets/mine.yaml, which "));
  EXPECT_EQ(Read("other/dir/nets/mine.yaml"), kOwnNetwork);
  EXPECT_EQ(Read("other/dir/outer.yaml"), Read("outer.yaml")) << "it lay outside of the folder";
  EXPECT_THAT(Read("other/dir/again.yaml"), Not(HasSubstr("../outer.yaml")));
  const Result trained = Sweep({"submit", "other/dir/again.yaml", "--wait"});
  EXPECT_EQ(trained.code, 0) << trained.output;
  std::set<std::string> models;
  for (const json& trial : Json({"trials", "net-confirm"})) models.insert(trial["model"]);
  EXPECT_EQ(models, (std::set<std::string>{"own", "outer"}));

  EXPECT_EQ(Sweep(write).code, 0) << "what is there already is the same";
  folder_.Write("other/dir/nets/mine.yaml", "another one\n");
  const std::string before = Read("other/dir/again.yaml");
  const Result refused = Sweep({"confirm", "net", "-o", "other/dir/again.yaml"});
  EXPECT_EQ(refused.code, 2) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr("other/dir/nets/mine.yaml is another file than the "
                                        "nets/mine.yaml that the sweep was trained with"));
  EXPECT_EQ(Read("other/dir/again.yaml"), before);
  // Beside the sweep's own file all names are as they were.
  EXPECT_EQ(Sweep({"confirm", "net", "-o", "sweeps/again.yaml"}).code, 0);
  EXPECT_THAT(Read("sweeps/again.yaml"), HasSubstr("../outer.yaml"));
}

TEST_F(StatisticsProcessTest, AHoldOutLeavesTheTestImagesToTheFinalists) {
  const std::string text =
      "name: held\nmodel: cnn-18718\ndataset: {name: synthetic, train: 64, test: 200}\n"
      "evaluate: {holdout: 20}\nmethod: grid\nparameters: {lr: {values: [0.02, 0.05, 0.1]}}\n"
      "epochs: 2\n";
  ASSERT_EQ(Sweep({"submit", folder_.Write("held.yaml", text), "--wait"}).code, 0);
  const Result written =
      Sweep({"confirm", "held", "--top", "2", "--replicates", "3", "-o", "confirm.yaml"});
  ASSERT_EQ(written.code, 0) << written.output;
  EXPECT_THAT(Read("confirm.yaml"), AllOf(Not(HasSubstr("evaluate")), HasSubstr("replicates: 3"),
                                          HasSubstr("gate_on: mean"), HasSubstr("run_cap: 2")));
  const json finalists = Json({"confirm", "held", "--top", "2", "--replicates", "3", "--wait"});
  ASSERT_EQ(finalists.size(), 2u) << finalists;
  EXPECT_EQ(finalists[0]["test_looks"], 2) << "the two finalists, none of the selection";
  EXPECT_THAT(Sweep({"confirm", "held"}).output,
              HasSubstr("the test images have judged 2 configurations: 0 in the selection"));
}

}  // namespace
}  // namespace sweep

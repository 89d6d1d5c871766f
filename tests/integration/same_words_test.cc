// The client's JSON and the dashboard's documents say the same words for the same things: of one
// and the same sweep, trial, row of a ranking, attempt and worker, every key that both have has the
// same value, and the keys that only one of them has are those listed here. So a key that is
// renamed in one of the two fails.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/calls.h"
#include "cli/connection.h"
#include "proto/documents/print_json.h"
#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using testing::Process;
using testing::Result;
using Keys = std::set<std::string>;

constexpr char kSameWordsSweep[] = R"(name: tiny
labels: {team: vision}
model: cnn-18718
dataset: {name: synthetic, train: 64, test: 200}
method: grid
replicates: 2
metric: [{name: accuracy, goal: maximize}, {name: loss, goal: minimize}]
parameters:
  lr: {values: [0.02, 0.05]}
  schedule: {values: [constant, step]}
  step_epochs: {value: 2, when: "schedule == 'step'"}
epochs: 3
require: {accuracy: ">= 0.902", epochs: "< 3"}
)";
constexpr char kLater[] = R"(name: later
model: cnn-18718
dataset: {name: synthetic, train: 64, test: 200}
method: random
run_cap: 2
parameters: {lr: {min: 0.01, max: 0.1}}
epochs: 3
)";

// Documents have some numbers to six digits only.
json Rounded(json value) {
  if (value.is_structured()) {
    for (json& item : value) item = Rounded(item);
  } else if (value.is_number_float()) {
    value = RoundToSixDigits(value.get<double>());
  }
  return value;
}

class SameWordsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    coordinator_ = std::make_unique<Process>(
        Process::Options{.command = {"sweep-coordinator", "--http", "off", "--listen",
                                     "127.0.0.1:0", "--db", "server.db"},
                         .folder = folder_.path()});
    address_ = testing::WaitForAddress(*coordinator_);
    Must({"submit", folder_.Write("later.yaml", kLater)});
    Must({"pause", "later"});
    worker_ = std::make_unique<Process>(
        Process::Options{.command = {"sweep-worker", "--coordinator", address_, "--name", "w1",
                                     "--slots", "1", "--trainer", FAKE_TRAINER},
                         .folder = worker_folder_.path()});
    Must({"submit", folder_.Write("tiny.yaml", kSameWordsSweep), "--wait"});
    auto connection = cli::Connection::To(address_);
    ASSERT_TRUE(connection.ok()) << connection.status();
    connection_ = *std::move(connection);
  }

  std::string Must(std::vector<std::string> words) {
    words.insert(words.begin(), "sweep");
    words.insert(words.end(), {"--coordinator", address_});
    const Result result =
        testing::Run({.command = words, .folder = folder_.path()}, std::chrono::seconds(90));
    EXPECT_EQ(result.code, 0) << result.output;
    return result.output;
  }
  json Client(std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    return json::parse(Must(std::move(words)));
  }
  json Document(const std::string& path) {
    const absl::StatusOr<std::string> text = cli::GetView(*connection_, path, "");
    EXPECT_TRUE(text.ok()) << path << ": " << text.status();
    return text.ok() ? json::parse(*text) : json();
  }

  // `moving`: what changes from one question to the next, or is another thing by design.
  static void Compare(const json& client, const json& document, const Keys& only_client,
                      const Keys& only_document, const Keys& moving) {
    Keys of_client, of_document;
    for (const auto& [key, value] : client.items()) {
      if (!document.contains(key)) {
        of_client.insert(key);
      } else if (!moving.contains(key)) {
        EXPECT_EQ(Rounded(value), Rounded(document[key])) << key;
      }
    }
    for (const auto& [key, value] : document.items()) {
      if (!client.contains(key)) of_document.insert(key);
    }
    EXPECT_EQ(of_client, only_client);
    EXPECT_EQ(of_document, only_document);
  }
  static void CompareRows(const json& client, const json& document, const Keys& only_client,
                          const Keys& only_document, const Keys& moving) {
    ASSERT_EQ(client.size(), document.size());
    ASSERT_FALSE(client.empty());
    for (std::size_t i = 0; i < client.size(); ++i) {
      Compare(client[i], document[i], only_client, only_document, moving);
    }
  }

  testing::TemporaryFolder folder_, worker_folder_;
  std::unique_ptr<Process> coordinator_, worker_;
  std::string address_;
  std::unique_ptr<cli::Connection> connection_;
};

// A document is about one sweep and has the trial's number; the client's answers span sweeps and
// have "tiny/3".
const Keys kTrial = {"trial"};

TEST_F(SameWordsTest, OfASweep) {
  for (const char* const name : {"tiny", "later"}) {
    Compare(Client({"show", name}), Document(std::string("/sweeps/") + name),
            {"digest", "early_terminate", "principal", "status"},
            {"description", "dimensions", "measures", "models", "network_files",
             "objective_measures", "program", "source_file", "target"},
            {});
  }
  // `list` counts trials in columns of its own, and leaves out what `show` says; without a best
  // trial it says null.
  CompareRows(
      Client({"list"}), Document("/sweeps")["sweeps"],
      {"cancelled", "diverged", "ended", "failed", "on_hold", "planned", "running", "status"},
      {"end_time", "epochs", "gates", "maximize", "method", "method_reason", "metric",
       "min_replicates", "most_trials", "objective_measures", "objectives", "planned_trials",
       "replicates", "search_reason", "trials"},
      {"best_trial"});
  EXPECT_EQ(Client({"list"})[0]["best_trial"], Document("/sweeps")["sweeps"][0]["best_trial"]);
}

TEST_F(SameWordsTest, OfTrials) {
  for (const std::string name : {"tiny", "later"}) {
    CompareRows(Client({"trials", name}), Document("/sweeps/" + name + "/trials")["rows"], {},
                {"qualifies"}, kTrial);
    const json trial = Client({"trial", name + "/1"});
    Compare(trial, Document("/sweeps/" + name + "/trials/1"), {},
            {"chosen", "epoch_rows_left_out", "gates", "interval", "judged", "maximize", "metric",
             "network", "qualifies", "reasons", "replay", "replay_note", "reported", "sweep",
             "sweep_state", "target"},
            kTrial);
    EXPECT_EQ(trial["trial"], name + "/1");
  }
  const json trial = Client({"trial", "tiny/1"});
  EXPECT_EQ(trial["attempts"].size(), 1u) << "they were compared as values of the trial";
  EXPECT_EQ(trial["epoch_rows"].size(), 3u);
  EXPECT_EQ(trial["artifacts"].size(), 3u);
  CompareRows(trial["attempts"], json::array({Document("/sweeps/tiny/attempts")["rows"][0]}), {},
              kTrial, {});
}

TEST_F(SameWordsTest, OfARanking) {
  const json client = Client({"best", "tiny"});
  CompareRows(client, Document("/sweeps/tiny/ranking")["rows"], {}, {}, kTrial);
  for (const char* const key :
       {"front", "interval", "mean_interval", "gates", "values", "measures"}) {
    EXPECT_FALSE(client[0][key].empty()) << key << " was compared with a value";
  }
}

TEST_F(SameWordsTest, OfWorkers) {
  CompareRows(Client({"workers"}), Document("/workers")["workers"], {}, {}, {"last_seen_time"});
}

}  // namespace
}  // namespace sweep

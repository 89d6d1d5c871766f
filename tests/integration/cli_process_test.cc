// The `sweep` program as a person uses it, correctly and wrongly.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "coordinator/api/server.h"
#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using testing::Eventually;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Process;
using testing::Result;
using ::testing::StartsWith;

constexpr char kCliSweep[] = R"(name: tiny
model: cnn-18718
dataset: {name: synthetic, train: 512, test: 200}
method: grid
parameters:
  lr: {values: [0.02, 0.05]}
  batch_size: {value: 64}
epochs: 3
require: {accuracy: ">= 0.2", epochs: "< 20", parameters: "< 20000"}
)";

class CliTest : public ::testing::Test {
 protected:
  Result Sweep(std::vector<std::string> arguments,
               std::map<std::string, std::string> environment = {}) {
    arguments.insert(arguments.begin(), "sweep");
    return testing::Run(
        {.command = arguments, .folder = folder_.path(), .environment = environment},
        std::chrono::seconds(90));
  }
  std::string Write(const std::string& name, std::string text, const std::string& from = "",
                    const std::string& to = "") {
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    return folder_.Write(name, text);
  }
  testing::TemporaryFolder folder_;
};

TEST_F(CliTest, RunTrainsAndRanksAndLeavesADatabase) {
  const std::string file = Write("tiny.yaml", kCliSweep);
  const Result run = Sweep({"run", file});
  ASSERT_EQ(run.code, 0) << run.output;
  EXPECT_THAT(run.output,
              AllOf(HasSubstr("tiny/1  epoch 1"), HasSubstr("2 configurations meet all criteria")));

  const Result best = Sweep({"best", "--format", "json"});
  ASSERT_EQ(best.code, 0) << best.output;
  const json rows = json::parse(best.output);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["rank"], 1);
  EXPECT_EQ(rows[0]["qualifies"], true);
  EXPECT_EQ(rows[0]["network_parameters"], 18718);
  EXPECT_GE(rows[0]["value"].get<double>(), rows[1]["value"].get<double>());

  const Result trial = Sweep({"trial", "tiny/1", "--format", "json"});
  ASSERT_EQ(trial.code, 0) << trial.output;
  const json document = json::parse(trial.output);
  EXPECT_EQ(document["state"], "completed");
  EXPECT_EQ(document["epoch_rows"].size(), 3u);
  EXPECT_EQ(document["artifacts"].size(), 3u);
  EXPECT_EQ(document["chosen_by"], "grid");
  EXPECT_EQ(document["chosen_source"], "sequence");
  EXPECT_TRUE(document["expected_improvement"].is_null());
  EXPECT_TRUE(document["seen_results"].is_null());
  EXPECT_THAT(Sweep({"trial", "tiny/1"}).output, HasSubstr("\nchosen by grid\n"));

  const Result again = Sweep({"run", file});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.output, HasSubstr("resuming tiny: 2 of 2 trials ended"));

  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"list"},
        {"show", "tiny"},
        {"trials", "tiny", "--where", "lr > 0.03", "--sort", "-best_accuracy"},
        {"trial", "tiny/2"},
        {"watch", "tiny"},
        {"workers"},
        {"networks"},
        {"networks", "cnn-17216"},
        {"validate", file},
        {"preview", file}}) {
    const Result result = Sweep(command);
    EXPECT_EQ(result.code, 0) << command[0] << ": " << result.output;
    EXPECT_THAT(result.output, Not(HasSubstr("\x1b"))) << "no escapes when this is no terminal";
  }
  EXPECT_THAT(Sweep({"trials", "tiny", "--where", "lr > 0.03"}).output,
              AllOf(HasSubstr("tiny/2"), Not(HasSubstr("tiny/1"))));
}

TEST_F(CliTest, TheDatabaseAnswersInSql) {
  ASSERT_EQ(Sweep({"run", Write("tiny.yaml", kCliSweep)}).code, 0);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open_v2((folder_.path() + "/sweep.db").c_str(), &database, SQLITE_OPEN_READONLY,
                            nullptr),
            SQLITE_OK);
  const auto count = [&](const std::string& query) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database, query.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
    const int value = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return value;
  };
  EXPECT_EQ(count("select count(*) from ranking"), 2);
  EXPECT_EQ(count("select count(*) from runs where state = 'completed'"), 2);
  EXPECT_EQ(count("select count(*) from epochs"), 6);
  sqlite3_close(database);
}

TEST_F(CliTest, NothingQualifiedIsExitCodeThree) {
  const std::string file = Write("tiny.yaml", kCliSweep, ">= 0.2", "> 1.0");
  const Result run = Sweep({"run", file});
  EXPECT_EQ(run.code, 3) << run.output;
  EXPECT_THAT(run.output, HasSubstr("no configuration meets all criteria"));
  EXPECT_EQ(Sweep({"best"}).code, 3);
}

TEST_F(CliTest, EveryErrorOfASweepFileAtOnceAndNothingIsSubmitted) {
  const std::string file =
      folder_.Write("bad.yaml",
                    "name: bad\nmodel: cnn-18717\nmethod: bohb\nparameters:\n"
                    "  lr: {min: 0.3, max: 0.1}\n  momentun: {value: 0.9}\nepochs: 0\n");
  for (const char* command : {"validate", "run", "preview", "submit"}) {
    const Result result = Sweep({command, file});
    EXPECT_EQ(result.code, 2) << command;
    EXPECT_THAT(
        result.output,
        AllOf(HasSubstr("bad.yaml:2"), HasSubstr("cnn-18718"), HasSubstr("bad.yaml:3"),
              HasSubstr("'method' must be one of"), HasSubstr("bohb"), HasSubstr("bad.yaml:5"),
              HasSubstr("bad.yaml:6"), HasSubstr("momentum"), HasSubstr("bad.yaml:7")))
        << command;
  }
  EXPECT_EQ(Sweep({"list", "--coordinator", "127.0.0.1:1"}).code, 4) << "a database was made";
}

constexpr char kTwoErrors[] =
    "name: bad\nmodel: cnn-18718\nmethod: grid\nparameters:\n"
    "  lr: {min: 0.3, max: 0.1}\nlabels: {team: yes, room: 0123}\nepochs: 0\n";

TEST_F(CliTest, ValidateTellsErrorsAsJsonToo) {
  folder_.Write("bad.yaml", kTwoErrors);
  const Result bad = Sweep({"validate", "bad.yaml", "--format", "json"});
  EXPECT_EQ(bad.code, 2);
  const json document = json::parse(bad.output);
  EXPECT_EQ(document["file"], "bad.yaml");
  EXPECT_EQ(document["valid"], false);
  EXPECT_TRUE(document["name"].is_null() && document["digest"].is_null()) << document;
  ASSERT_EQ(document["messages"].size(), 2u) << document;
  EXPECT_EQ(document["messages"][0], json({{"file", "bad.yaml"},
                                           {"line", 5},
                                           {"message", "parameter 'lr' has min 0.3 above max 0.1"},
                                           {"severity", "error"}}));
  const Result nowhere = Sweep({"validate", "nowhere.yaml", "--format", "json"});
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_EQ(json::parse(nowhere.output)["messages"][0]["message"], "no such file");
}

TEST_F(CliTest, ValidateTellsItsMessagesAsCsv) {
  folder_.Write("bad.yaml", kTwoErrors);
  const Result bad = Sweep({"validate", "bad.yaml", "--format", "csv"});
  EXPECT_EQ(bad.code, 2) << bad.output;
  EXPECT_EQ(bad.output,
            "file,line,message,severity\n"
            "bad.yaml,5,parameter 'lr' has min 0.3 above max 0.1,error\n"
            "bad.yaml,7,\"'epochs' must be an integer in [1, 10000], not 0\",error\n");
  EXPECT_EQ(Sweep({"validate", "nowhere.yaml", "--format", "csv"}).code, 2);
  EXPECT_EQ(Sweep({"validate", "nowhere.yaml", "--format", "csv"}).output,
            "file,line,message,severity\nnowhere.yaml,,no such file,error\n");

  folder_.Write("odd.yaml",
                "name: odd\nprogram: [./train]\nmethod: grid\nparameters:\n"
                "  word: {values: [yes, other]}\nepochs: 1\n");
  const Result odd = Sweep({"validate", "odd.yaml", "--format", "csv"});
  EXPECT_EQ(odd.code, 0) << "a warning refuses nothing: " << odd.output;
  EXPECT_THAT(odd.output, AllOf(StartsWith("file,line,message,severity\nodd.yaml,5,"),
                                HasSubstr("YAML 1.1 reads it as true"), EndsWith(",warning\n")));
  const std::string good = Write("tiny.yaml", kCliSweep);
  EXPECT_EQ(Sweep({"validate", good, "--format", "csv"}).output, "file,line,message,severity\n");
  folder_.Write("net.yaml", "name: net\nlayers:\n  - flatten\n  - linear: {out: many}\n");
  const Result network = Sweep({"validate", "net.yaml", "--format", "csv"});
  EXPECT_EQ(network.code, 2) << network.output;
  EXPECT_THAT(network.output,
              AllOf(StartsWith("file,line,message,severity\nnet.yaml,"), EndsWith(",error\n")));
}

TEST_F(CliTest, WrongWordsNameTheNearestRightOne) {
  const Result command = Sweep({"vaildate", "x.yaml"});
  EXPECT_EQ(command.code, 2);
  EXPECT_THAT(command.output, HasSubstr("did you mean 'validate'?"));
  const Result flag = Sweep({"best", "--topp", "3"});
  EXPECT_EQ(flag.code, 2);
  EXPECT_THAT(flag.output, HasSubstr("did you mean '--top'?"));
  EXPECT_EQ(Sweep({}).code, 2);
  EXPECT_EQ(Sweep({"best", "--top", "-3"}).code, 2);
  EXPECT_EQ(Sweep({"best", "--format", "xml"}).code, 2);
  EXPECT_EQ(Sweep({"--help"}).code, 0);
  EXPECT_EQ(Sweep({"--version"}).code, 0);
}

TEST_F(CliTest, AMissingFileIsNamed) {
  const Result result = Sweep({"run", "nowhere.yaml"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.output, HasSubstr("nowhere.yaml"));
}

TEST_F(CliTest, ACoordinatorThatIsNotThereIsExitCodeFourWithinFiveSeconds) {
  const auto start = std::chrono::steady_clock::now();
  const Result result = Sweep({"list", "--coordinator", "127.0.0.1:1"});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(5500));
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.output, HasSubstr("127.0.0.1:1"));
}

TEST_F(CliTest, AnUnknownSweepIsNamed) {
  ASSERT_EQ(Sweep({"run", Write("tiny.yaml", kCliSweep)}).code, 0);
  const Result result = Sweep({"show", "tyni"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.output, HasSubstr("tyni"));
  const Result where = Sweep({"trials", "tiny", "--where", "lrr > 1"});
  EXPECT_EQ(where.code, 2);
  EXPECT_THAT(where.output, HasSubstr("lrr"));
}

TEST_F(CliTest, TheSameNameWithOtherContentIsRefused) {
  ASSERT_EQ(Sweep({"run", Write("tiny.yaml", kCliSweep)}).code, 0);
  const Result result = Sweep({"run", Write("other.yaml", kCliSweep, "epochs: 3", "epochs: 4")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.output, HasSubstr("tiny"));
}

TEST_F(CliTest, AForeignFileIsNoDatabase) {
  const std::string file = Write("tiny.yaml", kCliSweep);
  folder_.Write("foreign.db", "this is a letter to my aunt, not a database\n");
  const Result result = Sweep({"run", file, "--db", "foreign.db"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.output, HasSubstr("foreign.db"));
  EXPECT_EQ(Sweep({"run", file, "--db", "no/such/folder/x.db"}).code, 2);
}

TEST_F(CliTest, APortInUseIsRefused) {
  const auto server = CoordinatorServer::Start({.listen = "127.0.0.1:0", .database = ""});
  ASSERT_TRUE(server.ok()) << server.status();
  const Result result =
      testing::Run({.command = {"sweep-coordinator", "--listen", (*server)->address()},
                    .folder = folder_.path()});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.output, HasSubstr((*server)->address()));
}

TEST_F(CliTest, TwoRunsOnOneDatabaseAreRefusedAndTheSecondTerminalSeesTheFirst) {
  const std::string file = Write("tiny.yaml", kCliSweep, "epochs: 3", "epochs: 5000");
  Process first({.command = {"sweep", "run", file}, .folder = folder_.path()});
  ASSERT_TRUE(Eventually([&] { return first.Output().find("epoch 1") != std::string::npos; }))
      << first.Output();
  const Result second = Sweep({"run", file});
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.output, HasSubstr("in use"));
  const Result seen = Sweep({"list", "--format", "json"});
  EXPECT_EQ(seen.code, 0) << seen.output;
  EXPECT_EQ(json::parse(seen.output)[0]["running"], 2);

  first.Signal(SIGINT);
  EXPECT_EQ(first.Wait(), 130) << first.Output();
  EXPECT_THAT(first.Output(), HasSubstr("sweep run"));
  const json after = json::parse(Sweep({"trials", "tiny", "--format", "json"}).output);
  ASSERT_EQ(after.size(), 2u);
  for (const json& trial : after) {
    EXPECT_EQ(trial["state"], "pending");
    EXPECT_EQ(trial["failures"], 0);
  }
}

TEST_F(CliTest, WhenEveryTrialFailsTheRunHasFailed) {
  const std::string file = Write("tiny.yaml", kCliSweep, "[0.02, 0.05]", "[90.0, 95.0]");
  const Result result = Sweep({"run", file});
  EXPECT_EQ(result.code, 1) << result.output;
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("2 of 2 trials diverged; tiny/1 diverged: "),
                    HasSubstr("training loss is"), HasSubstr("(lr 90, momentum 0.95)")));
}

TEST_F(CliTest, DamagedDataIsRefusedBeforeAnythingStarts) {
  const std::string file = Write("idx.yaml", kCliSweep, "{name: synthetic, train: 512, test: 200}",
                                 "{format: idx, path: " + folder_.path() + "}");
  for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                           "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    folder_.Write(name, "no idx");
  }
  const Result result = Sweep({"run", file});
  EXPECT_EQ(result.code, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("idx"));
  EXPECT_EQ(Sweep({"list", "--coordinator", "127.0.0.1:1"}).code, 4);
  EXPECT_EQ(Sweep({"list", "--db", "sweep.db"}).code, 4) << "a database was made";
}

TEST_F(CliTest, MissingDataNamesTheFolder) {
  const std::string file =
      Write("mnist.yaml", kCliSweep, "{name: synthetic, train: 512, test: 200}", "mnist");
  const Result result = Sweep({"run", file, "--data-dir", folder_.path()});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.output, HasSubstr(folder_.path()));
}

}  // namespace
}  // namespace sweep

// Looking into trials, exporting them, networks and single trainings, as a person uses them.
// Stand-ins replace sweep-trainer, so the test needs no libtorch and takes seconds.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/integration/process.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using testing::Eventually;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Process;
using testing::Result;

constexpr char kTrialsSweep[] = R"(name: tiny
model: cnn-18718
dataset: {name: synthetic, train: 64, test: 200}
method: grid
parameters:
  lr: {values: [0.02, 0.05]}
  schedule: {values: [constant, step]}
  step_epochs: {value: 2, when: "schedule == 'step'"}
epochs: 3
require: {accuracy: ">= 0.902", epochs: "< 3"}
)";

// Speaks the trainer's protocol: one epoch and a checkpoint, then waits to be told to stop; from a
// checkpoint it trains to the end. Its lines are those of a training of cnn-18718.
constexpr char kSlowTrainer[] = R"sh(#!/bin/sh
echo '{"type":"ready","protocol":1,"build":"slow","device":"cpu"}'
read -r line || exit 0
id=$(printf '%s' "$line" | sed 's/.*"trial":"\([^"]*\)".*/\1/')
dir=$(printf '%s' "$line" | sed 's/.*"output_dir":"\([^"]*\)".*/\1/')
epoch() {
  echo "{\"type\":\"epoch\",\"trial\":\"$id\",\"epoch\":$1,\"validation_accuracy\":0.9$1,\"validation_loss\":0.2,\"train_loss\":0.3,\"train_accuracy\":0.8,\"train_seconds\":2,\"images_per_second\":32}"
}
case "$line" in
  *'"resume_from":"/'*)
    epoch 2; epoch 3
    echo best > "$dir/weights_best.safetensors"
    echo "{\"type\":\"done\",\"trial\":\"$id\",\"epochs\":3,\"files\":{\"weights_best\":\"$dir/weights_best.safetensors\"}}"
    exit 0;;
esac
echo 'a line of log'
echo "{\"type\":\"progress\",\"trial\":\"$id\",\"epoch\":1,\"step\":1,\"steps\":1,\"loss\":0.5}"
epoch 1
echo 1 > "$dir/state"
echo "{\"type\":\"checkpoint\",\"trial\":\"$id\",\"epoch\":1,\"path\":\"$dir/state\"}"
while read -r line; do
  case "$line" in *'"stop"'*) echo "{\"type\":\"done\",\"trial\":\"$id\",\"epochs\":1,\"stopped\":true}"; exit 0;; esac
done
)sh";

constexpr char kFailingTrainer[] = R"sh(#!/bin/sh
echo '{"type":"ready","protocol":1}'
read -r line
printf '%s\n' '{"type":"error","trial":"x","reason":"diverged: training loss is nan\nat epoch 1"}'
read -r line
)sh";

class TrialsTest : public ::testing::Test {
 protected:
  Result Sweep(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "sweep");
    return testing::Run(
        {.command = arguments, .folder = folder_.path(), .environment = environment_},
        std::chrono::seconds(90));
  }
  // Trains a sweep of four trials with the fake trainer.
  void RunTiny() {
    const Result run = Sweep({"run", folder_.Write("tiny.yaml", kTrialsSweep)});
    ASSERT_EQ(run.code, 0) << run.output;
  }
  std::string Script(const std::string& name, const std::string& text) {
    const std::string path = folder_.Write(name, text);
    chmod(path.c_str(), 0700);
    return path;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(folder_.path() + "/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  testing::TemporaryFolder folder_;
  std::map<std::string, std::string> environment_ = {{"SWEEP_TRAINER", FAKE_TRAINER}};
};

// A coordinator at `listen`, on a database in the test's folder.
class Coordinator {
 public:
  Coordinator(const std::string& folder, const std::string& listen)
      : process_({.command = {"sweep-coordinator", "--http", "off", "--listen", listen, "--db",
                              "sweep.db"},
                  .folder = folder}) {
    Eventually([&] { return !Address().empty(); });
  }
  // "127.0.0.1:41234", from its output.
  std::string Address() const {
    const std::string output = process_.Output();
    const std::size_t at = output.find("127.0.0.1:");
    if (at == std::string::npos) return "";
    return output.substr(at, output.find_first_not_of("0123456789", at + 10) - at);
  }
  Process& process() { return process_; }

 private:
  Process process_;
};

TEST_F(TrialsTest, ShowAndTrialPlotOnTablesOnly) {
  RunTiny();
  const Result show = Sweep({"show", "tiny"});
  ASSERT_EQ(show.code, 0) << show.output;
  EXPECT_THAT(show.output,
              AllOf(HasSubstr("tiny  completed"), HasSubstr("4 of 4 trials ended"),
                    HasSubstr("best accuracy by configuration"), HasSubstr("accuracy >= 0.902"),
                    HasSubstr("⠒⠒ validation 90.30 %"), HasSubstr("method: grid")));
  EXPECT_THAT(Sweep({"show", "tiny", "--no-plot"}).output, Not(HasSubstr("⠒⠒")));
  EXPECT_EQ(json::parse(Sweep({"show", "tiny", "--format", "json"}).output)["name"], "tiny");

  const Result trial = Sweep({"trial", "tiny/1"});
  ASSERT_EQ(trial.code, 0) << trial.output;
  EXPECT_THAT(trial.output, AllOf(HasSubstr("90.2 % ┤"), HasSubstr("loss   ⠒⠒ validation"),
                                  HasSubstr("EPOCH  ATTEMPT")));
  EXPECT_LT(trial.output.find("⠒⠒"), trial.output.find("EPOCH  ATTEMPT"));
  EXPECT_THAT(Sweep({"trial", "tiny/1", "--no-plot"}).output, Not(HasSubstr("⠒⠒")));
  const Result ascii = Sweep({"trial", "tiny/1", "--ascii"});
  EXPECT_THAT(ascii.output, AllOf(HasSubstr("* validation"), Not(HasSubstr("⠒"))));
  EXPECT_EQ(json::parse(Sweep({"trial", "tiny/1", "--format", "json"}).output)["epoch_rows"].size(),
            3u);
  EXPECT_EQ(Sweep({"trial", "tiny/99"}).code, 2);
  EXPECT_EQ(Sweep({"show", "tyni"}).code, 2);
}

TEST_F(TrialsTest, ExportsEveryTrialAsDataFromTheDatabaseAndFromACoordinator) {
  RunTiny();
  const Result csv = Sweep({"export", "tiny", "--format", "csv"});
  ASSERT_EQ(csv.code, 0) << csv.output;
  EXPECT_THAT(
      csv.output,
      AllOf(HasSubstr(",parameters.lr,parameters.schedule,parameters.step_epochs,defaults,state,"),
            HasSubstr("\ntiny/1,1,1,0,"), HasSubstr(",0.02,constant,,\"{\"\"augmentation"),
            HasSubstr(",0.05,step,2,\"{\"\"augmentation"),
            HasSubstr("\"\"weight_decay\"\":0.0}\",completed,3,3,0.903,")));
  EXPECT_EQ(std::count(csv.output.begin(), csv.output.end(), '\n'), 5);

  Coordinator coordinator(folder_.path(), "127.0.0.1:0");
  const std::string address = coordinator.Address();
  ASSERT_FALSE(address.empty()) << coordinator.process().Output();
  const Result remote = Sweep({"export", "tiny", "--format", "csv", "--coordinator", address});
  EXPECT_EQ(remote.output, csv.output);

  const Result rows = Sweep({"export", "tiny", "--format", "json", "--epochs"});
  ASSERT_EQ(rows.code, 0) << rows.output;
  const json epochs = json::parse(rows.output);
  ASSERT_EQ(epochs.size(), 12u);
  EXPECT_EQ(epochs[2]["trial"], "tiny/1");
  EXPECT_EQ(epochs[2]["epoch"], 3);
  EXPECT_EQ(epochs[2]["parameters"]["lr"], 0.02);
  EXPECT_EQ(epochs[2]["values"]["validation_accuracy"], 0.903);
}

TEST_F(TrialsTest, AnExportedFileIsWholeOrNotThere) {
  RunTiny();
  const Result written = Sweep({"export", "tiny", "--format", "csv", "-o", "trials.csv"});
  ASSERT_EQ(written.code, 0) << written.output;
  EXPECT_THAT(written.output, HasSubstr("wrote 4 trials to trials.csv"));
  const std::string before = Read("trials.csv");
  EXPECT_EQ(std::count(before.begin(), before.end(), '\n'), 5);

  // Exports the newest sweep, in the format that the file's name gives.
  const Result shorter = Sweep({"export", "-o", "short.csv"});
  EXPECT_EQ(shorter.code, 0) << shorter.output;
  EXPECT_EQ(Read("short.csv"), before);
  EXPECT_EQ(json::parse(Sweep({"export", "--format", "json"}).output).size(), 4u);
  EXPECT_THAT(Sweep({"export", "--format", "csv", "-o", "short.json"}).output,
              HasSubstr("warning: short.json is written as csv"));
  const Result trial = Sweep({"export", "tiny/2", "--format", "csv"});
  EXPECT_EQ(trial.code, 2);
  EXPECT_THAT(trial.output, HasSubstr("but of a trial; its sweep is 'tiny'"));

  EXPECT_EQ(Sweep({"export", "tyni", "--format", "csv", "-o", "trials.csv"}).code, 2);
  EXPECT_EQ(Read("trials.csv"), before);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_.path())) {
    EXPECT_THAT(entry.path().string(), Not(HasSubstr(".partial")));
  }
  const Result nowhere = Sweep({"export", "tiny", "--format", "csv", "-o", "no/such/x.csv"});
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_THAT(nowhere.output, HasSubstr("no/such/x.csv"));
  const Result full = Sweep({"export", "tiny", "--format", "csv", "-o", "/dev/full"});
  EXPECT_EQ(full.code, 1) << full.output;
  EXPECT_TRUE(fs::is_character_file("/dev/full")) << "a device is not replaced";
}

// Like `sweep export | head` after head has ended; here nobody has ever read.
TEST_F(TrialsTest, AReaderThatGoesAwayIsNoError) {
  RunTiny();
  std::vector<std::string> commands = {"trials tiny --format csv", "list", "show tiny",
                                       "logs tiny/1"};
  for (const char* flags : {"csv", "json", "optuna", "csv --epochs"}) {
    commands.push_back(std::string("export tiny --format ") + flags);
  }
  for (const std::string& command : commands) {
    // A pipe that is opened both ways, then for writing, and then loses its only reader.
    const std::string script = "rm -f pipe; mkfifo pipe; exec 4<>pipe 5>pipe 4>&-; '" +
                               testing::ProgramPath("sweep") + "' " + command +
                               " >&5; echo \"code $?\"";
    const Result result = testing::Run({.command = {"/bin/bash", "-c", script},
                                        .folder = folder_.path(),
                                        .environment = environment_});
    EXPECT_EQ(result.output, "code 0\n") << command;
  }
}

TEST_F(TrialsTest, AnExportThatStandardOutputDoesNotTakeIsAnError) {
  RunTiny();
  for (const char* flags : {"csv", "json", "optuna", "csv --epochs"}) {
    const std::string script = "'" + testing::ProgramPath("sweep") + "' export tiny --format " +
                               flags + " > /dev/full; echo \"code $?\"";
    const Result result = testing::Run({.command = {"/bin/bash", "-c", script},
                                        .folder = folder_.path(),
                                        .environment = environment_});
    EXPECT_EQ(result.output, "error: standard output could not be written whole\ncode 1\n")
        << flags;
  }
}

TEST_F(TrialsTest, AnExportHasNoTable) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"export", "tiny"}, {"--format", "table", "export", "tiny"}}) {
    const Result result = Sweep(command);
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.output, HasSubstr("choose a format: --format csv, json or optuna"));
  }
  const Result table = Sweep({"export", "tiny", "--format", "table"});
  EXPECT_EQ(table.code, 2);
  EXPECT_THAT(table.output, HasSubstr("'table' is not one of csv, json, optuna"));
  EXPECT_EQ(Sweep({"export", "tiny", "--format", "optuna", "--epochs"}).code, 2);
}

// Optuna 4.9 is among the tests' packages; 5.0 has its own folder, which comes first in the path.
class OptunaTest : public TrialsTest, public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    const std::string ask = python_ + "-c 'import optuna; assert optuna.__version__.startswith(\"" +
                            GetParam() + "\")' 2> /dev/null";
    if (std::system(ask.c_str()) != 0) GTEST_SKIP() << "python3 has no optuna " << GetParam();
  }
  const std::string python_ = "PYTHONWARNINGS=ignore TZ=Asia/Tokyo PYTHONPATH=\"" +
                              std::string(GetParam() == "5." ? OPTUNA5_PACKAGES ":" : "") +
                              PYTHON_PACKAGES ":$PYTHONPATH\" python3 ";
};
INSTANTIATE_TEST_SUITE_P(Versions, OptunaTest, ::testing::Values("4.", "5."));

TEST_P(OptunaTest, OpensTheExport) {
  const std::string& python = python_;
  RunTiny();
  const Result written = Sweep({"export", "tiny", "--format", "optuna", "-o", "tiny.journal"});
  ASSERT_EQ(written.code, 0) << written.output;
  EXPECT_THAT(written.output, HasSubstr("wrote 4 trials to tiny.journal"));
  EXPECT_EQ(Sweep({"export", "tiny", "--format", "optuna"}).output, Read("tiny.journal"));
  const std::string check = folder_.Write("check.py", R"(
import optuna
from optuna.storages.journal import JournalFileBackend, JournalStorage
storage = JournalStorage(JournalFileBackend("tiny.journal"))
study = optuna.load_study(study_name="tiny", storage=storage)
assert study.direction == optuna.study.StudyDirection.MAXIMIZE
assert study.metric_names == ["accuracy"]
assert len(study.trials) == 4
for trial in study.trials:
    trial._validate()
    assert trial.state == optuna.trial.TrialState.COMPLETE
    assert trial.user_attrs["trial"] == f"tiny/{trial.number + 1}"
    assert sorted(trial.intermediate_values) == [1, 2, 3]
    assert trial.value == max(trial.intermediate_values.values())
    assert trial.duration.total_seconds() >= 0
first = study.trials[0]
assert first.params["lr"] == 0.02 and first.params["schedule"] == "constant", first.params
assert "step_epochs" not in first.params
assert study.best_value == max(trial.value for trial in study.trials)
study.optimize(lambda trial: trial.suggest_categorical("lr", [0.02, 0.05]), n_trials=2)  # goes on
assert len(study.trials) == 6
)");
  EXPECT_EQ(std::system(("cd " + folder_.path() + " && " + python + check).c_str()), 0);
}

TEST_P(OptunaTest, SeesTheSearchSpaceAndTheTimesAsTheyAre) {
  const std::string file = folder_.Write("space.yaml", R"(name: raum
model: cnn-18718
dataset: {name: synthetic, train: 64, test: 200}
method: random
run_cap: 12
parameters:
  step_epochs: {distribution: q_uniform, min: 1, max: 10, q: 4}
  dropout: {distribution: q_uniform, min: 0.05, max: 0.42, q: 0.1}
  weight_decay: {distribution: q_uniform, min: 0, max: 0.001, q: 0.0003333333333333333}
  batch_size: {distribution: q_log_uniform_values, min: 16, max: 200, q: 16}
  lr: {distribution: log_uniform_values, min: 0.001, max: 0.1}
  shift_pixels: {distribution: int_uniform, min: 1, max: 3}
  nesterov: {values: [true, false]}
  momentum: {value: 0.9}
  augmentation: {values: [shift]}
epochs: 2
)");
  const Result run = Sweep({"run", file});
  ASSERT_EQ(run.code, 0) << run.output;
  ASSERT_EQ(Sweep({"export", "raum", "--format", "optuna", "-o", "s.journal"}).code, 0);
  const std::string check = folder_.Write("check.py", R"(
import datetime, optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.storages.journal import JournalFileBackend, JournalStorage
study = optuna.load_study(study_name="raum", storage=JournalStorage(JournalFileBackend("s.journal")))
assert len(study.trials) == 12
for trial in study.trials:
    trial._validate()
    for name, distribution in trial.distributions.items():
        inner = distribution.to_internal_repr(trial.params[name])
        assert distribution._contains(inner), (name, trial.params[name], distribution)
    age = (datetime.datetime.now().astimezone() - trial.datetime_complete.astimezone()).total_seconds()
    assert 0 <= age < 3600, age
space = study.trials[0].distributions
assert space["step_epochs"] == IntDistribution(4, 8, step=4), space
assert space["dropout"] == FloatDistribution(0.1, 0.4, step=0.1), space
assert space["weight_decay"].step is None, space
assert space["batch_size"] == IntDistribution(16, 192, log=True), space  # multiples of 16
assert study.user_attrs["multiples_of"] == {"batch_size": 16, "weight_decay": 0.0003333333333333333}
assert space["shift_pixels"] == IntDistribution(1, 3), space
assert space["lr"] == FloatDistribution(0.001, 0.1, log=True), space
assert all(trial.distributions == space for trial in study.trials)
optuna.samplers.TPESampler(seed=1).infer_relative_search_space(study, study.trials[0])
)");
  EXPECT_EQ(std::system(("cd " + folder_.path() + " && " + python_ + check).c_str()), 0);
}

TEST_F(TrialsTest, PandasReadsBothExports) {
  const std::string python = "PYTHONPATH=\"" PYTHON_PACKAGES ":$PYTHONPATH\" python3 ";
  if (std::system((python + "-c 'import pandas' 2> /dev/null").c_str()) != 0) {
    GTEST_SKIP() << "python3 has no pandas";
  }
  RunTiny();
  ASSERT_EQ(Sweep({"export", "tiny", "--format", "csv", "-o", "t.csv"}).code, 0);
  ASSERT_EQ(Sweep({"export", "tiny", "--format", "json", "-o", "t.json"}).code, 0);
  ASSERT_EQ(Sweep({"export", "tiny", "--format", "csv", "--epochs", "-o", "e.csv"}).code, 0);
  const std::string check = folder_.Write("check.py", R"(
import json, pandas
trials = pandas.read_csv("t.csv")
assert len(trials) == 4, trials
assert trials["parameters.lr"].dtype == float and set(trials["parameters.lr"]) == {0.02, 0.05}
assert trials["parameters.step_epochs"].isna().sum() == 2
assert (trials["best"] == 0.903).all()
assert (trials["high.validation_accuracy"] == 0.903).all()
assert pandas.to_datetime(trials["end_time"]).notna().all()
same = pandas.json_normalize(json.load(open("t.json")))
assert same["seed"].map(type).eq(str).all()  # other readers would round a number
assert list(same["seed"].map(int)) == list(trials["seed"])
assert list(same["parameters.lr"]) == list(trials["parameters.lr"])
assert len(pandas.read_json("t.json")) == 4
epochs = pandas.read_csv("e.csv")
assert list(epochs.groupby("trial")["epoch"].max()) == [3] * 4
assert epochs["validation_accuracy"].max() == 0.903
)");
  EXPECT_EQ(std::system(("cd " + folder_.path() + " && " + python + check).c_str()), 0);
}

// As the help of `sweep export` says: words stay words in JSON, and in CSV if pandas is told so.
TEST_F(TrialsTest, PandasKeepsWordsThatLookLikeSomethingElse) {
  const std::string python = "PYTHONPATH=\"" PYTHON_PACKAGES ":$PYTHONPATH\" python3 ";
  if (std::system((python + "-c 'import pandas' 2> /dev/null").c_str()) != 0) {
    GTEST_SKIP() << "python3 has no pandas";
  }
  const std::string file = folder_.Write("words.yaml",
                                         "name: words\nmodel: cnn-18718\nmethod: grid\nepochs: 1\n"
                                         "program: [python3, train.py]\n"
                                         "dataset: {name: synthetic, train: 64, test: 200}\n"
                                         "parameters:\n"
                                         "  word: {values: [\"None\", \"NA\", \"null\", \"01\"]}\n"
                                         "files: [train.py]\n");
  folder_.Write("train.py",
                "import json, sys\ntrial = json.loads(sys.stdin.readline())\n"
                "print(json.dumps({'type': 'epoch', 'trial': trial['trial'], 'epoch': 1, "
                "'validation_accuracy': 0.5}))\n");
  const Result run = Sweep({"run", file});
  ASSERT_EQ(run.code, 0) << run.output;
  ASSERT_EQ(Sweep({"export", "words", "--format", "csv", "-o", "w.csv"}).code, 0);
  ASSERT_EQ(Sweep({"export", "words", "--format", "json", "-o", "w.json"}).code, 0);
  const std::string check = folder_.Write("check.py", R"(
import json, pandas
words = ["None", "NA", "null", "01"]
assert list(pandas.json_normalize(json.load(open("w.json")))["parameters.word"]) == words
assert list(pandas.read_csv("w.csv", keep_default_na=False,
                            dtype={"parameters.word": str})["parameters.word"]) == words
assert pandas.read_csv("w.csv")["parameters.word"].isna().sum() == 3
)");
  EXPECT_EQ(std::system(("cd " + folder_.path() + " && " + python + check).c_str()), 0);
}

TEST_F(TrialsTest, PandasReadsTheRankingAsTheDocumentationSays) {
  const std::string python = "PYTHONPATH=\"" PYTHON_PACKAGES ":$PYTHONPATH\" python3 ";
  if (std::system((python + "-c 'import pandas' 2> /dev/null").c_str()) != 0) {
    GTEST_SKIP() << "python3 has no pandas";
  }
  std::ostringstream page;
  page << std::ifstream(SWEEP_SOURCE_DIR "/docs/database.md").rdbuf();
  const std::string fence = "```python\n";
  const std::size_t begin = page.str().find(fence + "pandas.read_sql_query(");
  ASSERT_NE(begin, std::string::npos);
  const std::size_t code = begin + fence.size();
  RunTiny();  // a sweep without replicates
  const std::string check =
      folder_.Write("check.py",
                    "import pandas, sqlite3\n"
                    "ranking = " +
                        page.str().substr(code, page.str().find("```", code) - code) + R"(
assert len(ranking) == 4, ranking
assert ranking["mean_half_width"].dtype == "float64" and ranking["mean_half_width"].isna().all()
assert ranking["epochs_to_target"].dtype == "Int64"
bare = pandas.read_sql_query("select * from ranking", sqlite3.connect("sweep.db"))
assert bare["mean_half_width"].dtype == object, "the page says so"
)");
  EXPECT_EQ(std::system(("cd " + folder_.path() + " && " + python + check).c_str()), 0);
}

TEST_F(TrialsTest, LogsTellATrialsStory) {
  RunTiny();
  const Result logs = Sweep({"logs", "tiny/1"});
  ASSERT_EQ(logs.code, 0) << logs.output;
  EXPECT_THAT(logs.output, AllOf(HasSubstr("-- attempt 1 on "), HasSubstr("epoch 3/3  train loss"),
                                 HasSubstr("-- attempt 1 completed")));
  EXPECT_LT(logs.output.find("attempt 1 on"), logs.output.find("epoch 1/3"));
  EXPECT_LT(logs.output.find("epoch 3/3"), logs.output.find("attempt 1 completed"));

  const json rows = json::parse(Sweep({"logs", "tiny/1", "--format", "json"}).output);
  ASSERT_GE(rows.size(), 5u);
  EXPECT_EQ(rows[0]["kind"], "attempt_start");
  const Result tail = Sweep({"logs", "tiny/1", "--tail", "1", "--timestamps"});
  EXPECT_EQ(std::count(tail.output.begin(), tail.output.end(), '\n'), 1) << tail.output;
  EXPECT_THAT(tail.output, AllOf(HasSubstr("20"), HasSubstr("attempt 1 completed")));

  const Result followed = Sweep({"logs", "tiny/1", "--follow", "--format", "json"});
  EXPECT_EQ(followed.code, 0) << "an ended trial is not waited for";
  std::istringstream lines(followed.output);
  for (std::string line; std::getline(lines, line);)
    EXPECT_FALSE(json::parse(line)["kind"].is_null());
}

TEST_F(TrialsTest, LogsOfWhatIsNotThereAreRefused) {
  RunTiny();
  EXPECT_EQ(Sweep({"logs", "tiny/99"}).code, 2);
  EXPECT_EQ(Sweep({"logs", "tiny"}).code, 2);
  const Result attempt = Sweep({"logs", "tiny/1", "--attempt", "7"});
  EXPECT_EQ(attempt.code, 2);
  EXPECT_THAT(attempt.output, HasSubstr("no attempt 7"));
  EXPECT_EQ(Sweep({"logs", "tiny/1", "--follow", "--format", "csv"}).code, 2);
  EXPECT_EQ(Sweep({"logs", "tiny/1", "--tail", "0"}).code, 2);
}

TEST_F(TrialsTest, FollowingSurvivesARestartOfTheCoordinatorAndCtrlCSaysHowToComeBack) {
  auto coordinator = std::make_unique<Coordinator>(folder_.path(), "127.0.0.1:0");
  const std::string address = coordinator->Address();
  ASSERT_FALSE(address.empty());
  const std::string file = folder_.Write("tiny.yaml", kTrialsSweep);
  const Result submitted = Sweep({"submit", file, "--coordinator", address});
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  Process worker({.command = {"sweep-worker", "--coordinator", address, "--slots", "1", "--trainer",
                              Script("slow.sh", kSlowTrainer)},
                  .folder = folder_.path()});
  Process follower({.command = {"sweep", "logs", "tiny/1", "-f", "--coordinator", address},
                    .folder = folder_.path()});
  ASSERT_TRUE(Eventually([&] { return follower.Output().find("epoch 1/3") != std::string::npos; }))
      << follower.Output() << worker.Output();
  ASSERT_TRUE(Eventually([&] {
    return follower.Output().find("a line of log") != std::string::npos;
  })) << follower.Output();

  coordinator->process().Signal(SIGTERM);
  coordinator->process().Wait();
  ASSERT_TRUE(Eventually([&] {
    return follower.Output().find("trying again") != std::string::npos;
  })) << follower.Output();
  coordinator = std::make_unique<Coordinator>(folder_.path(), address);
  const Result cancelled = Sweep({"cancel", "tiny/1", "--coordinator", address});
  EXPECT_EQ(cancelled.code, 0) << cancelled.output;
  EXPECT_EQ(follower.Wait(), 0) << "the trial has ended\n" << follower.Output();
  EXPECT_EQ(follower.Output().find("epoch 1/3"), follower.Output().rfind("epoch 1/3"))
      << "nothing is said twice\n"
      << follower.Output();

  Process second({.command = {"sweep", "logs", "tiny/2", "-f", "--coordinator", address},
                  .folder = folder_.path()});
  ASSERT_TRUE(Eventually([&] { return second.Output().find("epoch 1/3") != std::string::npos; }))
      << second.Output() << worker.Output();
  second.Signal(SIGINT);
  EXPECT_EQ(second.Wait(), 130);
  EXPECT_THAT(second.Output(),
              HasSubstr("tiny/2 goes on; follow it again with: sweep logs tiny/2 --follow"));
}

TEST_F(TrialsTest, NetworksAreListedAndLaidOut) {
  const json networks = json::parse(Sweep({"networks", "--format", "json"}).output);
  ASSERT_EQ(networks.size(), 5u);
  EXPECT_EQ(networks[0]["parameters"], 18718);
  const json layers = json::parse(Sweep({"networks", "cnn-17216", "--format", "json"}).output);
  EXPECT_EQ(layers[0]["name"], "Conv2d-1");
  EXPECT_EQ(layers[0]["layer"], "conv 16 3×3");
  EXPECT_EQ(layers[0]["output_shape"], json({16, 26, 26}));
  EXPECT_THAT(Sweep({"networks", "cnn-17216", "--batch", "64"}).output,
              HasSubstr("[64, 16, 26, 26]"));

  const std::string file = folder_.Write("mine.yaml",
                                         "name: mine\nparameters: {width: 4}\nlayers:\n"
                                         "  - conv: {out: \"${width}\", kernel: 3}\n"
                                         "  - linear: 10\n  - log_softmax\n");
  EXPECT_THAT(Sweep({"networks", file}).output, HasSubstr("[-1, 4, 26, 26]"));
  EXPECT_THAT(Sweep({"networks", file, "--set", "width=12"}).output, HasSubstr("[-1, 12, 26, 26]"));
}

TEST_F(TrialsTest, WrongNetworksAreNamedByFileLineAndLayer) {
  const std::string file = folder_.Write("mine.yaml",
                                         "name: mine\nparameters: {width: 4}\nlayers:\n"
                                         "  - conv: {out: \"${width}\", kernel: 3}\n"
                                         "  - conv: {out: 10, kernel: 99}\n  - log_softmax\n");
  const Result result = Sweep({"networks", file});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("mine.yaml:5"), HasSubstr("layer 2 (conv"), HasSubstr("99")));
  const std::string right = folder_.Write("right.yaml",
                                          "name: right\nparameters: {width: 4}\nlayers:\n"
                                          "  - conv: {out: \"${width}\", kernel: 28}\n"
                                          "  - log_softmax\n");
  ASSERT_EQ(Sweep({"networks", right}).code, 0);
  const Result name = Sweep({"networks", right, "--set", "widht=12"});
  EXPECT_EQ(name.code, 2);
  EXPECT_THAT(name.output, HasSubstr("did you mean 'width'?"));
  EXPECT_EQ(Sweep({"networks", right, "--set", "width"}).code, 2);
  EXPECT_EQ(Sweep({"networks", right, "--set", "width=x"}).code, 2);
  EXPECT_EQ(Sweep({"networks", right, "--set", "width=-1"}).code, 2);
  EXPECT_EQ(Sweep({"networks", "--set", "width=1"}).code, 2);
  EXPECT_EQ(Sweep({"networks", "cnn-17217"}).code, 2);
  EXPECT_EQ(Sweep({"networks", "cnn-17216", "--batch", "0"}).code, 2);
}

std::vector<std::string> TrainCommand(std::vector<std::string> more) {
  std::vector<std::string> command = {"train",          "cnn-18718", "--dataset",     "synthetic",
                                      "--train-images", "64",        "--test-images", "200",
                                      "--epochs",       "3"};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

TEST_F(TrialsTest, TrainPrintsTheLogOfTheWriteUpsAndLeavesWeights) {
  const Result result = Sweep(TrainCommand({"-o", "out", "--target", "0.902"}));
  ASSERT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("Epoch number: 1\nloss=1.0000 batch_id="),
                    HasSubstr("\nTest set: Average loss: 0.0000, Accuracy: 180/200 (90.10%)\n"),
                    HasSubstr("best epoch 3: accuracy 90.30%"),
                    HasSubstr("90.2 % was reached at epoch 2"), HasSubstr("⠒⠒ validation"),
                    HasSubstr("out/weights_best.safetensors"), Not(HasSubstr("\x1b"))));
  for (const char* name : {"weights_best.safetensors", "weights_last.safetensors", "log.json"}) {
    EXPECT_TRUE(fs::exists(folder_.path() + "/out/" + name)) << name;
  }
  const json log = json::parse(Read("out/log.json"));
  EXPECT_EQ(log["epochs"].size(), 3u);
  EXPECT_EQ(log["finished"], true);
  EXPECT_EQ(log["spec"]["lr"], 0.095) << "the recipe's";

  const Result again = Sweep(TrainCommand({"-o", "out"}));
  EXPECT_EQ(again.code, 2) << "nothing is overwritten";
  EXPECT_THAT(again.output, HasSubstr("--resume"));
  EXPECT_EQ(Sweep({"train", "--resume", "out"}).code, 2) << "it is at its end";
}

TEST_F(TrialsTest, TrainTakesFlagsAndSettings) {
  const Result result = Sweep(TrainCommand(
      {"--lr", "0.5", "--batch-size", "16", "--set", "weight_decay=0.001", "--format", "json"}));
  ASSERT_EQ(result.code, 0) << result.output;
  const json log = json::parse(result.output);
  EXPECT_EQ(log["spec"]["lr"], 0.5);
  EXPECT_EQ(log["spec"]["batch_size"], 16);
  EXPECT_EQ(log["spec"]["weight_decay"], 0.001);
  EXPECT_TRUE(fs::exists(folder_.path() + "/train-cnn-18718-1/log.json"));
}

TEST_F(TrialsTest, WrongValuesOfTrainNameTheFlagAndLeaveNothing) {
  const std::pair<std::vector<std::string>, const char*> wrong[] = {
      {{"--lr", "-1"}, "--lr"},
      {{"--lr", "fast"}, "fast"},
      {{"--batch-size", "0"}, "--batch-size"},
      {{"--dropout", "1"}, "--dropout"},
      {{"--schedule", "cosin"}, "did you mean 'cosine'?"},
      {{"--set", "momentun=0.9"}, "did you mean 'momentum'?"},
      {{"--set", "momentum=7"}, "--set"},
      {{"--lr", "0.1", "--set", "lr=0.2"}, "twice"},
      {{"--target", "99.4"}, "--target"},
      {{"--epochs", "1.5", "--seed", "x"}, "--seed"}};
  for (const auto& [flags, word] : wrong) {
    std::vector<std::string> command = {"train", "cnn-18718", "--dataset", "synthetic"};
    command.insert(command.end(), flags.begin(), flags.end());
    const Result result = Sweep(command);
    EXPECT_EQ(result.code, 2) << flags[0] << " " << flags[1] << ": " << result.output;
    EXPECT_THAT(result.output, HasSubstr(word));
  }
  EXPECT_EQ(Sweep({"train", "cnn-18717"}).code, 2);
  EXPECT_EQ(Sweep({"train"}).code, 2);
  EXPECT_EQ(Sweep({"train", "--resume", "nowhere"}).code, 2);
  EXPECT_FALSE(fs::exists(folder_.path() + "/train-cnn-18718-1"));
}

TEST_F(TrialsTest, AFailedTrainingIsOneLineAndExitCodeOne) {
  const Result result = Sweep(TrainCommand({"--trainer", Script("fail.sh", kFailingTrainer)}));
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.output, "error: diverged: training loss is nan\n");
  EXPECT_EQ(Sweep(TrainCommand({"--trainer", "no-such-trainer"})).code, 1);
  const Result data = Sweep({"train", "cnn-18718", "--data-dir", folder_.path()});
  EXPECT_EQ(data.code, 1);
  EXPECT_THAT(data.output, HasSubstr(folder_.path()));
}

TEST_F(TrialsTest, CtrlCStopsATrainingWithACheckpointAndResumeGoesOn) {
  const std::string trainer = Script("slow.sh", kSlowTrainer);
  std::vector<std::string> command = TrainCommand({"--trainer", trainer, "-o", "out"});
  command.insert(command.begin(), "sweep");
  Process first({.command = command, .folder = folder_.path()});
  ASSERT_TRUE(Eventually([&] { return first.Output().find("Test set:") != std::string::npos; }))
      << first.Output();
  const Result twice = Sweep(TrainCommand({"--trainer", trainer, "-o", "out"}));
  EXPECT_EQ(twice.code, 1) << twice.output;
  EXPECT_THAT(twice.output, HasSubstr("in use"));
  ASSERT_TRUE(Eventually([&] { return fs::exists(folder_.path() + "/out/state"); }));

  first.Signal(SIGINT);
  EXPECT_EQ(first.Wait(), 130) << first.Output();
  EXPECT_THAT(first.Output(),
              AllOf(HasSubstr("stopped after epoch 1"), HasSubstr("sweep train --resume ")));
  EXPECT_EQ(Sweep({"train", "--resume", "out", "--lr", "0.1"}).code, 2);
  const Result resumed = Sweep({"train", "--resume", "out", "--trainer", trainer});
  ASSERT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_THAT(resumed.output,
              AllOf(Not(HasSubstr("Epoch number: 1\n")), HasSubstr("Epoch number: 3\n")));
  const json log = json::parse(Read("out/log.json"));
  EXPECT_EQ(log["epochs"].size(), 3u);
  EXPECT_FALSE(fs::exists(folder_.path() + "/out/state")) << "the checkpoint has served";
}

TEST_F(TrialsTest, AKilledTrainingLeavesNoTrainer) {
  std::vector<std::string> command =
      TrainCommand({"--trainer", Script("slow.sh", kSlowTrainer), "-o", "out"});
  command.insert(command.begin(), "sweep");
  Process first({.command = command, .folder = folder_.path()});
  ASSERT_TRUE(Eventually([&] { return first.Output().find("Test set:") != std::string::npos; }));
  std::vector<pid_t> family = testing::ChildrenOf(first.pid());
  for (std::size_t i = 0; i < family.size(); ++i) {
    for (const pid_t child : testing::ChildrenOf(family[i])) family.push_back(child);
  }
  ASSERT_FALSE(family.empty());
  first.Signal(SIGKILL);
  first.Wait();
  for (const pid_t pid : family)
    EXPECT_TRUE(Eventually([&] { return !testing::IsAlive(pid); })) << pid;
  EXPECT_EQ(json::parse(Read("out/log.json"))["epochs"].size(), 1u) << "the log is whole";
}

TEST_F(TrialsTest, ASecondCtrlCEndsATrainingAtOnce) {
  // This trainer ignores stop.
  const std::string trainer =
      Script("deaf.sh",
             "#!/bin/sh\necho '{\"type\":\"ready\",\"protocol\":1}'\ntrap '' TERM\nread -r line\n"
             "echo '{\"type\":\"progress\",\"trial\":\"x\",\"epoch\":1,\"step\":1,\"steps\":9}'\n"
             "while true; do sleep 1; done\n");
  std::vector<std::string> command = TrainCommand({"--trainer", trainer, "-o", "out"});
  command.insert(command.begin(), "sweep");
  Process first({.command = command, .folder = folder_.path()});
  ASSERT_TRUE(
      Eventually([&] { return first.Output().find("Epoch number: 1") != std::string::npos; }));
  first.Signal(SIGINT);
  ASSERT_TRUE(Eventually([&] { return first.Output().find("Ctrl-C again") != std::string::npos; }));
  // Signals that come too close together count as one, so repeat it.
  EXPECT_TRUE(Eventually(
      [&] {
        first.Signal(SIGINT);
        return first.Wait(std::chrono::seconds(0)) >= 0;
      },
      std::chrono::seconds(10)));
  EXPECT_EQ(first.Wait(), 130) << first.Output();
  EXPECT_THAT(first.Output(), HasSubstr("nothing was kept"));
}

}  // namespace
}  // namespace sweep

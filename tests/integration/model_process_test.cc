// `sweep model` and `sweep predict` as a person uses them, correctly and wrongly, with a local
// database and with a remote coordinator.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "common/base/sha256.h"
#include "common/tensors/safetensors.h"
#include "coordinator/api/server.h"
#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using testing::Eventually;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Process;
using testing::Result;

constexpr char kModelSweep[] = R"(name: tiny
model: cnn-18718
dataset: {name: synthetic, train: 512, test: 200}
method: grid
parameters: {lr: {value: 0.05}, batch_size: {value: 64}}
epochs: 2
)";

constexpr char kWidthsNetwork[] = R"(name: widths-net
parameters: {width: 4}
layers:
  - conv: {out: "${width}", kernel: 5, stride: 3}
  - relu
  - batch_norm
  - conv: {out: "${width}", kernel: 3}
  - linear: 10
)";

constexpr char kWidths[] = R"(name: widths
model: net.yaml
dataset: {name: synthetic, train: 128, test: 100}
method: grid
parameters: {width: {values: [4, 8, 64, 128]}, lr: {value: 0.05}, batch_size: {value: 64}}
constraints: ["parameters < 20000"]
epochs: 1
)";

constexpr char kOwn[] = R"(name: own
program: ["sh", "train.sh"]
files: [train.sh]
method: grid
parameters: {lr: {value: 0.1}}
epochs: 1
)";

constexpr char kOwnProgram[] = R"sh(read -r trial
text() { printf '%s\n' "$trial" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
printf 'my own weights' > "$(text output_dir)/w"
printf '{"type":"epoch","trial":"%s","epoch":1,"validation_accuracy":0.5}\n' "$(text trial)"
printf '{"type":"done","trial":"%s","epochs":1,"files":{"weights_best":"%s/w"}}\n' "$(text trial)" "$(text output_dir)"
)sh";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ModelTest : public ::testing::Test {
 protected:
  Result Sweep(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "sweep");
    return testing::Run({.command = arguments,
                         .folder = folder_.path(),
                         .environment = {{"XDG_CACHE_HOME", folder_.path() + "/cache"}}},
                        std::chrono::seconds(90));
  }
  json Json(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "json"});
    const Result result = Sweep(arguments);
    EXPECT_EQ(result.code, 0) << result.output;
    return json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  }
  void Train() {
    const Result run = Sweep({"run", folder_.Write("tiny.yaml", kModelSweep), "--slots", "1"});
    ASSERT_EQ(run.code, 0) << run.output;
  }
  void DrawDigits(int count) {
    ASSERT_EQ(testing::Run({.command = {"draw_digits", std::to_string(count), "images", "labels"},
                            .folder = folder_.path()})
                  .code,
              0);
  }
  // Moves the trials from ./sweep.db to a coordinator with an address.
  void MoveToCoordinator() {
    std::filesystem::create_directory(folder_.path() + "/there");
    std::filesystem::rename(folder_.path() + "/sweep.db", folder_.path() + "/there/sweep.db");
    std::filesystem::rename(folder_.path() + "/sweep.db.blobs",
                            folder_.path() + "/there/sweep.db.blobs");
    auto server = CoordinatorServer::Start(
        {.listen = "127.0.0.1:0", .database = folder_.path() + "/there/sweep.db"});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string Sha256Of(const json& trial, const std::string& role) {
    for (const json& artifact : trial["artifacts"]) {
      if (artifact["role"] == role) return artifact["sha256"];
    }
    return "";
  }
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  int CachedBlobs() const {
    int files = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator at(Path("cache/sweep/blobs"), error), end;
         !error && at != end; at.increment(error)) {
      ++files;
    }
    return files;
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<CoordinatorServer> server_;
};

TEST_F(ModelTest, WhatIsTakenAwayPredictsWhatTheTrainerPredicted) {
  ASSERT_NO_FATAL_FAILURE(Train());
  ASSERT_NO_FATAL_FAILURE(DrawDigits(200));
  const json trial = Json({"trial", "tiny/1"});
  const Result model = Sweep({"model", "tiny/1", "-o", "best"});
  ASSERT_EQ(model.code, 0) << model.output;
  EXPECT_THAT(model.output, AllOf(HasSubstr("cnn-18718"), HasSubstr("best/net.py")));
  const std::string sha256 = Sha256Of(trial, "weights_best");
  EXPECT_EQ(Sha256Hex(ReadFile(Path("best/weights.safetensors"))), sha256);
  const json document = json::parse(ReadFile(Path("best/trial.json")));
  EXPECT_EQ(document["weights"]["sha256"], sha256);
  EXPECT_EQ(document["weights"]["accuracy"], trial["best"]);
  EXPECT_EQ(document["epoch_rows"].size(), 2u);
  EXPECT_EQ(Json({"networks", "best/network.yaml"}).size(), Json({"networks", "cnn-18718"}).size());

  // The classes must equal the trainer's own for its test images, by the trial and by the folder.
  const std::string stored = Sha256Of(trial, "predictions");
  const SafeTensors predictions =
      ReadSafeTensors(Path("sweep.db.blobs/" + stored.substr(0, 2) + "/" + stored));
  for (const char* source : {"tiny/1", "best"}) {
    const json rows = Json({"predict", source, "images"});
    ASSERT_EQ(rows.size(), 200u);
    std::string classes;
    for (const json& row : rows) classes += static_cast<char>(row["digit"].get<int>());
    EXPECT_EQ(classes, predictions.Find("predictions")->bytes) << source;
  }
  const int right = static_cast<int>(trial["best"].get<double>() * 200 + 0.5);
  EXPECT_THAT(Sweep({"predict", "best", "images", "--labels", "labels"}).output,
              AllOf(HasSubstr(std::to_string(right) + " of 200 right"), HasSubstr("AS 9")));
  EXPECT_EQ(CachedBlobs(), 0) << "what lies on this disk already needs no copy";
}

TEST_F(ModelTest, AFolderIsNotOverwrittenUnlessToldTo) {
  ASSERT_NO_FATAL_FAILURE(Train());
  folder_.Write("file", "mine");
  EXPECT_EQ(Sweep({"model", "tiny/1", "-o", "file"}).code, 2);
  EXPECT_EQ(ReadFile(Path("file")), "mine");
  std::filesystem::create_directory(Path("best"));
  EXPECT_EQ(Sweep({"model", "tiny/1", "-o", "best/"}).code, 0)
      << "an empty folder is as good as none";
  folder_.Write("best/notes.txt", "mine");
  folder_.Write("best/net.py", "old");
  const Result refused = Sweep({"model", "tiny/1", "-o", "best"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.output, AllOf(HasSubstr("folder best is not empty"), HasSubstr("--force")));
  EXPECT_EQ(ReadFile(Path("best/net.py")), "old");
  EXPECT_EQ(Sweep({"model", "tiny/1", "-o", "best", "--force", "--last"}).code, 0);
  EXPECT_EQ(ReadFile(Path("best/notes.txt")), "mine");
  EXPECT_THAT(ReadFile(Path("best/net.py")), HasSubstr("class Net(nn.Module)"));
  EXPECT_EQ(json::parse(ReadFile(Path("best/trial.json")))["weights"]["epoch"], 2);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_THAT(entry.path().string(), Not(HasSubstr(".tmp-"))) << "a temporary folder was left";
  }
}

TEST_F(ModelTest, WrongUseIsNamedAndWritesNothing) {
  ASSERT_NO_FATAL_FAILURE(Train());
  const auto expect = [&](const std::vector<std::string>& arguments, int code,
                          const std::string& text) {
    const Result result = Sweep(arguments);
    EXPECT_EQ(result.code, code) << result.output;
    EXPECT_THAT(result.output, HasSubstr(text));
  };
  expect({"model", "tiny/9", "-o", "x"}, 2, "tiny/9");
  expect({"model", "tyni/1", "-o", "x"}, 2, "tyni");
  expect({"model", "tiny", "-o", "x"}, 2, "tiny");
  expect({"model", "tiny/1"}, 2, "output");
  expect({"model", "tiny/1", "-o", "x", "--coordinator", "127.0.0.1:1"}, 4, "127.0.0.1:1");
  expect({"model", "tiny/1", "-o", "tiny.yaml/x"}, 1, "tiny.yaml/x");
  expect({"predict", "nowhere", "a.png"}, 2, "'nowhere' is neither a folder nor a trial");
  expect({"predict", "tiny/9", "a.png"}, 2, "tiny/9");
  expect({"predict", "cache-of-mine", "a.png"}, 2, "neither");
  expect({"predict", ".", "a.png"}, 2, "network.yaml: no such file");
  expect({"predict", "tiny/1"}, 2, "FILE");
  expect({"predict", "tiny/1", "a.png", "--index", "x"}, 2, "'x' picks no images");
  expect({"predict", "tiny/1", "a.png", "b.png", "--labels", "l"}, 2, "exactly one");
  expect({"predict", "tiny/1", "a.png", "--invert", "maybe"}, 2, "maybe");
  EXPECT_FALSE(std::filesystem::exists(Path("x")));
}

TEST_F(ModelTest, TheGoodImagesAreToldAndTheBadOnesNamed) {
  ASSERT_NO_FATAL_FAILURE(Train());
  ASSERT_NO_FATAL_FAILURE(DrawDigits(20));
  folder_.Write("letter.png", "Dear aunt,");
  folder_.Write("cut.png", "\x89PNG\r\n\x1a\n");
  const Result result = Sweep({"predict", "tiny/1", "letter.png", "images:3", "none.png", "cut.png",
                               "images:20", "--format", "json"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("\"image\": \"images:3\""), HasSubstr("letter.png: is neither"),
                    HasSubstr("none.png"), HasSubstr("cut.png: is no PNG"),
                    HasSubstr("images: has no image 20; it has 20, 0 to 19")));
  EXPECT_THAT(Sweep({"predict", "tiny/1", "images:3", "--labels", "images"}).output,
              HasSubstr("not an IDX file"));
  const Result block = Sweep({"predict", "tiny/1", "images", "--index", "0,1"});
  EXPECT_EQ(block.code, 0);
  EXPECT_THAT(block.output, AllOf(HasSubstr("images:0"), HasSubstr("images:1"), HasSubstr("@"),
                                  HasSubstr(" %"), Not(HasSubstr("\x1b"))));
}

TEST_F(ModelTest, WeightsOfARemoteTrialTravelOnceAndAreChecked) {
  ASSERT_NO_FATAL_FAILURE(Train());
  ASSERT_NO_FATAL_FAILURE(DrawDigits(20));
  const json here = Json({"predict", "tiny/1", "images"});
  ASSERT_NO_FATAL_FAILURE(MoveToCoordinator());
  const std::vector<std::string> predict = {"predict", "tiny/1", "images", "--coordinator",
                                            server_->address()};
  EXPECT_EQ(Json(predict), here);
  ASSERT_EQ(CachedBlobs(), 1);
  EXPECT_EQ(Json(predict), here);
  // A damaged copy must be fetched again instead of used.
  const std::string cached =
      std::filesystem::directory_iterator(Path("cache/sweep/blobs"))->path().string();
  std::string bytes = ReadFile(cached);
  bytes[bytes.size() / 2] ^= 1;
  std::ofstream(cached, std::ios::binary) << bytes;
  EXPECT_EQ(Json(predict), here);
  EXPECT_EQ(Sweep({"model", "tiny/1", "-o", "best", "--coordinator", server_->address()}).code, 0);
  EXPECT_EQ(Json({"predict", "best", "images"}), here);

  // The coordinator's own copy is damaged, and there is none here: nothing of it may get through.
  std::filesystem::remove_all(Path("cache"));
  const std::string sha256 =
      Sha256Of(Json({"trial", "tiny/1", "--coordinator", server_->address()}), "weights_best");
  std::ofstream(Path("there/sweep.db.blobs/" + sha256.substr(0, 2) + "/" + sha256),
                std::ios::binary)
      << bytes;
  const Result damaged =
      Sweep({"model", "tiny/1", "-o", "other", "--coordinator", server_->address()});
  EXPECT_EQ(damaged.code, 1) << damaged.output;
  EXPECT_THAT(damaged.output, HasSubstr(sha256));
  EXPECT_FALSE(std::filesystem::exists(Path("other")));
}

TEST_F(ModelTest, ATrialThatHasNotCompletedHasTheWeightsOfItsCheckpoint) {
  std::string text = kModelSweep;
  text.replace(text.find("value: 0.05"), 11, "values: [0.05, 0.02]");
  text.replace(text.find("epochs: 2"), 9, "epochs: 5000");
  Process run({.command = {"sweep", "run", folder_.Write("tiny.yaml", text), "--slots", "1"},
               .folder = folder_.path()});
  ASSERT_TRUE(Eventually([&] { return run.Output().find("epoch 2") != std::string::npos; }))
      << run.Output();
  run.Signal(SIGINT);
  ASSERT_EQ(run.Wait(), 130) << run.Output();

  const Result model = Sweep({"model", "tiny/1", "-o", "best"});
  ASSERT_EQ(model.code, 0) << model.output;
  EXPECT_THAT(model.output, HasSubstr("out of its checkpoint"));
  const json trial = Json({"trial", "tiny/1"});
  const json weights = json::parse(ReadFile(Path("best/trial.json")))["weights"];
  EXPECT_EQ(weights["artifact"], "checkpoint");
  EXPECT_EQ(weights["accuracy"], trial["best"]);
  EXPECT_EQ(weights["epoch"], trial["best_epoch"]);
  EXPECT_EQ(Sha256Hex(ReadFile(Path("best/weights.safetensors"))), weights["sha256"]);
  ASSERT_NO_FATAL_FAILURE(DrawDigits(200));
  const int right = static_cast<int>(trial["best"].get<double>() * 200 + 0.5);
  EXPECT_THAT(Sweep({"predict", "best", "images", "--labels", "labels"}).output,
              HasSubstr(std::to_string(right) + " of 200 right"));
  EXPECT_EQ(Sweep({"model", "tiny/1", "-o", "last", "--last"}).code, 0);

  // The second trial was never begun.
  const Result pending = Sweep({"model", "tiny/2", "-o", "none"});
  EXPECT_EQ(pending.code, 1);
  EXPECT_THAT(pending.output, AllOf(HasSubstr("tiny/2 has no weights: it is pending"),
                                    HasSubstr("waits for a worker")));
  EXPECT_EQ(Sweep({"predict", "tiny/2", "images"}).code, 1);
  EXPECT_FALSE(std::filesystem::exists(Path("none")));
}

TEST_F(ModelTest, FilesOfAProgramThatKeepsWhatItLikesAreSavedAsTheyAre) {
  folder_.Write("train.sh", kOwnProgram);
  const Result run = Sweep({"run", folder_.Write("own.yaml", kOwn), "--slots", "1"});
  ASSERT_EQ(run.code, 0) << run.output;
  const Result model = Sweep({"model", "own/1", "-o", "raw"});
  EXPECT_EQ(model.code, 0) << model.output;
  EXPECT_THAT(model.output,
              AllOf(HasSubstr("without a network of Sweep's"), HasSubstr("raw/weights_best")));
  EXPECT_EQ(ReadFile(Path("raw/weights_best")), "my own weights");
  EXPECT_EQ(json::parse(ReadFile(Path("raw/trial.json")))["trial"], "own/1");
  EXPECT_FALSE(std::filesystem::exists(Path("raw/net.py")));
  const Result predict = Sweep({"predict", "own/1", "x.png"});
  EXPECT_EQ(predict.code, 1);
  EXPECT_THAT(predict.output, HasSubstr("own program"));
}

TEST_F(ModelTest, NetworksThatAreTooLargeGetNoLease) {
  folder_.Write("net.yaml", kWidthsNetwork);
  const Result run = Sweep({"run", folder_.Write("widths.yaml", kWidths), "--slots", "1"});
  ASSERT_EQ(run.code, 0) << run.output;
  const json trials = Json({"trials", "widths"});
  ASSERT_EQ(trials.size(), 2u);
  for (const json& trial : trials) {
    EXPECT_EQ(trial["state"], "completed");
    EXPECT_LT(trial["network_parameters"], 20000);
  }
  EXPECT_EQ(Json({"show", "widths"})["planned_trials"], 2);
  EXPECT_EQ(Sweep({"trial", "widths/3"}).code, 2)
      << "there is a trial of a network that is too large";
  EXPECT_THAT(run.output,
              AllOf(HasSubstr("width=8"), Not(HasSubstr("width=64")), Not(HasSubstr("width=128"))));
  ASSERT_EQ(Sweep({"model", trials[1]["trial"], "-o", "wide"}).code, 0);
  EXPECT_THAT(ReadFile(Path("wide/network.yaml")), HasSubstr("out: 8"));
}

}  // namespace
}  // namespace sweep

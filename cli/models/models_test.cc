// The parts of `sweep model` and `sweep predict`.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/models/blob_cache.h"
#include "cli/models/digit_picture.h"
#include "cli/models/model_files.h"
#include "cli/models/predict_input.h"
#include "cli/models/testing/models_testing.h"
#include "common/base/sha256.h"
#include "common/network/network_file.h"

namespace sweep::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

int FilesIn(const std::string& folder) {
  int files = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; at != end; at.increment(error))
    ++files;
  return files;
}

void Write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::ssize(bytes));
}

TEST(BlobCache, GivesBackWhatWasStored) {
  const TemporaryFolder folder;
  const BlobCache cache(folder.path() + "/not/yet/there");
  const std::string sha256 = Sha256Hex("weights");
  EXPECT_EQ(cache.Find(sha256), std::nullopt);
  cache.Store(sha256, "weights");
  EXPECT_EQ(cache.Find(sha256), "weights");
  EXPECT_EQ(FilesIn(folder.path() + "/not/yet/there"), 1) << "a temporary file was left";
}

TEST(BlobCache, ADamagedFileIsDroppedNotServed) {
  const TemporaryFolder folder;
  const BlobCache cache(folder.path());
  const std::string sha256 = Sha256Hex("weights");
  cache.Store(sha256, "weights");
  Write(folder.path() + "/" + sha256, "wrights");
  EXPECT_EQ(cache.Find(sha256), std::nullopt);
  EXPECT_EQ(FilesIn(folder.path()), 0);
}

TEST(BlobCache, StaysWithinItsLimitAndKeepsWhatWasUsedLast) {
  const TemporaryFolder folder;
  const BlobCache cache(folder.path(), 250);
  const auto blob = [](char letter) { return std::string(100, letter); };
  const auto age = [&](char letter, int hours) {
    std::filesystem::last_write_time(
        folder.path() + "/" + Sha256Hex(blob(letter)),
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  cache.Store(Sha256Hex(blob('a')), blob('a'));
  age('a', 3);
  cache.Store(Sha256Hex(blob('b')), blob('b'));
  age('b', 2);
  EXPECT_NE(cache.Find(Sha256Hex(blob('a'))), std::nullopt);  // used again, so now newer than b
  cache.Store(Sha256Hex(blob('c')), blob('c'));
  EXPECT_NE(cache.Find(Sha256Hex(blob('a'))), std::nullopt);
  EXPECT_EQ(cache.Find(Sha256Hex(blob('b'))), std::nullopt);
  EXPECT_NE(cache.Find(Sha256Hex(blob('c'))), std::nullopt);
  const std::string large(300, 'x');
  cache.Store(Sha256Hex(large), large);
  EXPECT_EQ(cache.Find(Sha256Hex(large)), std::nullopt);
}

TEST(BlobCache, AFolderThatCannotBeMadeIsAsIfEmpty) {
  for (const char* folder : {"", "/proc/no/such/place"}) {
    const BlobCache cache(folder);
    cache.Store(Sha256Hex("x"), "x");
    EXPECT_EQ(cache.Find(Sha256Hex("x")), std::nullopt);
  }
}

TEST(DigitPicture, TwoRowsOfPixelsAreOneLine) {
  const std::vector<std::uint8_t> pixels = {0, 255, 255,  //
                                            0, 255, 0,    //
                                            0, 255, 0};
  EXPECT_THAT(DigitPicture(pixels, 3, 3, PictureStyle::kBlocks), ElementsAre(" █▀", " ▀ "));
}

TEST(DigitPicture, AsciiIsDenserWhereItIsBrighter) {
  const std::vector<std::uint8_t> pixels = {0, 128, 255, 0, 128, 255};
  EXPECT_THAT(DigitPicture(pixels, 3, 2, PictureStyle::kAscii), ElementsAre(" +@"));
}

TEST(DigitPicture, ColourEndsWithEveryLine) {
  const std::vector<std::uint8_t> pixels(28 * 28, 200);
  const auto lines = DigitPicture(pixels, 28, 28, PictureStyle::kColor);
  ASSERT_EQ(lines.size(), 14u);
  for (const std::string& line : lines) EXPECT_TRUE(line.ends_with("\x1b[0m"));
}

TEST(DigitPicture, ALargeImageIsDrawnSmaller) {
  const std::vector<std::uint8_t> pixels(100 * 100, 255);
  const auto lines = DigitPicture(pixels, 100, 100, PictureStyle::kAscii, 40);
  ASSERT_EQ(lines.size(), 17u);
  EXPECT_EQ(lines[0].size(), 34u);
}

TEST(Indices, AreNumbersAndRanges) {
  EXPECT_THAT(*ParseIndices("3,5-8,0"), ElementsAre(3, 5, 6, 7, 8, 0));
  for (const char* text : {"", ",", "a", "3-", "-3", "5-3", "1.5", "3,,4", " 3", "0-99999999999",
                           "99999999999999999999"}) {
    EXPECT_THAT(std::string(ParseIndices(text).status().message()), HasSubstr("picks no images"))
        << text;
  }
}

// Three images of 2 × 2.
constexpr char kIdx[] =
    "\0\0\x08\x03\0\0\0\x03\0\0\0\x02\0\0\0\x02"
    "abcdefghijkl";

class InputTest : public ::testing::Test {
 protected:
  std::string WriteIdx(const std::string& name = "x.idx") const {
    Write(folder_.path() + "/" + name, std::string(kIdx, sizeof(kIdx) - 1));
    return folder_.path() + "/" + name;
  }
  static std::string Pixels(const InputImages& input) {
    return {input.images.pixels.begin(), input.images.pixels.end()};
  }
  std::string Error(const std::string& argument, const Shape& shape = {1, 2, 2},
                    const std::vector<std::int64_t>& indices = {}) const {
    const auto input = ReadInput(argument, shape, indices, Invert::kAuto);
    EXPECT_EQ(input.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(input.status().message());
  }
  TemporaryFolder folder_;
};

TEST_F(InputTest, AnIdxFileGivesAllOrThoseThatArePicked) {
  const std::string path = WriteIdx();
  EXPECT_EQ(Pixels(*ReadInput(path, {1, 2, 2}, {}, Invert::kAuto)), "abcdefghijkl");
  EXPECT_EQ(Pixels(*ReadInput(path, {1, 2, 2}, {2, 0}, Invert::kAuto)), "ijklabcd");
  const auto picked = ReadInput(path + ":1", {1, 2, 2}, {2}, Invert::kAuto);
  ASSERT_TRUE(picked.ok()) << picked.status();
  EXPECT_EQ(Pixels(*picked), "efgh");
  EXPECT_EQ(picked->Name(0), path + ":1");
  EXPECT_EQ(ReadInput(path, {1, 2, 2}, {}, Invert::kYes)->images.pixels[0], 255 - 'a');
  // An existing file takes precedence over the index notation.
  const std::string odd = WriteIdx("x.idx:1");
  EXPECT_EQ(ReadInput(odd, {1, 2, 2}, {}, Invert::kAuto)->images.count, 3);
}

TEST_F(InputTest, WhatCannotBePredictedIsNamed) {
  const std::string path = WriteIdx();
  EXPECT_THAT(Error(path, {1, 28, 28}),
              AllOf(HasSubstr("x.idx"), HasSubstr("2×2"), HasSubstr("28×28")));
  EXPECT_THAT(Error(path + ":3"), HasSubstr("has no image 3; it has 3, 0 to 2"));
  EXPECT_THAT(Error(path + ":x"), HasSubstr("picks no images"));
  EXPECT_THAT(Error(path, {1, 2, 2}, {7}), HasSubstr("has no image 7"));
  EXPECT_THAT(Error(folder_.path() + "/none.png"),
              AllOf(HasSubstr("none.png"), HasSubstr("no such file")));
  EXPECT_THAT(Error(folder_.path()), HasSubstr("is a folder"));
  Write(folder_.path() + "/a.txt", "hello");
  EXPECT_THAT(Error(folder_.path() + "/a.txt"),
              HasSubstr("a.txt: is neither a PNG nor an IDX file"));
  Write(folder_.path() + "/empty", "");
  EXPECT_THAT(Error(folder_.path() + "/empty"), HasSubstr("is neither"));
  Write(path, std::string(kIdx, sizeof(kIdx) - 3));
  EXPECT_THAT(Error(path), HasSubstr("truncated"));
}

TEST_F(InputTest, LabelsMustBelongToTheImages) {
  const auto input = ReadInput(WriteIdx(), {1, 2, 2}, {2, 1}, Invert::kAuto);
  ASSERT_TRUE(input.ok());
  const std::string path = folder_.path() + "/labels";
  Write(path, std::string("\0\0\x08\x01\0\0\0\x03\x05\x06\x07", 11));
  EXPECT_THAT(*ReadLabels(path, *input, 10), ElementsAre(7, 6));
  EXPECT_THAT(std::string(ReadLabels(path, *input, 7).status().message()),
              AllOf(HasSubstr("label 7"), HasSubstr("7 classes")));
  Write(path, std::string("\0\0\x08\x01\0\0\0\x02\x05\x06", 10));
  EXPECT_THAT(std::string(ReadLabels(path, *input, 10).status().message()),
              HasSubstr("has 2 labels"));
  EXPECT_FALSE(ReadLabels(folder_.path() + "/none", *input, 10).ok());
}

TrialModel ModelOf(const std::string& network_text, const std::string& name = "mine/7") {
  Diagnostics diagnostics;
  const auto file = NetworkFile::Parse(network_text, "n.yaml", &diagnostics);
  if (!file.ok()) throw std::invalid_argument(FormatDiagnostics(diagnostics));
  TrialModel model;
  model.trial.set_name("sweeps/mine/trials/7");
  model.trial.set_epochs(4);
  model.trial.set_evaluation_images(1000);
  model.spec.trial = name;
  model.spec.network = *file->Resolve({{"dropout", 0.05}});
  model.spec.normalize_mean = file->normalize_mean();
  model.spec.normalize_stddev = file->normalize_stddev();
  model.spec.lr = 1e-5;
  model.spec.schedule = "one_cycle";
  model.spec_json = TrialSpecToJson(model.spec);
  model.epoch = 3;
  model.accuracy = 0.9957;
  return model;
}

constexpr char kAllLayers[] = R"(name: all
input: [1, 20, 24]
normalize: {mean: 0.5, stddev: 0.25}
layers:
  - conv: {out: 7, kernel: 3, stride: 2, padding: 1, bias: false}
  - relu
  - batch_norm
  - dropout
  - max_pool: {kernel: 3, stride: 2}
  - conv: {out: 4, kernel: 2}
  - dropout2d: 1.0e-05
  - avg_pool: {kernel: 2, stride: 1}
  - linear: {out: 6, bias: false}
  - relu
  - batch_norm
  - linear: 3
  - log_softmax
)";

TEST(NetworkYaml, IsANetworkFileOfTheSameNetwork) {
  std::vector<std::string> texts = {kAllLayers};
  for (const std::string& name : BuiltinNetworkNames()) texts.push_back(*BuiltinNetworkText(name));
  for (const std::string& text : texts) {
    const TrialModel model = ModelOf(text);
    const std::string yaml = NetworkYaml(model);
    Diagnostics diagnostics;
    const auto file = NetworkFile::Parse(yaml, "network.yaml", &diagnostics);
    ASSERT_TRUE(file.ok()) << FormatDiagnostics(diagnostics) << yaml;
    EXPECT_THAT(file->references(), IsEmpty());
    const auto network = file->Resolve({});
    ASSERT_TRUE(network.ok()) << network.status();
    TrialSpec again = model.spec;
    again.network = *network;
    EXPECT_EQ(TrialSpecToJson(again), model.spec_json) << yaml;
    EXPECT_EQ(file->normalize_mean(), model.spec.normalize_mean);
    const Recipe* const recipe = file->FindRecipe("seed");
    ASSERT_NE(recipe, nullptr);
    EXPECT_TRUE(SameValue(recipe->values.at("lr"), 1e-5));
    EXPECT_TRUE(SameValue(recipe->values.at("schedule"), std::string("one_cycle")));
  }
}

TEST(NetPy, HasTheLayersOnePerLineAtTheirNumbers) {
  const std::string python = NetPy(ModelOf(kAllLayers));
  for (const char* line :
       {"nn.Conv2d(1, 7, kernel_size=3, stride=2, padding=1, bias=False),", "#  0: 7×10×12",
        "nn.ReLU(),", "nn.BatchNorm2d(7),", "nn.Dropout(0.05),", "nn.MaxPool2d(3, stride=2),",
        "nn.Conv2d(7, 4, kernel_size=2),", "nn.Dropout2d(1e-05),", "nn.AvgPool2d(2, stride=1),",
        "Linear(24, 6, bias=False),", "Linear(6, 3),", "nn.LogSoftmax(dim=1),", "# 12: 3×1×1",
        "MEAN, STDDEV = 0.5, 0.25", "mine/7", "99.57 %", "CHANNELS, HEIGHT, WIDTH = 1, 20, 24"}) {
    EXPECT_THAT(python, HasSubstr(line));
  }
  EXPECT_THAT(python, Not(HasSubstr("@")));
}

TEST(NetPy, SaysOnlyWhatTheNetworkNeeds) {
  const std::string python =
      NetPy(ModelOf("name: small\nlayers: [conv: {out: 10, kernel: 3}, global_avg_pool]\n"));
  EXPECT_THAT(python, AllOf(Not(HasSubstr("class Linear")), HasSubstr("log_softmax(dim=1)")));
}

// Opening a named pipe blocks until something writes to it.
TEST(NetPy, RefusesWhatIsNoFileAtOnce) {
  if (std::system("python3 -c pass 2> /dev/null") != 0) GTEST_SKIP() << "there is no python3";
  const TemporaryFolder folder;
  const std::string path = folder.path();
  std::ofstream(path + "/net.py") << NetPy(
      ModelOf("name: small\nlayers: [conv: {out: 10, kernel: 3}, global_avg_pool]\n"));
  ASSERT_EQ(mkfifo((path + "/pipe").c_str(), 0600), 0);
  // A stub of PyTorch suffices: the file is read before torch is used.
  std::ofstream(path + "/read.py") << R"(
import sys, types
torch = types.ModuleType("torch")
torch.nn = types.ModuleType("nn")
torch.nn.Module = object
sys.modules["torch"] = torch
import net
for read in (net.read_bytes, net.read_idx, net.read_png, net.read_safetensors):
    for path, why in (("pipe", "is no file"), (".", "is no file"), ("none", "no such file")):
        try:
            read(path)
        except SystemExit as refused:
            assert why in str(refused), refused
        else:
            sys.exit(f"{read.__name__} took {path}")
)";
  EXPECT_EQ(std::system(("cd '" + path + "' && timeout 60 python3 read.py").c_str()), 0);
}

TEST(NetPy, WordsOfTheSweepCannotEndItsComments) {
  TrialModel model = ModelOf(kAllLayers);
  (*model.trial.mutable_parameters())["note"].set_string_value("\"\"\"\nimport os\\");
  EXPECT_THAT(NetPy(model), AllOf(HasSubstr("'''/nimport os/"), Not(HasSubstr("\nimport os"))));
}

}  // namespace
}  // namespace sweep::cli

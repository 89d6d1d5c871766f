#include "common/network/network_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

NetworkFile Builtin(std::string_view name) {
  Diagnostics diagnostics;
  const absl::StatusOr<std::string> text = BuiltinNetworkText(name);
  EXPECT_TRUE(text.ok()) << text.status();
  absl::StatusOr<NetworkFile> file =
      NetworkFile::Parse(*text, std::string(name) + ".yaml", &diagnostics);
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

Network Resolved(const NetworkFile& file, const ParameterMap& parameters) {
  absl::StatusOr<Network> network = file.Resolve(parameters);
  EXPECT_TRUE(network.ok()) << network.status();
  return *std::move(network);
}

Network BuiltinNetwork(std::string_view name) {
  const NetworkFile file = Builtin(name);
  return Resolved(file, file.FindRecipe("seed")->Merged());
}

struct Expected {
  const char* name;
  std::int64_t parameters;
  double train_mflop;  // per image; 0: not known from elsewhere
  bool fully_connected;
  int receptive_field;  // kernel and stride arithmetic by hand
};

class Builtins : public ::testing::TestWithParam<Expected> {};

TEST_P(Builtins, HasTheWriteUpsCounts) {
  const Network network = BuiltinNetwork(GetParam().name);
  EXPECT_EQ(network.name, GetParam().name);
  EXPECT_EQ(network.parameters, GetParam().parameters);
  EXPECT_EQ(network.classes, 10);
  EXPECT_EQ(network.fully_connected, GetParam().fully_connected);
  EXPECT_EQ(network.receptive_field, GetParam().receptive_field);
  if (GetParam().train_mflop > 0) {
    EXPECT_NEAR(static_cast<double>(network.train_flops) / 1e6, GetParam().train_mflop, 0.05);
  }
}

TEST_P(Builtins, RecipeIsComplete) {
  const NetworkFile file = Builtin(GetParam().name);
  EXPECT_EQ(file.name(), GetParam().name);
  EXPECT_THAT(file.description(), Not(IsEmpty()));
  EXPECT_THAT(file.references(), ElementsAre("dropout"));
  const Recipe* seed = file.FindRecipe("seed");
  ASSERT_NE(seed, nullptr);
  EXPECT_THAT(seed->source, HasSubstr("write-up 00"));
  const ParameterMap merged = seed->Merged();
  for (const char* name : {"batch_size", "lr", "momentum", "dropout", "epochs"}) {
    EXPECT_EQ(merged.count(name), 1u) << name;
  }
  EXPECT_EQ(merged.at("epochs"), Value(std::int64_t{19}));
  EXPECT_EQ(merged.size(), seed->values.size() + seed->ours.size());
  EXPECT_EQ(file.normalize_mean(), 0.1307);
  EXPECT_EQ(file.normalize_stddev(), 0.3081);
  EXPECT_EQ(file.loss(), "nll");
  EXPECT_EQ(file.evaluate_with(), "class_softmax");
}

INSTANTIATE_TEST_SUITE_P(Networks, Builtins,
                         ::testing::Values(Expected{"cnn-18718", 18718, 6.5, false, 46},
                                           Expected{"cnn-19046", 19046, 0, false, 36},
                                           Expected{"cnn-19750", 19750, 40.1, false, 46},
                                           Expected{"cnn-17216", 17216, 25.3, true, 28},
                                           Expected{"cnn-16034", 16034, 16.2, true, 30}),
                         [](const auto& info) {
                           return absl::StrReplaceAll(info.param.name, {{"-", "_"}});
                         });

TEST(BuiltinNetworks, AreNamedInTheOrderOfTheWriteUps) {
  EXPECT_THAT(BuiltinNetworkNames(),
              ElementsAre("cnn-18718", "cnn-19046", "cnn-19750", "cnn-17216", "cnn-16034"));
  const auto missing = BuiltinNetworkText("cnn-18719");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("did you mean 'cnn-18718'?"));
}

TEST(BuiltinNetworks, RecipesHoldWhatTheWriteUpsGive) {
  const auto values = [](const char* name) { return Builtin(name).FindRecipe("seed")->values; };
  EXPECT_EQ(values("cnn-18718"),
            (ParameterMap{{"batch_size", std::int64_t{64}}, {"lr", 0.095}, {"momentum", 0.95}}));
  EXPECT_EQ(values("cnn-19046"), (ParameterMap{{"batch_size", std::int64_t{32}}}));
  EXPECT_EQ(values("cnn-19750"), (ParameterMap{{"batch_size", std::int64_t{128}},
                                               {"lr", 0.01},
                                               {"momentum", 0.9},
                                               {"dropout", 0.1},
                                               {"epochs", std::int64_t{19}}}));
  EXPECT_EQ(values("cnn-17216"), (ParameterMap{{"batch_size", std::int64_t{128}}}));
  EXPECT_EQ(values("cnn-16034"), (ParameterMap{{"dropout", 0.01}}));
}

// One row of a write-up's layer table: kind, output and number of parameters.
struct Row {
  LayerKind kind;
  Shape output;
  std::int64_t parameters;
};

void ExpectTable(const Network& network, const std::vector<Row>& rows) {
  ASSERT_EQ(network.layers.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("layer ", i + 1, " ", DescribeLayer(network.layers[i])));
    EXPECT_EQ(network.layers[i].kind, rows[i].kind);
    EXPECT_EQ(network.layers[i].output, rows[i].output);
    EXPECT_EQ(network.layers[i].parameters, rows[i].parameters);
  }
}

constexpr LayerKind kConv = LayerKind::kConv;
constexpr LayerKind kRelu = LayerKind::kRelu;
constexpr LayerKind kNorm = LayerKind::kBatchNorm;
constexpr LayerKind kDrop = LayerKind::kDropout;
constexpr LayerKind kDrop2d = LayerKind::kDropout2d;

TEST(BuiltinNetworks, Cnn17216IsItsWriteUpsTable) {
  ExpectTable(BuiltinNetwork("cnn-17216"), {{kConv, {16, 26, 26}, 160},
                                            {kRelu, {16, 26, 26}, 0},
                                            {kNorm, {16, 26, 26}, 32},
                                            {kDrop, {16, 26, 26}, 0},
                                            {kConv, {20, 24, 24}, 2900},
                                            {kRelu, {20, 24, 24}, 0},
                                            {kNorm, {20, 24, 24}, 40},
                                            {kDrop, {20, 24, 24}, 0},
                                            {kConv, {24, 22, 22}, 4344},
                                            {kRelu, {24, 22, 22}, 0},
                                            {kNorm, {24, 22, 22}, 48},
                                            {LayerKind::kMaxPool, {24, 11, 11}, 0},
                                            {kConv, {10, 11, 11}, 250},
                                            {kRelu, {10, 11, 11}, 0},
                                            {kNorm, {10, 11, 11}, 20},
                                            {kConv, {16, 9, 9}, 1456},
                                            {kRelu, {16, 9, 9}, 0},
                                            {kNorm, {16, 9, 9}, 32},
                                            {kDrop, {16, 9, 9}, 0},
                                            {kConv, {20, 7, 7}, 2900},
                                            {kRelu, {20, 7, 7}, 0},
                                            {kNorm, {20, 7, 7}, 40},
                                            {kDrop, {20, 7, 7}, 0},
                                            {kConv, {24, 5, 5}, 4344},
                                            {kRelu, {24, 5, 5}, 0},
                                            {kNorm, {24, 5, 5}, 48},
                                            {kDrop, {24, 5, 5}, 0},
                                            {kConv, {16, 5, 5}, 400},
                                            {kRelu, {16, 5, 5}, 0},
                                            {kNorm, {16, 5, 5}, 32},
                                            {LayerKind::kGlobalAvgPool, {16, 1, 1}, 0},
                                            {LayerKind::kLinear, {10, 1, 1}, 170}});
}

TEST(BuiltinNetworks, Cnn16034IsItsWriteUpsTable) {
  ExpectTable(BuiltinNetwork("cnn-16034"), {{kConv, {8, 28, 28}, 72},
                                            {kRelu, {8, 28, 28}, 0},
                                            {kNorm, {8, 28, 28}, 16},
                                            {kDrop2d, {8, 28, 28}, 0},
                                            {kConv, {16, 26, 26}, 1152},
                                            {kRelu, {16, 26, 26}, 0},
                                            {kNorm, {16, 26, 26}, 32},
                                            {kDrop2d, {16, 26, 26}, 0},
                                            {kConv, {16, 24, 24}, 2304},
                                            {kRelu, {16, 24, 24}, 0},
                                            {kNorm, {16, 24, 24}, 32},
                                            {kDrop2d, {16, 24, 24}, 0},
                                            {LayerKind::kMaxPool, {16, 12, 12}, 0},
                                            {kConv, {8, 12, 12}, 128},
                                            {kRelu, {8, 12, 12}, 0},
                                            {kDrop2d, {8, 12, 12}, 0},
                                            {kConv, {16, 10, 10}, 1152},
                                            {kRelu, {16, 10, 10}, 0},
                                            {kNorm, {16, 10, 10}, 32},
                                            {kDrop2d, {16, 10, 10}, 0},
                                            {kConv, {32, 8, 8}, 4608},
                                            {kRelu, {32, 8, 8}, 0},
                                            {kNorm, {32, 8, 8}, 64},
                                            {kDrop2d, {32, 8, 8}, 0},
                                            {kConv, {8, 8, 8}, 256},
                                            {kRelu, {8, 8, 8}, 0},
                                            {kDrop2d, {8, 8, 8}, 0},
                                            {kConv, {16, 6, 6}, 1152},
                                            {kRelu, {16, 6, 6}, 0},
                                            {kNorm, {16, 6, 6}, 32},
                                            {kDrop2d, {16, 6, 6}, 0},
                                            {kConv, {32, 4, 4}, 4608},
                                            {kRelu, {32, 4, 4}, 0},
                                            {kNorm, {32, 4, 4}, 64},
                                            {kDrop2d, {32, 4, 4}, 0},
                                            {LayerKind::kAvgPool, {32, 1, 1}, 0},
                                            {LayerKind::kLinear, {10, 1, 1}, 330}});
}

// Every constraint that write-up 001 states about its network.
TEST(BuiltinNetworks, Cnn19046MeetsItsWriteUpsConstraints) {
  const Network network = BuiltinNetwork("cnn-19046");
  const std::vector<Layer>& layers = network.layers;
  std::vector<std::size_t> pools, convs;
  int transitions = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].kind == LayerKind::kMaxPool) pools.push_back(i);
    if (layers[i].kind != kConv) continue;
    convs.push_back(i);
    // BatchNorm after every convolution, with at most a ReLU between.
    EXPECT_TRUE(layers[i + 1].kind == kNorm || layers[i + 2].kind == kNorm) << "layer " << i + 1;
    if (layers[i].kernel == 1) {
      ++transitions;
      EXPECT_LT(layers[i].output.channels, layers[i].input.channels) << "transitions squeeze";
    }
  }
  ASSERT_EQ(pools.size(), 2u);
  EXPECT_EQ(transitions, 2);
  ASSERT_EQ(convs.size(), 7u);
  for (int block = 0; block < 2; ++block) {
    EXPECT_EQ(layers[convs[3 * block]].kernel, 3);
    EXPECT_EQ(layers[convs[3 * block + 1]].kernel, 3);
    EXPECT_LT(convs[3 * block + 1], pools[block]);
    EXPECT_EQ(layers[pools[block]].kernel, 2);
    EXPECT_EQ(layers[pools[block] + 1].kind, kDrop);
  }
  // 10 as the write-up counts, where a pool doubles the field.
  EXPECT_EQ(2 * layers[convs[1]].receptive_field, 10);
  EXPECT_EQ(layers[layers.size() - 2].kind, LayerKind::kGlobalAvgPool);
  EXPECT_FALSE(network.fully_connected);
}

// --- a user's own file ---

constexpr char kHead[] = "name: mine\n";

struct Parsed {
  absl::StatusOr<NetworkFile> file;
  Diagnostics diagnostics;
  std::string text() const { return FormatDiagnostics(diagnostics); }
};

Parsed ParseText(std::string_view text) {
  Diagnostics diagnostics;
  absl::StatusOr<NetworkFile> file = NetworkFile::Parse(text, "nets/x.yaml", &diagnostics);
  EXPECT_EQ(file.ok(), CountErrors(diagnostics) == 0);
  return {std::move(file), std::move(diagnostics)};
}

std::string Errors(std::string_view text) {
  const Parsed parsed = ParseText(text);
  EXPECT_FALSE(parsed.file.ok());
  EXPECT_EQ(parsed.file.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(parsed.file.status().message(), parsed.text());
  return parsed.text();
}

constexpr char kWidths[] = R"(name: widths
description: about ${width}
input: [3, 32, 32]
normalize: {mean: 0.5, stddev: 0.25}
loss: nll_batch_softmax
evaluate_with: batch_softmax
parameters:
  width: 8
  shortcut: true
layers:
  - conv: {out: ${width}, kernel: ${kernel}, padding: same, stride: 2, bias: ${shortcut}}
  - dropout
  - dropout: ${other}
  - dropout2d: 0.25
  - max_pool: {kernel: 3, stride: 2}
  - avg_pool: ${pool}
  - conv:
      out: ${width}
      padding: 1
  - linear: {out: 10, bias: false}
  - log_softmax:
recipes:
  fast:
    source: a guess
    values: {lr: 0.1, kernel: 5}
    ours: {pool: 2, dropout: 0.5, other: 0, width: 4}
)";

TEST(NetworkFile, ResolvesReferencesOverDefaults) {
  const Parsed parsed = ParseText(kWidths);
  ASSERT_TRUE(parsed.file.ok()) << parsed.file.status();
  const NetworkFile& file = *parsed.file;
  EXPECT_EQ(file.text(), kWidths);
  EXPECT_EQ(file.file(), "nets/x.yaml");
  EXPECT_EQ(file.description(), "about ${width}");
  EXPECT_THAT(file.references(),
              ElementsAre("dropout", "kernel", "other", "pool", "shortcut", "width"));
  EXPECT_EQ(file.defaults().at("width"), Value(std::int64_t{8}));
  EXPECT_EQ(file.loss(), "nll_batch_softmax");
  EXPECT_EQ(file.evaluate_with(), "batch_softmax");
  EXPECT_EQ(file.normalize_mean(), 0.5);
  EXPECT_EQ(file.normalize_stddev(), 0.25);
  EXPECT_EQ(file.FindRecipe("slow"), nullptr);

  ParameterMap parameters = {{"kernel", std::int64_t{5}},
                             {"dropout", 0.1},
                             {"other", std::int64_t{0}},
                             {"pool", 2.0},
                             {"lr", 0.1}};
  Network network = Resolved(file, parameters);
  EXPECT_EQ(network.name, "widths");
  EXPECT_EQ(network.layers[0].output, (Shape{8, 16, 16}));
  EXPECT_EQ(network.layers[0].padding, 2);
  EXPECT_TRUE(network.layers[0].bias);
  EXPECT_EQ(network.layers[1].p, 0.1);
  EXPECT_EQ(network.layers[2].p, 0);
  EXPECT_EQ(network.layers[3].p, 0.25);
  EXPECT_EQ(network.layers[4].output, (Shape{8, 7, 7}));
  EXPECT_EQ(network.layers[5].output, (Shape{8, 3, 3}));  // stride is the kernel's size
  EXPECT_EQ(network.layers[6].kernel, 3);                 // the default
  EXPECT_EQ(network.layers[6].output, (Shape{8, 3, 3}));
  EXPECT_FALSE(network.layers[7].bias);

  parameters["width"] = std::int64_t{12};
  parameters["shortcut"] = false;
  network = Resolved(file, parameters);
  EXPECT_EQ(network.layers[0].output.channels, 12);
  EXPECT_FALSE(network.layers[0].bias);
}

TEST(NetworkFile, CopiesAreIndependentOfTheOriginal) {
  absl::StatusOr<NetworkFile> copy = absl::InternalError("");
  {
    const Parsed parsed = ParseText(kWidths);
    copy = *parsed.file;
  }
  EXPECT_TRUE(copy->Resolve(copy->FindRecipe("fast")->Merged()).ok());
}

std::string ResolveError(const ParameterMap& changed) {
  const Parsed parsed = ParseText(kWidths);
  ParameterMap parameters = parsed.file->FindRecipe("fast")->Merged();
  for (const auto& [name, value] : changed) parameters[name] = value;
  const absl::StatusOr<Network> network = parsed.file->Resolve(parameters);
  EXPECT_EQ(network.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(network.status().message());
}

TEST(NetworkFile, ResolveNamesLineLayerAndValue) {
  EXPECT_EQ(ResolveError({{"width", 2.5}}),
            "nets/x.yaml:11: layer 1 (conv): out (${width}) is 2.5; it must be an integer");
  EXPECT_EQ(ResolveError({{"width", std::string("wide")}}),
            "nets/x.yaml:11: layer 1 (conv): out (${width}) is 'wide'; it must be an integer");
  EXPECT_EQ(ResolveError({{"width", std::int64_t{1} << 40}}),
            "nets/x.yaml:11: layer 1 (conv): out (${width}) is 1099511627776; it must be an "
            "integer");
  EXPECT_THAT(ResolveError({{"width", std::int64_t{0}}}),
              HasSubstr("nets/x.yaml:11: layer 1 (conv 0 5×5): out is 0"));
  EXPECT_EQ(ResolveError({{"kernel", std::int64_t{4}}}),
            "nets/x.yaml:11: layer 1 (conv): padding same needs an odd kernel, not 4");
  EXPECT_EQ(ResolveError({{"shortcut", std::int64_t{1}}}),
            "nets/x.yaml:11: layer 1 (conv): bias (${shortcut}) is 1; it must be true or false");
  EXPECT_EQ(ResolveError({{"dropout", true}}),
            "nets/x.yaml:12: layer 2 (dropout): probability (${dropout}) is true; it must be a "
            "number");
  EXPECT_THAT(ResolveError({{"dropout", 1.0}}), HasSubstr("nets/x.yaml:12: layer 2 (dropout 1)"));
  EXPECT_EQ(ResolveError({{"pool", std::int64_t{9}}}),
            "nets/x.yaml:16: layer 6 (avg_pool 9×9): kernel 9 is larger than its input 7×7");
  const absl::StatusOr<Network> missing = ParseText(kWidths).file->Resolve({});
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("nets/x.yaml:11: layer 1 (conv): ${kernel} has no value"));
}

TEST(NetworkFile, ReportsEveryErrorWithItsLine) {
  EXPECT_EQ(Errors(R"(nam: mine
input: [1, 28]
normalize: {mean: a, stdev: 0.3}
loss: nl
layers:
  - conv: {out: 16, paddin: 1}
  - rleu
  - conv: {kernel: 2.5}
  - conv
  - max_pool
  - dropout: high
  - relu: 3
  - conv:
    out: 16
  - [1, 2]
  - linear: {out: 10, out: 12}
  - conv: {out: ${2 * w}, bias: 1}
)"),
            "nets/x.yaml: the key 'name' is missing\n"
            "nets/x.yaml:1: unknown key 'nam' in a network file; did you mean 'name'?\n"
            "nets/x.yaml:2: 'input' must be [channels, height, width], integers from 1 to 65536, "
            "such as [1, 28, 28]\n"
            "nets/x.yaml:3: unknown key 'stdev' in 'normalize'; did you mean 'stddev'?\n"
            "nets/x.yaml:3: 'mean' must be a number, not 'a'\n"
            "nets/x.yaml:4: 'loss' must be one of nll, nll_batch_softmax, not 'nl'; did you mean "
            "'nll'?\n"
            "nets/x.yaml:6: unknown key 'paddin' in conv; did you mean 'padding'?\n"
            "nets/x.yaml:7: unknown layer 'rleu'; did you mean 'relu'?\n"
            "nets/x.yaml:8: conv needs 'out'\n"
            "nets/x.yaml:8: 'kernel' must be an integer, not 2.5\n"
            "nets/x.yaml:9: conv needs settings, such as conv: {out: 16, kernel: 3}\n"
            "nets/x.yaml:10: max_pool needs a size, such as max_pool: 2\n"
            "nets/x.yaml:11: 'dropout' must be a number, not 'high'\n"
            "nets/x.yaml:12: relu takes no settings\n"
            "nets/x.yaml:13: a layer is one name; put its settings in {…} or indent them below it\n"
            "nets/x.yaml:15: a layer is a name, such as relu, or a name with settings, such as "
            "conv: {out: 16}\n"
            "nets/x.yaml:16: 'out' is given twice; first on line 16\n"
            "nets/x.yaml:17: 'out' is '${2 * w}'; a reference is ${name} and nothing else\n"
            "nets/x.yaml:17: 'bias' must be true or false, not 1");
}

TEST(NetworkFile, RefusesRecipesAndParametersThatMeanNothing) {
  const std::string errors = Errors(R"(name: mine
parameters: {widht: 8}
layers:
  - linear: ${width}
recipes:
  seed:
    sorce: x
    values: {lr: -1, momentun: 0.9, batch_size: 2.5, width: 10, epochs: [1]}
    ours: {lr: 0.1, schedule: cosin}
)");
  EXPECT_EQ(errors,
            "nets/x.yaml:2: no layer refers to ${widht}; did you mean 'width'?\n"
            "nets/x.yaml:7: unknown key 'sorce' in recipe 'seed'; did you mean 'source'?\n"
            "nets/x.yaml:8: lr is -1; it must be above 0 and at most 100\n"
            "nets/x.yaml:8: unknown hyperparameter 'momentun'; did you mean 'momentum'?\n"
            "nets/x.yaml:8: batch_size is 2.5; it must be an integer from 1 to 65536\n"
            "nets/x.yaml:8: 'epochs' must be a single value, not a list\n"
            "nets/x.yaml:9: 'lr' is already among the values of the source\n"
            "nets/x.yaml:9: schedule is \"cosin\"; it must be constant, step, cosine or one_cycle; "
            "did you mean 'cosine'?");
}

TEST(NetworkFile, RefusesALayerThatDoesNotFitWhenParsing) {
  EXPECT_EQ(Errors(absl::StrCat(kHead,
                                "layers:\n  - max_pool: 9\n  - dropout\n"
                                "  - conv: {out: 24, kernel: 5}\n")),
            "nets/x.yaml:5: layer 3 (conv 24 5×5): kernel 5 is larger than its input 3×3");
  EXPECT_EQ(Errors(absl::StrCat(kHead, "layers:\n  - conv: {out: 10}\n")),
            "nets/x.yaml:3: the network ends in 10×26×26; it must end in one value per class "
            "(pool it or add a linear layer)");
  EXPECT_EQ(Errors(absl::StrCat(kHead, "input: [65536, 65536, 65536]\nlayers: [{linear: 10}]\n")),
            "nets/x.yaml:2: input 65536×65536×65536 has more than 2^31 values");
  EXPECT_EQ(Errors(absl::StrCat(kHead,
                                "layers:\n  - conv: {out: 8, kernel: ${k}}\n"
                                "  - global_avg_pool\n"
                                "recipes: {seed: {values: {k: 30}}}\n")),
            "nets/x.yaml:3: layer 1 (conv 8 30×30): kernel 30 is larger than its input 28×28 "
            "(recipe 'seed')");
}

TEST(NetworkFile, RefusesNumbersOutOfRangeAlthoughOthersAreOpen) {
  const auto errors = [](const std::string& layer, const std::string& recipe = "") {
    return Errors(absl::StrCat(kHead, "layers:\n  - conv: {out: ${w}, kernel: 5}\n  - ", layer,
                               "\n  - linear: 10\n", recipe));
  };
  EXPECT_EQ(errors("conv: {out: 0}"),
            "nets/x.yaml:4: layer 2 (conv 0 3×3): out is 0; allowed is 1 to 65536");
  EXPECT_EQ(errors("max_pool: 300"),
            "nets/x.yaml:4: layer 2 (max_pool 300×300): kernel is 300; allowed is 1 to 255");
  EXPECT_THAT(errors("conv: {out: ${w}, padding: -1}"), HasSubstr("padding is -1"));
  EXPECT_THAT(errors("dropout: 1"), HasSubstr("layer 2 (dropout 1): probability is 1"));
  EXPECT_EQ(errors("dropout", "recipes: {seed: {values: {dropout: 5}}}\n"),
            "nets/x.yaml:4: layer 2 (dropout 5): probability is 5; it must be at least 0 and below "
            "1 (recipe 'seed')");
}

TEST(NetworkFile, RefusesWhatTheTrainerWould) {
  EXPECT_THAT(Errors(absl::StrCat(kHead, "normalize: {mean: -2e6}\nlayers: [{linear: 10}]\n")),
              HasSubstr("nets/x.yaml:2: 'mean' is -2e+06; it must be at most 1e+06 away from 0"));
  EXPECT_EQ(Errors(absl::StrCat(kHead,
                                "layers: [dropout: ${momentum}, linear: 10]\n"
                                "recipes: {seed: {values: {momentum: 1}}}\n")),
            "nets/x.yaml:3: momentum is 1; it must be at least 0 and below 1")
      << "also when a layer refers to it";
}

TEST(NetworkFile, RefusesTextThatIsNoNetwork) {
  EXPECT_THAT(Errors(""), HasSubstr("empty"));
  EXPECT_THAT(Errors("just words"), HasSubstr("must be a mapping"));
  EXPECT_THAT(Errors("name: [unclosed"), HasSubstr("nets/x.yaml:1: not valid YAML"));
  EXPECT_THAT(Errors("name: a\n---\nname: b\n"), HasSubstr("second YAML document"));
  EXPECT_THAT(Errors("name: ../etc\nlayers: [{linear: 10}]"), HasSubstr("name '../etc' must be"));
  EXPECT_THAT(Errors("name: a\nlayers: {}\n"), HasSubstr("'layers' must be a list"));
  EXPECT_THAT(Errors(absl::StrCat(kHead, "layers: [{conv: {out: ${a}\n")), HasSubstr("YAML"));
}

TEST(NetworkFile, AnchorsMayBeUsed) {
  const Parsed parsed = ParseText(absl::StrCat(kHead, R"(layers:
  - &norm batch_norm
  - conv: &small {out: 8, padding: same}
  - *norm
  - conv: *small
  - global_avg_pool
)"));
  ASSERT_TRUE(parsed.file.ok()) << parsed.file.status();
  EXPECT_EQ(Resolved(*parsed.file, {}).parameters, 2 + 8 * 10 + 16 + 8 * 73);
}

std::string Page() {
  std::ifstream file(SWEEP_SOURCE_DIR "/docs/network-file.md");
  std::stringstream page;
  page << file.rdbuf();
  return page.str();
}

TEST(NetworkFile, EveryKindOfLayerIsDocumented) {
  const std::string page = Page();
  const std::size_t begin = page.find("| layer | settings |");
  const std::string table = page.substr(begin, page.find("\n\n", begin) - begin);
  std::set<std::string> documented;
  for (const auto row : absl::StrSplit(table, '\n')) {
    const std::vector<std::string> cells = absl::StrSplit(row, '|');
    const std::vector<std::string> words = absl::StrSplit(cells[1], '`');
    for (std::size_t i = 1; i < words.size(); i += 2) documented.insert(words[i]);
  }
  EXPECT_THAT(documented, ::testing::UnorderedElementsAreArray(LayerKindNames()));
}

TEST(NetworkFile, TheDocumentedExampleIsOne) {
  const std::string text = Page();
  const std::string fence = "```yaml\n";
  const std::size_t start = text.find(fence);
  ASSERT_NE(start, text.npos);
  const std::size_t end = text.find("```", start + fence.size());
  const Parsed parsed = ParseText(text.substr(start + fence.size(), end - start - fence.size()));
  ASSERT_TRUE(parsed.file.ok()) << parsed.text();
  EXPECT_EQ(Resolved(*parsed.file, parsed.file->FindRecipe("seed")->Merged()).classes, 10);
}

// Nested aliases that would expand to 10^9 nodes.
std::string BillionLaughs() {
  std::string text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 10; ++i) {
    std::string items;
    for (int j = 0; j < 10; ++j) absl::StrAppend(&items, j > 0 ? ", " : "", "*a", i - 1);
    absl::StrAppend(&text, "a", i, ": &a", i, " [", items, "]\n");
  }
  return text;
}

std::string Repeat(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(NetworkFile, HostileTextEndsInAnError) {
  EXPECT_THAT(Errors(BillionLaughs()), HasSubstr("more than"));
  EXPECT_THAT(Errors(std::string((1 << 20) + 1, '#')), HasSubstr("limit"));
  for (const char* part :
       {"[", "{", "- ", "? ", "a: [", "&a [", "${", "!", "%", "\"", "|\n ", ","}) {
    SCOPED_TRACE(part);
    EXPECT_THAT(Errors(Repeat(part, 20'000)), Not(IsEmpty()));
  }
  EXPECT_THAT(Errors("a: &a [*a]\n"), Not(IsEmpty()));
  EXPECT_THAT(Errors(absl::StrCat(kHead, "layers:\n", Repeat("  - relu\n", 1001))),
              HasSubstr("1001 layers"));
  EXPECT_THAT(Errors(absl::StrCat(kHead, "layers:\n", Repeat("  - rleu\n", 900))),
              HasSubstr("nets/x.yaml:902: unknown layer"));
}

TEST(NetworkFile, AnyPrefixAndAnyByteEndsInAnErrorOrANetwork) {
  const std::string text = kWidths;
  for (std::size_t size = 0; size < text.size(); ++size) {
    Diagnostics diagnostics;
    const auto file = NetworkFile::Parse(text.substr(0, size), "x", &diagnostics);
    EXPECT_EQ(file.ok(), CountErrors(diagnostics) == 0);
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char byte : {'\0', '\xff', '{', ':', '\n', '&', '*', '\t'}) {
      std::string changed = text;
      changed[i] = byte;
      Diagnostics diagnostics;
      const auto file = NetworkFile::Parse(changed, "x", &diagnostics);
      EXPECT_EQ(file.ok(), CountErrors(diagnostics) == 0);
    }
  }
}

}  // namespace
}  // namespace sweep

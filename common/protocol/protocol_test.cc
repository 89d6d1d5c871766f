#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <utility>
#include <variant>

#include "common/network/layer_kinds.h"
#include "common/protocol/hyperparameters.h"
#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"
#include "nlohmann/json.hpp"

namespace sweep {
namespace {

using ::testing::HasSubstr;

// A spec whose every field differs from its default.
TrialSpec FullSpec() {
  TrialSpec spec;
  spec.trial = "seed-000/17";
  spec.seed = std::numeric_limits<std::uint64_t>::max();
  spec.epochs = 7;
  spec.batch_size = 96;
  spec.lr = 0.1 + 0.2;  // needs all 17 digits
  spec.momentum = 0.95;
  spec.nesterov = true;
  spec.weight_decay = 5e-4;
  spec.decay_norm_and_bias = false;
  spec.label_smoothing = 0.05;
  spec.schedule = "one_cycle";
  spec.step_epochs = 3;
  spec.step_gamma = 0.5;
  spec.final_lr_fraction = 0.01;
  spec.warmup_epochs = 1.5;
  spec.one_cycle_warmup = 0.25;
  spec.one_cycle_start_divisor = 10;
  spec.one_cycle_final_divisor = 1e3;
  spec.augmentation = "shift_rotation";
  spec.shift_pixels = 3;
  spec.rotation_degrees = 7.5;
  spec.loss = "nll_batch_softmax";
  spec.evaluate_with = "batch_softmax";
  spec.normalize_mean = 0.5;
  spec.normalize_stddev = 0.25;
  spec.network.name = "net \"quoted\" ü";
  spec.network.input = {3, 32, 30};
  spec.network.layers = {
      {.kind = LayerKind::kConv, .out = 8, .kernel = 5, .stride = 2, .padding = 1, .bias = false},
      {.kind = LayerKind::kRelu},
      {.kind = LayerKind::kBatchNorm},
      {.kind = LayerKind::kDropout2d, .p = 0.1},
      {.kind = LayerKind::kMaxPool, .kernel = 3, .stride = 2},
      {.kind = LayerKind::kAvgPool, .kernel = 2, .stride = 2},
      {.kind = LayerKind::kDropout, .p = 0.25},
      {.kind = LayerKind::kLinear, .out = 10, .bias = false},
      {.kind = LayerKind::kLogSoftmax},
  };
  spec.dataset = {.name = "idx", .path = "/data/set", .train_size = 100, .test_size = 50};
  spec.holdout = 10;
  spec.target_epoch = 4;
  spec.start_epoch = 2;
  spec.data_dir = "/data";
  spec.output_dir = "/out";
  spec.resume_from = "/out/checkpoint";
  spec.device = "cuda:1";
  EXPECT_EQ(InferShapes(&spec.network), "");
  return spec;
}

std::string Error(const std::string& line) {
  try {
    TrialSpecFromJson(line);
  } catch (const ProtocolError& error) {
    return error.what();
  }
  return "accepted";
}

constexpr char kNetwork[] =
    R"("network":{"input":[1,28,28],"layers":[{"kind":"linear","out":10}]})";

// The smallest valid line with `fields` added.
std::string Line(const std::string& fields) {
  return R"({"type":"trial","protocol":1,"trial":"a/1",)" + (fields.empty() ? "" : fields + ",") +
         kNetwork + "}";
}

TEST(TrialSpecJson, RoundTripsEveryField) {
  const TrialSpec spec = FullSpec();
  const std::string line = TrialSpecToJson(spec);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const TrialSpec read = TrialSpecFromJson(line);
  // The text contains every field, so equal text means equal specs.
  EXPECT_EQ(TrialSpecToJson(read), line);
  EXPECT_EQ(read.seed, spec.seed);
  EXPECT_EQ(read.lr, spec.lr);
  EXPECT_EQ(read.one_cycle_final_divisor, 1e3);
  EXPECT_EQ(read.schedule, "one_cycle");
  EXPECT_EQ(read.dataset, spec.dataset);
  EXPECT_EQ(read.network.input, spec.network.input);
  EXPECT_EQ(read.network.layers.size(), spec.network.layers.size());
  EXPECT_EQ(read.network.layers[0].padding, 1);
  EXPECT_FALSE(read.network.layers[0].bias);
  EXPECT_EQ(read.network.parameters, spec.network.parameters);
  EXPECT_EQ(read.device, "cuda:1");
  EXPECT_EQ(read.resume_from, "/out/checkpoint");
}

TEST(TrialSpecJson, IsThisLine) {
  // Other people's programs read this line: a change here changes the protocol.
  EXPECT_EQ(
      TrialSpecToJson(FullSpec()),
      R"({"type":"trial","protocol":1,"trial":"seed-000/17","seed":18446744073709551615,)"
      R"("epochs":7,"batch_size":96,"lr":0.30000000000000004,"momentum":0.95,"nesterov":true,)"
      R"("weight_decay":0.0005,"decay_norm_and_bias":false,"label_smoothing":0.05,)"
      R"("schedule":"one_cycle","step_epochs":3,"step_gamma":0.5,"final_lr_fraction":0.01,)"
      R"("warmup_epochs":1.5,"one_cycle_warmup":0.25,"one_cycle_start_divisor":10.0,)"
      R"("one_cycle_final_divisor":1000.0,"augmentation":"shift_rotation","shift_pixels":3,)"
      R"("rotation_degrees":7.5,"loss":"nll_batch_softmax","evaluate_with":"batch_softmax",)"
      R"("normalize_mean":0.5,"normalize_stddev":0.25,)"
      R"("network":{"name":"net \"quoted\" ü","input":[3,32,30],"layers":[)"
      R"({"kind":"conv","out":8,"kernel":5,"stride":2,"padding":1,"bias":false},)"
      R"({"kind":"relu"},{"kind":"batch_norm"},{"kind":"dropout2d","p":0.1},)"
      R"({"kind":"max_pool","kernel":3,"stride":2},{"kind":"avg_pool","kernel":2,"stride":2},)"
      R"({"kind":"dropout","p":0.25},{"kind":"linear","out":10,"bias":false},)"
      R"({"kind":"log_softmax"}]},)"
      R"("dataset":{"name":"idx","path":"/data/set","train_size":100,"test_size":50},)"
      R"("holdout":10,"target_epoch":4,"start_epoch":2,"data_dir":"/data","output_dir":"/out","resume_from":"/out/checkpoint",)"
      R"("device":"cuda:1"})");
}

TEST(TrialSpecJson, NestsParametersOfDottedNames) {
  const TrialSpec spec =
      TrialSpecFromJson(Line(R"("parameters":{"a":{"b":{"c":1}},"a.d":2.5,"e":true})"));
  EXPECT_EQ(
      spec.parameters,
      (ParameterMap{{"a.b.c", Value(std::int64_t{1})}, {"a.d", Value(2.5)}, {"e", Value(true)}}));
  EXPECT_NE(TrialSpecToJson(spec).find(R"("parameters":{"a":{"b":{"c":1},"d":2.5},"e":true})"),
            std::string::npos);
  EXPECT_THROW(TrialSpecFromJson(Line(R"("parameters":{"a":1,"a.b":2})")), ProtocolError);
}

TEST(TrialSpecJson, HasEachKeyOnce) {
  using Json = nlohmann::json;
  std::vector<std::set<std::string>> objects;
  std::size_t keys = 0;
  const auto note = [&](int /*depth*/, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) objects.emplace_back();
    if (event == Json::parse_event_t::object_end) objects.pop_back();
    if (event != Json::parse_event_t::key) return true;
    ++keys;
    EXPECT_TRUE(objects.back().insert(parsed.get<std::string>()).second) << parsed;
    return true;
  };
  EXPECT_TRUE(Json::parse(TrialSpecToJson(FullSpec()), note).is_object());
  EXPECT_GT(keys, KnownParameters().size());
}

TEST(TrialSpecJson, MissingFieldsTakeDefaultsAndUnknownOnesAreIgnored) {
  const TrialSpec read = TrialSpecFromJson(Line(R"("from_the_future":[1,{"x":2}])"));
  TrialSpec expected;
  expected.trial = "a/1";
  expected.network.layers = {{.kind = LayerKind::kLinear, .out = 10}};
  ASSERT_EQ(InferShapes(&expected.network), "");
  EXPECT_EQ(TrialSpecToJson(read), TrialSpecToJson(expected));
}

// A network with one layer of that kind and the layers that it needs around it.
Network WithKind(const LayerKindInfo& info) {
  Layer layer{.kind = info.kind};
  for (const LayerNumber& number : info.numbers) {
    if (const auto* whole = std::get_if<int Layer::*>(&number.field)) layer.** whole = 2;
    if (const auto* real = std::get_if<double Layer::*>(&number.field)) layer.** real = 0.25;
    if (const auto* is_on = std::get_if<bool Layer::*>(&number.field)) layer.** is_on = false;
  }
  Network network{.name = "n", .input = {2, 4, 4}};
  network.layers = {layer, {.kind = LayerKind::kLinear, .out = 2}};
  if (InferShapes(&network) != "") std::swap(network.layers[0], network.layers[1]);
  EXPECT_EQ(InferShapes(&network), "");
  return network;
}

TEST(TrialSpecJson, RoundTripsEveryKindOfLayer) {
  for (const LayerKindInfo& info : LayerKinds()) {
    TrialSpec spec{.trial = "a/1"};
    spec.network = WithKind(info);
    const std::string line = TrialSpecToJson(spec);
    for (const LayerNumber& number : info.numbers) {
      EXPECT_THAT(line, HasSubstr("\"" + std::string(number.name) + "\":")) << info.name;
    }
    EXPECT_EQ(TrialSpecToJson(TrialSpecFromJson(line)), line);
  }
}

TEST(TrialSpecJson, RefusesValuesNamingFieldAndValue) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("epochs":0)", "epochs is 0; it must be an integer from 1 to 10000"},
      {R"("epochs":2.5)", "epochs is 2.5"},
      {R"("batch_size":0)", "batch_size is 0"},
      {R"("batch_size":"64")", "batch_size is \"64\""},
      {R"("batch_size":99999999999999999999)", "batch_size is "},
      {R"("batch_size":18446744073709551615)", "batch_size is 18446744073709551615"},
      {R"("seed":-1)", "seed is -1"},
      {R"("lr":0)", "lr is 0; it must be above 0"},
      {R"("lr":null)", "lr is null"},
      {R"("lr":1e999)", "out of range"},
      {R"("momentum":1)", "momentum is 1; it must be at least 0 and below 1"},
      {R"("label_smoothing":1.0)", "label_smoothing is 1.0"},
      {R"("weight_decay":-1e-9)", "weight_decay is "},
      {R"("nesterov":1)", "nesterov is 1"},
      {R"("nesterov":true,"momentum":0)", "momentum is 0"},
      {R"("schedule":"cosin")", "did you mean 'cosine'?"},
      {R"("augmentation":"flip")", "augmentation is \"flip\""},
      {R"("loss":"mse")", "loss is \"mse\""},
      {R"("evaluate_with":"x")", "evaluate_with is \"x\""},
      {R"("normalize_stddev":0)", "normalize_stddev is 0"},
      {R"("one_cycle_final_divisor":0)", "one_cycle_final_divisor is 0"},
      // Sweep files and the trainer must have the same limits here.
      {R"("epochs":10001)", "epochs is 10001"},
      {R"("batch_size":65537)", "batch_size is 65537"},
      {R"("lr":100.5)", "lr is 100.5"},
      {R"("weight_decay":10.5)", "weight_decay is 10.5"},
      {R"("step_epochs":10001)", "step_epochs is 10001"},
      {R"("step_gamma":1.5)", "step_gamma is 1.5; it must be above 0 and at most 1"},
      {R"("warmup_epochs":10000.5)", "warmup_epochs is 10000.5"},
      {R"("one_cycle_warmup":0)", "one_cycle_warmup is 0; it must be above 0 and below 1"},
      {R"("one_cycle_warmup":1)", "one_cycle_warmup is 1; it must be above 0 and below 1"},
      {R"("one_cycle_start_divisor":1000001)", "one_cycle_start_divisor is 1000001"},
      {R"("one_cycle_final_divisor":1000000001)", "one_cycle_final_divisor is 1000000001"},
      {R"("shift_pixels":15)", "shift_pixels is 15; it must be an integer from 0 to 14"},
      {R"("device":"gpu")", "device is \"gpu\""},
      {R"("device":"cuda:1;rm")", "device is"},
      {R"("dataset":"mnist")", "dataset is no object"},
      {R"("dataset":{"name":"cifar"})", "dataset.name is \"cifar\""},
      {R"("dataset":{"name":"idx"})", "dataset.path is missing"},
      {R"("holdout":-1)", "holdout is -1"},
  };
  for (const auto& [fields, message] : cases) EXPECT_THAT(Error(Line(fields)), HasSubstr(message));
}

TEST(TrialSpecJson, RefusesLinesThatAreNoTrial) {
  EXPECT_THAT(Error(""), HasSubstr("no valid JSON"));
  EXPECT_THAT(Error("[1]"), HasSubstr("no JSON object"));
  EXPECT_THAT(Error(R"({"type":"stop","protocol":1,"trial":"a","network":{}})"),
              HasSubstr("type is \"stop\""));
  EXPECT_THAT(Error(R"({"type":"trial","protocol":2,"trial":"a","network":{}})"),
              HasSubstr("protocol is 2; this build speaks version 1"));
  EXPECT_THAT(Error(R"({"type":"trial","trial":"a","network":{}})"),
              HasSubstr("protocol is missing"));
  EXPECT_THAT(Error(R"({"type":"trial","protocol":1,"trial":"a"})"),
              HasSubstr("network is missing"));
}

TEST(TrialSpecJson, RefusesHostileLines) {
  EXPECT_THAT(Error(std::string((1 << 20) + 1, ' ')), HasSubstr("longer than 1 MiB"));
  EXPECT_THAT(Error(std::string(500'000, '[')), HasSubstr("nested deeper"));
  EXPECT_THAT(Error("{\"trial\":\"\xff\xfe\"}"), HasSubstr("no valid JSON at byte"));
  EXPECT_THAT(Error(R"({"type":"trial","trial":NaN})"), HasSubstr("no valid JSON at byte 25"));
  // The message must stay plain text for any line.
  EXPECT_EQ(Error(Line("\"schedule\":\"\\u0000\\ud83d\\ude00" + std::string(5000, 'x') + "\""))
                .find('\0'),
            std::string::npos);
  EXPECT_LT(Error(Line("\"schedule\":\"" + std::string(5000, 'x') + "\"")).size(), 300u);
}

TEST(TrialSpecJson, OfAProgramMayHaveNoNetworkAndParametersOfAnyName) {
  TrialSpec spec{.trial = "s/1"};
  spec.dataset.name = "none";
  spec.parameters = {
      {"width", std::int64_t{7}}, {"rate", 0.5}, {"bias", true}, {"kind", std::string("\u00fc\"")}};
  const std::string line = TrialSpecToJson(spec);
  const TrialSpec read = TrialSpecFromJson(line, NetworkField::kOptional);
  EXPECT_EQ(read.parameters, spec.parameters);
  EXPECT_TRUE(read.network.layers.empty());
  EXPECT_EQ(read.dataset.name, "none");
  EXPECT_THAT(Error(line),
              HasSubstr("network is missing: the trial is of a sweep without 'model'"));
  EXPECT_THAT(
      Error(R"({"type":"trial","protocol":1,"trial":"a","parameters":{"x":[null]},)"
            R"("network":{"input":[1,28,28],"layers":[{"kind":"linear","out":10}]}})"),
      HasSubstr(
          "parameters.x is an array; it must be a boolean, a number, a string or a list of these"));
}

std::string NetworkError(const std::string& network) {
  return Error(R"({"type":"trial","protocol":1,"trial":"a/1","network":)" + network + "}");
}

TEST(TrialSpecJson, RefusesNetworksNamingTheLayer) {
  EXPECT_THAT(NetworkError(R"({"input":[1,28],"layers":[]})"), HasSubstr("network.input must be"));
  EXPECT_THAT(NetworkError(R"({"input":[1,28,-1],"layers":[]})"), HasSubstr("not -1"));
  EXPECT_THAT(NetworkError(R"({"input":[1,28,28],"layers":[]})"), HasSubstr("no layers"));
  EXPECT_THAT(NetworkError(R"({"input":[1,28,28],"layers":{}})"), HasSubstr("network.layers is"));
  EXPECT_THAT(NetworkError(R"({"input":[1,28,28],"layers":[{"kind":"rleu"}]})"),
              HasSubstr("network.layers[0].kind is \"rleu\""));
  EXPECT_THAT(NetworkError(R"({"input":[1,28,28],"layers":[{"kind":"conv","out":8}]})"),
              HasSubstr("network.layers[0].kernel is missing"));
  EXPECT_THAT(NetworkError(R"({"input":[1,28,28],"layers":[{"kind":"dropout","p":1}]})"),
              HasSubstr("network.layers[0].p is 1"));
  EXPECT_THAT(
      NetworkError(R"({"name":"n","input":[1,4,4],"layers":[{"kind":"conv","out":8,"kernel":5}]})"),
      HasSubstr("network n: layer 1 (conv 8 5×5): kernel 5 is larger than its input 4×4"));
}

TEST(TrialSpecJson, InvalidUtf8InASpecIsReplacedNotFatal) {
  TrialSpec spec = FullSpec();
  spec.data_dir = "/data/\xff";
  EXPECT_EQ(TrialSpecFromJson(TrialSpecToJson(spec)).data_dir, "/data/\xEF\xBF\xBD");
}

TEST(SetTrialParameter, SetsByNameAndRefusesWrongTypes) {
  TrialSpec spec;
  EXPECT_TRUE(SetTrialParameter("lr", 0.25, &spec));
  EXPECT_TRUE(SetTrialParameter("momentum", std::int64_t{0}, &spec));  // an integer for a number
  EXPECT_TRUE(SetTrialParameter("batch_size", std::int64_t{128}, &spec));
  EXPECT_TRUE(SetTrialParameter("nesterov", true, &spec));
  EXPECT_TRUE(SetTrialParameter("schedule", std::string("cosine"), &spec));
  EXPECT_EQ(spec.lr, 0.25);
  EXPECT_EQ(spec.momentum, 0);
  EXPECT_EQ(spec.batch_size, 128);
  EXPECT_TRUE(spec.nesterov);
  EXPECT_EQ(spec.schedule, "cosine");
  EXPECT_FALSE(SetTrialParameter("batch_size", 128.0, &spec));
  EXPECT_FALSE(SetTrialParameter("batch_size", std::int64_t{1} << 40, &spec));
  EXPECT_FALSE(SetTrialParameter("lr", true, &spec));
  EXPECT_FALSE(SetTrialParameter("lr", std::string("0.1"), &spec));
  EXPECT_FALSE(SetTrialParameter("width", std::int64_t{16}, &spec));
  EXPECT_FALSE(SetTrialParameter("seed", std::int64_t{16}, &spec));
}

TEST(CheckTrialParameter, SaysWhyAValueIsRefused) {
  EXPECT_EQ(CheckTrialParameter("lr", std::int64_t{1}), "");
  EXPECT_EQ(CheckTrialParameter("nesterov", true), "");
  EXPECT_EQ(CheckTrialParameter("schedule", std::string("cosine")), "");
  EXPECT_EQ(CheckTrialParameter("lr", -1.0), "lr is -1.0; it must be above 0 and at most 100");
  EXPECT_EQ(CheckTrialParameter("momentun", 0.9),
            "unknown hyperparameter 'momentun'; did you mean 'momentum'?");
  EXPECT_NE(CheckTrialParameter("batch_size", 2.5), "");
  EXPECT_NE(CheckTrialParameter("lr", std::numeric_limits<double>::quiet_NaN()), "");
  // A trial line has every name, with an allowed default.
  for (const std::string& name : TrialParameterNames()) {
    EXPECT_THAT(TrialSpecToJson(TrialSpec()), HasSubstr("\"" + name + "\":"));
    EXPECT_NE(CheckTrialParameter(name, std::string("\n")), "") << name;
  }
}

template <typename T>
T RoundTrip(const T& message) {
  bool is_json = false;
  const TrainerMessage read = TrainerMessageFromJson(TrainerMessageToJson(message), &is_json);
  EXPECT_TRUE(is_json);
  return std::get<T>(read);
}

TEST(TrainerMessage, EpochRoundTrips) {
  const EpochMessage message = {"a/1",
                                {.epoch = 3,
                                 .values = {{"train_loss", 0.1 + 0.2},
                                            {"train_accuracy", 0.98},
                                            {"validation_loss", 0.5},
                                            {"validation_accuracy", 0.9946},
                                            {"lr", 1e-3},
                                            {"train_seconds", 12.5},
                                            {"evaluate_seconds", 0.5},
                                            {"images_per_second", 4800}}}};
  const EpochMessage read = RoundTrip(message);
  EXPECT_EQ(read.trial, "a/1");
  EXPECT_EQ(read.metrics, message.metrics);
}

TEST(TrainerMessage, NumbersThatJsonLacksRoundTrip) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const EpochMessage read = RoundTrip(EpochMessage{
      "a/1",
      {.epoch = 1,
       .values = {
           {"train_loss", std::nan("")}, {"validation_loss", -kInfinity}, {"lr", kInfinity}}}});
  EXPECT_TRUE(std::isnan(read.metrics.Get("train_loss")));
  EXPECT_EQ(read.metrics.Get("validation_loss"), -kInfinity);
  EXPECT_EQ(read.metrics.Get("lr"), kInfinity);
  EXPECT_THAT(
      TrainerMessageToJson(ProgressMessage{.trial = "a/1", .epoch = 1, .loss = std::nan("")}),
      HasSubstr(R"("loss":"NaN")"));
}

// Python's json.dumps writes them unquoted.
TEST(TrainerMessage, NumbersThatJsonLacksMayBeBare) {
  const auto read = [](const std::string& fields) {
    bool is_json = false;
    const std::string line =
        R"({"type": "epoch", "trial": "a/1", "epoch": 1, "validation_accuracy": 0.5)" + fields +
        "}";
    return std::get<EpochMessage>(TrainerMessageFromJson(line, &is_json)).metrics;
  };
  const EpochMetrics metrics = read(
      R"(, "note": "\"NaN\" NaN", "train_loss": NaN, "validation_loss":-Infinity,"lr": Infinity)");
  EXPECT_TRUE(std::isnan(metrics.Get("train_loss")));
  EXPECT_TRUE(std::isinf(metrics.Get("validation_loss")) && metrics.Get("validation_loss") < 0);
  EXPECT_TRUE(std::isinf(metrics.Get("lr")) && metrics.Get("lr") > 0);
  for (const char* fields :
       {R"(, "train_loss": nan)", R"(, "train_loss": NaNs)", R"(, "train_loss": +Infinity)"}) {
    EXPECT_THROW(read(fields), ProtocolError) << fields;
  }
  try {
    read(R"(, "train_loss": NaN, oops)");
    FAIL() << "was read";
  } catch (const ProtocolError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no valid JSON at byte 94")) << "of the line as it came";
  }
}

TEST(TrainerMessage, AProgramReportsMeasuresOfAnyName) {
  const auto read = [](const std::string& fields) {
    bool is_json = false;
    return std::get<EpochMessage>(TrainerMessageFromJson(
        R"({"type":"epoch","trial":"a/1","epoch":4)" + fields + "}", &is_json));
  };
  const EpochMessage message = read(
      R"(,"metrics":{"val/f1":0.91,"accuracy":0.5,"grad-norm":NaN,"none":null},"train_loss":2)");
  Measurements expected = {{"val/f1", 0.91}, {"validation_accuracy", 0.5}, {"train_loss", 2}};
  expected.Set("grad-norm", std::nan(""));
  EXPECT_EQ(message.metrics.values, expected);
  EXPECT_EQ(RoundTrip(message).metrics, message.metrics);
  EXPECT_TRUE(read("").metrics.values.empty());
  for (const char* fields : {R"(,"metrics":[1])", R"(,"metrics":{"a b":1})", R"(,"metrics":{"":1})",
                             R"(,"metrics":{"f1":"high"})", R"(,"metrics":{"f1":{"macro":1}})",
                             R"(,"metrics":{"accuracy":99.4})", R"(,"validation_accuracy":99.4)"}) {
    EXPECT_THROW(read(fields), ProtocolError) << fields;
  }
  std::string many;
  for (int i = 0; i < 65; ++i) many += (i ? ",\"m" : "\"m") + std::to_string(i) + "\":1";
  EXPECT_THROW(read(",\"metrics\":{" + many + "}"), ProtocolError);
}

TEST(TrainerMessage, WhatIsNotReportedIsNotKnown) {
  bool is_json = false;
  const auto epoch = std::get<EpochMessage>(TrainerMessageFromJson(
      R"({"type":"epoch","trial":"a/1","epoch":1,"validation_accuracy":0.5,"lr":null})", &is_json));
  EXPECT_EQ(epoch.metrics.values, (Measurements{{"accuracy", 0.5}}));
  const auto progress = std::get<ProgressMessage>(TrainerMessageFromJson(
      R"({"type":"progress","trial":"a/1","epoch":1,"step":1,"steps":2})", &is_json));
  EXPECT_TRUE(std::isnan(progress.loss)) << progress.loss;
}

TEST(TrainerMessage, OthersRoundTrip) {
  const ReadyMessage ready = RoundTrip(ReadyMessage{1, "sweep-trainer 0.1.0", "cpu", "torch"});
  EXPECT_EQ(ready.build, "sweep-trainer 0.1.0");
  EXPECT_EQ(ready.device, "cpu");
  EXPECT_EQ(ready.backend, "torch");
  EXPECT_EQ(ready.threads, 0);
  const ReadyMessage whole =
      RoundTrip(ReadyMessage{1, "sweep-trainer 0.1.0", "cpu", "lanes", "29aa18ae", "AVX3", 2});
  EXPECT_EQ(whole.build_id, "29aa18ae");
  EXPECT_EQ(whole.instructions, "AVX3");
  EXPECT_EQ(whole.threads, 2);
  const ProgressMessage progress = RoundTrip(ProgressMessage{"a/1", 2, 30, 469, 0.25, 1000});
  EXPECT_EQ(progress.step, 30);
  EXPECT_EQ(progress.steps, 469);
  EXPECT_EQ(progress.loss, 0.25);
  const CheckpointMessage checkpoint = RoundTrip(CheckpointMessage{"a/1", 4, "/out/c"});
  EXPECT_EQ(checkpoint.epoch, 4);
  EXPECT_EQ(checkpoint.path, "/out/c");
  const DoneMessage done = RoundTrip(DoneMessage{"a/1", 19, true, {{"weights_best", "/out/b"}}});
  EXPECT_EQ(done.epochs, 19);
  EXPECT_TRUE(done.stopped);
  EXPECT_EQ(done.files, (std::map<std::string, std::string>{{"weights_best", "/out/b"}}));
  const ErrorMessage error = RoundTrip(ErrorMessage{"a/1", "loss is NaN at step 3", true});
  EXPECT_EQ(error.reason, "loss is NaN at step 3");
  EXPECT_TRUE(error.retryable);
}

TEST(TrainerMessage, OtherLinesAreLog) {
  for (const char* line : {"", "Epoch 1 started", "[1, 2]", " {\"type\":\"done\"}"}) {
    bool is_json = true;
    EXPECT_NO_THROW(TrainerMessageFromJson(line, &is_json));
    EXPECT_FALSE(is_json) << line;
  }
}

std::string MessageError(const std::string& line) {
  bool is_json = false;
  try {
    TrainerMessageFromJson(line, &is_json);
  } catch (const ProtocolError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(TrainerMessage, RefusesBrokenMessages) {
  EXPECT_THAT(MessageError("{"), HasSubstr("no valid JSON"));
  EXPECT_THAT(MessageError(R"({"trial":"a"})"), HasSubstr("type is missing"));
  EXPECT_THAT(MessageError(R"({"type":"epoc","trial":"a"})"), HasSubstr("did you mean 'epoch'?"));
  EXPECT_THAT(MessageError(R"({"type":"epoch","trial":"a"})"), HasSubstr("epoch is missing"));
  EXPECT_THAT(MessageError(R"({"type":"epoch","trial":"a","epoch":0,"validation_accuracy":0.5})"),
              HasSubstr("epoch is 0"));
  EXPECT_THAT(MessageError(R"({"type":"epoch","trial":"a","epoch":1,"validation_accuracy":99.4})"),
              HasSubstr("validation_accuracy is 99.4; it must be within [0, 1]"));
  EXPECT_THAT(MessageError(R"({"type":"ready","protocol":9})"), HasSubstr("protocol 9"));
  EXPECT_THAT(MessageError(R"({"type":"done","trial":"a","epochs":1,"files":{"w":3}})"),
              HasSubstr("files.w is 3"));
}

TEST(TrainerCommand, NamesItsTrial) {
  for (const TrainerCommand command : {TrainerCommand::kStop, TrainerCommand::kCheckpoint}) {
    std::string trial;
    EXPECT_EQ(TrainerCommandFromJson(TrainerCommandToJson(command, "a/1"), &trial), command);
    EXPECT_EQ(trial, "a/1");
  }
  std::string trial;
  EXPECT_THROW(TrainerCommandFromJson(R"({"type":"stop"})", &trial), ProtocolError);
  EXPECT_THROW(TrainerCommandFromJson(R"({"type":"trial","trial":"a/1"})", &trial), ProtocolError);
}

TEST(TrainerCommand, LinesHaveTheirType) {
  EXPECT_EQ(TrainerCommandToJson(TrainerCommand::kStop, "a/1"), R"({"type":"stop","trial":"a/1"})");
  EXPECT_EQ(LineType(TrainerCommandToJson(TrainerCommand::kStop, "a/1")), "stop");
  EXPECT_EQ(LineType(TrainerCommandToJson(TrainerCommand::kCheckpoint, "a/1")), "checkpoint");
  EXPECT_EQ(LineType(TrialSpecToJson(FullSpec())), "trial");
  EXPECT_THROW(LineType(R"({"type":"dance"})"), ProtocolError);
  EXPECT_THROW(LineType("stop"), ProtocolError);
}

}  // namespace
}  // namespace sweep

#include "coordinator/store/json_codec.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "coordinator/store/testing/store_testing.h"
#include "nlohmann/json.hpp"

namespace sweep {
namespace {

// What has to be escaped, what looks like something else, and the ends of the numbers.
const std::vector<Value>& Values() {
  static const auto& values = *new std::vector<Value>{
      true,
      false,
      std::int64_t{0},
      std::numeric_limits<std::int64_t>::min(),
      std::numeric_limits<std::int64_t>::max(),
      0.1,
      32.0,
      -0.0,
      1e20,
      1e-7,
      123456789012345680.0,
      std::numeric_limits<double>::max(),
      std::numeric_limits<double>::denorm_min(),
      std::string(),
      std::string("cosine"),
      std::string("a \"b\" \\ c\n\x01\x7f ü"),
      std::string("32"),
      std::string("[64,32]"),
      ListValue("[64,1.0,1e-05,0.1,true,\"a \\\"b\\\" \\\\ c\\n\\u0001 ü\",[[]]]"),
      ListValue("[]"),
  };
  return values;
}

TEST(JsonCodec, ParametersAreReadAsTheyWereWritten) {
  ParameterMap parameters;
  for (const Value& value : Values()) {
    parameters["p" + std::to_string(parameters.size())] = value;
  }
  parameters["a \"name\" ü"] = std::int64_t{1};
  const std::string text = Must(EncodeParameters(parameters));
  EXPECT_EQ(Must(DecodeParameters(text)), parameters) << text;
  EXPECT_TRUE(std::signbit(std::get<double>(Must(DecodeParameters(text)).at("p7"))));
  EXPECT_TRUE(nlohmann::json::accept(text)) << text;
  EXPECT_EQ(Must(EncodeParameters({})), "{}");
  EXPECT_EQ(Must(EncodeParameters({{"b", 0.5}, {"a", true}})), R"({"a":true,"b":0.5})");
}

TEST(JsonCodec, WhatIsNoFiniteNumberIsUnknown) {
  for (const double number : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    const std::string text = Must(EncodeParameters({{"lr", number}}));
    EXPECT_EQ(text, R"({"lr":null})");
    EXPECT_TRUE(std::isnan(std::get<double>(Must(DecodeParameters(text)).at("lr"))));
  }
}

TEST(JsonCodec, WhatIsNotAnObjectOfValuesIsNotRead) {
  for (const char* text : {"", "1", "null", "[]", "{", R"({"a":[{}]})", R"({"a":{"b":1}})",
                           R"({"a":1}{})", R"({"a":1} x)", R"([{"a":1}])"}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeParameters(text).status())) << text;
  }
}

Measurements Measured() {
  Measurements values;
  values.Set("val/f1", 0.1);
  values.Set("nan", std::nan(""));
  values.Set("up", std::numeric_limits<double>::infinity());
  values.Set("down", -std::numeric_limits<double>::infinity());
  values.Set("whole", 3);
  return values;
}

TEST(JsonCodec, MeasurementsAreReadAsTheyWereWritten) {
  EXPECT_EQ(Must(DecodeMeasurements(EncodeMeasurements(Measured()))), Measured());
  EXPECT_EQ(Must(DecodeMeasurements(R"({"a":3})")).GetOrNaN("a"), 3);
  for (const char* text : {"", "1", "[]", R"({"a":true})", R"({"a":"far"})", R"({"a":{"b":1}})",
                           R"({"a":[1]})", R"({"a":1)"}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeMeasurements(text).status())) << text;
  }
}

TEST(JsonCodec, ReplicatesAreReadAsTheyWereWritten) {
  const std::vector<EndedPoint::Replicate> replicates = {
      {.state = TrialState::kCompleted, .epoch = 5, .best = 0.1 + 0.2},
      {.state = TrialState::kDiverged, .epoch = 1, .best = std::nan("")},
      {.state = TrialState::kStopped, .epoch = 2, .best = HUGE_VAL}};
  const auto read = Must(DecodeReplicates(EncodeReplicates(replicates)));
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].state, TrialState::kCompleted);
  EXPECT_EQ(read[0].epoch, 5);
  EXPECT_EQ(read[0].best, 0.1 + 0.2);
  EXPECT_EQ(read[1].state, TrialState::kDiverged);
  EXPECT_TRUE(std::isnan(read[1].best));
  EXPECT_EQ(read[2].best, HUGE_VAL);
  for (const char* bad : {"{}", "[1]", "[[\"completed\", 1]]", "[[\"asleep\", 1, 2]]"}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeReplicates(bad).status())) << bad;
  }
}

TEST(JsonCodec, SummariesAreReadAsTheyWereWritten) {
  MeasureSummaries summaries;
  for (const auto& [name, value] : Measured()) {
    bool is_new = false;
    summaries.At(name, &is_new) = {.last = value, .low = -value, .high = 0.25};
  }
  const MeasureSummaries read = Must(DecodeSummaries(EncodeSummaries(summaries)));
  EXPECT_EQ(EncodeSummaries(read), EncodeSummaries(summaries));
  EXPECT_EQ(EncodeSummaries(Must(DecodeSummaries("{}"))), "{}");
  for (const char* text :
       {"", "[]", R"({"a":1})", R"({"a":[]})", R"({"a":[1,2]})", R"({"a":[1,2,3,4]})",
        R"({"a":[1,2,"far"]})", R"({"a":[[1,2,3]]})", R"({"a":{"b":1,"c":2,"d":3}})"}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeSummaries(text).status())) << text;
  }
}

TEST(JsonCodec, AStandingIsReadAsItWasWritten) {
  const Standing standing{.tier = Tier::kMeetsGates, .epoch = 9, .values = Measured()};
  for (const Standing& written : {standing, Standing{.tier = Tier::kMeetsGates}}) {
    const Standing read = Must(DecodeStanding(EncodeStanding(written)));
    EXPECT_EQ(read.tier, written.tier);
    EXPECT_EQ(read.epoch, written.epoch);
    EXPECT_EQ(read.values, written.values);
  }
  EXPECT_EQ(Must(DecodeStanding("{}")).epoch, 0);
  for (const char* text :
       {"", "[]", "1", R"({"tier":99,"values":{}})", R"({"tier":-1,"values":{}})", R"({"tier":1})",
        R"({"values":{}})", R"({"epoch":1})", R"({"tier":1,"values":1})",
        R"({"tier":1,"values":[1]})", R"({"tier":1,"values":{},"more":{}})",
        R"({"tier":1,"values":{"a":{"b":1}}})"}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeStanding(text).status())) << text;
  }
}

TEST(JsonCodec, TextThatIsNotUtf8IsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(EncodeParameters({{"lr", std::string("\xff")}}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(EncodeParameters({{"\xff", 1.0}}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(EncodeGates({{.gate = "\xff"}}).status()));
}

TEST(JsonCodec, GatesAreReadAsTheyWereWritten) {
  std::vector<GateOutcome> gates = {{.gate = "a \"b\" > 0.99", .met = true}};
  for (const Value& value : Values()) {
    gates.push_back({.gate = "x < 1", .value = value, .missed_by = 0.25});
  }
  const std::vector<GateOutcome> read = Must(DecodeGates(Must(EncodeGates(gates))));
  ASSERT_EQ(read.size(), gates.size());
  for (std::size_t i = 0; i < gates.size(); ++i) {
    EXPECT_EQ(read[i].gate, gates[i].gate);
    EXPECT_EQ(read[i].met, gates[i].met);
    EXPECT_EQ(read[i].value, gates[i].value) << i;
    EXPECT_EQ(read[i].missed_by, gates[i].missed_by);
  }
}

}  // namespace
}  // namespace sweep

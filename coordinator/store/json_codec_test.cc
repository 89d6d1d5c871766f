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
  for (const char* text : {"", "1", "null", "[]", "{", R"({"a":[1]})", R"({"a":{"b":1}})",
                           R"({"a":1}{})", R"({"a":1} x)", R"([{"a":1}])"}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeParameters(text).status())) << text;
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

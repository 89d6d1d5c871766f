#include "proto/documents/print_json.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "proto/documents/words.h"
#include "sweep/documents/documents.pb.h"

namespace sweep {
namespace {

using Json = nlohmann::json;

std::string Printed(const std::function<void(documents::Value*)>& set) {
  documents::Value value;
  set(&value);
  return PrintJson(value);
}
std::string Number(double number) {
  return Printed([&](documents::Value* value) { value->set_number(number); });
}
std::string Integer(std::int64_t number) {
  return Printed([&](documents::Value* value) { value->set_integer(number); });
}
std::string Text(const std::string& text) {
  return Printed([&](documents::Value* value) { value->set_text(text); });
}
std::string Rounded(double number) {
  documents::TrialFacts row;
  row.set_attempt_seconds(number);
  const std::string json = PrintJson(row);
  const std::string key = "\"attempt_seconds\":";
  const std::size_t begin = json.find(key) + key.size();
  return json.substr(begin, json.find(',', begin) - begin);
}

TEST(PrintJson, RoundsOnlyWhereItIsAskedTo) {
  documents::TrialFacts row;
  row.set_attempt_seconds(0.123456789);
  EXPECT_NE(PrintJson(row).find("\"attempt_seconds\":0.123457,"), std::string::npos);
  EXPECT_NE(PrintJson(row, /*rounds=*/false).find("\"attempt_seconds\":0.123456789,"),
            std::string::npos);
}

TEST(DocumentKeys, AreThoseThatArePrintedInTheirOrder) {
  const documents::TrialView view;
  const std::string json = PrintJson(view);
  std::size_t place = 0;
  for (const std::string& key : DocumentKeys(*view.GetDescriptor())) {
    const std::size_t found = json.find("\"" + key + "\":", place);
    ASSERT_NE(found, std::string::npos) << key;
    place = found;
  }
  EXPECT_EQ(DocumentKeys(*documents::TrialRow::descriptor()).front(), "trial");
}

TEST(PrintJson, NumbersAreTheShortestThatAreReadAsTheSame) {
  EXPECT_EQ(Number(0), "0.0");
  EXPECT_EQ(Number(-0.0), "-0.0");
  EXPECT_EQ(Number(12), "12.0");
  EXPECT_EQ(Number(-0.1), "-0.1");
  EXPECT_EQ(Number(123.456), "123.456");
  EXPECT_EQ(Number(0.0001), "0.0001");
  EXPECT_EQ(Number(0.00001), "1e-05");
  EXPECT_EQ(Number(1.5e-7), "1.5e-07");
  EXPECT_EQ(Number(1e14), "100000000000000.0");
  EXPECT_EQ(Number(1e15), "1e+15");
  EXPECT_EQ(Number(1.5e300), "1.5e+300");
  EXPECT_EQ(Number(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(Number(-std::numeric_limits<double>::infinity()), "null");
}

// The client writes its JSON by nlohmann's, which has some digits too many now and then.
TEST(PrintJson, NumbersAreWrittenAsByNlohmann) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<int> exponent(-30, 20);
  std::uniform_int_distribution<std::int64_t> digits(-999'999'999, 999'999'999);
  for (int i = 0; i < 20'000; ++i) {
    const double number = static_cast<double>(digits(random)) * std::pow(10, exponent(random));
    for (const double value : {number, RoundToSixDigits(number)}) {
      const std::string text = Number(value);
      const std::string other = Json(value).dump();
      ASSERT_EQ(Json::parse(text).get<double>(), value) << text;
      ASSERT_LE(text.size(), other.size()) << text;
    }
    const std::string text = Number(RoundToSixDigits(number));
    const std::string other = Json(RoundToSixDigits(number)).dump();
    if (text.size() == other.size()) {
      ASSERT_EQ(text, other);
    }
  }
}

TEST(PrintJson, LongAnswersHaveSixDigits) {
  EXPECT_EQ(Rounded(0.991200029850006), "0.9912");
  EXPECT_EQ(Rounded(1234567.89), "1234570.0");
  EXPECT_EQ(Rounded(-1.23456789e-12), "-1.23457e-12");
  EXPECT_EQ(Rounded(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(Rounded(0), "0.0");
}

TEST(PrintJson, IntegersThatABrowserWouldRoundAreText) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  EXPECT_EQ(Integer(kMost), "9007199254740992");
  EXPECT_EQ(Integer(-kMost), "-9007199254740992");
  EXPECT_EQ(Integer(kMost + 1), "\"9007199254740993\"");
  EXPECT_EQ(Integer(std::numeric_limits<std::int64_t>::min()), "\"-9223372036854775808\"");
}

// nlohmann has one mark for each broken sequence, not for each of its bytes.
TEST(PrintJson, TextIsEscapedAsByNlohmannAndEveryBrokenByteIsMarked) {
  const std::string texts[] = {
      "",
      "plain",
      "\"quoted\" \\ / \b\f\n\r\t",
      std::string("\0\x01\x1f\x7f", 4),
      "Grüße, 3×3, 漢字, 🙂",
      "\xff",
      "broken \xc3",
      "\xe2\x82 and on",
      "\xf0\x9f\x99 and on",
      "\xed\xa0\x80 a surrogate",
  };
  for (const std::string& text : texts) {
    const std::string printed = Text(text);
    EXPECT_TRUE(Json::accept(printed)) << printed;
    const std::string known = Json(text).dump(-1, ' ', false, Json::error_handler_t::ignore);
    std::string mended = printed;
    for (std::size_t at; (at = mended.find("\uFFFD")) != std::string::npos;) mended.erase(at, 3);
    // What is left of a broken character is dropped here, one mark for each of its bytes there.
    EXPECT_EQ(mended, known);
  }
  EXPECT_EQ(Text("a\xff"
                 "b"),
            "\"a\uFFFDb\"");
}

TEST(PrintJson, WhatIsNotSetIsNullOnlyWhereItIsOptional) {
  documents::Dimension dimension;
  dimension.set_name("lr");
  EXPECT_EQ(PrintJson(dimension),
            R"({"name":"lr","kind":"log","integer":false,"min":null,"max":null,"categories":[]})");
  dimension.set_min(0);
  dimension.set_max(std::numeric_limits<double>::quiet_NaN());
  dimension.set_kind(documents::Dimension::KIND_CATEGORY);
  dimension.add_categories()->set_text("relu");
  dimension.add_categories()->set_flag(true);
  dimension.add_categories();
  EXPECT_EQ(PrintJson(dimension), R"({"name":"lr","kind":"category","integer":false,"min":0.0,)"
                                  R"("max":null,"categories":["relu",true,null]})");
}

TEST(PrintJson, PairsAreObjectsAndIntervalsLists) {
  documents::RankingFacts row;
  documents::NamedValue* const lr = row.add_parameters();
  lr->set_name("lr");
  lr->mutable_value()->set_number(0.5);
  row.add_parameters()->set_name("a \"name\"");
  row.mutable_interval()->set_low(0.25);
  row.mutable_interval()->set_high(1);
  const Json json = Json::parse(PrintJson(row));
  EXPECT_EQ(json["parameters"], Json({{"lr", 0.5}, {"a \"name\"", nullptr}}));
  EXPECT_EQ(json["defaults"], Json::object());
  EXPECT_EQ(json["interval"], Json({0.25, 1.0}));
  EXPECT_EQ(json["mean_interval"], nullptr);
}

TEST(PrintJson, AMessageThatExtendsAnotherHasItsFields) {
  documents::AttemptRow row;
  row.set_trial(7);
  row.mutable_attempt()->set_attempt(2);
  EXPECT_EQ(PrintJson(row), R"({"trial":7,"attempt":2,"worker":"","start_time":"",)"
                            R"("end_time":null,"outcome":"","reason":""})");
}

TEST(PrintJson, TextThatIsJsonStandsAsItIs) {
  documents::TrialView view;
  view.set_spec(R"({"seed":"7"})");
  EXPECT_EQ(Json::parse(PrintJson(view))["spec"], Json({{"seed", "7"}}));
}

TEST(PrintJson, WordsAreThoseOfTheContract) {
  documents::WorkerRow row;
  row.set_state(documents::WorkerRow::STATE_PUT_ASIDE);
  EXPECT_EQ(Json::parse(PrintJson(row))["state"], "put aside");
  documents::TrialFacts trial;
  trial.set_state(documents::TRIAL_STATE_ON_HOLD);
  EXPECT_EQ(Json::parse(PrintJson(trial))["state"], "on_hold");
}

TEST(PrintJson, EveryMessageIsPrintedWithoutAnythingSet) {
  const google::protobuf::FileDescriptor& file = *documents::ApiError::descriptor()->file();
  for (int i = 0; i < file.message_type_count(); ++i) {
    const google::protobuf::Message& message =
        *google::protobuf::MessageFactory::generated_factory()->GetPrototype(file.message_type(i));
    EXPECT_TRUE(Json::accept(PrintJson(message))) << message.GetTypeName();
  }
  for (int i = 0; i < file.enum_type_count(); ++i) {
    const google::protobuf::EnumDescriptor& words = *file.enum_type(i);
    for (int j = 0; j < words.value_count(); ++j) EXPECT_EQ(words.value(j)->number(), j);
  }
}

// Those of a message whose fields stand among the others are cut as the others are.
TEST(PrintJsonWithin, CutsListsOfFactsToo) {
  documents::RegionView view;
  for (int i = 0; i < 100; ++i) {
    view.mutable_facts()->add_slices()->set_name(std::string(100, 'x'));
  }
  EXPECT_LE(PrintJsonWithin(6000, &view).size(), 6000u);
  EXPECT_EQ(view.facts().slices_size(), 25);
}

TEST(PrintJsonWithin, CutsListsAndCountsWhatIsCut) {
  documents::TimelineView view;
  for (int i = 0; i < 100; ++i) view.add_spans()->set_attempt(i);
  view.set_left_out(3);
  EXPECT_EQ(PrintJsonWithin(1'000'000, &view), PrintJson(view));
  const Json json = Json::parse(PrintJsonWithin(3000, &view));
  EXPECT_EQ(json["spans"].size(), 25u);
  EXPECT_EQ(json["spans"][24]["attempt"], 24);
  EXPECT_EQ(json["left_out"], 78);
  EXPECT_EQ(Json::parse(PrintJsonWithin(10, &view))["spans"].size(), 1u) << "never none";
}

}  // namespace
}  // namespace sweep

#include "cli/present/listing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "cli/present/present.h"

namespace sweep::cli {
namespace {

Listing TwoTrials() {
  Listing listing;
  listing.columns = {{"TRIAL", "trial"},
                     {"ACC", "accuracy", true},
                     {"PARAMETERS", "parameters", false, true, true},
                     {"GATE", ""}};
  listing.rows = {
      {{"数/1", "数/1"}, {"99.41 %", 0.9941}, {"lr=0.1", {{"lr", 0.1}}}, {"✓", nullptr}},
      {{"b/2", "b/2"},
       {"8.00 %", 0.08},
       {"lr=0.2 note=a,b", {{"lr", 0.2}, {"note", "a,b \"c\""}}},
       {"✗", nullptr}}};
  return listing;
}

std::string PrintedAtWidth(const Listing& listing, Format format, int width = 0) {
  std::ostringstream out;
  PrintListing(listing, format, width, out);
  return out.str();
}

TEST(Listing, TableAlignsWideCharacters) {
  EXPECT_EQ(PrintedAtWidth(TwoTrials(), Format::kTable),
            "TRIAL      ACC  PARAMETERS       GATE\n"
            "数/1   99.41 %  lr=0.1           ✓\n"
            "b/2     8.00 %  lr=0.2 note=a,b  ✗\n");
}

TEST(Listing, TableFitsTheTerminalByCuttingElasticColumns) {
  EXPECT_EQ(PrintedAtWidth(TwoTrials(), Format::kTable, 34),
            "TRIAL      ACC  PARAMETERS    GATE\n"
            "数/1   99.41 %  lr=0.1        ✓\n"
            "b/2     8.00 %  lr=0.2 note…  ✗\n");
}

TEST(Listing, TableThatIsStillTooWideLosesItsLeastImportantColumns) {
  Listing listing = TwoTrials();
  listing.columns[1].drop = 1;
  listing.columns[3].drop = 2;
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable, 30),
            "TRIAL      ACC  PARAMETERS\n"
            "数/1   99.41 %  lr=0.1\n"
            "b/2     8.00 %  lr=0.2 note=a…\n");
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable, 20),
            "TRIAL  PARAMETERS\n"
            "数/1   lr=0.1\n"
            "b/2    lr=0.2 note=…\n");
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable, 5), PrintedAtWidth(listing, Format::kTable, 19))
      << "what must stay stays";
}

TEST(Listing, OtherColumnsGoBeforeAnElasticOneIsCutToLessThanHalf) {
  Listing listing;
  listing.columns = {{"TRIAL", "trial"},
                     {"INTERVAL", "interval", false, true, false, 5},
                     {"GATE", "", false, true, false, 9},
                     {"HYPERPARAMETERS", "parameters", false, true, true, 1}};
  listing.rows = {{{"s/1", "s/1"},
                   {"97.00–98.00", nullptr},
                   {"✓", nullptr},
                   {"lr=0.1 width=12 dropout=0.25", nullptr}}};
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable, 60),
            "TRIAL  INTERVAL     GATE  HYPERPARAMETERS\n"
            "s/1    97.00–98.00  ✓     lr=0.1 width=12 dropout=0.25\n");
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable, 50),
            "TRIAL  INTERVAL     HYPERPARAMETERS\n"
            "s/1    97.00–98.00  lr=0.1 width=12 dropout=0.25\n");
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable, 36),
            "TRIAL  HYPERPARAMETERS\n"
            "s/1    lr=0.1 width=12 dropout=0.25\n");
}

TEST(Listing, ColoursTakeNoRoomAndAreOnlyThereWhenAskedFor) {
  Listing listing;
  listing.columns = {{"N", "n", true}, {"STATE", "state"}, {"X", "x"}};
  listing.rows = {{{"1", 1}, {"failed", "failed", Style::kRed}, {"a", "a"}},
                  {{"2", 2}, {"completed", "completed", Style::kGreen}, {"b", "b"}}};
  const std::string plain =
      "N  STATE      X\n"
      "1  failed     a\n"
      "2  completed  b\n";
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable), plain);
  listing.color = true;
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable),
            "N  STATE      X\n"
            "1  \x1b[31mfailed\x1b[0m     a\n"
            "2  \x1b[32mcompleted\x1b[0m  b\n");
  EXPECT_EQ(PrintedAtWidth(listing, Format::kCsv).find('\x1b'), std::string::npos);
  EXPECT_TRUE(ChooseColumns(listing, "state")->color);
}

TEST(ChooseColumns, TakesKeysAndHyperparametersInTheOrderGiven) {
  const absl::StatusOr<Listing> chosen = ChooseColumns(TwoTrials(), "note, lr,trial");
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(PrintedAtWidth(*chosen, Format::kTable),
            "note      lr  TRIAL\n"
            "–        0.1  数/1\n"
            "a,b \"c\"  0.2  b/2\n");
  EXPECT_EQ(PrintedAtWidth(*chosen, Format::kCsv),
            "parameters.note,parameters.lr,trial\n"
            ",0.1,数/1\n"
            "\"a,b \"\"c\"\"\",0.2,b/2\n");
  EXPECT_EQ(ChooseColumns(TwoTrials(), "parameters.lr")->columns.size(), 1u);
  EXPECT_EQ(ChooseColumns(TwoTrials(), "")->columns.size(), 4u);
  const absl::StatusOr<Listing> wrong = ChooseColumns(TwoTrials(), "trail");
  EXPECT_EQ(wrong.status().message(),
            "--columns: there is no column 'trail'; did you mean 'trial'?");
}

TEST(ChooseColumns, AMeasureIsNoColumnButItsPartsAre) {
  Listing listing;
  listing.columns = {{"TRIAL", "trial"}, {"", "measures"}};
  listing.rows = {{{"a/1", "a/1"}, {"", {{"images_per_second", {{"last", 5.0}, {"low", 4.0}}}}}}};
  EXPECT_TRUE(ChooseColumns(listing, "last.images_per_second").ok());
  EXPECT_EQ(ChooseColumns(listing, "images_per_second").status().message(),
            "--columns: there is no column 'images_per_second'; did you mean "
            "'last.images_per_second'?");
}

TEST(Listing, WhatTurnsTheTextOrIsNotSeenIsShownAndMeasured) {
  Listing listing;
  listing.columns = {{"NAME", "name"}, {"N", "n", true}};
  listing.rows = {{{"a\u202Eb", "a\u202Eb"}, {"1", 1}}, {{"abc", ""}, {"2", 2}}};
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable),
            "NAME      N\n"
            "a\\u202eb  1\n"
            "abc       2\n");
  EXPECT_NE(PrintedAtWidth(listing, Format::kJson).find("a\u202Eb"), std::string::npos)
      << "programs get what was written";
}

TEST(Listing, CombiningAndEmojiCharactersKeepTheirColumnsApart) {
  Listing listing;
  listing.columns = {{"NAME", "name"}, {"N", "n", true}};
  listing.rows = {
      {{"e\u0301te\u0301", ""}, {"1", 1}}, {{"🚀", ""}, {"2", 2}}, {{"abc", ""}, {"3", 3}}};
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable),
            "NAME  N\n"
            "e\u0301te\u0301   1\n"
            "🚀    2\n"
            "abc   3\n");
}

TEST(Listing, WhatIsNoNumberIsNullForPrograms) {
  Listing listing;
  listing.columns = {{"LOSS", "loss"}, {"N", "n"}};
  listing.rows = {{{"nan", std::nan("")}, {"1", 1}}};
  EXPECT_EQ(PrintedAtWidth(listing, Format::kCsv), "loss,n\n,1\n");
  EXPECT_TRUE(nlohmann::json::parse(PrintedAtWidth(listing, Format::kJson))[0]["loss"].is_null());
}

TEST(Listing, CsvFlattensObjectsAndQuotes) {
  EXPECT_EQ(PrintedAtWidth(TwoTrials(), Format::kCsv),
            "trial,accuracy,parameters.lr,parameters.note\n"
            "数/1,0.9941,0.1,\n"
            "b/2,0.08,0.2,\"a,b \"\"c\"\"\"\n");
}

TEST(Listing, JsonHasValuesNotTexts) {
  const nlohmann::json rows = nlohmann::json::parse(PrintedAtWidth(TwoTrials(), Format::kJson));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["accuracy"], 0.9941);
  EXPECT_EQ(rows[1]["parameters"]["lr"], 0.2);
  EXPECT_FALSE(rows[0].contains(""));
}

TEST(Listing, EmptySaysSoToPeopleAndStaysValidForPrograms) {
  Listing listing = TwoTrials();
  listing.rows.clear();
  listing.empty = "no trials";
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable), "no trials\n");
  EXPECT_EQ(PrintedAtWidth(listing, Format::kJson), "[]\n");
  EXPECT_EQ(PrintedAtWidth(listing, Format::kCsv), "trial,accuracy,parameters\n");
}

TEST(Listing, TerminalEscapesInNamesAreDisarmed) {
  Listing listing = TwoTrials();
  listing.rows[0][0].text = "\x1b[2J";
  EXPECT_EQ(PrintedAtWidth(listing, Format::kTable).find('\x1b'), std::string::npos);
}

TEST(SweepListing, WhatWasCancelledIsNoProgress) {
  v1::Sweep sweep;
  sweep.set_name("sweeps/s");
  sweep.set_planned_trials(40);
  sweep.mutable_counts()->set_completed(2);
  const std::string before = PrintedAtWidth(SweepListing({sweep}), Format::kTable);
  EXPECT_NE(before.find(" 2/40 "), before.npos) << before;
  EXPECT_EQ(before.find("CANCELLED"), before.npos) << "a column of zeros";
  sweep.mutable_counts()->set_cancelled(10);
  const std::string after = PrintedAtWidth(SweepListing({sweep}), Format::kTable);
  EXPECT_NE(after.find(" 2/40 "), after.npos) << after;
  EXPECT_NE(after.find("CANCELLED"), after.npos) << after;
  const std::string json = PrintedAtWidth(SweepListing({sweep}), Format::kJson);
  EXPECT_NE(json.find("\"cancelled\": 10"), json.npos) << json;
  EXPECT_NE(json.find("\"ended\": 12"), json.npos) << json;
}

}  // namespace
}  // namespace sweep::cli

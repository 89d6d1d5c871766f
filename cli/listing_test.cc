#include "cli/listing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

namespace sweep::cli {
namespace {

Listing TwoTrials() {
  Listing listing;
  listing.columns = {{"TRIAL", "trial"},
                     {"ACC", "accuracy", true},
                     {"PARAMETERS", "parameters", false, true, true},
                     {"GATE", ""}};
  listing.rows = {{{"数/1", "数/1"}, {"99.41 %", 0.9941}, {"lr=0.1", {{"lr", 0.1}}}, {"✓", nullptr}},
                  {{"b/2", "b/2"},
                   {"8.00 %", 0.08},
                   {"lr=0.2 note=a,b", {{"lr", 0.2}, {"note", "a,b \"c\""}}},
                   {"✗", nullptr}}};
  return listing;
}

std::string Printed(const Listing& listing, Format format, int width = 0) {
  std::ostringstream out;
  PrintListing(listing, format, width, out);
  return out.str();
}

TEST(Listing, TableAlignsWideCharacters) {
  EXPECT_EQ(Printed(TwoTrials(), Format::kTable),
            "TRIAL      ACC  PARAMETERS       GATE\n"
            "数/1   99.41 %  lr=0.1           ✓\n"
            "b/2     8.00 %  lr=0.2 note=a,b  ✗\n");
}

TEST(Listing, TableFitsTheTerminalByCuttingElasticColumns) {
  EXPECT_EQ(Printed(TwoTrials(), Format::kTable, 34),
            "TRIAL      ACC  PARAMETERS    GATE\n"
            "数/1   99.41 %  lr=0.1        ✓\n"
            "b/2     8.00 %  lr=0.2 note…  ✗\n");
}

TEST(Listing, CsvFlattensObjectsAndQuotes) {
  EXPECT_EQ(Printed(TwoTrials(), Format::kCsv),
            "trial,accuracy,parameters.lr,parameters.note\n"
            "数/1,0.9941,0.1,\n"
            "b/2,0.08,0.2,\"a,b \"\"c\"\"\"\n");
}

TEST(Listing, JsonHasValuesNotTexts) {
  const nlohmann::json rows = nlohmann::json::parse(Printed(TwoTrials(), Format::kJson));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["accuracy"], 0.9941);
  EXPECT_EQ(rows[1]["parameters"]["lr"], 0.2);
  EXPECT_FALSE(rows[0].contains(""));
}

TEST(Listing, EmptySaysSoToPeopleAndStaysValidForPrograms) {
  Listing listing = TwoTrials();
  listing.rows.clear();
  listing.empty = "no trials";
  EXPECT_EQ(Printed(listing, Format::kTable), "no trials\n");
  EXPECT_EQ(Printed(listing, Format::kJson), "[]\n");
  EXPECT_EQ(Printed(listing, Format::kCsv), "trial,accuracy,parameters\n");
}

TEST(Listing, TerminalEscapesInNamesAreDisarmed) {
  Listing listing = TwoTrials();
  listing.rows[0][0].text = "\x1b[2J";
  EXPECT_EQ(Printed(listing, Format::kTable).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace sweep::cli

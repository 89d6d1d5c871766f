// Checks that docs/sweep-file.md agrees with the code.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::ElementsAreArray;

// The rows of the table whose header starts with `head`.
std::vector<std::string> Rows(const std::string& head) {
  std::ifstream file(std::string(SWEEP_SOURCE_DIR) + "/docs/sweep-file.md");
  std::vector<std::string> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(head)) inside = true;
    if (inside && !line.starts_with("|")) break;
    if (inside) rows.push_back(line);
  }
  if (rows.size() < 2) return {};
  rows.erase(rows.begin(), rows.begin() + 2);  // head and rule
  return rows;
}

std::string Range(const KnownParameter& known) {
  switch (known.type) {
    case KnownParameter::Type::kBool:
      return "true or false";
    case KnownParameter::Type::kChoice: {
      const std::vector<std::string> words(known.choices.begin(), known.choices.end());
      return absl::StrCat("`", absl::StrJoin(words, "`, `"), "`");
    }
    default:
      return absl::StrCat(known.type == KnownParameter::Type::kInt ? "integer in " : "number in ",
                          known.open_min ? "(" : "[", FormatDouble(known.min), ", ",
                          FormatDouble(known.max), known.open_max ? ")" : "]");
  }
}

TEST(Documentation, ListsEveryHyperparameterWithRangeAndDefault) {
  std::vector<std::string> rows;
  for (const KnownParameter& known : KnownParameters()) {
    rows.push_back(absl::StrCat("| `", std::string(known.name), "` | ", Range(known), " | ",
                                FormatValue(known.default_value), " | ", std::string(known.help),
                                " |"));
  }
  EXPECT_THAT(Rows("| name | range |"), ElementsAreArray(rows)) << absl::StrJoin(rows, "\n");
}

TEST(Documentation, ListsEveryKey) {
  // For a key that resembles no other, the message lists all keys.
  const std::string complaint = Complaints(Random("qqqqqqqqqqqq: 1\n"));
  const std::size_t begin = complaint.find("it has ");
  ASSERT_NE(begin, std::string::npos) << complaint;
  const std::vector<std::string> keys = absl::StrSplit(complaint.substr(begin + 7), ", ");
  std::vector<std::string> documented;
  for (const std::string& row : Rows("| key | type |")) {
    documented.push_back(std::vector<std::string>(absl::StrSplit(row, '`'))[1]);
  }
  EXPECT_THAT(documented, ElementsAreArray(keys));
}

TEST(Documentation, ListsEverySearchMethod) {
  std::vector<std::string> rows;
  for (const SearchMethod& method : SearchMethods()) {
    rows.push_back(
        absl::StrCat("| `", std::string(method.word), "` | ", std::string(method.help), " |"));
  }
  EXPECT_THAT(Rows("| method | points |"), ElementsAreArray(rows)) << absl::StrJoin(rows, "\n");
}

TEST(Documentation, ListsEveryDistribution) {
  std::vector<std::string> documented;
  for (const std::string& row : Rows("| form | distribution |")) {
    const std::string cell = std::vector<std::string>(absl::StrSplit(row, " | "))[1];
    documented.push_back(std::vector<std::string>(absl::StrSplit(cell, '`'))[1]);
  }
  EXPECT_THAT(documented, ::testing::UnorderedElementsAreArray(DistributionNames()));
}

}  // namespace
}  // namespace sweep

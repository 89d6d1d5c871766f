#include <gtest/gtest.h>

#include "common/yaml/document_scan.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {
namespace {

// What Load says about `text`; "loaded" when it takes it.
std::string LoadErrors(std::string_view text) {
  Diagnostics diagnostics;
  const bool loaded = YamlReader("f", &diagnostics).Load(text).has_value();
  EXPECT_EQ(loaded, diagnostics.empty());
  return loaded ? "loaded" : FormatDiagnostics(diagnostics);
}

TEST(YamlLoad, TakesOneDocument) {
  EXPECT_EQ(LoadErrors("a: 1\n"), "loaded");
  EXPECT_EQ(LoadErrors("---\na: ü€😀\n...\n"), "loaded");
  EXPECT_EQ(LoadErrors(""), "f: is empty");
  EXPECT_EQ(LoadErrors("# only a comment\n"), "f: is empty");
  EXPECT_EQ(LoadErrors("~"), "f: is empty");
  EXPECT_EQ(LoadErrors("a: 1\n---\nb: 2\n"),
            "f:2: a second YAML document starts here; one is allowed");
}

TEST(YamlLoad, RefusesWhatIsNotUtf8) {
  for (const char* text : {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                           "\xe0\x80\x80", "\xf4\x90\x80\x80", "\x80"}) {
    EXPECT_EQ(LoadErrors("a: 1\nb: " + std::string(text)), "f:2: is not UTF-8 text");
  }
}

TEST(YamlLoad, BoundsWhatItBuilds) {
  std::string text = "[";
  for (int i = 0; i < 300'000; ++i) text += "1,";
  EXPECT_EQ(LoadErrors(text + "1]"), "f:1: more than 20000 values");
  EXPECT_EQ(LoadErrors(std::string(18, '[') + std::string(18, ']')),
            "f:1: nested deeper than 16 levels");
  EXPECT_NE(LoadErrors("a: &a [*a]"), "loaded");
  // YAML::LoadAll would append empty documents to its answer until memory ends.
  EXPECT_NE(LoadErrors(","), "loaded");
}

}  // namespace
}  // namespace sweep

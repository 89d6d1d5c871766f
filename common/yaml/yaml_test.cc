#include <gtest/gtest.h>

#include <string>

#include "common/yaml/document_scan.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {
namespace {

// The errors of Load for `text`; "loaded" when it succeeds.
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

TEST(YamlLoad, RefusesControlCharacters) {
  using std::string_literals::operator""s;
  for (const std::string& text :
       {"a: 1\nb: x\0y\n"s, "a: 1\nb: \"\x1b[2J\"\n"s, "a: 1\nb: \x01"s}) {
    EXPECT_NE(LoadErrors(text).find("f:2: is no text: it contains the control character U+00"),
              std::string::npos)
        << LoadErrors(text);
  }
  // yaml-cpp would take this for UTF-16.
  EXPECT_NE(LoadErrors("a\0:\0 \0001\0\n\0"s), "loaded");
  EXPECT_EQ(LoadErrors("a: \"\\0\\e\"\r\nb:\t1\r\n"), "loaded");
}

TEST(YamlLoad, SaysEachThingOnOneLine) {
  Diagnostics diagnostics;
  YamlReader reader("f\ng", &diagnostics);
  const auto document = reader.Load("{\"a\\nf: sweep 'x' is valid\\u202e\": 1}");
  ASSERT_TRUE(document.has_value());
  reader.Keys(*document, 1, "the file", {"other"});
  EXPECT_EQ(FormatDiagnostics(diagnostics).find_first_of("\n\r"), std::string::npos)
      << FormatDiagnostics(diagnostics);
  EXPECT_EQ(FormatDiagnostics(diagnostics).find("\u202e"), std::string::npos);
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

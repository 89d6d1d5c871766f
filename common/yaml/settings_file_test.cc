#include "common/yaml/settings_file.h"

#include <gtest/gtest.h>

#include <string>

namespace sweep {
namespace {

// What Load gives: "nothing", "a document" or the errors.
std::string Loaded(std::string_view text) {
  Diagnostics diagnostics;
  YamlReader reader("f", &diagnostics);
  const bool has_document = LoadSettings(text, &reader).has_value();
  if (!diagnostics.empty()) return FormatDiagnostics(diagnostics);
  return has_document ? "a document" : "nothing";
}

TEST(SettingsFile, ATextThatSaysNothingIsValid) {
  for (const char* text :
       {"", "\n", " \t\r\n", "# a comment", "  # a comment\r\n\n", "---\n# none\n"}) {
    EXPECT_EQ(Loaded(text), "nothing") << text;
  }
  EXPECT_EQ(Loaded("# a comment\na: 1"), "a document");
}

TEST(SettingsFile, ATextThatMayHaveBeenCutIsRefused) {
  EXPECT_EQ(Loaded(std::string(YamlReader::kMaxSizeBytes, '#')), "nothing");
  EXPECT_EQ(Loaded(std::string(YamlReader::kMaxSizeBytes + 1, '#')),
            "f: has 1048577 bytes; the limit is 1048576");
}

TEST(SettingsFile, OtherTextsAreReadAsEver) {
  EXPECT_EQ(Loaded("---\na: 1\n---\nb: 2\n"),
            "f:3: a second YAML document starts here; one is allowed");
  EXPECT_EQ(Loaded("\n\x01"),
            "f:2: is no text: it contains the control character U+0001, which "
            "YAML does not allow");
}

}  // namespace
}  // namespace sweep

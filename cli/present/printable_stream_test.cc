#include "cli/present/printable_stream.h"

#include <gtest/gtest.h>

#include <sstream>

namespace sweep::cli {
namespace {

class PrintableStreamTest : public ::testing::Test {
 protected:
  std::string Written(const std::string& text, std::size_t piece = 1000) {
    std::ostringstream out;
    {
      PrintableStream stream(out, {.is_for_people = [this] { return for_people_; },
                                   .allows_styles = [this] { return styles_; },
                                   .is_on_terminal = [this] { return terminal_; }});
      for (std::size_t at = 0; at < text.size(); at += piece) out << text.substr(at, piece);
    }
    return out.str();
  }
  bool for_people_ = true;
  bool styles_ = true;
  bool terminal_ = false;
};

TEST_F(PrintableStreamTest, OwnColoursAndMovementsStayAndForeignOnesDoNot) {
  const std::string own = "\x1b[1mname\x1b[0m\n\x1b[3F\x1b[J\r\x1b[K█ größe\ttab\n";
  EXPECT_EQ(Written(own), own);
  EXPECT_EQ(Written("\x1b]0;title\x07 \x1b[2J\x1b[31;40mx \x1b"
                    "c"),
            "\\x1b]0;title\\x07 \\x1b[2J\x1b[31;40mx \\x1bc");
  styles_ = false;
  EXPECT_EQ(Written("\x1b[31mred"), "\\x1b[31mred");
}

TEST_F(PrintableStreamTest, WhatTurnsOrHidesTextIsShown) {
  EXPECT_EQ(Written("a\u202Eb\u200Bc\u2028d\u0085e\uFEFFf\xff"),
            "a\\u202eb\\u200bc\\u2028d\\x85e\\ufefff\\xff");
}

TEST_F(PrintableStreamTest, PiecesOfAnySizeComeOutTheSame) {
  const std::string text = "größe \x1b[38;5;200mx\x1b[0m \u202E 🚀 \xf0\x9f end\x1b";
  const std::string whole = Written(text);
  for (std::size_t piece = 1; piece < 6; ++piece) EXPECT_EQ(Written(text, piece), whole) << piece;
}

TEST_F(PrintableStreamTest, DocumentsForProgramsAreLeftAlone) {
  for_people_ = false;
  const std::string json = "{\"label\":\"\u202E\x1b\"}\xff";
  EXPECT_EQ(Written(json, 1), json);
}

TEST_F(PrintableStreamTest, DocumentsOnATerminalSayTheSameInAscii) {
  for_people_ = false;
  terminal_ = true;
  const std::string json = "{\"größe\":\"\u202E\u200B\x7f 🚀\U000E0041\"}\n";
  for (std::size_t piece : {1, 2, 3, 1000}) {
    EXPECT_EQ(Written(json, piece), "{\"größe\":\"\\u202e\\u200b\\u007f 🚀\\udb40\\udc41\"}\n");
  }
  EXPECT_EQ(Written("a,\x1b[2Jb\r\xff\n"), "a,\\u001b[2Jb\\u000d\\ufffd\n");
}

}  // namespace
}  // namespace sweep::cli

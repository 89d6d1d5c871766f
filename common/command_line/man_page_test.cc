#include "common/command_line/man_page.h"

#include <gtest/gtest.h>

namespace sweep {
namespace {

TEST(ManPage, BeginsWithTheNameAndThePurpose) {
  const ManPage page("sweep-thing", "does things", "1.2.3");
  EXPECT_EQ(page.text(),
            ".TH \"SWEEP\\-THING\" 1 \"\" \"Sweep 1.2.3\" \"\"\n"
            ".SH \"NAME\"\nsweep\\-thing \\- does things\n");
}

TEST(ManPage, TextsAppearAsTheyAre) {
  ManPage page("p", "", "1");
  const std::size_t head = page.text().size();
  page.Paragraph(".dots and \\ that\n  fill the line");
  page.Literal("'first' --line\n.second");
  page.Item("--name \"N\"", "-1: none");
  EXPECT_EQ(page.text().substr(head),
            ".PP\n\\&.dots and \\e that fill the line\n"
            ".PP\n.RS 4\n.nf\n\\&'first' \\-\\-line\n\\&.second\n.fi\n.RE\n"
            ".TP\n.B \"\\-\\-name \"\"N\"\"\"\n\\-1: none\n");
}

TEST(ManPage, LeavesOutWhatIsEmpty) {
  ManPage page("p", "", "1");
  const std::size_t head = page.text().size();
  page.Paragraph("");
  page.Literal("");
  EXPECT_EQ(page.text().substr(head), "");
}

TEST(ManPage, DoesNotReferToItself) {
  ManPage page("sweep", "", "1");
  const std::size_t head = page.text().size();
  page.SeeAlso("sweep sweep-worker sweep-trainer");
  EXPECT_EQ(page.text().substr(head),
            ".SH \"SEE ALSO\"\n.BR sweep\\-worker (1),\n.BR sweep\\-trainer (1)\n");
}

}  // namespace
}  // namespace sweep

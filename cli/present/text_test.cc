#include "cli/present/text.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cli/session.h"

namespace sweep::cli {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("99.4 ≥"), 6);
  EXPECT_EQ(DisplayWidth("数字"), 4);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("\xff"), 1);
}

TEST(Truncate, MarksWhatItCut) {
  EXPECT_EQ(Truncate("momentum", 8), "momentum");
  EXPECT_EQ(Truncate("momentum", 5), "mome…");
  EXPECT_EQ(DisplayWidth(Truncate("数字数字数字", 6)), 5);
}

TEST(TruncateStyled, KeepsColoursWholeAndClosed) {
  EXPECT_EQ(TruncateStyled("\x1b[32mabcdef\x1b[0m", 3), "\x1b[32mabc…\x1b[0m");
  EXPECT_EQ(TruncateStyled("\x1b[1mab\x1b[0m", 3), "\x1b[1mab\x1b[0m");
}

TEST(Pad, AlignsWideCharacters) {
  EXPECT_EQ(Pad("数", 4), "数  ");
  EXPECT_EQ(Pad("7", 3, true), "  7");
}

TEST(Printable, DisarmsTerminalEscapes) {
  EXPECT_EQ(Printable("\x1b[2Jx\n"), "\\x1b[2Jx\\n");
  EXPECT_EQ(Printable("größe"), "größe");
}

TEST(Numbers, ReadAsPeopleWriteThem) {
  EXPECT_EQ(WithSeparators(18718), "18,718");
  EXPECT_EQ(WithSeparators(-1234567), "-1,234,567");
  EXPECT_EQ(WithSeparators(-123), "-123");
  EXPECT_EQ(Percent(0.9944), "99.44 %");
  EXPECT_EQ(HumanBytes(55'300), "55.3 kB");
  EXPECT_EQ(HumanBytes(999'999), "1.0 MB");
  EXPECT_EQ(ShortNumber(0.0314159), "0.03142");
}

TEST(HumanDuration, UsesTheTwoLargestUnits) {
  EXPECT_EQ(HumanDuration(absl::Seconds(8.2)), "8.2 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(59.7)), "1 min 0 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(3840)), "1 h 4 min");
  EXPECT_EQ(HumanDuration(absl::Hours(51)), "2 d 3 h");
  EXPECT_EQ(HumanDuration(absl::InfiniteDuration()), "?");
}

TEST(Bar, FillsInEighths) {
  EXPECT_EQ(Bar(0.5, 4), "██  ");
  EXPECT_EQ(Bar(1.0 / 8, 1), "▏");
  EXPECT_EQ(Bar(7, 2), "██");
  EXPECT_EQ(Bar(-1, 2), "  ");
}

TEST(Text, AgoSaysHowLongBefore) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  EXPECT_EQ(HumanAgo(now + absl::Seconds(3), now), "just now") << "clocks differ";
  EXPECT_EQ(HumanAgo(now - absl::Seconds(12), now), "12 s ago");
  EXPECT_EQ(HumanAgo(now - absl::Seconds(200), now), "3 min ago");
  EXPECT_EQ(HumanAgo(now - absl::Minutes(150), now), "2 h ago");
  EXPECT_EQ(HumanAgo(now - absl::Hours(50), now), "2 d ago");
}

Session WithSettings(const std::string& coordinator, const std::string& coordinator_source,
                     const std::string& database, const std::string& database_source) {
  Session session;
  session.connection.coordinator = coordinator;
  session.connection.database = database;
  session.settings = {{"coordinator", coordinator, coordinator_source},
                      {"db", database, database_source}};
  return session;
}

TEST(Command, SaysAgainWhomToAskAsFarAsThatIsNeeded) {
  const std::vector<std::string> retry = {"retry", "night"};
  EXPECT_EQ(Command(WithSettings("", "default", "sweep.db", "default"), retry),
            "sweep retry night");
  EXPECT_EQ(Command(WithSettings("", "default", "x y.db", "--db"), retry),
            "sweep retry night --db 'x y.db'");
  EXPECT_EQ(Command(WithSettings("", "default", "w.db", "SWEEP_DB"), retry),
            "sweep retry night --db w.db")
      << "a variable may be there for one command only";
  EXPECT_EQ(Command(WithSettings("", "default", "w.db", "/home/x/config.yaml:1"), retry),
            "sweep retry night");
  EXPECT_EQ(Command(WithSettings("h:1", "SWEEP_COORDINATOR", "w.db", "SWEEP_DB"), retry),
            "sweep retry night --coordinator h:1");
  EXPECT_EQ(Command(WithSettings("", "--db", "w.db", "--db"), retry),
            "sweep retry night --db w.db");
  EXPECT_EQ(Command(WithSettings("", "default", "-w.db", "--db"), retry),
            "sweep retry night --db=-w.db");
  EXPECT_EQ(Command(WithSettings("h:1", "SWEEP_COORDINATOR", "w.db", "--db"), {"run", "a.yaml"}),
            "sweep run a.yaml --db w.db")
      << "run asks nobody";
}

TEST(Command, SaysAgainHowTheCoordinatorIsReached) {
  Session session = WithSettings("h:1", "/home/x/config.yaml:1", "w.db", "default");
  session.settings.push_back({"tls_ca", "ca.crt", "--tls-ca"});
  session.settings.push_back({"token_file", "t", "/home/x/config.yaml:2"});
  EXPECT_EQ(Command(session, {"retry", "night"}), "sweep retry night --tls-ca ca.crt");
  EXPECT_EQ(Command(session, {"run", "a.yaml"}), "sweep run a.yaml");
}

TEST(Command, QuotesItsWords) {
  EXPECT_EQ(Command({"run", FileWord("-it's $x.yaml")}), "sweep run './-it'\\''s $x.yaml'");
  EXPECT_EQ(Command({"train", "--resume=-x"}), "sweep train --resume=-x");
}

}  // namespace
}  // namespace sweep::cli

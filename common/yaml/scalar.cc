#include "common/yaml/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace sweep {
namespace {

// Longer texts are no slips of a number or a word.
constexpr std::size_t kMaxSlip = 64;

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

std::string_view WithoutSign(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text;
}

std::size_t CountDigits(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), IsDigit) -
                                  text.begin());
}

bool AreDigits(std::string_view text) { return !text.empty() && CountDigits(text) == text.size(); }

// [-+]? [0-9]+
bool IsDecimalInteger(std::string_view text) { return AreDigits(WithoutSign(text)); }

// 0x [0-9a-fA-F]+ and 0o [0-7]+; the base, or 0 for anything else.
int PrefixedBase(std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : text.starts_with("0o") ? 8 : 0;
  if (base == 0 || text.size() == 2) return 0;
  const auto fits = [base](char c) {
    return base == 16 ? absl::ascii_isxdigit(static_cast<unsigned char>(c)) : c >= '0' && c <= '7';
  };
  return std::all_of(text.begin() + 2, text.end(), fits) ? base : 0;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool IsFloat(std::string_view text) {
  text = WithoutSign(text);
  const std::size_t whole = CountDigits(text);
  text.remove_prefix(whole);
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = CountDigits(text);
    text.remove_prefix(fraction);
  }
  if (whole + fraction == 0) return false;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  return AreDigits(WithoutSign(text.substr(1)));
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool IsInfinity(std::string_view text) {
  return IsOneOf(WithoutSign(text), {".inf", ".Inf", ".INF"});
}
bool IsNan(std::string_view text) { return IsOneOf(text, {".nan", ".NaN", ".NAN"}); }

bool IsNumberText(std::string_view text) {
  return IsFloat(text) || PrefixedBase(text) != 0 || IsInfinity(text) || IsNan(text);
}

constexpr char kNotInJson[] =
    ", a number that JSON does not have, and trials are told in JSON; in quotes it is a text";
constexpr char kTooLarge[] =
    ", an integer that does not fit in 64 bits; with a decimal point it is a fraction, in quotes a "
    "text";

PlainScalar Refused(std::string_view text, std::string why) {
  return {.value = std::string(text), .refusal = std::move(why), .warning = ""};
}

PlainScalar ReadInteger(std::string_view text, int base) {
  std::string_view digits = text.substr(base == 10 ? 0 : 2);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t integer = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), integer, base);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return Refused(text, base == 10 ? kTooLarge : ", an integer that does not fit in 64 bits");
  }
  PlainScalar read{.value = integer};
  const std::string_view unsigned_digits = WithoutSign(text);
  if (base == 10 && unsigned_digits.size() > 1 && unsigned_digits[0] == '0') {
    read.warning = absl::StrCat(" is the integer ", integer,
                                " here; YAML 1.1 reads a leading 0 as octal: write ", integer,
                                ", or 0o… for octal, or quote it");
  }
  return read;
}

PlainScalar ReadFloat(std::string_view text) {
  double number = 0;
  const bool parsed = absl::SimpleAtod(std::string(text), &number);
  if (!parsed || !std::isfinite(number)) {
    return Refused(text, ", which is beyond the largest number, 1.797e308");
  }
  const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
  if (number == 0 && mantissa.find_first_of("123456789") != mantissa.npos) {
    return Refused(text, ", which cannot be told from 0; the smallest number is 4.94e-324");
  }
  return {.value = number};
}

// ---- What other readers take for a value, and what a hand mistook for one.

// Digits with `separators` between some of them: 1_000, 1,000, 0,5.
bool IsNumberWith(std::string_view text, char separator) {
  if (text.find(separator) == text.npos || text.empty() || !IsDigit(WithoutSign(text)[0])) {
    return false;
  }
  std::string without(text);
  std::erase(without, separator);
  return IsNumberText(without);
}

// Other spellings of a base: 0b101, -0x10, 0X1F, 0x_1.
bool IsForeignBase(std::string_view text) {
  const std::string_view number = WithoutSign(text);
  if (number.size() < 3 || number[0] != '0') return false;
  if (std::string_view("xXoObB").find(number[1]) == std::string_view::npos) return false;
  return std::all_of(number.begin() + 2, number.end(), [](char c) {
    return absl::ascii_isxdigit(static_cast<unsigned char>(c)) || c == '_';
  });
}

// 1:30 and 1:30:00.5, base 60 in YAML 1.1.
bool IsSexagesimal(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(std::string(WithoutSign(text)), ':');
  if (parts.size() < 2 || !AreDigits(parts[0])) return false;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string part = parts[i].substr(0, parts[i].find('.'));
    if (!AreDigits(part) || part.size() > 2) return false;
    if (part.size() < parts[i].size() && i + 1 < parts.size()) return false;
  }
  return true;
}

// 2026-01-01, perhaps with a time.
bool IsDate(std::string_view text) {
  for (const char end : {'-', '-', '\0'}) {
    const std::size_t digits = CountDigits(text);
    if (digits == 0 || digits > 4) return false;
    text.remove_prefix(digits);
    if (end == '\0') return text.empty() || IsOneOf(text.substr(0, 1), {"T", "t", " "});
    if (!text.starts_with(end)) return false;
    text.remove_prefix(1);
  }
  return false;
}

// Several numbers with spaces between.
bool AreNumbers(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(std::string(text), ' ', absl::SkipEmpty());
  return parts.size() > 1 && std::all_of(parts.begin(), parts.end(),
                                         [](const std::string& part) { return IsNumberText(part); });
}

std::string WordWarning(std::string_view text) {
  const std::string lower = absl::AsciiStrToLower(std::string(text));
  if (IsOneOf(lower, {"yes", "no", "on", "off", "y", "n"})) {
    const bool yes = IsOneOf(lower, {"yes", "on", "y"});
    return absl::StrCat(" is a text; YAML 1.1 reads it as ", yes ? "true" : "false", ": write ",
                        yes ? "true" : "false", ", or quote it");
  }
  if (lower == "true" || lower == "false") {
    return absl::StrCat(" is a text, since YAML has ", lower, " in other letters: write ", lower,
                        ", or quote it");
  }
  if (text == "None" || lower == "null") {
    return " is a text, and no value is null here; quote it if the text is meant";
  }
  const std::string number(WithoutSign(lower));
  if (IsOneOf(number, {"nan", "inf", "infinity", ".inf", ".nan"})) {
    return " is a text, no number; quote it if the text is meant";
  }
  return "";
}

std::string NumberWarning(std::string_view text) {
  constexpr char kQuote[] = "; quote it if the text is meant";
  const char first = WithoutSign(text).empty() ? '\0' : WithoutSign(text)[0];
  if (!IsDigit(first) && first != '.') return "";
  if (IsForeignBase(text)) {
    return absl::StrCat(" is a text, where other readers find a number: write it in decimal, or as "
                        "0x… or 0o… without a sign",
                        kQuote);
  }
  if (IsNumberWith(text, '_')) {
    std::string without(text);
    std::erase(without, '_');
    return absl::StrCat(" is a text, where YAML 1.1 reads a number: write ", without, kQuote);
  }
  if (IsNumberWith(text, ',') || IsNumberWith(text, '\'')) {
    return absl::StrCat(" is a text, no number: write one without separators and with a decimal "
                        "point",
                        kQuote);
  }
  if (IsSexagesimal(text)) {
    return absl::StrCat(" is a text, where YAML 1.1 reads a number of base 60", kQuote);
  }
  if (IsDate(text)) {
    return absl::StrCat(" is a text, where YAML 1.1 reads a date", kQuote);
  }
  if (AreNumbers(text)) {
    return absl::StrCat(" is one text, not several numbers: put commas between them", kQuote);
  }
  return "";
}

// A character that looks like another one, or like none.
struct LookAlike {
  std::string_view utf8;
  std::string_view ascii;
  std::string_view name;
};
constexpr std::array<LookAlike, 15> kLookAlikes = {{
    {"\u00A0", " ", "U+00A0, a no-break space"},
    {"\u2007", " ", "U+2007, a figure space"},
    {"\u2009", " ", "U+2009, a thin space"},
    {"\u202F", " ", "U+202F, a narrow no-break space"},
    {"\u3000", " ", "U+3000, an ideographic space"},
    {"\u00AD", "", "U+00AD, a soft hyphen"},
    {"\u200B", "", "U+200B, a space of no width"},
    {"\u200E", "", "U+200E, a mark of direction"},
    {"\u2060", "", "U+2060, a word joiner"},
    {"\uFEFF", "", "U+FEFF, a byte order mark"},
    {"\u2212", "-", "U+2212, another minus sign"},
    {"\u2013", "-", "U+2013, a dash"},
    {"\u2010", "-", "U+2010, another hyphen"},
    {"\u2011", "-", "U+2011, a hyphen that does not break"},
    {"\uFF0D", "-", "U+FF0D, a wide hyphen"},
}};

// Why the text is meant to be a value but holds a character that keeps it from being one.
std::string LookAlikeRefusal(std::string_view text) {
  std::string plain(text);
  std::string_view found;
  for (const LookAlike& one : kLookAlikes) {
    for (std::size_t at = plain.find(one.utf8); at != plain.npos; at = plain.find(one.utf8)) {
      plain.replace(at, one.utf8.size(), one.ascii);
      found = one.name;
    }
  }
  if (found.empty()) return "";
  plain = std::string(absl::StripAsciiWhitespace(plain));
  if (!IsNumberText(plain) &&
      !IsOneOf(absl::AsciiStrToLower(plain), {"true", "false", "null", "~"})) {
    return "";
  }
  return absl::StrCat(", which contains ", std::string(found), ": write ", plain,
                      ", or quote it if the text is meant");
}

}  // namespace

PlainScalar ReadPlainScalar(std::string_view text) {
  if (IsOneOf(text, {"true", "True", "TRUE"})) return {.value = true};
  if (IsOneOf(text, {"false", "False", "FALSE"})) return {.value = false};
  if (IsDecimalInteger(text)) return ReadInteger(text, 10);
  if (const int base = PrefixedBase(text); base != 0) return ReadInteger(text, base);
  if (IsFloat(text)) return ReadFloat(text);
  if (IsInfinity(text) || IsNan(text)) return Refused(text, kNotInJson);
  PlainScalar read{.value = std::string(text)};
  if (text.size() > kMaxSlip) return read;
  read.refusal = LookAlikeRefusal(text);
  if (read.refusal.empty()) read.warning = WordWarning(text);
  if (read.refusal.empty() && read.warning.empty()) read.warning = NumberWarning(text);
  return read;
}

Value ReadPlainScalarAsStored(std::string_view text) {
  if (IsOneOf(text, {"true", "True", "TRUE"})) return true;
  if (IsOneOf(text, {"false", "False", "FALSE"})) return false;
  std::string_view digits = WithoutSign(text);
  if (digits.starts_with('.')) digits.remove_prefix(1);
  if (digits.empty() || !IsDigit(digits[0])) return std::string(text);
  std::int64_t integer = 0;
  if (absl::SimpleAtoi(std::string(text), &integer)) return integer;
  double number = 0;
  if (absl::SimpleAtod(std::string(text), &number) && std::isfinite(number)) return number;
  return std::string(text);
}

int BracketBalance(std::string_view text) {
  int open = 0;
  int lowest = 0;
  for (const char c : text) {
    if (std::string_view("([{").find(c) != std::string_view::npos) ++open;
    if (std::string_view(")]}").find(c) != std::string_view::npos) --open;
    lowest = std::min(lowest, open);
  }
  if (open == 0 && lowest < 0) return lowest;
  if (open != 0 || text.empty()) return open;
  for (const char quote : {'"', '\''}) {
    const bool at_an_end = text.front() == quote || text.back() == quote;
    if (at_an_end && std::count(text.begin(), text.end(), quote) % 2 != 0) return 1;
  }
  return 0;
}

}  // namespace sweep

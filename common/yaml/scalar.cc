#include "common/yaml/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/code_point.h"
#include "common/base/utf8.h"

namespace sweep {
namespace {

// A longer text is no slip of a number or a word.
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
    ", a number that JSON does not have, and trials are sent as JSON; in quotes it is a text";
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

// True when `number`, written with as many digits, differs from the mantissa.
bool LosesDigits(std::string_view mantissa, double number) {
  constexpr std::size_t kAlwaysKept = 15;
  constexpr std::size_t kMostCompared = 1000;
  std::string digits;
  for (const char c : mantissa) {
    if (IsDigit(c) && !(digits.empty() && c == '0')) digits += c;
  }
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.size() <= kAlwaysKept) return false;
  if (digits.size() > kMostCompared) return true;
  char text[kMostCompared + 32];
  std::snprintf(text, sizeof(text), "%.*e", static_cast<int>(digits.size()) - 1, std::abs(number));
  std::string kept(text, std::string_view(text).find('e'));
  std::erase(kept, '.');
  return kept != digits;
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
  PlainScalar read{.value = number};
  if (LosesDigits(mantissa, number)) {
    read.warning = absl::StrCat(" has more digits than a number keeps, and is read as ",
                                FormatValue(number), "; quote it if the text is meant");
  }
  return read;
}

// ---- Texts that other readers take for a value, and likely slips of one.

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

// Several numbers joined by `separator`, perhaps with spaces.
bool AreNumbers(std::string_view text, std::string_view separator) {
  const std::vector<std::string> parts =
      absl::StrSplit(std::string(text), std::string(separator), absl::SkipEmpty());
  const bool several =
      separator == " " ? parts.size() > 1 : text.find(separator) != text.npos && parts.size() > 1;
  return several && std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
           const auto stripped = absl::StripAsciiWhitespace(part);
           return IsNumberText({stripped.data(), stripped.size()});
         });
}

bool AreNumbersWithOneOf(std::string_view text,
                         std::initializer_list<std::string_view> separators) {
  return std::any_of(separators.begin(), separators.end(),
                     [text](std::string_view separator) { return AreNumbers(text, separator); });
}

// range(1, 5), np.logspace(-3, -1, 3), (64, 32).
bool IsCall(std::string_view text, bool with_name) {
  const std::size_t open = text.find('(');
  if (open == text.npos || !text.ends_with(')') || BracketBalance(text) != 0) return false;
  const std::string_view name = text.substr(0, open);
  return name.empty() != with_name && std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
         });
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
    return absl::StrCat(
        " is a text, where other readers find a number: write it in decimal, or as "
        "0x… or 0o… without a sign",
        kQuote);
  }
  if (IsNumberWith(text, '_')) {
    std::string without(text);
    std::erase(without, '_');
    return absl::StrCat(" is a text, where YAML 1.1 reads a number: write ",
                        FormatValue(ReadPlainScalar(without).value), kQuote);
  }
  if (IsNumberWith(text, ',') || IsNumberWith(text, '\'')) {
    return absl::StrCat(
        " is a text, no number: write one without separators and with a decimal "
        "point",
        kQuote);
  }
  if (IsSexagesimal(text)) {
    return absl::StrCat(" is a text, where YAML 1.1 reads a number of base 60", kQuote);
  }
  if (IsDate(text)) {
    return absl::StrCat(" is a text, where YAML 1.1 reads a date", kQuote);
  }
  if (AreNumbersWithOneOf(text, {" ", ",", ";", "|"})) {
    return absl::StrCat(" is one text, not several numbers: write them as a list, [1, 2]", kQuote);
  }
  if (AreNumbersWithOneOf(text, {"..", "-"})) {
    return absl::StrCat(" is a text, no range: write {min: 1, max: 2}", kQuote);
  }
  if (AreNumbersWithOneOf(text, {"**", "*", "/", "^"})) {
    return absl::StrCat(" is a text, and nothing is calculated here: write the number", kQuote);
  }
  const std::string_view without_last = text.substr(0, text.size() - 1);
  if (text.ends_with('%') && IsNumberText(without_last)) {
    return absl::StrCat(" is a text, no number: write the share as a fraction, such as 0.1",
                        kQuote);
  }
  if (std::string_view("fFLj").find(text.back()) != text.npos && IsFloat(without_last)) {
    return absl::StrCat(" is a text, no number: write ", std::string(without_last), kQuote);
  }
  return "";
}

// Warns of a text that other programs would split, and of quotation marks that YAML does not see as
// such.
std::string SyntaxWarning(std::string_view text) {
  constexpr char kQuote[] = "; quote it if the text is meant";
  if (IsCall(text, /*with_name=*/true)) {
    return absl::StrCat(" is a text, and nothing is called here: write the values", kQuote);
  }
  if (IsCall(text, /*with_name=*/false)) {
    return absl::StrCat(" is a text, since YAML has no tuples", kQuote);
  }
  for (const std::string_view mark : {"\u201C", "\u201D", "\u201E", "\u2018", "\u00AB"}) {
    if (text.starts_with(mark)) {
      return absl::StrCat(" begins with ", std::string(mark),
                          ", which is no quotation mark to YAML: "
                          "write \" or '");
    }
  }
  return "";
}

// A character that looks like another one, or is invisible.
struct LookAlike {
  std::string_view utf8;
  std::string_view ascii;
  std::string_view name;
};
constexpr std::array<LookAlike, 14> kLookAlikes = {{
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
}};

// Digits and signs of other scripts, by the code point of their zero.
constexpr char32_t kZeros[] = {0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50};
// The wide forms of ASCII's '!' to '~'.
constexpr char32_t kFirstWide = 0xFF01;
constexpr char32_t kLastWide = 0xFF5E;

// The ASCII equivalent of a character of another script; '\0' when there is none.
char AsciiOf(char32_t point) {
  if (point >= kFirstWide && point <= kLastWide) return static_cast<char>(point - kFirstWide + '!');
  if (point == 0x3001) return ',';
  for (const char32_t zero : kZeros) {
    if (point >= zero && point < zero + 10) return static_cast<char>('0' + (point - zero));
  }
  return '\0';
}

// The text with look-alike characters replaced by ASCII; `*found` names the last one replaced.
std::string WithAsciiForLookAlikes(std::string_view text, std::string* found) {
  std::string plain(text);
  for (const LookAlike& one : kLookAlikes) {
    for (std::size_t at = plain.find(one.utf8); at != plain.npos; at = plain.find(one.utf8)) {
      plain.replace(at, one.utf8.size(), one.ascii);
      *found = one.name;
    }
  }
  for (std::size_t at = 0; at < plain.size(); ++at) {
    const std::size_t length = Utf8Length(std::string_view(plain).substr(at));
    if (length < 2) continue;
    const char32_t point = CodePoint(std::string_view(plain).substr(at, length));
    const char ascii = AsciiOf(point);
    if (ascii == '\0') continue;
    char name[32];
    std::snprintf(name, sizeof(name), "U+%04X, no %c of ASCII", static_cast<unsigned>(point),
                  ascii);
    *found = name;
    plain.replace(at, length, 1, ascii);
  }
  return std::string(absl::StripAsciiWhitespace(plain));
}

// Warns of a text that is no value but may have been meant as one.
void Question(std::string_view text, PlainScalar* read) {
  std::string found;
  const std::string plain = WithAsciiForLookAlikes(text, &found);
  const bool is_value =
      IsNumberText(plain) || IsOneOf(absl::AsciiStrToLower(plain), {"true", "false", "null", "~"});
  if (!found.empty() && is_value) {
    read->refusal = absl::StrCat(", which contains ", found, ": write ", plain,
                                 ", or quote it if the text is meant");
    return;
  }
  read->warning = WordWarning(text);
  if (read->warning.empty()) read->warning = NumberWarning(plain);
  if (read->warning.empty()) read->warning = SyntaxWarning(text);
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
  Question(text, &read);
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

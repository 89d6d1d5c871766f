#include "coordinator/scheduler/fail_alike.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/utf8.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kSignatureBytes = 200;
constexpr std::size_t kHeadlineBytes = 300;

bool IsWordByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-' ||
         c == '/' || c == '~';
}

bool TellsOfAnError(std::string_view line) {
  const std::string lower = absl::AsciiStrToLower(std::string(line));
  for (const char* word : {"error", "exception", "fatal", "abort", "killed", "not found", "no such",
                           "cannot", "can't", "failed", "panic"}) {
    if (absl::StrContains(lower, word)) return true;
  }
  return false;
}

// Removes from a word what differs from attempt to attempt: of a path only the last part stays, as
// it has the name of a module, and anything with a digit becomes #.
std::string Generic(std::string_view word) {
  if (const std::size_t slash = word.find_last_of('/'); slash != word.npos) {
    word.remove_prefix(slash + 1);
  }
  if (std::none_of(word.begin(), word.end(), absl::ascii_isdigit)) return std::string(word);
  // Letters in front of the digits name something, such as "cuda:0" or "Errno2"; hex does not.
  const std::size_t digit = word.find_first_of("0123456789");
  const bool is_number = word.find_first_not_of("0123456789abcdefABCDEFxX.-+_") == word.npos;
  return is_number ? "#" : std::string(word.substr(0, digit)) + "#";
}

std::string Generalized(std::string_view line) {
  std::string text;
  while (!line.empty()) {
    std::size_t end = 0;
    while (end < line.size() && IsWordByte(line[end])) ++end;
    if (end > 0) {
      text += Generic(line.substr(0, end));
    } else {
      // All white space is alike.
      const bool space = absl::ascii_isspace(static_cast<unsigned char>(line[0]));
      if (!space || !absl::EndsWith(text, " ")) text += space ? ' ' : line[0];
      end = 1;
    }
    line.remove_prefix(end);
  }
  return text;
}

void AddOnce(const std::string& item, std::vector<std::string>* items) {
  if (std::find(items->begin(), items->end(), item) == items->end()) items->push_back(item);
}

std::vector<std::string_view> Lines(std::string_view reason) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t begin = reason.find_first_not_of(kSpace);
    if (begin == reason.npos) return lines;
    reason.remove_prefix(begin);
    std::string_view line = reason.substr(0, reason.find('\n'));
    reason.remove_prefix(line.size());
    lines.push_back(line.substr(0, line.find_last_not_of(kSpace) + 1));
  }
}

// The first line says how the attempt ended. The others are the last lines of the program, in an
// order that depends on which of its two outputs was read first.
std::string_view Headline(const std::vector<std::string_view>& lines) {
  if (lines.empty()) return "";
  for (std::size_t i = lines.size(); i > 1; --i) {
    if (TellsOfAnError(lines[i - 1])) return lines[i - 1];
  }
  return lines.back();
}

}  // namespace

std::string FailureHeadline(const std::string& reason) {
  return OneLine(std::string(Headline(Lines(reason))), kHeadlineBytes);
}

std::string FailureSignature(const std::string& reason) {
  const std::vector<std::string_view> lines = Lines(reason);
  if (lines.empty()) return "";
  std::string signature = Generalized(lines.front().substr(0, kSignatureBytes));
  if (lines.size() > 1) {
    signature += " | " + Generalized(Headline(lines).substr(0, kSignatureBytes));
  }
  return std::string(CutUtf8(signature, kSignatureBytes));
}

AlikeVerdict JudgeFailure(const std::string& note, const Failure& failure) {
  if (absl::StartsWith(failure.reason, "diverged")) return {};
  const std::string signature = FailureSignature(failure.reason);
  if (signature.empty()) return {};  // it cannot be compared
  // Three lines: numbers of trials, names of workers (which have no commas), signature.
  const std::vector<std::string> parts = absl::StrSplit(note, absl::MaxSplits('\n', 2));
  std::vector<std::string> trials, workers;
  if (parts.size() == 3 && parts[2] == signature) {
    trials = absl::StrSplit(parts[0], ',');
    workers = absl::StrSplit(parts[1], ',');
  }
  AddOnce(std::to_string(failure.number), &trials);
  if (workers.size() < 2) AddOnce(failure.worker, &workers);
  AlikeVerdict verdict{.note = absl::StrCat(absl::StrJoin(trials, ","), "\n",
                                            absl::StrJoin(workers, ","), "\n", signature)};
  const bool may_be_the_machine = workers.size() < 2 && failure.others_could;
  if (static_cast<int>(trials.size()) >= kAlikeTrials && !may_be_the_machine) {
    verdict.pause_reason = fmt::format("the first {} trials failed alike: {}", trials.size(),
                                       FailureHeadline(failure.reason));
  }
  // Further trials and workers would not change the verdict.
  if (static_cast<int>(trials.size()) > kAlikeTrials) verdict.note = note;
  return verdict;
}

}  // namespace sweep

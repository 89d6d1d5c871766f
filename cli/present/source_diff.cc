#include "cli/present/source_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "cli/present/text.h"

namespace sweep::cli {
namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t kContext = 2;
// The product of both numbers of differing lines above which the text is shown as replaced.
constexpr std::size_t kMostCells = 4'000'000;

Lines SplitLines(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// One line of the result: ' ' in both, '-' only before, '+' only after.
struct Edit {
  char kind;
  std::string_view line;
};

// The edits between the parts without the common head and tail, along a longest common subsequence.
std::vector<Edit> Middle(const Lines& before, const Lines& after) {
  std::vector<Edit> edits;
  const std::size_t rows = before.size(), columns = after.size();
  std::size_t i = 0, j = 0;
  if (rows * columns <= kMostCells) {
    std::vector<std::vector<int>> common(rows + 1, std::vector<int>(columns + 1, 0));
    for (std::size_t r = rows; r-- > 0;) {
      for (std::size_t c = columns; c-- > 0;) {
        common[r][c] = before[r] == after[c] ? common[r + 1][c + 1] + 1
                                             : std::max(common[r + 1][c], common[r][c + 1]);
      }
    }
    while (i < rows && j < columns) {
      if (before[i] == after[j]) {
        edits.push_back({' ', before[i]});
        ++i, ++j;
      } else if (common[i + 1][j] >= common[i][j + 1]) {
        edits.push_back({'-', before[i++]});
      } else {
        edits.push_back({'+', after[j++]});
      }
    }
  }
  while (i < rows) edits.push_back({'-', before[i++]});
  while (j < columns) edits.push_back({'+', after[j++]});
  return edits;
}

std::vector<Edit> Edits(const Lines& before, const Lines& after) {
  std::size_t head = 0, tail = 0;
  const std::size_t shorter = std::min(before.size(), after.size());
  while (head < shorter && before[head] == after[head]) ++head;
  while (tail < shorter - head && *(before.end() - 1 - static_cast<std::ptrdiff_t>(tail)) ==
                                      *(after.end() - 1 - static_cast<std::ptrdiff_t>(tail))) {
    ++tail;
  }
  const auto part = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(head),
                 lines.end() - static_cast<std::ptrdiff_t>(tail));
  };
  std::vector<Edit> edits;
  for (std::size_t i = 0; i < head; ++i) edits.push_back({' ', before[i]});
  for (const Edit& edit : Middle(part(before), part(after))) edits.push_back(edit);
  for (std::size_t i = before.size() - tail; i < before.size(); ++i) {
    edits.push_back({' ', before[i]});
  }
  return edits;
}

// The hunks of the edits; `shown[i]` is true when line i belongs to one.
std::string Hunks(const std::vector<Edit>& edits, const std::vector<bool>& shown) {
  std::string text;
  std::size_t old_line = 1, new_line = 1;
  for (std::size_t i = 0; i < edits.size();) {
    std::size_t end = i;
    while (end < edits.size() && shown[end] == shown[i]) ++end;
    const auto count = [&](char other) {
      return static_cast<std::size_t>(
          std::count_if(edits.begin() + static_cast<std::ptrdiff_t>(i),
                        edits.begin() + static_cast<std::ptrdiff_t>(end),
                        [&](const Edit& edit) { return edit.kind == ' ' || edit.kind == other; }));
    };
    const std::size_t removed = count('-'), added = count('+');
    if (shown[i]) {
      text += fmt::format("@@ -{},{} +{},{} @@\n", old_line, removed, new_line, added);
      for (std::size_t k = i; k < end; ++k) {
        text += fmt::format("{}{}\n", edits[k].kind, Printable(std::string(edits[k].line)));
      }
    }
    old_line += removed;
    new_line += added;
    i = end;
  }
  return text;
}

template <typename Files>
void AddFiles(const Files& stored, const Files& given, std::string* text) {
  std::set<std::string> names;
  for (const auto& [name, unused] : stored) names.insert(name);
  for (const auto& [name, unused] : given) names.insert(name);
  for (const std::string& name : names) {
    const auto before = stored.find(name), after = given.find(name);
    *text += UnifiedDiff(before == stored.end() ? "" : before->second,
                         after == given.end() ? "" : after->second, name + " (stored)",
                         after == given.end() ? name + " (not there)" : name);
  }
}

}  // namespace

std::string UnifiedDiff(const std::string& before, const std::string& after,
                        const std::string& before_label, const std::string& after_label) {
  if (before == after) return "";
  const Lines old_lines = SplitLines(before), new_lines = SplitLines(after);
  const std::vector<Edit> edits = Edits(old_lines, new_lines);
  std::vector<bool> shown(edits.size(), false);
  for (std::size_t i = 0; i < edits.size(); ++i) {
    if (edits[i].kind == ' ') continue;
    const std::size_t first = i - std::min(i, kContext);
    const std::size_t last = std::min(i + kContext, edits.size() - 1);
    for (std::size_t k = first; k <= last; ++k) shown[k] = true;
  }
  const std::string hunks = Hunks(edits, shown);
  // The texts differ only in the final newline.
  if (hunks.empty()) return "";
  return fmt::format("--- {}\n+++ {}\n{}", Printable(before_label), Printable(after_label), hunks);
}

std::string SourceDiff(const std::string& name, const v1::SweepSource& stored,
                       const v1::SweepSource& given, int max_lines) {
  std::string text = UnifiedDiff(stored.text(), given.text(), name + " (stored)", given.file());
  AddFiles(stored.network_files(), given.network_files(), &text);
  AddFiles(stored.program_files(), given.program_files(), &text);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  if (lines <= max_lines) return text;
  std::size_t end = 0;
  for (int line = 0; line + 1 < max_lines; ++line) end = text.find('\n', end) + 1;
  return text.substr(0, end) + fmt::format("… and {} more lines\n", lines - max_lines + 1);
}

}  // namespace sweep::cli

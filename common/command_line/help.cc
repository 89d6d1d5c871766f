#include "common/command_line/help.h"

#include <algorithm>
#include <sstream>

namespace sweep {
namespace {

constexpr int kGap = 2;
constexpr int kWidestSyntax = 26;

// The width of `text` in columns; help texts have no wide characters.
int Columns(const std::string& text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

std::vector<std::string> FilledLines(const std::string& text, int width) {
  std::vector<std::string> lines(1);
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!lines.back().empty() && Columns(lines.back()) + 1 + Columns(word) > width) {
      lines.emplace_back();
    }
    lines.back() += (lines.back().empty() ? "" : " ") + word;
  }
  return lines;
}

std::string Beside(const OptionInfo& option) {
  std::string text = option.description;
  if (!option.fallback.empty()) text += " [default: " + option.fallback + "]";
  if (!option.environment.empty()) text += " [env: " + option.environment + "]";
  return text;
}

std::string OptionsText(const std::string& title, const std::vector<OptionInfo>& options) {
  if (options.empty()) return "";
  int widest = 0;
  for (const OptionInfo& option : options) {
    const int width = Columns(option.Syntax());
    if (width <= kWidestSyntax) widest = std::max(widest, width);
  }
  std::string page = "\n" + title + ":\n";
  const std::string indent(2 + static_cast<std::size_t>(widest) + kGap, ' ');
  for (const OptionInfo& option : options) {
    const std::string syntax = option.Syntax();
    const int room = widest - Columns(syntax);
    page += "  " + syntax;
    page += room < 0 ? "\n" + indent : std::string(static_cast<std::size_t>(room + kGap), ' ');
    const auto lines = FilledLines(Beside(option), kHelpWidth - static_cast<int>(indent.size()));
    for (std::size_t i = 0; i < lines.size(); ++i) page += (i > 0 ? indent : "") + lines[i] + "\n";
  }
  return page;
}

}  // namespace sweep

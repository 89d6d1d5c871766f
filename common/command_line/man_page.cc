#include "common/command_line/man_page.h"

#include <cctype>
#include <sstream>
#include <string>

namespace sweep {
namespace {

// Hyphens become minus signs, so that options can be copied; a dot or an apostrophe that begins a
// line would be a request to roff.
std::string Escaped(const std::string& line) {
  std::string escaped;
  for (const char c : line) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  if (escaped.starts_with(".") || escaped.starts_with("'")) escaped.insert(0, "\\&");
  return escaped;
}

std::string Capitals(const std::string& text) {
  std::string capitals;
  for (const char c : text) {
    capitals += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return capitals;
}

// An argument of a macro: in quotes, which are doubled within.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : Escaped(text)) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

// Words of all lines, on one line.
std::string Joined(const std::string& text) {
  std::string joined;
  std::istringstream words(text);
  for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

}  // namespace

ManPage::ManPage(const std::string& program, const std::string& purpose, const std::string& version)
    : program_(program) {
  text_ = ".TH " + Quoted(Capitals(program)) + " 1 \"\" " + Quoted("Sweep " + version) + " \"\"\n";
  Section("NAME");
  text_ += Escaped(program) + " \\- " + Escaped(purpose) + "\n";
}

void ManPage::Section(const std::string& title) { text_ += ".SH " + Quoted(title) + "\n"; }

void ManPage::Subsection(const std::string& title) { text_ += ".SS " + Quoted(title) + "\n"; }

void ManPage::Paragraph(const std::string& text) {
  if (const std::string line = Joined(text); !line.empty()) text_ += ".PP\n" + Escaped(line) + "\n";
}

void ManPage::Literal(const std::string& lines) {
  if (lines.empty()) return;
  text_ += ".PP\n.RS 4\n.nf\n";
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) text_ += Escaped(line) + "\n";
  text_ += ".fi\n.RE\n";
}

void ManPage::Item(const std::string& name, const std::string& meaning) {
  text_ += ".TP\n.B " + Quoted(name) + "\n" + Escaped(Joined(meaning)) + "\n";
}

void ManPage::SeeAlso(const std::string& pages) {
  std::string list;
  std::istringstream names(pages);
  for (std::string name; names >> name;) {
    if (name == program_) continue;
    if (!list.empty()) list += ",\n";
    list += ".BR " + Escaped(name) + " (1)";
  }
  Section("SEE ALSO");
  text_ += list + "\n";
}

}  // namespace sweep

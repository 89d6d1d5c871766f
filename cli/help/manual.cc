#include <CLI/CLI.hpp>
#include <sstream>
#include <string>

#include "cli/help/docs.h"
#include "cli/help/help.h"
#include "common/command_line/help.h"
#include "common/command_line/man_page.h"
#include "common/command_line/options.h"

namespace sweep::cli {
namespace {

// Indented lines stay as they are; the others are paragraphs, between empty lines.
void AddFilledText(const std::string& text, ManPage* page) {
  std::string paragraph;
  std::string literal;
  const auto flush = [&] {
    page->Paragraph(paragraph);
    page->Literal(literal);
    paragraph.clear();
    literal.clear();
  };
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool is_literal = line.starts_with("  ");
    if (line.empty() || (is_literal ? !paragraph.empty() : !literal.empty())) flush();
    (is_literal ? literal : paragraph) += line + "\n";
  }
  flush();
}

void AddCommand(const CLI::App& command, ManPage* page) {
  page->Subsection(Usage(command));
  page->Paragraph(Summary(command) + ".");
  AddFilledText(Details(command), page);
  for (const OptionInfo& option : OptionsOf(command)) page->Item(option.Syntax(), Beside(option));
  AddFilledText(command.get_footer(), page);
}

}  // namespace

std::string ManualText(const CLI::App& app) {
  ManPage page(app.get_name(), "hyperparameter sweeps of small networks", app.version());
  page.Section("SYNOPSIS");
  page.Paragraph(app.get_name() + " COMMAND [ARGUMENTS] [OPTIONS]");
  for (const std::string& group : GroupsOf(app)) {
    page.Section(group);
    for (const CLI::App* command : WithInnerCommands(CommandsInGroup(app, group))) {
      AddCommand(*command, &page);
    }
  }
  for (const HelpTopic& topic : HelpTopics()) {
    page.Section(topic.title);
    AddFilledText(topic.text, &page);
  }
  page.SeeAlso(kManPages);
  return page.text();
}

}  // namespace sweep::cli

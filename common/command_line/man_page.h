#pragma once

#include <string>

namespace sweep {

// The pages of all programs, for SeeAlso.
inline constexpr char kManPages[] = "sweep sweep-coordinator sweep-worker sweep-trainer";

// A page of the manual in roff's man macros, which programs make of their own tables of options.
// Texts are escaped, so that they appear as they are. Needs neither CLI11 nor abseil: the trainer
// uses it too.
class ManPage {
 public:
  // `purpose` is one line without a full stop; `version` stands at the foot of the page.
  ManPage(const std::string& program, const std::string& purpose, const std::string& version);

  void Section(const std::string& title);
  void Subsection(const std::string& title);
  // Fills the page's width; text of several lines is one paragraph.
  void Paragraph(const std::string& text);
  // Lines as they are, indented; nothing for "".
  void Literal(const std::string& lines);
  // "--db FILE", and beside it what it means.
  void Item(const std::string& name, const std::string& meaning);
  // Refers to pages of section 1, separated by spaces; leaves out the page itself.
  void SeeAlso(const std::string& pages);

  const std::string& text() const { return text_; }

 private:
  const std::string program_;
  std::string text_;
};

}  // namespace sweep

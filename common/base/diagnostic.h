#pragma once

#include <string>
#include <vector>

namespace sweep {

// One complaint about a text that a person wrote. `line` is 1-based, 0 when it has none. A warning
// refuses nothing: the text is taken as the message says.
struct Diagnostic {
  enum class Severity { kError, kWarning };
  std::string file;
  int line = 0;
  std::string message;
  Severity severity = Severity::kError;
};

using Diagnostics = std::vector<Diagnostic>;

// Those that are errors.
std::size_t CountErrors(const Diagnostics& diagnostics);

// Leaves out the warnings about lines that have an error as well: they may come of the same slip,
// and the rest is told when that is mended.
void DropShadowedWarnings(Diagnostics* diagnostics);

// "file:line: message", or "file: message" without a line; a warning says "warning: " before it.
std::string FormatDiagnostic(const Diagnostic& diagnostic);

// All of them, one per line, in order of file and line.
std::string FormatDiagnostics(Diagnostics diagnostics);

}  // namespace sweep

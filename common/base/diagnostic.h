#pragma once

#include <string>
#include <vector>

namespace sweep {

// One complaint about a text that a person wrote. `line` is 1-based, or 0 when unknown. A warning
// does not refuse the text; its message says how the text is read.
struct Diagnostic {
  enum class Severity { kError, kWarning };
  std::string file;
  int line = 0;
  std::string message;
  Severity severity = Severity::kError;
};

using Diagnostics = std::vector<Diagnostic>;

// The number of errors; warnings do not count.
std::size_t CountErrors(const Diagnostics& diagnostics);

// Removes each warning about a line that also has an error: both may come from one slip, and the
// warning reappears if it remains once the error is fixed.
void DropShadowedWarnings(Diagnostics* diagnostics);

// "file:line: message", or "file: message" without a line; a warning has "warning: " before the
// message.
std::string FormatDiagnostic(const Diagnostic& diagnostic);

// All diagnostics, one per line, ordered by file and line.
std::string FormatDiagnostics(Diagnostics diagnostics);

}  // namespace sweep

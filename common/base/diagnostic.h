#pragma once

#include <string>
#include <vector>

namespace sweep {

// One complaint about a text that a person wrote. `line` is 1-based, 0 when it has none.
struct Diagnostic {
  std::string file;
  int line = 0;
  std::string message;
};

using Diagnostics = std::vector<Diagnostic>;

// "file:line: message", or "file: message" without a line.
std::string FormatDiagnostic(const Diagnostic& diagnostic);

// All of them, one per line, in order of file and line.
std::string FormatDiagnostics(Diagnostics diagnostics);

}  // namespace sweep

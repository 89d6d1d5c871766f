#include "common/base/diagnostic.h"

#include <algorithm>
#include <tuple>

#include "common/base/printable.h"

namespace sweep {

std::size_t CountErrors(const Diagnostics& diagnostics) {
  return static_cast<std::size_t>(
      std::count_if(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
        return diagnostic.severity == Diagnostic::Severity::kError;
      }));
}

void DropShadowedWarnings(Diagnostics* diagnostics) {
  const Diagnostics all = *diagnostics;
  std::erase_if(*diagnostics, [&](const Diagnostic& warning) {
    return warning.severity == Diagnostic::Severity::kWarning &&
           std::any_of(all.begin(), all.end(), [&](const Diagnostic& other) {
             return other.severity == Diagnostic::Severity::kError && other.file == warning.file &&
                    other.line == warning.line;
           });
  });
}

std::string FormatDiagnostic(const Diagnostic& diagnostic) {
  // Both contain foreign names and values; a line feed in one would look like another diagnostic.
  std::string text = Printable(diagnostic.file);
  if (diagnostic.line > 0) text += ":" + std::to_string(diagnostic.line);
  if (!text.empty()) text += ": ";
  if (diagnostic.severity == Diagnostic::Severity::kWarning) text += "warning: ";
  return text + Printable(diagnostic.message);
}

std::string FormatDiagnostics(Diagnostics diagnostics) {
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [](const Diagnostic& a, const Diagnostic& b) {
                     return std::tie(a.file, a.line) < std::tie(b.file, b.line);
                   });
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!text.empty()) text += '\n';
    text += FormatDiagnostic(diagnostic);
  }
  return text;
}

}  // namespace sweep

#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "common/protocol/program_files.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// A user's network with hyperparameters of its own: its 5 × 5 images allow a kernel of at most 5.
inline constexpr char kWidthsNetwork[] = R"(name: widths
input: [1, 5, 5]
parameters: {width: 4, kernel: 3}
layers:
  - conv: {out: "${width}", kernel: "${kernel}"}
  - relu
  - dropout
  - global_avg_pool
  - linear: 10
recipes:
  seed:
    source: a guess
    values: {lr: 0.07, batch_size: 16, dropout: 0.25, epochs: 7}
    ours: {momentum: 0.5}
  tuned:
    source: a better guess
    values: {lr: 0.09, width: 6}
)";

inline SweepSource SourceOf(std::string text) {
  return {.file = "s.yaml",
          .text = std::move(text),
          .network_files = {{"nets/widths.yaml", kWidthsNetwork}}};
}

// With the files of a program.
inline SweepSource WithFiles(const std::string& text, ProgramFiles files) {
  SweepSource source = SourceOf(text);
  source.program_files = std::move(files);
  return source;
}

// The errors, one per line.
inline std::string FormatErrors(Diagnostics diagnostics) {
  std::erase_if(diagnostics, [](const Diagnostic& diagnostic) {
    return diagnostic.severity == Diagnostic::Severity::kWarning;
  });
  return FormatDiagnostics(diagnostics);
}

// Every error in a source, one per line; "" for a good one.
inline std::string ComplaintsOf(const SweepSource& source) {
  Diagnostics diagnostics;
  const bool ok = SweepSpec::Parse(source, &diagnostics).ok();
  EXPECT_EQ(ok, CountErrors(diagnostics) == 0);
  return FormatErrors(diagnostics);
}

// The warnings about a good source, one per line.
inline std::string Warnings(const SweepSource& source) {
  Diagnostics diagnostics;
  EXPECT_TRUE(SweepSpec::Parse(source, &diagnostics).ok()) << FormatDiagnostics(diagnostics);
  return FormatDiagnostics(diagnostics);
}
inline std::string Warnings(std::string text) { return Warnings(SourceOf(std::move(text))); }

// Every error in a file, one per line; "" for a good one.
inline std::string Complaints(std::string text) {
  Diagnostics diagnostics;
  const absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(SourceOf(std::move(text)), &diagnostics);
  EXPECT_EQ(spec.ok(), CountErrors(diagnostics) == 0);
  EXPECT_EQ(spec.status().code(),
            spec.ok() ? absl::StatusCode::kOk : absl::StatusCode::kInvalidArgument);
  return FormatErrors(diagnostics);
}

// Parses a file that must be good.
inline SweepSpec MustParse(std::string text) {
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(SourceOf(std::move(text)), &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return spec.ok() ? *std::move(spec) : SweepSpec();
}

// Adds `more` to the lines that every random sweep needs.
inline std::string Random(const std::string& more) {
  return "name: s\nmodel: cnn-18718\nrun_cap: 5\n" + more;
}
inline std::string Grid(const std::string& more) {
  return "name: s\nmodel: cnn-18718\nmethod: grid\n" + more;
}
inline std::string Widths(const std::string& more) {
  return "name: s\nmodel: nets/widths.yaml\nmethod: grid\n" + more;
}

}  // namespace sweep

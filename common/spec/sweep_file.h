#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

struct SweepFile {
  SweepSource source;
  SweepSpec spec;
};

// LoadSweepSource and SweepSpec::Parse in one, which reads the text once.
absl::StatusOr<SweepFile> LoadSweepFile(const std::string& path, Diagnostics* diagnostics);

// The seed of a sweep whose file names none: a renamed copy tries other points. Short, so that
// people can copy it.
std::uint64_t SeedOfName(const std::string& name);

}  // namespace sweep

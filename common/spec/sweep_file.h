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

// LoadSweepSource and SweepSpec::Parse in one; reads the text once.
absl::StatusOr<SweepFile> LoadSweepFile(const std::string& path, Diagnostics* diagnostics);

// The seed of a sweep whose file sets none: a renamed copy tries other points. Short enough to copy
// by hand.
std::uint64_t SeedOfName(const std::string& name);

}  // namespace sweep

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/network/network_file.h"
#include "common/spec/sweep_spec.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// A sweep file as read, and its parsed form.
struct SweepInput {
  SweepSource source;
  SweepSpec spec;
};

// InvalidArgument with every error, one per line. Warnings go to standard error.
absl::StatusOr<SweepInput> ReadSweepFile(const std::string& path);
// The same, but the caller reports errors and warnings.
absl::StatusOr<SweepInput> ReadSweepFile(const std::string& path, Diagnostics* diagnostics);

// The file of a sweep of the coordinator, as this build reads it. The status of
// SweepSpec::ParseStored.
absl::StatusOr<SweepInput> StoredInput(const v1::Sweep& sweep);

// A built-in network by name, or a network file by path. As above.
absl::StatusOr<NetworkFile> ReadNetwork(const std::string& name_or_path);
absl::StatusOr<NetworkFile> ReadNetwork(const std::string& name_or_path, Diagnostics* diagnostics);

// The network with the values of its `seed` recipe, else of its first recipe, else of its defaults.
absl::StatusOr<Network> ResolveWithRecipe(const NetworkFile& file);

v1::SweepSource ToProto(const SweepSource& source);

// Prints the errors unchanged, one per line, and returns exit code 2.
int FailInput(const absl::Status& status);

}  // namespace sweep::cli

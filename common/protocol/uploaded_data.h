#pragma once

#include <string>
#include <string_view>

#include "common/protocol/trial_spec.h"

namespace sweep {

// What the path of a data set begins with that was uploaded to the coordinator. The SHA-256 of its
// manifest follows.
inline constexpr std::string_view kUploadedDataPrefix = "sha256:";

inline bool IsUploaded(const DatasetSpec& dataset) {
  return dataset.name == "idx" && dataset.path.starts_with(kUploadedDataPrefix);
}

// The SHA-256 of its manifest. Requires IsUploaded.
inline std::string ManifestOf(const DatasetSpec& dataset) {
  return dataset.path.substr(kUploadedDataPrefix.size());
}

}  // namespace sweep

#pragma once

#include <string>

#include "absl/numeric/int128.h"
#include "common/base/value.h"

namespace sweep {

// Equal texts mean equal points.
std::string PointIdentity(const ParameterMap& parameters);
// The same in 16 bytes, for those who remember many points: a hash (FNV-1a) of the identity, of
// which two of a million differing points are equal with a probability of 1e-27.
absl::uint128 PointFingerprint(const ParameterMap& parameters);

}  // namespace sweep

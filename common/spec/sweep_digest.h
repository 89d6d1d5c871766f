#pragma once

#include <string>

#include "common/spec/sweep_spec.h"

namespace sweep {

// SHA-256 over the meaning of a valid sweep; see SweepSpec::digest.
std::string DigestOf(const SweepSpec& spec);
// The digest of builds that stored the method as a number; see SweepSpec::earlier_digest.
std::string EarlierDigestOf(const SweepSpec& spec);

}  // namespace sweep

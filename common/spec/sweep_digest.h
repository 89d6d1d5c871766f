#pragma once

#include <string>

#include "common/spec/sweep_spec.h"

namespace sweep {

// SHA-256 over the meaning of a valid sweep; see SweepSpec::digest.
std::string DigestOf(const SweepSpec& spec);
// What builds before the method was a word wrote; see SweepSpec::earlier_digest.
std::string EarlierDigestOf(const SweepSpec& spec);

}  // namespace sweep

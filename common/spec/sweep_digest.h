#pragma once

#include <string>

#include "common/spec/sweep_spec.h"

namespace sweep {

// SHA-256 over the meaning of a valid sweep; see SweepSpec::digest.
std::string DigestOf(const SweepSpec& spec);

}  // namespace sweep

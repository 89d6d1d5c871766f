#pragma once

#include <string>
#include <string_view>

#include "common/base/value.h"

namespace sweep {

// The rules for reading scalars: YAML 1.2's core schema, or those of sweeps stored before it.
enum class ScalarRules { kCoreSchema, kAsStored };

// The value of a plain (unquoted) scalar by the core schema of YAML 1.2, section 10.3.2.
struct PlainScalar {
  Value value;
  // Why the scalar is refused, worded to follow "X is TEXT": ": infinity, which …"; "" when
  // accepted.
  std::string refusal;
  // The different value that other YAML readers see, in the same form; "" when all agree.
  std::string warning;
};

// Requires a scalar that is not null (~, null, nothing); the reader handles those. `value` is the
// text itself when the scalar is refused.
PlainScalar ReadPlainScalar(std::string_view text);

// Reads a scalar by the rules of edition 1 (SweepSource::edition): some numbers of the core schema
// were text, hexadecimal ones fractions and large integers rounded. Stored sweeps need it, so that
// their trials stay the same.
Value ReadPlainScalarAsStored(std::string_view text);

// Opening minus closing brackets in `text`: 0 when balanced, 1 for "(64". Also not 0 when a bracket
// closes before it opens, or a quotation mark at an end of the text has no partner.
int BracketBalance(std::string_view text);

}  // namespace sweep

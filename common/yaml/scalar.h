#pragma once

#include <string>
#include <string_view>

#include "common/base/value.h"

namespace sweep {

// How scalars are read: by YAML 1.2's core schema, or as in sweeps that were stored before that.
enum class ScalarRules { kCoreSchema, kAsStored };

// What a plain (unquoted) scalar stands for by the core schema of YAML 1.2, section 10.3.2.
struct PlainScalar {
  Value value;
  // Why it cannot be taken, after the words "X is TEXT": ": infinity, which …"; "" when it can.
  std::string refusal;
  // What other readers of YAML take it for, in the same form; "" when all agree.
  std::string warning;
};

// Requires no null (~, null, nothing), which a reader has told apart. `value` is the text itself
// where the scalar is refused.
PlainScalar ReadPlainScalar(std::string_view text);

// The reading of sweeps that were stored in edition 1 (SweepSource::edition): some numbers of the
// core schema were text, hexadecimal ones fractions and large integers rounded. Their trials must
// stay the same.
Value ReadPlainScalarAsStored(std::string_view text);

// Brackets that are closed minus those that are open in `text`, 0 when all is in balance: 1 for
// "(64". Not 0 as well where a quotation mark at an end of the text has no partner.
int BracketBalance(std::string_view text);

}  // namespace sweep

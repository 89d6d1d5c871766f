#pragma once

#include <string>

#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// The differing lines of two texts in the form of `diff -u`, with two lines of context. Empty when
// equal.
std::string UnifiedDiff(const std::string& before, const std::string& after,
                        const std::string& before_label, const std::string& after_label);

// The differences between the files of a stored sweep and given ones: sweep file, networks,
// program. At most `max_lines` lines; the last line then says how many are left.
std::string SourceDiff(const std::string& name, const v1::SweepSource& stored,
                       const v1::SweepSource& given, int max_lines);

}  // namespace sweep::cli

#pragma once

#include <string>

#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// The lines in which two texts differ, as `diff -u` shows them: with two lines around each change.
// Empty when they are equal.
std::string UnifiedDiff(const std::string& before, const std::string& after,
                        const std::string& before_label, const std::string& after_label);

// What differs between the files of a stored sweep and those of another: sweep file, networks,
// program. At most `max_lines` lines, the last of which then says how many more there are.
std::string SourceDiff(const std::string& name, const v1::SweepSource& stored,
                       const v1::SweepSource& given, int max_lines);

}  // namespace sweep::cli

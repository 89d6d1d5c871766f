#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/yaml/yaml_reader.h"

namespace sweep {

// The name of a nested parameter is that of its mapping, a dot, and its own: optimizer.lr.

// True for words of letters, digits and _ with dots between them, at most 63 characters.
bool IsParameterName(std::string_view name);
// Describes what IsParameterName accepts.
inline constexpr char kParameterNames[] =
    "letters, digits and _, at most 63, with dots for nesting";
// The names around a dotted one, outermost first: {"a", "a.b"} of "a.b.c".
std::vector<std::string> NamesAround(std::string_view name);

// The entries of the mapping `parameters:`, those of nested mappings under their dotted names.
// `keys` are those of a parameter's own mapping, {min: 1, max: 2}. Nested are {parameters: {…}} and
// a mapping without any of those keys of which a value is a mapping. Reports names that stand
// twice, and those that lie under one with a value of its own.
std::vector<YamlEntry> FlatParameters(const YAML::Node& node, int line,
                                      const std::vector<std::string>& keys, YamlReader* reader);

// The same for a mapping of values, in which every mapping is nested. `what` names it.
std::vector<YamlEntry> FlatValues(const YAML::Node& node, int line, std::string_view what,
                                  YamlReader* reader);

}  // namespace sweep

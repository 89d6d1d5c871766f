#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/value.h"
#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// A point of `try_first:` as a file has it.
struct WrittenPoint {
  std::string name;  // for messages: "point 2 of 'try_first'"
  int line = 0;
  ParameterMap values;               // those that the parameters have
  std::map<std::string, int> lines;  // of the values
};

// Reads the list. With `parameters_are_known`, each name must be a parameter of the sweep and each
// value one that it can have.
std::vector<WrittenPoint> ParseTryFirst(const YamlEntry& entry, const SweepSpec& spec,
                                        bool parameters_are_known, YamlReader* reader);

// The points with all parameters that exist there: those that a point leaves out take their median,
// or the most likely value of a list. Reports points that are impossible, excluded by constraints
// or given twice, and values that do not exist at their point. The rest of the file must be good.
// `is_cancelled` as for SweepSpec::Parse.
std::vector<ParameterMap> CompleteTryFirst(const std::vector<WrittenPoint>& points,
                                           const SweepSpec& spec, const IsCancelled& is_cancelled,
                                           YamlReader* reader);

}  // namespace sweep

#pragma once

#include <map>
#include <string>

#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// Limit for labels, constraints and measures.
constexpr std::size_t kMaxListed = 64;

// The keys of a sweep file that judge runs: `metric`, `measures`, `require`, `gate_on` and `k`.
struct CriteriaContext {
  const std::map<std::string, YamlEntry>& keys;  // of the whole file
  bool has_network = true;
  bool has_program = false;  // the program may name its own measures
};

// Reads those keys into `spec`. A key with an error keeps its default.
void ParseCriteria(const CriteriaContext& context, YamlReader* reader, SweepSpec* spec);

}  // namespace sweep

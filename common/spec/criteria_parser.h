#pragma once

#include <map>
#include <string>

#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// Labels, constraints, measures.
constexpr std::size_t kMaxListed = 64;

// The keys of a sweep file that say how runs are judged: `metric`, `measures`, `require`, `gate_on`
// and `k`.
struct CriteriaContext {
  const std::map<std::string, YamlEntry>& keys;  // of the whole file
  bool has_network = true;
  bool has_program = false;  // its measures have names of its own
};

// Reads those keys into `spec`. What is in error keeps its default.
void ParseCriteria(const CriteriaContext& context, YamlReader* reader, SweepSpec* spec);

}  // namespace sweep

#pragma once

#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// Reads `replicates`: a number, `auto`, or a mapping of the race's numbers.
void ParseReplicates(const YamlEntry& entry, YamlReader* reader, SweepSpec* spec);

}  // namespace sweep

#pragma once

#include "common/spec/pbt_settings.h"
#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// Reads `pbt` of a sweep file. A key with an error keeps its default.
PbtSettings ParsePbt(const YamlEntry& entry, YamlReader* reader);

// Complains of each searched parameter with which a training cannot go on from the checkpoint of
// one with another value, because it changes the shape of the network. `line`: of 'parameters'.
// The spec must be complete.
void CheckTakenOver(const SweepSpec& spec, int line, YamlReader* reader);

}  // namespace sweep

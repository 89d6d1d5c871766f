#pragma once

#include "common/spec/worker_requirements.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// Reads `requires` of a sweep file. A key with an error keeps its default.
WorkerRequirements ParseWorkerRequirements(const YamlEntry& entry, YamlReader* reader);

}  // namespace sweep

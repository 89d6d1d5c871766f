#pragma once

#include <optional>

#include "common/spec/early_terminate.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// Reads `early_terminate` of a sweep file. A key with an error keeps its default; nullopt when the
// type is not known.
std::optional<EarlyTerminate> ParseEarlyTerminate(const YamlEntry& entry, YamlReader* reader);

// Reads `stop_when`; nullopt after an error.
std::optional<StopWhen> ParseStopWhen(const YamlEntry& entry, YamlReader* reader);

}  // namespace sweep

#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/protocol/program_files.h"
#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

class SweepDocument;

// The words of `program:`, a list or one word; empty after complaining.
std::vector<std::string> ParseProgram(const YamlEntry& entry, YamlReader* reader);

// An item of `files:`.
struct ProgramFileName {
  std::string name;
  int line = 0;
};

// The names in `files:`, each once and each one that a file may have; empty after complaining.
std::vector<ProgramFileName> ParseProgramFileNames(const YamlEntry& entry, YamlReader* reader);

// The texts of `names` out of the source. Complains about files that the source lacks (unless they
// are in `reported`), has too many, or that may not travel.
ProgramFiles TakeProgramFiles(const SweepSource& source, const std::vector<ProgramFileName>& names,
                              const std::set<std::string>& reported, int line, YamlReader* reader);

// What is known of a command before it runs: that its first word is a file that can be executed
// there, and that the script it names travels along. `files` is null where the file has none: then
// the program runs where the worker was started, and what lies there is not known.
void CheckProgram(const YamlEntry& entry, const std::vector<std::string>& words,
                  const ProgramFiles* files, YamlReader* reader);

// The names that a sweep file gives in `files`, as far as they are good. Complains about nothing.
std::vector<ProgramFileName> ProgramFileNamesIn(const SweepDocument& document);

}  // namespace sweep

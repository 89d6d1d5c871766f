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

// The words of `program:`, a list or a single word; empty after an error.
std::vector<std::string> ParseProgram(const YamlEntry& entry, YamlReader* reader);

// One item of `files:`.
struct ProgramFileName {
  std::string name;
  int line = 0;
};

// The names in `files:`, valid and each once; empty after an error.
std::vector<ProgramFileName> ParseProgramFileNames(const YamlEntry& entry, YamlReader* reader);

// Takes the texts of `names` from the source. Reports files that the source lacks (unless they are
// in `reported`), has too many, or that break a rule of CheckProgramFiles.
ProgramFiles TakeProgramFiles(const SweepSource& source, const std::vector<ProgramFileName>& names,
                              const std::set<std::string>& reported, int line, YamlReader* reader);

// Checks a command before it runs: its first word must be an executable file, and the script that
// it names must be among `files`. `files` is null when the sweep has none: then the program runs in
// the folder of the worker, whose content is unknown.
void CheckProgram(const YamlEntry& entry, const std::vector<std::string>& words,
                  const ProgramFiles* files, YamlReader* reader);

// The valid names in the `files` of a sweep file. Reports no errors.
std::vector<ProgramFileName> ProgramFileNamesIn(const SweepDocument& document);

}  // namespace sweep

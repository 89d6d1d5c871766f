#include "common/spec/program_parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/spec/sweep_document.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxWords = 64;
constexpr std::size_t kMaxWordBytes = 4096;

// The scalars of a list, or a single scalar; empty after an error.
std::vector<YAML::Node> Items(const YamlEntry& entry, YamlReader* reader) {
  if (entry.value.IsScalar()) return {entry.value};
  return reader->Items(entry).value_or(std::vector<YAML::Node>());
}

// "", or why a command may not have the word.
std::string CheckWord(const std::string& word) {
  if (word.find('\0') != std::string::npos) return "has a NUL character";
  if (word.size() <= kMaxWordBytes) return "";
  return absl::StrCat("has ", word.size(), " bytes; the limit is ", kMaxWordBytes);
}

// `["python3", "train.py"]` for "python3 train.py".
std::string AsList(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  return absl::StrCat("[\"", absl::StrJoin(words, "\", \""), "\"]");
}

}  // namespace

std::vector<std::string> ParseProgram(const YamlEntry& entry, YamlReader* reader) {
  const std::vector<YAML::Node> items = Items(entry, reader);
  if (items.size() > kMaxWords) {
    reader->Error(entry.line,
                  absl::StrCat("'program' has ", items.size(), " words; the limit is ", kMaxWords));
    return {};
  }
  std::vector<std::string> words;
  for (const YAML::Node& item : items) {
    const std::string error = CheckWord(item.Scalar());
    if (!error.empty()) {
      reader->Error(LineOf(item), absl::StrCat("a word of 'program' ", error));
      return {};
    }
    words.push_back(item.Scalar());
  }
  if (words.empty()) return words;
  if (words.front().find_first_not_of(' ') == std::string::npos) {
    reader->Error(entry.line,
                  "'program' is empty; it is a command, such as [\"python3\", \"train.py\"]");
    return {};
  }
  // Spaces in a path belong to it: a folder's name may contain some.
  const std::string command = words.front().substr(0, words.front().find(' '));
  const bool is_whole_command =
      entry.value.IsScalar() || (words.size() == 1 && command.find('/') == std::string::npos &&
                                 reader->rules() != ScalarRules::kAsStored);
  if (is_whole_command && command.size() < words.front().size()) {
    reader->Error(entry.line,
                  absl::StrCat("'program' is one text with spaces; write its words as a ",
                               "list: ", AsList(words.front())));
    return absl::StrSplit(words.front(), ' ', absl::SkipEmpty());
  }
  return words;
}

std::vector<ProgramFileName> ParseProgramFileNames(const YamlEntry& entry, YamlReader* reader) {
  std::vector<ProgramFileName> names;
  const std::size_t errors = reader->error_count();
  const std::vector<YAML::Node> items = Items(entry, reader);
  if (items.size() > kMaxProgramFiles) {
    reader->Error(entry.line, absl::StrCat("'files' has ", items.size(), " files; the limit is ",
                                           kMaxProgramFiles));
    return names;
  }
  for (const YAML::Node& item : items) {
    const ProgramFileName file{item.Scalar(), LineOf(item)};
    const std::string error = CheckProgramFileName(file.name);
    if (!error.empty()) {
      reader->Error(file.line, absl::StrCat("'files': ", error));
    } else if (std::any_of(names.begin(), names.end(),
                           [&](const ProgramFileName& other) { return other.name == file.name; })) {
      reader->Error(file.line, absl::StrCat("'files' lists ", Shown(file.name), " twice"));
    } else {
      names.push_back(file);
    }
  }
  if (reader->error_count() != errors) names.clear();
  return names;
}

ProgramFiles TakeProgramFiles(const SweepSource& source, const std::vector<ProgramFileName>& names,
                              const std::set<std::string>& reported, int line, YamlReader* reader) {
  ProgramFiles files;
  for (const ProgramFileName& file : names) {
    const auto it = source.program_files.find(file.name);
    if (it != source.program_files.end()) {
      files.insert(*it);
    } else if (!reported.contains(file.name)) {
      reader->Error(file.line,
                    absl::StrCat("'files': file ", Shown(file.name), " was not sent along"));
    }
  }
  for (const auto& [name, text] : source.program_files) {
    if (files.contains(name) || names.empty()) continue;
    reader->Error(line,
                  absl::StrCat("file ", Shown(name), " was sent along, but is not in 'files'"));
  }
  const std::string error = CheckProgramFiles(files);
  if (!error.empty()) reader->Error(line, absl::StrCat("'files': ", error));
  return files;
}

std::vector<ProgramFileName> ProgramFileNamesIn(const SweepDocument& document) {
  Diagnostics ignored;
  YamlReader reader("", &ignored);
  if (!document.root() || !document.root()->IsMap()) return {};
  for (const YamlEntry& entry : reader.Entries(*document.root(), 0, "")) {
    if (entry.key == "files") return ParseProgramFileNames(entry, &reader);
  }
  return {};
}

}  // namespace sweep

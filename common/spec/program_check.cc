#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/executable.h"
#include "common/spec/program_parser.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

// An interpreter and the extension of its scripts.
struct Interpreter {
  std::string_view name;
  std::string_view extension;
};
constexpr Interpreter kInterpreters[] = {
    {"python3", ".py"}, {"python", ".py"}, {"sh", ".sh"},    {"bash", ".sh"},
    {"Rscript", ".R"},  {"julia", ".jl"},  {"node", ".js"},  {"perl", ".pl"},
    {"ruby", ".rb"},    {"lua", ".lua"},   {"pypy3", ".py"}, {"zsh", ".sh"},
};

// "" for a name without a script's extension.
std::string InterpreterOf(const std::string& file) {
  for (const Interpreter& one : kInterpreters) {
    if (file.ends_with(one.extension)) return std::string(one.name);
  }
  return "";
}

// Also accepts a path and a version: /usr/bin/python3.11.
bool IsInterpreter(const std::string& word) {
  std::string name = std::filesystem::path(word).filename().string();
  if (name.starts_with("python3.")) name = "python3";
  return std::any_of(std::begin(kInterpreters), std::end(kInterpreters),
                     [&](const Interpreter& one) { return one.name == name; });
}

// "train.py" for "./train.py".
std::string Normal(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().string();
}

std::string AsList(std::vector<std::string> words) {
  return absl::StrCat("[\"", absl::StrJoin(words, "\", \""), "\"]");
}

// The command with its first word replaced by `first`.
std::string With(std::vector<std::string> first, const std::vector<std::string>& words) {
  first.insert(first.end(), words.begin() + 1, words.end());
  return AsList(std::move(first));
}

// The script passed to an interpreter: the first word that is no option. "" when an option (-c, -m)
// says what to run.
std::string ScriptOf(const std::vector<std::string>& words) {
  if (words.empty() || !IsInterpreter(words[0])) return "";
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!words[i].starts_with('-')) return words[i];
    if (words[i] == "-c" || words[i] == "-m" || words[i] == "-e" || words[i] == "-") return "";
    // These Python options take a value.
    if (words[i] == "-W" || words[i] == "-X") ++i;
  }
  return "";
}

// Checks a program with `files`: it runs in a folder that holds only these.
class ProgramCheck {
 public:
  ProgramCheck(const YamlEntry& entry, const std::vector<std::string>& words,
               const ProgramFiles& files, YamlReader* reader)
      : entry_(entry), words_(words), files_(files), reader_(reader) {}

  void Run() {
    const std::string& first = words_.front();
    if (first.find('/') == first.npos) {
      if (files_.contains(first)) return RefuseBareFile(first);
      if (!InterpreterOf(first).empty()) WarnOfPath(first);
    } else if (!std::filesystem::path(first).is_absolute()) {
      CheckOwnFile(first);
    }
    const std::string script = ScriptOf(words_);
    if (script.empty() || std::filesystem::path(script).is_absolute() || Has(script)) return;
    Complain(absl::StrCat("runs ", Shown(script), ", which is not among 'files' (", FileNames(),
                          "), and the folder in which it runs holds only these"));
  }

 private:
  bool Has(const std::string& path) const { return files_.contains(Normal(path)); }

  std::string FileNames() const {
    std::vector<std::string> names;
    for (const auto& [name, text] : files_) names.push_back(name);
    return absl::StrJoin(names, ", ");
  }

  void Complain(const std::string& what) {
    reader_->Error(entry_.line, absl::StrCat("'program' ", what));
  }

  void WarnOfPath(const std::string& script) {
    reader_->Warning(entry_.line,
                     absl::StrCat("'program' is ", Shown(script), ", which is not among 'files' (",
                                  FileNames(), "): it must lie on the workers' PATH"));
  }

  void RefuseBareFile(const std::string& name) {
    const std::string interpreter = InterpreterOf(name);
    const bool executable = WhyNotExecutable(files_.at(name)).empty();
    const std::string command = !interpreter.empty() ? With({interpreter, name}, words_)
                                : executable         ? With({absl::StrCat("./", name)}, words_)
                                                     : "";
    Complain(absl::StrCat("is ", Shown(name),
                          ", which is one of 'files' and would be looked for on the PATH; ",
                          command.empty() ? "write its interpreter before it"
                                          : absl::StrCat("write program: ", command)));
  }

  void CheckOwnFile(const std::string& path) {
    if (Normal(path).starts_with("..")) return;
    if (!Has(path)) {
      return Complain(absl::StrCat("is ", Shown(path), ", which is not among 'files' (",
                                   FileNames(),
                                   "), and the folder in which it runs holds only these"));
    }
    const std::string why = WhyNotExecutable(files_.at(Normal(path)));
    if (why.empty()) return;
    const std::string interpreter = InterpreterOf(path);
    Complain(absl::StrCat(
        "cannot be executed: ", Shown(Normal(path)), ": ", why,
        interpreter.empty()
            ? ""
            : absl::StrCat("; or write program: ", With({interpreter, Normal(path)}, words_))));
  }

  const YamlEntry& entry_;
  const std::vector<std::string>& words_;
  const ProgramFiles& files_;
  YamlReader* const reader_;
};

}  // namespace

void CheckProgram(const YamlEntry& entry, const std::vector<std::string>& words,
                  const ProgramFiles* files, YamlReader* reader) {
  if (words.empty() || reader->rules() == ScalarRules::kAsStored) return;
  if (files != nullptr) return ProgramCheck(entry, words, *files, reader).Run();
  const std::string& first = words.front();
  std::string script = ScriptOf(words);
  if (script.empty() && first.find('/') == first.npos && !InterpreterOf(first).empty()) {
    script = first;
  }
  if (script.empty() || std::filesystem::path(script).is_absolute()) return;
  const std::string command =
      script == first ? With({InterpreterOf(first), first}, words) : AsList(words);
  reader->Warning(
      entry.line,
      absl::StrCat(
          "'program' names ", Shown(script), ", which does not travel with the sweep: it must lie ",
          script == first ? "on the workers' PATH" : "where each worker was started",
          ". To send it along write program: ", command, " and files: [", Normal(script), "]"));
}

}  // namespace sweep

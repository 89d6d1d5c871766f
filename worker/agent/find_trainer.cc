#include "worker/agent/find_trainer.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/executable.h"

namespace sweep {
namespace {

constexpr char kTrainerProgram[] = "sweep-trainer";

bool IsProgram(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

// The folder of the running executable; "" when /proc is not there.
std::string ExecutableFolder() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::string() : path.parent_path().string();
}

// Every path that a search of PATH for `program` tries.
std::vector<std::string> PathCandidates(const std::string& program) {
  std::vector<std::string> candidates;
  const char* path = std::getenv("PATH");
  if (path == nullptr) return candidates;
  const std::vector<std::string> folders = absl::StrSplit(path, ':', absl::SkipEmpty());
  for (const std::string& folder : folders) {
    candidates.push_back(absl::StrCat(folder, "/", program));
  }
  return candidates;
}

absl::StatusOr<std::string> FirstProgram(const std::string& kind, const std::string& what,
                                         const std::vector<std::string>& candidates) {
  for (const std::string& candidate : candidates) {
    if (IsProgram(candidate)) return candidate;
  }
  // "no such program" would mislead about a file that exists.
  for (const std::string& candidate : candidates) {
    std::error_code error;
    const auto status = std::filesystem::symlink_status(candidate, error);
    if (error || !std::filesystem::exists(status)) continue;
    return absl::PermissionDeniedError(
        absl::StrCat(kind, " ", what, ": ", what == candidate ? "it" : candidate,
                     " is there, but cannot be executed: ", WhyNotExecutableFile(candidate)));
  }
  return absl::NotFoundError(absl::StrCat(
      kind, " ", what, ": no such program; looked at ",
      candidates.empty() ? "nothing, since PATH is empty" : absl::StrJoin(candidates, ", ")));
}

absl::StatusOr<std::string> FindNamed(const std::string& program) {
  if (program.find('/') != std::string::npos) return FirstProgram("trainer", program, {program});
  return FirstProgram("trainer", program, PathCandidates(program));
}

absl::StatusOr<std::string> FindDefault() {
  // An explicit setting comes before a file that happens to lie beside the worker.
  if (const char* wish = std::getenv("SWEEP_TRAINER"); wish != nullptr && *wish != '\0') {
    return FindNamed(wish);
  }
  std::vector<std::string> candidates;
  if (const std::string folder = ExecutableFolder(); !folder.empty()) {
    candidates.push_back(absl::StrCat(folder, "/", kTrainerProgram));
  }
  for (std::string& candidate : PathCandidates(kTrainerProgram)) {
    candidates.push_back(std::move(candidate));
  }
  return FirstProgram("trainer", kTrainerProgram, candidates);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FindProgram(std::vector<std::string> command,
                                                     const std::string& folder) {
  const std::string& word = command.front();
  std::vector<std::string> candidates;
  if (word.find('/') == std::string::npos) {
    candidates = PathCandidates(word);
  } else {
    // Joining an absolute path gives that path.
    candidates.push_back((std::filesystem::path(folder) / word).string());
  }
  absl::StatusOr<std::string> path = FirstProgram("program", word, candidates);
  if (!path.ok()) return path.status();
  command.front() = *std::move(path);
  return command;
}

void AddTrainerFlags(int threads, const std::string& backend, std::vector<std::string>* command) {
  if (threads > 0) command->insert(command->end(), {"--threads", absl::StrCat(threads)});
  if (!backend.empty()) command->insert(command->end(), {"--backend", backend});
}

absl::StatusOr<std::vector<std::string>> FindTrainer(std::vector<std::string> command) {
  const absl::StatusOr<std::string> program =
      command.empty() ? FindDefault() : FindNamed(command[0]);
  if (!program.ok()) return program.status();
  if (command.empty()) return std::vector<std::string>{*program};
  command[0] = *program;
  return command;
}

}  // namespace sweep

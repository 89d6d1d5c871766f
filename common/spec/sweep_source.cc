#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/spec/models_parser.h"
#include "common/spec/program_parser.h"
#include "common/spec/sweep_parser.h"
#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {
namespace {

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError("no such file");
  }
  if (error) return absl::PermissionDeniedError(absl::StrCat("cannot be read: ", error.message()));
  if (std::filesystem::is_directory(status)) return absl::NotFoundError("is a folder, not a file");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return absl::PermissionDeniedError("cannot be opened for reading");
  // One byte more than allowed tells a file that is too large from one that just fits.
  std::string text(YamlReader::kMaxSizeBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return absl::UnavailableError("cannot be read");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > YamlReader::kMaxSizeBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("is larger than ", YamlReader::kMaxSizeBytes, " bytes"));
  }
  return text;
}

// A sweep file may come out of a pipe; what is read again on another machine may not.
absl::StatusOr<std::string> ReadRegularFile(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  const bool other = std::filesystem::exists(status) && !std::filesystem::is_directory(status) &&
                     !std::filesystem::is_regular_file(status);
  if (other) return absl::NotFoundError("is no regular file");
  return ReadTextFile(path);
}

bool LiesBelow(const std::filesystem::path& folder, const std::filesystem::path& path) {
  const std::filesystem::path rest = path.lexically_relative(folder);
  return !rest.empty() && rest != "." && *rest.begin() != "..";
}

// Reads `name`, which is relative to `folder`. What it contains leaves this machine, so a name that
// lies in the folder by its words may not lead out of it by a link. A name that says itself that it
// lies elsewhere is the writer's wish.
absl::StatusOr<std::string> ReadNamedFile(const std::filesystem::path& folder,
                                          const std::string& name) {
  const std::filesystem::path path = folder / name;
  std::error_code error;
  const std::filesystem::path root =
      std::filesystem::canonical(folder.empty() ? std::filesystem::path(".") : folder, error);
  const std::filesystem::path real =
      error ? std::filesystem::path() : std::filesystem::canonical(path, error);
  if (error) {
    if (std::filesystem::is_symlink(std::filesystem::symlink_status(path, error))) {
      return absl::NotFoundError("is a link that leads nowhere");
    }
    return ReadRegularFile(path.string());  // which says why
  }
  if (LiesBelow(root, (root / name).lexically_normal()) && !LiesBelow(root, real)) {
    return absl::PermissionDeniedError(
        absl::StrCat("is or lies behind a link to ", real.string(), ", outside of the folder ",
                     root.string(), "; copy the file there instead"));
  }
  return ReadRegularFile(real.string());
}

// Reads the network files that `source` names into it; returns those that cannot be read.
std::set<std::string> LoadNetworks(SweepSource* source, Diagnostics* diagnostics) {
  std::set<std::string> unreadable;
  const std::filesystem::path folder = std::filesystem::path(source->file).parent_path();
  for (const std::string& model : ModelsIn(source->text)) {
    if (!IsNetworkPath(model)) continue;
    const std::string network = NetworkPath(source->file, model);
    absl::StatusOr<std::string> text = ReadNamedFile(folder, model);
    if (text.ok()) {
      source->network_files[model] = *std::move(text);
    } else {
      unreadable.insert(model);
      diagnostics->push_back({network, 0,
                              absl::StrCat(text.status().message(), " (named by 'model' in ",
                                           source->file, ")")});
    }
  }
  return unreadable;
}

// The same for the files of its program.
std::set<std::string> LoadProgram(SweepSource* source, Diagnostics* diagnostics) {
  std::set<std::string> unreadable;
  const std::filesystem::path folder = std::filesystem::path(source->file).parent_path();
  for (const ProgramFileName& file : ProgramFileNamesIn(source->text)) {
    const std::string path = (folder / file.name).string();
    absl::StatusOr<std::string> text = ReadNamedFile(folder, file.name);
    if (text.ok()) {
      source->program_files[file.name] = *std::move(text);
    } else {
      unreadable.insert(file.name);
      diagnostics->push_back(
          {source->file, file.line, absl::StrCat("'files': ", path, ": ", text.status().message())});
    }
  }
  return unreadable;
}

}  // namespace

absl::StatusOr<SweepSource> LoadSweepSource(const std::string& path, Diagnostics* diagnostics) {
  SweepSource source{.file = path};
  absl::StatusOr<std::string> text = ReadTextFile(path);
  if (!text.ok()) {
    diagnostics->push_back({path, 0, std::string(text.status().message())});
    return absl::InvalidArgumentError(FormatDiagnostics(*diagnostics));
  }
  source.text = *std::move(text);
  const ReportedFiles unreadable{.networks = LoadNetworks(&source, diagnostics),
                                 .program = LoadProgram(&source, diagnostics)};
  if (unreadable.empty()) return source;
  // All that is wrong is said at once, so the rest of the file is looked at as well.
  ParseSweep(source, unreadable, diagnostics).IgnoreError();
  return absl::InvalidArgumentError(FormatDiagnostics(*diagnostics));
}

}  // namespace sweep

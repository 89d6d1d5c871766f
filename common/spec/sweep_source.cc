#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/input_file.h"
#include "common/spec/models_parser.h"
#include "common/spec/program_parser.h"
#include "common/spec/sweep_document.h"
#include "common/spec/sweep_file.h"
#include "common/spec/sweep_parser.h"
#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {
namespace {

// A sweep file may come from a pipe; files that are read again later may not.
absl::StatusOr<std::string> ReadTextFile(const std::string& path, InputKind kind) {
  InputFile file(path, kind);
  std::string text;
  if (!file.ok() || !file.Read(YamlReader::kMaxSizeBytes, &text)) {
    return file.is_missing() ? absl::NotFoundError(file.error())
                             : absl::PermissionDeniedError(file.error());
  }
  if (text.size() > YamlReader::kMaxSizeBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("is larger than ", YamlReader::kMaxSizeBytes, " bytes"));
  }
  return text;
}

bool LiesBelow(const std::filesystem::path& folder, const std::filesystem::path& path) {
  const std::filesystem::path rest = path.lexically_relative(folder);
  return !rest.empty() && rest != "." && *rest.begin() != "..";
}

// Reads `name`, relative to `folder`. Its content leaves this machine, so a name inside the folder
// must not lead out of it through a link. A name that itself points elsewhere is intended.
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
    return ReadTextFile(path.string(), InputKind::kRegular);  // for its error message
  }
  if (LiesBelow(root, (root / name).lexically_normal()) && !LiesBelow(root, real)) {
    return absl::PermissionDeniedError(absl::StrCat("is or lies behind a link to ", real.string(),
                                                    ", outside of the folder ", root.string(),
                                                    "; copy the file there instead"));
  }
  return ReadTextFile(real.string(), InputKind::kRegular);
}

// Reads the network files of `source` into it; returns the names of unreadable ones.
std::set<std::string> LoadNetworks(const SweepDocument& document, SweepSource* source,
                                   Diagnostics* diagnostics) {
  std::set<std::string> unreadable;
  const std::filesystem::path folder = std::filesystem::path(source->file).parent_path();
  for (const std::string& model : ModelsIn(document)) {
    if (!IsNetworkPath(model)) continue;
    const std::string network = NetworkPath(source->file, model);
    absl::StatusOr<std::string> text = ReadNamedFile(folder, model);
    if (text.ok()) {
      source->network_files[model] = *std::move(text);
    } else {
      unreadable.insert(model);
      diagnostics->push_back(
          {network, 0,
           absl::StrCat(text.status().message(), " (named by 'model' in ", source->file, ")")});
    }
  }
  return unreadable;
}

// Likewise for the program's files.
std::set<std::string> LoadProgram(const SweepDocument& document, SweepSource* source,
                                  Diagnostics* diagnostics) {
  std::set<std::string> unreadable;
  const std::filesystem::path folder = std::filesystem::path(source->file).parent_path();
  for (const ProgramFileName& file : ProgramFileNamesIn(document)) {
    const std::string path = (folder / file.name).string();
    absl::StatusOr<std::string> text = ReadNamedFile(folder, file.name);
    if (text.ok()) {
      source->program_files[file.name] = *std::move(text);
    } else {
      unreadable.insert(file.name);
      diagnostics->push_back({source->file, file.line,
                              absl::StrCat("'files': ", path, ": ", text.status().message())});
    }
  }
  return unreadable;
}

}  // namespace

namespace {

// Reads the file and all files that it names; sets `document` to its text as YAML.
absl::StatusOr<SweepSource> Load(const std::string& path, std::optional<SweepDocument>* document,
                                 Diagnostics* diagnostics) {
  SweepSource source{.file = path};
  absl::StatusOr<std::string> text = ReadTextFile(path, InputKind::kStreamToo);
  if (!text.ok()) {
    diagnostics->push_back({path, 0, std::string(text.status().message())});
    return absl::InvalidArgumentError(FormatDiagnostics(*diagnostics));
  }
  source.text = *std::move(text);
  document->emplace(path, source.text);
  const ReportedFiles unreadable{.networks = LoadNetworks(**document, &source, diagnostics),
                                 .program = LoadProgram(**document, &source, diagnostics)};
  if (unreadable.empty()) return source;
  // Checks the rest too, so that all errors are reported at once.
  ParseSweep(source, unreadable, diagnostics, {}, &**document).IgnoreError();
  return absl::InvalidArgumentError(FormatDiagnostics(*diagnostics));
}

}  // namespace

absl::StatusOr<SweepSource> LoadSweepSource(const std::string& path, Diagnostics* diagnostics) {
  std::optional<SweepDocument> document;
  return Load(path, &document, diagnostics);
}

absl::StatusOr<SweepFile> LoadSweepFile(const std::string& path, Diagnostics* diagnostics) {
  std::optional<SweepDocument> document;
  absl::StatusOr<SweepSource> source = Load(path, &document, diagnostics);
  if (!source.ok()) return source.status();
  absl::StatusOr<SweepSpec> spec = ParseSweep(*source, {}, diagnostics, {}, &*document);
  if (!spec.ok()) return spec.status();
  return SweepFile{*std::move(source), *std::move(spec)};
}

}  // namespace sweep

#include "cli/spec_input.h"

#include <filesystem>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "cli/session.h"
#include "common/base/input_file.h"
#include "common/base/nearest.h"
#include "common/base/printable.h"
#include "common/protocol/uploaded_data.h"
#include "common/spec/sweep_file.h"
#include "common/yaml/yaml_reader.h"

namespace sweep::cli {
namespace {

absl::Status Complaints(const absl::Status& status, const Diagnostics& diagnostics) {
  if (diagnostics.empty()) return status;
  return absl::InvalidArgumentError(FormatDiagnostics(diagnostics));
}

}  // namespace

absl::StatusOr<SweepInput> ReadSweepFile(const std::string& path, Diagnostics* diagnostics) {
  absl::StatusOr<SweepFile> file = LoadSweepFile(path, diagnostics);
  if (!file.ok()) return Complaints(file.status(), *diagnostics);
  SweepSource* const source = &file->source;
  SweepSpec* const spec = &file->spec;
  // The path is made absolute only if that matters, since the coordinator's messages show it.
  if (spec->dataset.name == "idx" && !IsUploaded(spec->dataset) &&
      !std::filesystem::path(spec->dataset.path).is_absolute()) {
    std::error_code ignored;
    source->file = std::filesystem::absolute(source->file, ignored).string();
    PlaceDataset(source->file, &*spec);
  }
  return SweepInput{*std::move(source), *std::move(spec)};
}

absl::StatusOr<SweepInput> ReadSweepFile(const std::string& path) {
  Diagnostics diagnostics;
  absl::StatusOr<SweepInput> input = ReadSweepFile(path, &diagnostics);
  if (input.ok() && !diagnostics.empty()) std::cerr << FormatDiagnostics(diagnostics) << '\n';
  return input;
}

absl::StatusOr<NetworkFile> ReadNetwork(const std::string& name_or_path) {
  Diagnostics diagnostics;
  absl::StatusOr<NetworkFile> network = ReadNetwork(name_or_path, &diagnostics);
  if (network.ok() && !diagnostics.empty()) std::cerr << FormatDiagnostics(diagnostics) << '\n';
  return network;
}

absl::StatusOr<NetworkFile> ReadNetwork(const std::string& name_or_path, Diagnostics* diagnostics) {
  absl::StatusOr<std::string> text = BuiltinNetworkText(name_or_path);
  if (!text.ok()) {
    InputFile file(name_or_path, InputKind::kStreamToo);
    if (!file.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", name_or_path, "' is neither a built-in network nor a file that can be read",
          file.is_missing() ? "" : absl::StrCat(": it ", file.error()),
          DidYouMean(name_or_path, BuiltinNetworkNames())));
    }
    std::string content;
    if (!file.Read(YamlReader::kMaxSizeBytes, &content)) {
      return absl::InvalidArgumentError(absl::StrCat(name_or_path, ": ", file.error()));
    }
    text = std::move(content);
  }
  absl::StatusOr<NetworkFile> network = NetworkFile::Parse(*text, name_or_path, diagnostics);
  DropShadowedWarnings(diagnostics);
  if (!network.ok()) return Complaints(network.status(), *diagnostics);
  return network;
}

absl::StatusOr<Network> ResolveWithRecipe(const NetworkFile& file) {
  ParameterMap values = file.defaults();
  const Recipe* recipe = file.FindRecipe("seed");
  if (recipe == nullptr && !file.recipes().empty()) recipe = &file.recipes().front();
  if (recipe != nullptr) {
    for (const auto& [name, value] : recipe->Merged()) values[name] = value;
  }
  values.try_emplace("dropout", 0.0);
  return file.Resolve(values);
}

absl::StatusOr<SweepInput> StoredInput(const v1::Sweep& sweep) {
  const v1::SweepSource& stored = sweep.source();
  SweepSource source = {
      .file = stored.file(),
      .text = stored.text(),
      .network_files = {stored.network_files().begin(), stored.network_files().end()},
      .program_files = {stored.program_files().begin(), stored.program_files().end()}};
  Diagnostics ignored;
  absl::StatusOr<SweepSpec> spec = SweepSpec::ParseStored(source, sweep.digest(), &ignored);
  if (!spec.ok()) return spec.status();
  return SweepInput{std::move(source), *std::move(spec)};
}

v1::SweepSource ToProto(const SweepSource& source) {
  v1::SweepSource proto;
  proto.set_file(source.file);
  proto.set_text(source.text);
  for (const auto& [name, text] : source.network_files)
    (*proto.mutable_network_files())[name] = text;
  for (const auto& [name, text] : source.program_files)
    (*proto.mutable_program_files())[name] = text;
  return proto;
}

int FailInput(const absl::Status& status) {
  std::cerr << PrintableLines(std::string(status.message())) << '\n';
  return kExitBadInput;
}

}  // namespace sweep::cli

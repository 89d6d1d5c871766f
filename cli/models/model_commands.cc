#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "cli/calls.h"
#include "cli/models/model_files.h"
#include "cli/models/trained_model.h"
#include "cli/present/answers.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "common/base/ids.h"
#include "common/base/sha256.h"
#include "proto/names.h"

namespace sweep::cli {
namespace {

namespace fs = std::filesystem;

struct ModelOptions {
  std::string trial;
  std::string folder;
  bool last = false;
  bool force = false;
};

// The contents to write, by file name.
using Files = std::map<std::string, std::string>;

absl::Status CheckFolder(const ModelOptions& options) {
  std::error_code error;
  const fs::file_status status = fs::status(options.folder, error);
  if (!fs::exists(status)) return absl::OkStatus();
  if (!fs::is_directory(status)) {
    return absl::AlreadyExistsError(absl::StrCat(options.folder, ": exists and is not a folder"));
  }
  if (!options.force && !fs::is_empty(options.folder, error) && !error) {
    return absl::AlreadyExistsError(
        absl::StrCat("folder ", options.folder, " is not empty; --force writes into it anyway"));
  }
  return absl::OkStatus();
}

absl::Status WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat(path.string(), ": cannot be written: ", std::strerror(errno)));
}

absl::Status Moved(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat(to.string(), ": cannot be written: ", error.message()));
}

// Writes all files into a temporary folder and renames it, or moves the files into an existing
// folder one by one. Each file is complete at any time, and an interrupted call does not create a
// new target.
absl::Status WriteFolder(const std::string& folder, const Files& files) {
  fs::path target = fs::path(folder).lexically_normal();
  if (target.filename().empty()) target = target.parent_path();  // "best/"
  const fs::path temporary = target.string() + ".tmp-" + RandomHex(8);
  std::error_code error;
  // Checked early: if another call creates the folder meanwhile, the rename below fails.
  const bool is_there = fs::exists(target, error);
  fs::create_directories(temporary, error);
  if (error) {
    return absl::PermissionDeniedError(
        absl::StrCat(target.string(), ": cannot be made: ", error.message()));
  }
  absl::Status status;
  for (const auto& [name, bytes] : files) {
    if (status.ok()) status = WriteFile(temporary / name, bytes);
  }
  if (status.ok() && !is_there) {
    status = Moved(temporary, target);
  } else if (status.ok()) {
    for (const auto& [name, bytes] : files) {
      if (status.ok()) status = Moved(temporary / name, target / name);
    }
  }
  fs::remove_all(temporary, error);
  return status;
}

// Everything about the trial, for notebooks and later use.
absl::StatusOr<Json> TrialDocument(Connection& connection, const v1::Trial& trial,
                                   const std::string& spec_json) {
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, SweepOf(trial));
  if (!sweep.ok()) return sweep.status();
  const absl::StatusOr<std::vector<v1::Epoch>> epochs = ListEpochs(connection, trial.name());
  if (!epochs.ok()) return epochs.status();
  return ToJson(ToSaved(*sweep, trial, *epochs, spec_json));
}

std::string FileText(const Json& document) {
  std::ostringstream text;
  PrintJson(document, text);
  return text.str();
}

void Report(const std::string& folder, const std::string& trial, const Files& files,
            const Json& weights, const Session& session) {
  Json names = Json::array();
  for (const auto& [name, bytes] : files) names.push_back(name);
  if (session.format == Format::kJson) {
    PrintJson({{"trial", trial}, {"folder", folder}, {"files", names}, {"weights", weights}},
              std::cout);
    return;
  }
  Listing listing;
  listing.columns = {{"FILE", "file"}, {"SIZE", "size_bytes", true}};
  for (const auto& [name, bytes] : files) {
    const auto size = static_cast<std::int64_t>(bytes.size());
    const std::string path = (fs::path(folder) / name).string();
    listing.rows.push_back({{path, path}, {HumanBytes(size), size}});
  }
  if (session.format == Format::kCsv || !session.quiet) {
    PrintListing(listing, session, std::cout);
  }
}

Json WeightsJson(const TrialModel& model) {
  return {{"artifact", model.role},
          {"sha256", Sha256Hex(model.weights)},
          {"epoch", model.epoch},
          {"accuracy", MeasureCell(kValidationAccuracy, model.accuracy).value}};
}

absl::StatusOr<Files> ModelFiles(Connection& connection, const TrialModel& model) {
  absl::StatusOr<Json> document = TrialDocument(connection, model.trial, model.spec_json);
  if (!document.ok()) return document.status();
  (*document)["weights"] = WeightsJson(model);
  return Files{{kWeightsFile, model.weights},
               {kNetworkFile, NetworkYaml(model)},
               {kPythonFile, NetPy(model)},
               {kTrialFile, FileText(*document)}};
}

// The files of a trial whose network Sweep does not know, unchanged, each named for its role.
absl::StatusOr<Files> RawFiles(Connection& connection, const v1::GetTrialResponse& trial,
                               const BlobCache& cache) {
  Files files;
  for (const v1::Artifact& artifact : trial.trial().artifacts()) {
    const std::string& role = artifact.role();
    if (role.empty() || role.starts_with(".") || role.find('/') != std::string::npos) {
      return absl::DataLossError(absl::StrCat("'", Printable(role), "' is no name for a file"));
    }
    absl::StatusOr<std::string> bytes = FetchBlob(connection, artifact.sha256(), cache);
    if (!bytes.ok()) return bytes.status();
    files[role] = *std::move(bytes);
  }
  const absl::StatusOr<Json> document = TrialDocument(connection, trial.trial(), trial.spec_json());
  if (!document.ok()) return document.status();
  files[kTrialFile] = FileText(*document);
  return files;
}

int ExportRaw(Connection& connection, const ModelOptions& options, const absl::Status& why,
              const BlobCache& cache, const Session& session) {
  const absl::StatusOr<v1::GetTrialResponse> trial = GetTrial(connection, options.trial);
  if (!trial.ok() || trial->trial().artifacts().empty()) return Fail(why);
  const absl::StatusOr<Files> files = RawFiles(connection, *trial, cache);
  if (!files.ok()) return Fail(files.status());
  if (absl::Status status = WriteFolder(options.folder, *files); !status.ok()) return Fail(status);
  std::cerr << fmt::format(
      "note: {}\nits files are saved as they are, without net.py and network.yaml\n",
      std::string(why.message()));
  Report(options.folder, ShortName(trial->trial().name()), *files, nullptr, session);
  return kExitOk;
}

int ExportModel(const ModelOptions& options, const Session& session) {
  if (const auto id = ParseTrialResource(options.trial); !id.ok()) return Fail(id.status());
  if (absl::Status status = CheckFolder(options); !status.ok()) return Fail(status);
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const BlobCache cache = BlobCache::OfUser();
  const absl::StatusOr<TrialModel> model =
      FetchTrialModel(**connection, options.trial,
                      options.last ? WeightsChoice::kLast : WeightsChoice::kBest, cache);
  if (absl::IsFailedPrecondition(model.status())) {
    return ExportRaw(**connection, options, model.status(), cache, session);
  }
  if (!model.ok()) return Fail(model.status());
  const absl::StatusOr<Files> files = ModelFiles(**connection, *model);
  if (!files.ok()) return Fail(files.status());
  if (absl::Status status = WriteFolder(options.folder, *files); !status.ok()) return Fail(status);
  Say(session,
      fmt::format("{}: {}, epoch {} of {}, {} on {} evaluation images{}",
                  ShortName(model->trial.name()), Printable(model->spec.network.name), model->epoch,
                  model->trial.epochs(), MeasureText(kValidationAccuracy, model->accuracy),
                  WithSeparators(model->trial.evaluation_images()),
                  model->role == "checkpoint" ? ", out of its checkpoint" : ""));
  Report(options.folder, ShortName(model->trial.name()), *files, WeightsJson(*model), session);
  return kExitOk;
}

}  // namespace

void AddModelCommands(CLI::App* app, Session* session) {
  CLI::App* model =
      app->add_subcommand("model",
                          "Save trained weights\n"
                          "Writes into a folder, all or nothing: weights.safetensors; net.py, "
                          "which loads them and predicts in\n"
                          "plain PyTorch; network.yaml, the network with every number in place; "
                          "trial.json, all that is known\n"
                          "of the trial. The weights are those of the epoch with the best "
                          "accuracy; of a trial that has not\n"
                          "completed, those in its last checkpoint. A sweep with a program of its "
                          "own keeps what files it\n"
                          "likes: they are saved as they are.");
  auto options = std::make_shared<ModelOptions>();
  model->group("Networks and models");
  model->add_option("NAME/N", options->trial, "the trial")->required();
  model->add_option("-o,--output", options->folder, "the folder to write")
      ->type_name("DIR")
      ->required();
  model->add_flag("--last", options->last, "the weights of the last epoch instead of the best");
  model->add_flag("--force", options->force,
                  "write into a folder that is not empty; other files in it stay");
  model->footer(
      "Examples:\n"
      "  sweep model seed-000/17 -o best              then: python3 best/net.py digit.png\n"
      "  sweep model seed-000/17 -o final --last      the last epoch's weights");
  model->callback([=] { session->exit_code = ExportModel(*options, *session); });
}

}  // namespace sweep::cli

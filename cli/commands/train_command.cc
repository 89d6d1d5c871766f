#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/present/curves.h"
#include "cli/present/download_bar.h"
#include "cli/present/measure_text.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/spec_input.h"
#include "cli/training/settings.h"
#include "cli/training/train_plan.h"
#include "cli/training/training_folder.h"
#include "cli/training/training_log.h"
#include "common/command_line/options.h"
#include "common/stats/objective.h"
#include "worker/agent/find_trainer.h"
#include "worker/agent/training.h"
#include "worker/data/dataset.h"

namespace sweep::cli {
namespace {

struct TrainOptions {
  TrainRequest request;
  std::string folder;  // -o
  std::string resume;
  std::string device = "auto";
  std::string data_dir;
  std::string trainer;
  int threads = 0;
  std::string backend;
  double target = 0.994;  // the write-ups' goal
  PlotFlags plot;
};

// The hyperparameters with their own flags.
constexpr const char* kFlagParameters[][2] = {
    {"lr", "learning rate"},
    {"momentum", "momentum of SGD"},
    {"batch_size", "images per step"},
    {"dropout", "probability of dropping"},
    {"epochs", "passes over the training images"},
    {"schedule", "constant, step, cosine or one_cycle"},
    {"augmentation", "none, shift, rotation or shift_rotation"}};

// The place of a data set, for people.
std::string DataPlace(const TrialSpec& spec) {
  return spec.data_dir.empty() ? "dataset " + spec.dataset.name : spec.data_dir;
}

// Loads the images and returns the number of evaluated ones.
absl::StatusOr<int> PrepareData(const TrainOptions& options, const Session& session,
                                TrialSpec* spec) {
  DataOptions data{.data_dir = options.data_dir};
  if (session.terminal) data.progress = DownloadBar();
  try {
    spec->data_dir = EnsureDataset(spec->dataset, data);
    const Dataset dataset = LoadDataset(spec->dataset, spec->data_dir);
    if (!spec->data_sha256.empty() && spec->data_sha256 != dataset.digest) {
      return absl::FailedPreconditionError(fmt::format(
          "the training in {} was begun on other data: it was {}, and {} has {}. Bring the first "
          "data back, or begin anew with -o",
          options.resume, spec->data_sha256, DataPlace(*spec), dataset.digest));
    }
    spec->data_sha256 = dataset.digest;
    return spec->holdout > 0 ? spec->holdout : dataset.test.count;
  } catch (const DataError& error) {
    return absl::FailedPreconditionError(error.what());
  }
}

// Shows a training's progress and collects its epochs.
class TrainingView {
 public:
  TrainingView(const TrainOptions& options, const Session& session, int evaluation_images,
               TrainingFolder* folder)
      : session_(session),
        ascii_(options.plot.ascii || LocaleIsAscii()),
        shown_(session.format == Format::kTable && !session.quiet),
        evaluation_images_(evaluation_images),
        folder_(folder) {}

  TrainingListener Listener() {
    return {
        .progress = [this](const ProgressMessage& progress) { OnProgress(progress); },
        .epoch = [this](const EpochMetrics& epoch) { OnEpoch(epoch); },
        .checkpoint = [this](const CheckpointMessage& m) { Keep(folder_->SetCheckpoint(m.path)); },
        .log = [this](const std::string& line) { OnLog(line); },
        .stop = [this] { return Stop(); }};
  }

  // The error that prevented writing the log and stopped the training.
  const absl::Status& status() const { return status_; }
  void EraseBar() {
    if (bar_drawn_) std::cout << "\r\x1b[K" << std::flush;
    bar_drawn_ = false;
  }

 private:
  void OnProgress(const ProgressMessage& progress) {
    if (!shown_) return;
    Head(progress.epoch);
    steps_ = progress.steps;
    if (!session_.terminal) return;
    EraseBar();
    // A wrapped line could not be erased.
    std::cout << Truncate(TrainingBar(progress, Elapsed(progress), ascii_), session_.width - 1)
              << std::flush;
    bar_drawn_ = true;
  }

  // Time since the epoch's start, which precedes its first progress message.
  absl::Duration Elapsed(const ProgressMessage& progress) const {
    if (progress.images_per_second <= 0) return absl::Now() - epoch_start_;
    const double images = static_cast<double>(progress.step) * folder_->spec().batch_size;
    return absl::Seconds(images / progress.images_per_second);
  }

  void OnEpoch(const EpochMetrics& epoch) {
    Keep(folder_->AddEpoch(epoch));
    if (!shown_) return;
    Head(epoch.epoch);
    EraseBar();
    const int steps = StepsOf(epoch, folder_->spec().batch_size);
    std::cout << EpochBar(epoch, steps_ > 0 ? steps_ : steps, ascii_)
              << TestLine(epoch, evaluation_images_) << std::flush;
  }

  void Keep(const absl::Status& saved) {
    if (status_.ok()) status_ = saved;
  }

  void OnLog(const std::string& line) {
    EraseBar();
    std::cerr << "trainer: " << Printable(line) << '\n';
  }

  // Prints the epoch's number, once per epoch.
  void Head(int epoch) {
    if (epoch == epoch_) return;
    epoch_ = epoch;
    epoch_start_ = absl::Now();
    EraseBar();
    std::cout << EpochHeading(epoch) << std::flush;
  }

  int Stop() {
    if (!status_.ok()) return 2;
    const int signals = SignalCount();
    if (signals == 1 && !said_) {
      EraseBar();
      std::cerr << "stopping with a checkpoint (Ctrl-C again to end at once)\n";
      said_ = true;
    }
    return signals;
  }

  const Session& session_;
  const bool ascii_;
  const bool shown_;
  const int evaluation_images_;
  TrainingFolder* const folder_;
  absl::Status status_;
  int epoch_ = 0;
  int steps_ = 0;
  absl::Time epoch_start_ = absl::Now();
  bool bar_drawn_ = false;
  bool said_ = false;
};

Listing TrainingListing(const std::vector<EpochMetrics>& epochs) {
  Listing listing;
  listing.columns = {{"", "epoch"}};
  for (const EpochMetrics& epoch : epochs) listing.rows.push_back({{"", epoch.epoch}});
  AddMeasureColumns(epochs, &listing);
  listing.columns.push_back({"", "values", false, false});
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    listing.rows[i].push_back({"", ValuesJson(epochs[i].values)});
  }
  return listing;
}

// Prints the best epoch, whether the target was reached, the curves, and where the files are.
void PrintSummary(const TrainOptions& options, const TrainingFolder& folder, int evaluation_images,
                  const Session& session) {
  const std::vector<EpochMetrics>& epochs = folder.epochs();
  if (session.format == Format::kJson) {
    std::cout << folder.LogText();
    return;
  }
  if (session.format == Format::kCsv) {
    PrintListing(TrainingListing(epochs), session, std::cout);
    return;
  }
  const Objective accuracy;
  const auto best =
      std::max_element(epochs.begin(), epochs.end(), [&](const auto& a, const auto& b) {
        return IsBetter(accuracy, b.Get(accuracy.name), a.Get(accuracy.name));
      });
  if (best == epochs.end()) return;
  if (!options.plot.hide && !session.quiet) {
    const absl::StatusOr<std::vector<Curves>> chosen =
        ChosenCurves(options.plot, {accuracy}, epochs);
    if (chosen.ok()) {
      PrintPlots(*chosen, epochs, {"accuracy >= " + FormatDouble(options.target)}, options.plot,
                 session);
    } else {  // the training succeeded all the same
      std::cerr << "warning: " << Printable(std::string(chosen.status().message())) << '\n';
    }
  }
  const double reached_best = best->Get(kValidationAccuracy);
  std::cout << fmt::format("\nbest epoch {}: accuracy {:.2f}% ({}/{}), average loss {:.4f}\n",
                           best->epoch, reached_best * 100,
                           std::llround(reached_best * evaluation_images), evaluation_images,
                           best->Get(kValidationLoss));
  const auto reached = std::find_if(epochs.begin(), epochs.end(), [&](const EpochMetrics& epoch) {
    return epoch.Get(kValidationAccuracy) >= options.target;
  });
  const std::string target = fmt::format("{:.4g} %", options.target * 100);
  std::cout << (reached == epochs.end()
                    ? Styled(session, Style::kYellow, target + " was not reached")
                    : Styled(session, Style::kGreen,
                             fmt::format("{} was reached at epoch {}", target, reached->epoch)))
            << fmt::format(
                   "\nweights: {0}/weights_best.safetensors (epoch {1}), "
                   "{0}/weights_last.safetensors (epoch {2})\nlog: {0}/log.json\n",
                   folder.path(), best->epoch, epochs.back().epoch);
}

absl::Status CheckResumeFlags(const TrainOptions& options) {
  const TrainRequest& request = options.request;
  std::string other = request.network;
  for (const auto& [name, text] : request.flags) {
    if (!text.empty()) other = "--" + name;
  }
  if (!request.settings.empty()) other = "--set";
  if (!options.folder.empty()) other = "-o";
  if (other.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("'", other, "' does not go with --resume, which goes on with what was begun"));
}

// The requested training; not for a resumed one.
absl::StatusOr<TrialSpec> Plan(const TrainOptions& options) {
  if (options.request.network.empty()) {
    return absl::InvalidArgumentError(
        "which network? a built-in one (sweep networks lists them) or a network file");
  }
  std::vector<std::string> warnings;
  absl::StatusOr<TrialSpec> plan = PlanTraining(options.request, &warnings);
  for (const std::string& warning : warnings) std::cerr << "warning: " << warning << '\n';
  return plan;
}

// A new folder when none is named, so that nothing is overwritten.
std::string FolderName(const TrainOptions& options, const TrialSpec& spec) {
  if (!options.folder.empty()) return options.folder;
  for (int n = 1;; ++n) {
    std::string name = fmt::format("train-{}-{}", spec.network.name, n);
    if (!std::filesystem::exists(name)) return name;
  }
}

absl::StatusOr<std::vector<std::string>> TrainerCommand(const TrainOptions& options) {
  std::vector<std::string> wish;
  if (!options.trainer.empty()) wish = {options.trainer};
  absl::StatusOr<std::vector<std::string>> command = FindTrainer(wish);
  if (command.ok()) AddTrainerFlags(options.threads, options.backend, &*command);
  return command;
}

// Reports a failed training in one line.
int FailTraining(const absl::Status& status) {
  std::string reason(status.message());
  reason = reason.substr(0, reason.find('\n'));
  std::cerr << "error: " << Printable(reason) << '\n';
  return kExitFailed;
}

std::string ResumeCommand(const std::string& folder) {
  return folder.starts_with("-") ? Command({"train", "--resume=" + folder})
                                 : Command({"train", "--resume", folder});
}

int AfterInterrupt(const TrainingFolder& folder) {
  if (folder.epochs().empty()) {
    std::cerr << "stopped before the end of the first epoch; nothing was kept\n";
  } else if (!folder.HasCheckpoint()) {
    std::cerr << fmt::format("stopped without a checkpoint; this begins again: {}\n",
                             ResumeCommand(folder.path()));
  } else {
    std::cerr << fmt::format("stopped after epoch {}; go on with: {}\n",
                             folder.epochs().back().epoch, ResumeCommand(folder.path()));
  }
  return kExitInterrupted;
}

// Runs the training prepared in `folder`.
int TrainIn(TrainingFolder& folder, const TrainOptions& options,
            const std::vector<std::string>& command, int evaluation_images,
            const Session& session) {
  folder.spec().device = options.device;
  TrainingView view(options, session, evaluation_images, &folder);
  const absl::StatusOr<DoneMessage> done = RunTraining(command, folder.spec(), view.Listener());
  view.EraseBar();
  if (!view.status().ok()) return FailTraining(view.status());
  if (SignalCount() > 0 && (!done.ok() || done->stopped)) return AfterInterrupt(folder);
  if (!done.ok()) return FailTraining(done.status());
  if (absl::Status finished = folder.Finish(done->files); !finished.ok()) {
    return FailTraining(finished);
  }
  PrintSummary(options, folder, evaluation_images, session);
  return kExitOk;
}

int Train(const TrainOptions& options, const Session& session) {
  InstallSignals();
  absl::StatusOr<std::unique_ptr<TrainingFolder>> folder = nullptr;
  absl::StatusOr<TrialSpec> spec = TrialSpec();
  if (options.resume.empty()) {
    spec = Plan(options);
    if (!spec.ok()) return FailInput(spec.status());
  } else {
    if (absl::Status allowed = CheckResumeFlags(options); !allowed.ok()) return FailInput(allowed);
    folder = TrainingFolder::Resume(options.resume);
    if (absl::IsInvalidArgument(folder.status())) return FailInput(folder.status());
    if (!folder.ok()) return FailTraining(folder.status());
    spec = (*folder)->spec();
  }
  // Checked before anything is written.
  const absl::StatusOr<std::vector<std::string>> command = TrainerCommand(options);
  if (!command.ok()) return FailTraining(command.status());
  const absl::StatusOr<int> evaluation_images = PrepareData(options, session, &*spec);
  if (!evaluation_images.ok()) return FailTraining(evaluation_images.status());
  if (options.resume.empty()) {
    folder = TrainingFolder::Create(FolderName(options, *spec), *spec);
    if (absl::IsInvalidArgument(folder.status())) return FailInput(folder.status());
    if (!folder.ok()) return FailTraining(folder.status());
  } else {
    (*folder)->spec().data_dir = spec->data_dir;
    (*folder)->spec().data_sha256 = spec->data_sha256;
  }
  return TrainIn(**folder, options, *command, *evaluation_images, session);
}

void AddTrainFlags(CLI::App* train, TrainOptions* options) {
  TrainRequest& request = options->request;
  for (const auto& [name, help] : kFlagParameters) request.flags.emplace_back(name, "");
  for (std::size_t i = 0; i < request.flags.size(); ++i) {
    std::string flag = request.flags[i].first;
    std::replace(flag.begin(), flag.end(), '_', '-');
    train->add_option("--" + flag, request.flags[i].second, kFlagParameters[i][1])
        ->type_name("VALUE");
  }
  train
      ->add_option("--set", request.settings,
                   "any other hyperparameter, or a parameter of the network; repeatable")
      ->type_name("NAME=VALUE");
  train->add_option("--seed", request.seed, "decides initial weights, order of images, dropout")
      ->check(NotNegative())
      ->capture_default_str();
  train->add_option("--dataset", request.dataset, "mnist, synthetic, or a folder of IDX files")
      ->capture_default_str();
  train->add_option("--train-images", request.train_images, "only the first so many")
      ->check(Positive());
  train->add_option("--test-images", request.test_images, "only the first so many")
      ->check(Positive());
  train->add_option("--data-dir", options->data_dir, "folder of the data set's files")
      ->envname("SWEEP_DATA_DIR");
  train->add_option("--device", options->device, "auto, cpu or cuda:N")->capture_default_str();
  train->add_option("--threads", options->threads, "cores for this training; without it, 1")
      ->check(CLI::Range(1, 999));
  train
      ->add_option(
          "--backend", options->backend,
          "who computes; without it, lanes on a processor, for networks that it can compute")
      ->check(OneOf(kTrainerBackends));
  train->add_option("--trainer", options->trainer,
                    "program to train with (default: sweep-trainer)");
  train->add_option("--target", options->target, "accuracy to reach, as a share")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  train
      ->add_option("-o,--output", options->folder,
                   "folder for weights and log (default: train-NETWORK-1, -2, …)")
      ->type_name("DIR");
  train->add_option("--resume", options->resume, "go on with the training in this folder")
      ->type_name("DIR");
  AddPlotFlags(train, &options->plot);
}

}  // namespace

void AddTrainCommand(CLI::App* app, Session* session) {
  CLI::App* train = app->add_subcommand(
      "train",
      "Train one network once\n"
      "Without a sweep and a database. What no flag says comes from the network's recipe 'seed', "
      "else its first one. The log is that of PyTorch's MNIST example; the loss of a finished "
      "epoch is its mean and the accuracy beside it that on the training images. The folder gets "
      "weights_best.safetensors (of the first epoch with the highest accuracy), "
      "weights_last.safetensors, predictions.safetensors and log.json, which --format json also "
      "prints. Ctrl-C stops with a checkpoint, from which --resume goes on.");
  train->group("Networks and models");
  train->footer(
      "Examples:\n"
      "  sweep train cnn-18718\n"
      "  sweep train cnn-19750 --lr 0.05 --schedule one_cycle --epochs 15 -o run1\n"
      "  sweep train my-net.yaml --set width=12 --set weight_decay=0.0005\n"
      "  sweep train --resume run1");
  auto options = std::make_shared<TrainOptions>();
  train->add_option("NETWORK", options->request.network, "built-in name or network file");
  AddTrainFlags(train, options.get());
  train->callback([=] { session->exit_code = Train(*options, *session); });
}

}  // namespace sweep::cli

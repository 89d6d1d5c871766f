#include "cli/commands/replay_trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>

#include "cli/calls.h"
#include "cli/present/cells.h"
#include "cli/present/curves.h"
#include "cli/present/download_bar.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/signals.h"
#include "cli/training/repetition.h"
#include "common/base/counted.h"
#include "common/protocol/program_files.h"
#include "coordinator/scheduler/scheduler_types.h"
#include "worker/agent/dataset_cache.h"
#include "worker/agent/find_trainer.h"
#include "worker/agent/owned_folder.h"
#include "worker/agent/program_cache.h"
#include "worker/agent/training.h"

namespace sweep::cli {
namespace {

// The stored trial.
struct StoredTrial {
  v1::Sweep sweep;
  v1::Trial trial;
  std::vector<v1::Epoch> epochs;                        // counted ones, in order
  std::map<int, std::optional<ReadyMessage>> trainers;  // by attempt; nullopt: unknown
  // Of the trials that are trained again before it, because its parent's checkpoint is lost.
  std::vector<std::optional<ReadyMessage>> before;
  TrialSpec spec;
  std::shared_ptr<const void> data_hold;  // see DataSource
};

bool HasProgram(const StoredTrial& stored) { return stored.sweep.program_size() > 0; }

absl::StatusOr<StoredTrial> ReadTrial(Connection& connection, const std::string& name) {
  const absl::StatusOr<v1::GetTrialResponse> answer = GetTrial(connection, name);
  if (!answer.ok()) return answer.status();
  StoredTrial stored;
  stored.trial = answer->trial();
  const std::string shown = ShortName(stored.trial.name());
  absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, SweepOf(stored.trial));
  if (!sweep.ok()) return sweep.status();
  stored.sweep = *std::move(sweep);
  if (!stored.sweep.file_refusal().empty() || answer->spec_json().empty()) {
    return absl::FailedPreconditionError(fmt::format(
        "{} cannot be trained again: this build does not accept the sweep's file{}{}", shown,
        stored.sweep.file_refusal().empty() ? "" : ": ", stored.sweep.file_refusal()));
  }
  const absl::StatusOr<std::vector<v1::Epoch>> epochs = ListEpochs(connection, name);
  if (!epochs.ok()) return epochs.status();
  stored.epochs = CountedEpochs(*epochs);
  if (stored.epochs.empty()) {
    return absl::FailedPreconditionError(fmt::format("{} is {} and has no epoch to compare with",
                                                     shown, StateName(stored.trial.state())));
  }
  const absl::StatusOr<std::vector<v1::Attempt>> attempts = ListAttempts(connection, name);
  if (!attempts.ok()) return attempts.status();
  for (const v1::Attempt& attempt : *attempts) {
    if (ShortName(attempt.worker()).starts_with(kCallerPrefix)) {
      return absl::FailedPreconditionError(
          fmt::format("{} was trained by the program that asked for it; only that can train it "
                      "again",
                      shown));
    }
    stored.trainers[attempt.attempt()] = ReadTrainer(attempt.trainer());
  }
  try {
    stored.spec =
        TrialSpecFromJson(answer->spec_json(),
                          HasProgram(stored) ? NetworkField::kOptional : NetworkField::kRequired);
  } catch (const ProtocolError& error) {
    return absl::FailedPreconditionError(fmt::format("{}: {}", shown, error.what()));
  }
  return stored;
}

// What trained the first of the stored epochs, if that is known.
std::optional<ReadyMessage> FirstTrainer(const StoredTrial& stored) {
  const auto found = stored.trainers.find(stored.epochs.front().attempt());
  return found == stored.trainers.end() ? std::nullopt : found->second;
}

// As the worker prepares it, from the first epoch on, as far as it is compared.
absl::Status PrepareSpec(Connection& connection, const ReplayTrialOptions& options,
                         const Session& session, const std::string& folder, StoredTrial* stored) {
  TrialSpec& spec = stored->spec;
  DataOptions data_options{.data_dir = options.data_dir};
  if (session.terminal) data_options.progress = DownloadBar();
  UploadCache uploads({}, [&](const std::string& sha256, const UploadCache::Take& take) {
    const absl::StatusOr<std::string> bytes = GetBlob(connection, sha256);
    return bytes.ok() ? take(*bytes) : bytes.status();
  });
  DatasetCache datasets(data_options, &uploads);
  const absl::StatusOr<DataSource> data = datasets.Get(spec.dataset);
  if (!data.ok()) return absl::FailedPreconditionError(data.status().message());
  stored->data_hold = data->hold;
  const std::string& then = stored->sweep.data_sha256();
  if (!then.empty() && !data->sha256.empty() && then != data->sha256) {
    return absl::FailedPreconditionError(fmt::format(
        "the sweep was trained on other data: SHA-256 {}, and {} has {}", then,
        data->folder.empty() ? "dataset " + spec.dataset.name : data->folder, data->sha256));
  }
  spec.data_dir = data->folder;
  spec.data_sha256 = data->sha256;
  spec.output_dir = folder;
  spec.resume_from.clear();
  const std::optional<ReadyMessage> trainer = FirstTrainer(*stored);
  const bool was_on_cpu = trainer && trainer->device == "cpu";
  spec.device = !options.device.empty() ? options.device : was_on_cpu ? "cpu" : "auto";
  const int last = stored->epochs.back().epoch();
  spec.target_epoch = last < spec.epochs ? last : 0;
  return absl::OkStatus();
}

absl::StatusOr<TrainerProgram> FindProgramOf(const StoredTrial& stored,
                                             const ReplayTrialOptions& options,
                                             ProgramCache* programs) {
  if (!HasProgram(stored)) {
    std::vector<std::string> wish;
    if (!options.trainer.empty()) wish = {options.trainer};
    absl::StatusOr<std::vector<std::string>> command = FindTrainer(wish);
    if (!command.ok()) return command.status();
    const std::optional<ReadyMessage> then = FirstTrainer(stored);
    const bool is_known = then && std::find(kTrainerBackends.begin(), kTrainerBackends.end(),
                                            then->backend) != kTrainerBackends.end();
    // A trainer with `auto` says lanes also where a network needs torch, so lanes are not forced.
    const std::string as_then = is_known && then->backend != "lanes" ? then->backend : "";
    AddTrainerFlags(options.threads > 0 ? options.threads
                    : then              ? then->threads
                                        : 0,
                    options.backend.empty() ? as_then : options.backend, &*command);
    return TrainerProgram{.command = *std::move(command)};
  }
  for (const auto& [flag, is_given] : {std::pair("--trainer", !options.trainer.empty()),
                                       std::pair("--backend", !options.backend.empty()),
                                       std::pair("--threads", options.threads > 0)}) {
    if (!is_given) continue;
    return absl::InvalidArgumentError(
        fmt::format("{} does not go with a sweep that brings its own program", flag));
  }
  if (!options.allow_program) {
    return absl::FailedPreconditionError(
        "the sweep brings its own program, which would run here with your rights; allow it with "
        "--allow-program");
  }
  TrainerProgram program{.of_sweep = true};
  const auto& sent = stored.sweep.source().program_files();
  if (!sent.empty()) {
    const ProgramFiles files(sent.begin(), sent.end());
    absl::StatusOr<std::string> folder =
        programs->Folder(0, ProgramDigest(files), [&] { return files; });
    if (!folder.ok()) return folder.status();
    program.folder = *std::move(folder);
  }
  absl::StatusOr<std::vector<std::string>> command =
      FindProgram({stored.sweep.program().begin(), stored.sweep.program().end()}, program.folder);
  if (!command.ok()) return absl::FailedPreconditionError(command.status().message());
  program.command = *std::move(command);
  return program;
}

// The training again, as far as it has come.
struct Repetition {
  std::optional<ReadyMessage> trainer;  // nullopt: it did not say
  std::vector<RepeatedEpoch> epochs;
  std::string failure;  // why it ended early; empty when it did not
};

// A trial that was resumed depends on all attempts up to the one that measured the epoch.
std::string DifferenceUpTo(int attempt, const StoredTrial& stored, const Repetition& repetition) {
  if (!repetition.trainer) return "the program does not say what it is";
  for (const std::optional<ReadyMessage>& trainer : stored.before) {
    if (!trainer) return "it is not known what trained the trials before it";
    if (std::string what = TrainerDifference(*trainer, *repetition.trainer); !what.empty()) {
      return what;
    }
  }
  for (const auto& [number, trainer] : stored.trainers) {
    if (number > attempt) break;
    const bool has_measured =
        std::any_of(stored.epochs.begin(), stored.epochs.end(),
                    [&](const v1::Epoch& epoch) { return epoch.attempt() == number; });
    if (!has_measured) continue;
    if (!trainer) return "it is not known what trained it then";
    if (std::string what = TrainerDifference(*trainer, *repetition.trainer); !what.empty()) {
      return what;
    }
  }
  return "";
}

// nullptr when it is not stored.
const v1::Epoch* FindEpoch(const StoredTrial& stored, int number) {
  const auto found = std::ranges::lower_bound(stored.epochs, number, {},
                                              [](const v1::Epoch& e) { return e.epoch(); });
  return found == stored.epochs.end() || found->epoch() != number ? nullptr : &*found;
}

// The first stored epoch that did not come again.
int MissingEpoch(const StoredTrial& stored, const Repetition& repetition) {
  std::size_t i = 0;
  while (i < repetition.epochs.size() && repetition.epochs[i].epoch == stored.epochs[i].epoch()) {
    ++i;
  }
  return stored.epochs[i].epoch();
}

void ShowProgress(const Session& session, int epoch, int last) {
  if (!session.terminal || session.format != Format::kTable || session.quiet) return;
  std::cerr << fmt::format("\r\x1b[Kepoch {} of {}", epoch, last) << std::flush;
}

Repetition TrainAgain(const TrainerProgram& program, const StoredTrial& stored,
                      const Session& session) {
  Repetition repetition;
  const int last = stored.epochs.back().epoch();
  int reached = 0;
  const auto is_complete = [&] { return reached >= last; };
  ShowProgress(session, 0, last);
  const TrainingListener listener{
      .ready = [&](const ReadyMessage& ready) { repetition.trainer = ready; },
      .progress = [](const ProgressMessage&) {},
      .epoch =
          [&](const EpochMetrics& epoch) {
            if (epoch.epoch <= reached) return;
            reached = epoch.epoch;
            ShowProgress(session, std::min(reached, last), last);
            // A program may measure other epochs than then.
            const v1::Epoch* const then = FindEpoch(stored, epoch.epoch);
            if (then == nullptr) return;
            RepeatedEpoch compared = CompareEpoch(*then, epoch);
            compared.expects_same = DifferenceUpTo(then->attempt(), stored, repetition).empty();
            repetition.epochs.push_back(std::move(compared));
          },
      .checkpoint = [](const CheckpointMessage&) {},
      .log =
          [&](const std::string& line) {
            if (!session.quiet) std::cerr << "trainer: " << Printable(line) << '\n';
          },
      // What comes later is not compared; a program may go on to the last epoch.
      .stop = [&] { return SignalCount() > 0 || (is_complete() && program.of_sweep) ? 2 : 0; }};
  const absl::StatusOr<DoneMessage> done = RunTraining(program, stored.spec, listener);
  if (session.terminal && session.format == Format::kTable && !session.quiet) {
    std::cerr << "\r\x1b[K" << std::flush;
  }
  if (!done.ok() && !is_complete()) {
    const std::string reason(done.status().message());
    repetition.failure = reason.substr(0, reason.find('\n'));
  } else if (!is_complete()) {
    repetition.failure = reached == 0 ? "the training ended without an epoch"
                                      : fmt::format("the training ended after epoch {}", reached);
  } else if (repetition.epochs.size() != stored.epochs.size()) {
    repetition.failure = fmt::format("epoch {} was not measured", MissingEpoch(stored, repetition));
  }
  return repetition;
}

Json BothJson(const RepeatedEpoch& epoch) {
  Json values = Json::object();
  for (const RepeatedValue& one : epoch.values) {
    values[one.name] = {{"stored", nullptr}, {"again", nullptr}, {"same", one.is_same}};
    if (one.stored) values[one.name]["stored"] = *one.stored;
    if (one.again) values[one.name]["again"] = *one.again;
  }
  return values;
}

// The metric that the sweep ranks by, and which other measures differ.
Listing EpochsListing(const std::string& metric, const std::vector<RepeatedEpoch>& epochs) {
  Listing listing;
  listing.columns = {{"EPOCH", "epoch", true},
                     {"ATTEMPT", "attempt", true},
                     {"STORED", "stored", true},
                     {"AGAIN", "again", true},
                     {"DIFFERENCE", "difference", true},
                     {"", "same"},
                     {"DIFFERS IN", "differs_in", false, true, true}};
  for (const RepeatedEpoch& epoch : epochs) {
    const RepeatedValue* const value = epoch.Find(metric);
    Cell stored = cells::Missing(), again = cells::Missing(), difference = cells::Missing();
    if (value != nullptr) {
      stored = MeasureCell(metric, value->stored);
      again = MeasureCell(metric, value->again);
    }
    if (value != nullptr && value->stored && value->again) {
      const double by = *value->again - *value->stored;
      difference = {value->is_same ? "0" : fmt::format("{:+.2g}", by), by};
    }
    std::string names;
    Json unlike = Json::array();
    for (const RepeatedValue& one : epoch.values) {
      if (one.is_same) continue;
      names += (names.empty() ? "" : ", ") + one.name;
      unlike.push_back(one.name);
    }
    const std::string same = epoch.is_same() ? "same" : epoch.is_close() ? "close" : "different";
    listing.rows.push_back({cells::Count(epoch.epoch),
                            cells::Count(epoch.attempt),
                            stored,
                            again,
                            difference,
                            {same, epoch.is_same()},
                            {Printable(names), unlike}});
  }
  return listing;
}

Json TrainerJson(const std::optional<ReadyMessage>& trainer) {
  if (!trainer) return nullptr;
  return {{"build", trainer->build},
          {"build_id", trainer->build_id},
          {"device", trainer->device},
          {"backend", trainer->backend},
          {"instructions", trainer->instructions},
          {"threads", trainer->threads}};
}

std::string TrainerLine(const std::optional<ReadyMessage>& trainer) {
  return trainer ? Printable(TrainerText(*trainer)) : "not known";
}

void PrintRepetition(const StoredTrial& stored, const Repetition& repetition,
                     const RepetitionVerdict& verdict, const Session& session) {
  const std::string metric = ObjectiveOf(stored.sweep).name;
  const Listing listing = EpochsListing(metric, repetition.epochs);
  if (session.format == Format::kCsv) return PrintListing(listing, session, std::cout);
  if (session.format == Format::kJson) {
    Json rows = ListingJson(listing);
    for (std::size_t i = 0; i < repetition.epochs.size(); ++i) {
      rows[i]["values"] = BothJson(repetition.epochs[i]);
    }
    return PrintJson({{"trial", ShortName(stored.trial.name())},
                      {"result", verdict.kind},
                      {"good", verdict.is_good},
                      {"metric", metric},
                      {"stored_trainer", TrainerJson(FirstTrainer(stored))},
                      {"trainer", TrainerJson(repetition.trainer)},
                      {"repeated_epochs", rows},
                      {"reason", repetition.failure}},
                     std::cout);
  }
  if (!session.quiet) {
    std::cout << fmt::format("{}  {}\nthen  {}\nhere  {}\n\n",
                             Styled(session, Style::kBold, ShortName(stored.trial.name())),
                             MeasureTitle(metric), TrainerLine(FirstTrainer(stored)),
                             TrainerLine(repetition.trainer));
    PrintListing(listing, session, std::cout);
    std::cout << '\n';
  }
  if (verdict.text.empty()) return;
  std::cout << Styled(session, verdict.is_good ? Style::kGreen : Style::kRed, verdict.text) << '\n';
}

// ---- Segments of a population, which begin with the checkpoint of another trial

// The checkpoint with which the trial has begun, as a file; "" when it is not stored any more.
absl::StatusOr<std::string> FetchParent(Connection& connection, const StoredTrial& stored,
                                        const std::string& folder) {
  const std::string parent = fmt::format("{}/{}", SweepOf(stored.trial), stored.trial.parent());
  const absl::StatusOr<v1::GetTrialResponse> answer = GetTrial(connection, parent);
  if (!answer.ok()) return answer.status();
  const auto& artifacts = answer->trial().artifacts();
  const auto found = std::find_if(artifacts.begin(), artifacts.end(), [](const v1::Artifact& one) {
    return one.role() == "checkpoint";
  });
  if (found == artifacts.end()) return std::string();
  const absl::StatusOr<std::string> bytes = GetBlob(connection, found->sha256());
  if (absl::IsNotFound(bytes.status()) || absl::IsDataLoss(bytes.status())) return std::string();
  if (!bytes.ok()) return bytes.status();
  const std::string path = folder + "/parent.safetensors";
  std::ofstream file(path, std::ios::binary);
  file << *bytes << std::flush;
  if (!file) return absl::InternalError(path + ": cannot be written");
  return path;
}

// Trains to the end and returns the checkpoint that the training has left.
absl::StatusOr<std::string> TrainAncestor(const TrainerProgram& program, const StoredTrial& stored,
                                          const Session& session) {
  std::string checkpoint;
  const int last = stored.epochs.back().epoch();
  ShowProgress(session, 0, last);
  const TrainingListener listener{
      .progress = [](const ProgressMessage&) {},
      .epoch = [&](const EpochMetrics& epoch) { ShowProgress(session, epoch.epoch, last); },
      .checkpoint =
          [&](const CheckpointMessage& message) {
            if (message.epoch == last) checkpoint = message.path;
          },
      .log =
          [&](const std::string& line) {
            if (!session.quiet) std::cerr << "trainer: " << Printable(line) << '\n';
          },
      .stop = [] { return SignalCount() > 0 ? 2 : 0; }};
  const absl::StatusOr<DoneMessage> done = RunTraining(program, stored.spec, listener);
  if (!done.ok()) return done.status();
  if (!checkpoint.empty()) return checkpoint;
  return absl::InternalError(
      fmt::format("{} left no checkpoint of epoch {}", ShortName(stored.trial.name()), last));
}

// Trains the trials that its weights come from, one after the other.
absl::StatusOr<std::string> TrainLineage(Connection& connection, const ReplayTrialOptions& options,
                                         const Session& session, const TrainerProgram& program,
                                         const std::string& folder, StoredTrial* stored) {
  std::string checkpoint;
  for (const v1::Ancestor& ancestor : stored->trial.lineage()) {
    if (ancestor.trial() == stored->trial.number()) break;
    const std::string name = fmt::format("{}/{}", SweepOf(stored->trial), ancestor.trial());
    absl::StatusOr<StoredTrial> before = ReadTrial(connection, name);
    if (!before.ok()) return before.status();
    if (!session.quiet) {
      std::cerr << fmt::format(
          "the checkpoint that {} began with is not there: training {} again, "
          "to epoch {}\n",
          ShortName(stored->trial.name()), name, ancestor.epoch());
    }
    const std::string own_folder = fmt::format("{}/{}", folder, ancestor.trial());
    std::error_code error;
    std::filesystem::create_directories(own_folder, error);
    if (error) return absl::InternalError(fmt::format("{}: {}", own_folder, error.message()));
    if (absl::Status prepared = PrepareSpec(connection, options, session, own_folder, &*before);
        !prepared.ok()) {
      return prepared;
    }
    before->spec.resume_from = checkpoint;
    for (const auto& [attempt, trainer] : before->trainers) stored->before.push_back(trainer);
    absl::StatusOr<std::string> left = TrainAncestor(program, *before, session);
    if (!left.ok()) return left.status();
    checkpoint = *std::move(left);
  }
  return checkpoint;
}

// Gives a trial that begins with the checkpoint of another one that checkpoint.
absl::Status PrepareParent(Connection& connection, const ReplayTrialOptions& options,
                           const Session& session, const TrainerProgram& program,
                           const std::string& folder, StoredTrial* stored) {
  if (stored->spec.start_epoch == 0) return absl::OkStatus();
  absl::StatusOr<std::string> checkpoint = FetchParent(connection, *stored, folder);
  if (checkpoint.ok() && checkpoint->empty()) {
    checkpoint = TrainLineage(connection, options, session, program, folder, stored);
  }
  if (!checkpoint.ok()) return checkpoint.status();
  stored->spec.resume_from = *std::move(checkpoint);
  return absl::OkStatus();
}

}  // namespace

int ReplayTrial(const std::string& name, const ReplayTrialOptions& options,
                const Session& session) {
  InstallSignals();
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  absl::StatusOr<StoredTrial> stored = ReadTrial(**connection, name);
  if (!stored.ok()) return Fail(stored.status());
  if (options.epochs > 0) {
    std::erase_if(stored->epochs,
                  [&](const v1::Epoch& epoch) { return epoch.epoch() > options.epochs; });
    if (stored->epochs.empty()) {
      return Fail(absl::InvalidArgumentError(fmt::format(
          "--epochs {}: no epoch of {} up to that one is stored", options.epochs, name)));
    }
  }
  const absl::StatusOr<std::unique_ptr<OwnedFolder>> folder =
      OwnedFolder::MakeTemporary("sweep-replay-");
  if (!folder.ok()) return Fail(folder.status());
  ProgramCache programs((*folder)->path());
  const absl::StatusOr<TrainerProgram> program = FindProgramOf(*stored, options, &programs);
  if (!program.ok()) return Fail(program.status());
  if (absl::Status prepared =
          PrepareSpec(**connection, options, session, (*folder)->path(), &*stored);
      !prepared.ok()) {
    return Fail(prepared);
  }
  if (absl::Status prepared =
          PrepareParent(**connection, options, session, *program, (*folder)->path(), &*stored);
      !prepared.ok()) {
    if (SignalCount() > 0) return kExitInterrupted;
    return Fail(prepared);
  }
  const Repetition repetition = TrainAgain(*program, *stored, session);
  const bool is_interrupted = SignalCount() > 0;
  if (repetition.epochs.empty()) {
    if (is_interrupted) {
      std::cerr << "stopped before the end of the first epoch\n";
      return kExitInterrupted;
    }
    return Fail(absl::InternalError(repetition.failure));
  }
  const RepetitionVerdict verdict = JudgeRepetition(
      repetition.epochs, DifferenceUpTo(repetition.epochs.back().attempt, *stored, repetition),
      /*is_complete=*/repetition.failure.empty());
  PrintRepetition(*stored, repetition, verdict, session);
  if (is_interrupted) {
    std::cerr << fmt::format("stopped after {} of {}\n", repetition.epochs.size(),
                             Counted(std::ssize(stored->epochs), "epoch"));
    return kExitInterrupted;
  }
  if (!repetition.failure.empty()) {
    return Fail(absl::InternalError(
        fmt::format("only {} of {} came again: {}", repetition.epochs.size(),
                    Counted(std::ssize(stored->epochs), "epoch"), repetition.failure)));
  }
  return verdict.is_good ? kExitOk : kExitFailed;
}

}  // namespace sweep::cli

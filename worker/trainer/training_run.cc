#include "worker/trainer/training_run.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <utility>

#include "common/base/value.h"
#include "common/tensors/safetensors.h"
#include "worker/trainer/predictions_file.h"

namespace sweep {
namespace {

constexpr int kEvaluationBatch = 500;
// The batch size of the write-up that evaluates with a softmax over the batch.
constexpr int kBatchSoftmaxBatch = 128;
// A training does not recover from a mean loss this many times that of guessing.
constexpr double kDivergedFactor = 10;

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Four digits: enough to show the size of a loss.
std::string Rough(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

std::vector<std::int32_t> AllIndices(int count) {
  std::vector<std::int32_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

void CheckFits(const TrialSpec& spec, const Dataset& dataset, int train_images) {
  const Network& network = spec.network;
  const Shape images{1, dataset.train.height, dataset.train.width};
  if (!(network.input == images)) {
    throw TrainingError("network " + network.name + " takes images of " +
                            std::to_string(network.input.channels) + "×" +
                            std::to_string(network.input.height) + "×" +
                            std::to_string(network.input.width) + ", the data set has 1×" +
                            std::to_string(images.height) + "×" + std::to_string(images.width),
                        false);
  }
  if (dataset.classes > network.classes) {
    throw TrainingError("network " + network.name + " has " + std::to_string(network.classes) +
                            " outputs, the data set has " + std::to_string(dataset.classes) +
                            " classes",
                        false);
  }
  // BatchNorm needs more than one value for a variance.
  const int last_batch =
      train_images % spec.batch_size == 0 ? spec.batch_size : train_images % spec.batch_size;
  for (const Layer& layer : network.layers) {
    const bool single =
        layer.kind == LayerKind::kBatchNorm && layer.input.height * layer.input.width == 1;
    if (single && last_batch == 1) {
      throw TrainingError(
          "batch_size " + std::to_string(spec.batch_size) + " leaves a batch of one of " +
              std::to_string(train_images) +
              " images, and batch_norm on 1×1 activations needs more than one value per channel",
          false);
    }
  }
}

}  // namespace

TrainingRun::TrainingRun(const TrialSpec& spec, const Dataset& dataset,
                         std::unique_ptr<Backend> backend, double checkpoint_seconds,
                         TrainingListener* listener)
    : spec_(spec),
      dataset_(dataset),
      checkpoint_seconds_(checkpoint_seconds),
      listener_(listener),
      train_indices_(AllIndices(dataset.train.count)),
      evaluation_set_(&dataset.test),
      evaluation_indices_(AllIndices(dataset.test.count)),
      steps_per_epoch_(0),
      augmentation_(MakeAugmentation(spec.augmentation, spec.shift_pixels, spec.rotation_degrees)),
      backend_(std::move(backend)),
      schedule_(spec, std::max(1, (dataset.train.count - spec.holdout + spec.batch_size - 1) /
                                      spec.batch_size)),
      last_checkpoint_(Clock::now()),
      last_progress_(Clock::now()) {
  if (spec.holdout > 0) {
    Split split = HoldoutSplit(dataset.train.count, spec.holdout, spec.seed);
    train_indices_ = std::move(split.train);
    evaluation_indices_ = std::move(split.holdout);
    evaluation_set_ = &dataset.train;
  }
  const int images = static_cast<int>(train_indices_.size());
  if (images == 0 || evaluation_indices_.empty())
    throw TrainingError("the data set is empty", false);
  CheckFits(spec, dataset, images);
  steps_per_epoch_ = (images + spec.batch_size - 1) / spec.batch_size;
  snapshot_.spec = TrainingIdentity(spec);
  TakeSnapshot({});
  if (!spec.resume_from.empty()) {
    Resume();
  } else if (spec.start_epoch > 0) {
    throw TrainingError("the trial goes on after epoch " + std::to_string(spec.start_epoch) +
                            " of another one, whose checkpoint is not there",
                        false);
  }
}

void TrainingRun::Resume() {
  const std::string& file = spec_.resume_from;
  Checkpoint checkpoint = CheckpointFromSafeTensors(ReadSafeTensors(file), file);
  // Its own checkpoints are of later epochs.
  if (spec_.start_epoch > 0 && checkpoint.epoch <= spec_.start_epoch) {
    return TakeOver(std::move(checkpoint));
  }
  if (const std::string reason = ExplainMismatch(checkpoint, spec_); !reason.empty()) {
    throw TrainingError("checkpoint " + file + " does not belong to this trial: " + reason, false);
  }
  if (checkpoint.best.epoch > 0 && checkpoint.predictions.size() != evaluation_indices_.size()) {
    throw TrainingError("checkpoint " + file + " has " +
                            std::to_string(checkpoint.predictions.size()) + " predictions for " +
                            std::to_string(evaluation_indices_.size()) + " evaluated images",
                        false);
  }
  backend_->Load({checkpoint.network, checkpoint.momentum}, file);
  snapshot_ = std::move(checkpoint);
  checkpoint_on_disk_ = snapshot_.epoch;
}

void TrainingRun::TakeOver(Checkpoint checkpoint) {
  const std::string& file = spec_.resume_from;
  if (const std::string reason = ExplainNoParent(checkpoint, spec_); !reason.empty()) {
    throw TrainingError("checkpoint " + file + " cannot be taken over by this trial: " + reason,
                        false);
  }
  backend_->Load({checkpoint.network, checkpoint.momentum}, file);
  // The best epoch is one of its own.
  snapshot_.epoch = checkpoint.epoch;
  snapshot_.last = std::move(checkpoint.last);
  snapshot_.network = std::move(checkpoint.network);
  snapshot_.momentum = std::move(checkpoint.momentum);
  checkpoint_on_disk_ = snapshot_.epoch;
}

TrainingResult TrainingRun::Run() {
  const int last = spec_.last_epoch();
  for (int epoch = snapshot_.epoch + 1; epoch <= last; ++epoch) {
    EpochMetrics metrics{.epoch = epoch};
    if (!TrainEpoch(&metrics) || !Evaluate(&metrics)) return Finish(/*stopped=*/true);
    TakeSnapshot(metrics);
    KeepIfBest(metrics);
    listener_->OnEpoch(metrics);
    if (epoch < last && SecondsSince(last_checkpoint_) >= checkpoint_seconds_) WriteCheckpoint();
  }
  if (last < spec_.epochs) WriteCheckpoint();  // the trial may go on from there
  return Finish(/*stopped=*/false);
}

bool TrainingRun::ShouldStop() {
  switch (listener_->TakeRequest()) {
    case TrainingRequest::kStop:
      return true;
    case TrainingRequest::kCheckpoint:
      WriteCheckpoint();
      return false;
    default:
      return false;
  }
}

Batch TrainingRun::MakeBatch(const ImageSet& set, const std::vector<std::int32_t>& order, int first,
                             int count, const BatchOptions& options) {
  const auto size = static_cast<std::size_t>(count);
  const std::span<const std::int32_t> indices(order.data() + first, size);
  images_.resize(size * static_cast<std::size_t>(set.height) * set.width);
  labels_.resize(size);
  FillBatch(set, indices, options, images_.data());
  for (std::size_t i = 0; i < size; ++i) labels_[i] = set.labels[indices[i]];
  return {.count = count, .images = images_.data(), .labels = labels_.data()};
}

TrainingError TrainingRun::Diverged(const std::string& what) const {
  return TrainingError("diverged: " + what + " (lr " + FormatDouble(spec_.lr) + ", momentum " +
                           FormatDouble(spec_.momentum) + ")",
                       false);
}

void TrainingRun::CheckLoss(double loss, int epoch, int step) const {
  if (std::isfinite(loss)) return;
  throw Diverged("training loss is " + std::string(std::isnan(loss) ? "nan" : "infinite") +
                 " at epoch " + std::to_string(epoch) + ", step " + std::to_string(step));
}

void TrainingRun::ReportProgress(int epoch, int step, double loss, Clock::time_point epoch_start,
                                 int images) {
  const Clock::time_point now = Clock::now();
  if (now - last_progress_ < std::chrono::milliseconds(250)) return;
  last_progress_ = now;
  listener_->OnProgress({.trial = spec_.trial,
                         .epoch = epoch,
                         .step = step,
                         .steps = steps_per_epoch_,
                         .loss = loss,
                         .images_per_second = images / std::max(1e-9, SecondsSince(epoch_start))});
}

bool TrainingRun::TrainEpoch(EpochMetrics* metrics) {
  const Clock::time_point start = Clock::now();
  const int epoch = metrics->epoch;
  const int images = static_cast<int>(train_indices_.size());
  std::vector<std::int32_t> order = EpochOrder(images, spec_.seed, epoch);
  for (std::int32_t& index : order) index = train_indices_[static_cast<std::size_t>(index)];
  BatchOptions options{.augmentation = augmentation_,
                       .seed = spec_.seed,
                       .epoch = epoch,
                       .mean = spec_.normalize_mean,
                       .stddev = spec_.normalize_stddev};
  double lr = 0;
  for (int step = 0; step < steps_per_epoch_; ++step) {
    if (ShouldStop()) return false;
    const int first = step * spec_.batch_size;
    const int count = std::min(spec_.batch_size, images - first);
    options.first_position = first;
    const std::int64_t global_step = std::int64_t{epoch - 1} * steps_per_epoch_ + step;
    lr = schedule_.LearningRate(global_step);
    backend_->TrainStep(MakeBatch(dataset_.train, order, first, count, options), global_step, lr);
    if ((step + 1) % backend_->steps_between_looks() == 0) {
      const double loss = backend_->LastLoss();
      CheckLoss(loss, epoch, step + 1);
      ReportProgress(epoch, step + 1, loss, start, first + count);
    }
  }
  const BatchTotals totals = backend_->TakeTotals();
  const double loss = totals.loss / images;
  CheckLoss(loss, epoch, steps_per_epoch_);
  const double limit = kDivergedFactor * std::log(static_cast<double>(spec_.network.classes));
  if (loss > limit) {
    throw Diverged("mean training loss is " + Rough(loss) + " in epoch " + std::to_string(epoch) +
                   ", above " + Rough(limit) + ", ten times that of guessing");
  }
  const double seconds = SecondsSince(start);
  metrics->values = {{kTrainLoss, loss},
                     {kTrainAccuracy, static_cast<double>(totals.right) / images},
                     {kLearningRate, lr},
                     {kTrainSeconds, seconds},
                     {kImagesPerSecond, images / std::max(1e-9, seconds)}};
  return true;
}

bool TrainingRun::Evaluate(EpochMetrics* metrics) {
  const Clock::time_point start = Clock::now();
  const bool batch_softmax =
      spec_.evaluate_with == "batch_softmax" || spec_.loss == "nll_batch_softmax";
  const int batch_size = batch_softmax ? kBatchSoftmaxBatch : kEvaluationBatch;
  const int images = static_cast<int>(evaluation_indices_.size());
  const BatchOptions options{.mean = spec_.normalize_mean, .stddev = spec_.normalize_stddev};
  BatchTotals sums;
  predictions_.resize(static_cast<std::size_t>(images));
  for (int first = 0; first < images; first += batch_size) {
    if (ShouldStop()) return false;
    const int count = std::min(batch_size, images - first);
    const BatchTotals totals =
        backend_->Evaluate(MakeBatch(*evaluation_set_, evaluation_indices_, first, count, options),
                           reinterpret_cast<std::uint8_t*>(predictions_.data() + first));
    sums.loss += totals.loss;
    sums.right += totals.right;
  }
  const double loss = sums.loss / images;
  if (!std::isfinite(loss)) {  // the last step broke the weights
    throw Diverged("validation loss is " + FormatDouble(loss) + " after epoch " +
                   std::to_string(metrics->epoch));
  }
  metrics->values.Set(kValidationLoss, loss);
  metrics->values.Set(kValidationAccuracy, static_cast<double>(sums.right) / images);
  metrics->values.Set(kEvaluateSeconds, SecondsSince(start));
  return true;
}

void TrainingRun::TakeSnapshot(const EpochMetrics& metrics) {
  TrainingState state = backend_->Save();
  snapshot_.epoch = metrics.epoch;
  snapshot_.last = metrics;
  snapshot_.network = std::move(state.network);
  snapshot_.momentum = std::move(state.momentum);
}

void TrainingRun::KeepIfBest(const EpochMetrics& metrics) {
  const bool better = snapshot_.best.epoch == 0 ||
                      metrics.Get(kValidationAccuracy) > snapshot_.best.Get(kValidationAccuracy);
  if (!better) return;
  snapshot_.best = metrics;
  snapshot_.predictions = predictions_;
  snapshot_.best_network = snapshot_.network;
}

void TrainingRun::WriteCheckpoint() {
  last_checkpoint_ = Clock::now();
  if (snapshot_.epoch == 0 || snapshot_.epoch == checkpoint_on_disk_) return;
  const std::string path = spec_.output_dir + "/checkpoint.safetensors";
  WriteSafeTensors(path, CheckpointToSafeTensors(snapshot_));
  checkpoint_on_disk_ = snapshot_.epoch;
  listener_->OnCheckpoint(snapshot_.epoch, path);
}

std::string TrainingRun::WriteTensors(const std::string& role,
                                      const std::vector<SafeTensor>& tensors,
                                      const EpochMetrics& metrics) const {
  const nlohmann::json line = nlohmann::json::parse(TrialSpecToJson(spec_));
  SafeTensors content;
  content.metadata = {{"trial", spec_.trial},
                      {"network", line.at("network").dump()},
                      {"epoch", std::to_string(metrics.epoch)},
                      {"accuracy", FormatDouble(metrics.Get(kValidationAccuracy))},
                      {"seed", std::to_string(spec_.seed)},
                      {"normalize_mean", FormatDouble(spec_.normalize_mean)},
                      {"normalize_stddev", FormatDouble(spec_.normalize_stddev)}};
  content.tensors = tensors;
  const std::string path = spec_.output_dir + "/" + role + ".safetensors";
  WriteSafeTensors(path, content);
  return path;
}

TrainingResult TrainingRun::Finish(bool stopped) {
  TrainingResult result{.epochs = snapshot_.epoch, .stopped = stopped};
  // A trial may be stopped for good, so its weights are written as well.
  if (stopped) WriteCheckpoint();
  if (snapshot_.best.epoch == 0) return result;
  result.files["weights_best"] =
      WriteTensors("weights_best", snapshot_.best_network, snapshot_.best);
  result.files["weights_last"] = WriteTensors("weights_last", snapshot_.network, snapshot_.last);
  result.files["predictions"] =
      WriteTensors("predictions",
                   PredictionTensors(*evaluation_set_, evaluation_indices_, snapshot_.predictions),
                   snapshot_.best);
  return result;
}

}  // namespace sweep

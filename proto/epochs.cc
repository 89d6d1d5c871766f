#include "proto/epochs.h"

#include <cmath>

namespace sweep {
namespace {

constexpr double kNanosPerSecond = 1e9;

// The largest Duration, about 10,000 years.
constexpr double kMaxSeconds = 315'576'000'000;

void SetDuration(double seconds, google::protobuf::Duration* duration) {
  if (!(seconds >= 0 && seconds <= kMaxSeconds)) return;
  const double whole = std::floor(seconds);
  duration->set_seconds(static_cast<std::int64_t>(whole));
  duration->set_nanos(static_cast<int>((seconds - whole) * kNanosPerSecond));
}

double ToSeconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() / kNanosPerSecond;
}

}  // namespace

v1::Epoch ToProto(const EpochMetrics& metrics) {
  v1::Epoch proto;
  proto.set_epoch(metrics.epoch);
  for (const auto& [name, value] : metrics.values) {
    (*proto.mutable_metrics())[name] = value;
    if (name == kTrainLoss) proto.set_train_loss(value);
    if (name == kTrainAccuracy) proto.set_train_accuracy(value);
    if (name == kValidationLoss) proto.set_validation_loss(value);
    if (name == kValidationAccuracy) proto.set_validation_accuracy(value);
    if (name == kLearningRate) proto.set_lr(value);
    if (name == kTrainSeconds) SetDuration(value, proto.mutable_train_duration());
    if (name == kEvaluateSeconds) SetDuration(value, proto.mutable_evaluate_duration());
    if (name == kImagesPerSecond) proto.set_images_per_second(value);
  }
  return proto;
}

EpochMetrics FromProto(const v1::Epoch& epoch) {
  EpochMetrics metrics{.epoch = epoch.epoch(), .values = {}};
  for (const auto& [name, value] : epoch.metrics()) metrics.values.Set(name, value);
  if (!metrics.values.empty()) return metrics;
  metrics.values = {{kTrainLoss, epoch.train_loss()},
                    {kTrainAccuracy, epoch.train_accuracy()},
                    {kValidationLoss, epoch.validation_loss()},
                    {kValidationAccuracy, epoch.validation_accuracy()},
                    {kLearningRate, epoch.lr()},
                    {kTrainSeconds, ToSeconds(epoch.train_duration())},
                    {kEvaluateSeconds, ToSeconds(epoch.evaluate_duration())},
                    {kImagesPerSecond, epoch.images_per_second()}};
  return metrics;
}

ProtoSummaries ToProto(const MeasureSummaries& summaries) {
  ProtoSummaries proto;
  for (const auto& [name, summary] : summaries) {
    v1::MeasureSummary& added = proto[name];
    added.set_last(summary.last);
    added.set_low(summary.low);
    added.set_high(summary.high);
  }
  return proto;
}

MeasureSummaries FromProto(const ProtoSummaries& summaries) {
  MeasureSummaries result;
  for (const auto& [name, summary] : summaries) {
    bool is_new = false;
    result.At(name, &is_new) = {summary.last(), summary.low(), summary.high()};
  }
  return result;
}

}  // namespace sweep

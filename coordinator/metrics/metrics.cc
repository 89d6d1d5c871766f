#include "coordinator/metrics/metrics.h"

#include <array>
#include <atomic>
#include <deque>
#include <iterator>
#include <optional>
#include <utility>

#include "coordinator/metrics/families.h"
#include "coordinator/metrics/process_metrics.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace sweep {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets& SecondsBuckets() {
  static const Buckets buckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                  0.1,    0.25,  0.5,    1,     2.5,  5,     10};
  return buckets;
}

const Buckets& SizeBuckets() {
  static const Buckets buckets = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096};
  return buckets;
}

// gRPC's status codes by number; the last entry is for unknown numbers.
constexpr std::array<const char*, 18> kCodes = {"OK",
                                                "CANCELLED",
                                                "UNKNOWN",
                                                "INVALID_ARGUMENT",
                                                "DEADLINE_EXCEEDED",
                                                "NOT_FOUND",
                                                "ALREADY_EXISTS",
                                                "PERMISSION_DENIED",
                                                "RESOURCE_EXHAUSTED",
                                                "FAILED_PRECONDITION",
                                                "ABORTED",
                                                "OUT_OF_RANGE",
                                                "UNIMPLEMENTED",
                                                "INTERNAL",
                                                "UNAVAILABLE",
                                                "DATA_LOSS",
                                                "UNAUTHENTICATED",
                                                "other"};

double Number(std::int64_t value) { return static_cast<double>(value); }

void Append(std::vector<prometheus::MetricFamily> more,
            std::vector<prometheus::MetricFamily>* families) {
  families->insert(families->end(), std::make_move_iterator(more.begin()),
                   std::make_move_iterator(more.end()));
}

std::vector<prometheus::MetricFamily> WorkFamilies(const SchedulerCounts& counts) {
  return {
      Gauges("sweep_sweeps", "Sweeps that have not ended.", "state",
             {{"active", Number(counts.active_sweeps)}, {"paused", Number(counts.paused_sweeps)}}),
      Gauges("sweep_trials", "Trials that have been made and have not ended.", "state",
             {{"pending", Number(counts.pending)},
              {"leased", Number(counts.leased)},
              {"running", Number(counts.running)},
              {"on_hold", Number(counts.on_hold)}}),
      Gauge("sweep_queue_trials",
            "Pending trials of active sweeps that workers train: what a free slot may take.",
            Number(counts.queued)),
      Gauge("sweep_configurations_to_make",
            "Configurations that active sweeps may still make; each gives a trial per replicate.",
            Number(counts.to_make)),
      Gauge("sweep_leases_held", "Trials that a worker holds.",
            Number(counts.leased + counts.running)),
      Gauge("sweep_slots", "Slots of the workers that are connected and do not drain.",
            Number(counts.slots)),
      Gauge("sweep_slots_free", "Of them, those that have no trial and may get one.",
            Number(counts.free_slots)),
      Gauge("sweep_images_per_second", "Training images per second, all running trials together.",
            Number(counts.images_per_second)),
      Gauges("sweep_workers", "Workers that are known, each in one state.", "state",
             {{"connected", Number(counts.workers_connected)},
              {"draining", Number(counts.workers_draining)},
              {"put_aside", Number(counts.workers_put_aside)},
              {"lost", Number(counts.workers_gone)}}),
  };
}

std::vector<prometheus::MetricFamily> EventFamilies(const SchedulerCounts& counts) {
  std::vector<LabelledValue> values, not_finite;
  for (const auto& [measure, counted] : counts.measures) {
    values.push_back({measure, Number(counted.values)});
    not_finite.push_back({measure, Number(counted.not_finite)});
  }
  return {
      Counters("sweep_measurements_total", "Numbers that epochs have reported.", "measure", values),
      Counters("sweep_measurements_not_finite_total", "Of them, NaN and infinities.", "measure",
               not_finite),
      Counter("sweep_epochs_total",
              "Epochs that trials have got to; one that is trained again counts once.",
              Number(counts.epochs)),
      Counters("sweep_trials_ended_total", "Trials that have ended.", "outcome",
               {{"completed", Number(counts.completed)},
                {"stopped", Number(counts.stopped)},
                {"failed", Number(counts.failed)},
                {"diverged", Number(counts.diverged)},
                {"cancelled", Number(counts.cancelled)}}),
      Counters("sweep_attempts_ended_total", "Attempts at trials that have ended.", "outcome",
               {{"completed", Number(counts.attempts_completed)},
                {"failed", Number(counts.attempts_failed)},
                {"diverged", Number(counts.attempts_diverged)},
                {"given_back", Number(counts.attempts_given_back)},
                {"lost", Number(counts.attempts_lost)}}),
      Counter("sweep_workers_lost_total", "Workers that were silent for a lease term.",
              Number(counts.workers_lost)),
      Counter("sweep_late_ticks_total",
              "Times that the scheduler did not run for seconds, as when the machine slept.",
              Number(counts.late_ticks)),
  };
}

std::vector<prometheus::MetricFamily> StoreFamilies(const StoreLoad& load) {
  return {
      Gauge("sweep_writes_queued", "Writes that wait for the transaction under way.",
            Number(load.queued_writes)),
      Gauge("sweep_disk_full", "1 while writes are refused because the disk is full.",
            load.disk_is_full ? 1 : 0),
      Gauge("sweep_database_lost",
            "1 while writes are refused because a file of the database was deleted or replaced.",
            load.files_are_lost ? 1 : 0),
      Gauge("sweep_readers_in_use", "Reading connections that a query uses.",
            Number(load.readers_in_use)),
      Gauge("sweep_readers_max", "Reading connections that there may be.",
            Number(load.most_readers)),
      Gauge("sweep_database_bytes", "Size of the database file.", Number(load.database_bytes)),
      Gauge("sweep_wal_bytes", "Size of the write-ahead log's file.", Number(load.log_bytes)),
      Gauge("sweep_disk_free_bytes", "Free space where the database lies.",
            Number(load.free_disk_bytes)),
  };
}

class CoordinatorMetricsImpl final : public CoordinatorMetrics {
 public:
  explicit CoordinatorMetricsImpl(const Options& options)
      : version_(options.version),
        calls_(prometheus::BuildCounter()
                   .Name("sweep_rpc_calls_total")
                   .Help("Calls that have been answered.")
                   .Register(registry_)),
        call_seconds_(prometheus::BuildHistogram()
                          .Name("sweep_rpc_duration_seconds")
                          .Help("From a call's arrival to its answer, for calls that do not wait "
                                "for something to happen.")
                          .Register(registry_)),
        commit_seconds_(AddHistogram("sweep_commit_duration_seconds",
                                     "COMMIT with its sync to the disk.", SecondsBuckets())),
        batch_seconds_(AddHistogram("sweep_transaction_duration_seconds",
                                    "The transaction of a batch of writes, COMMIT included.",
                                    SecondsBuckets())),
        batch_writes_(AddHistogram("sweep_transaction_writes",
                                   "Writes that one transaction answers.", SizeBuckets())),
        writes_refused_(
            prometheus::BuildCounter()
                .Name("sweep_writes_refused_total")
                .Help("Writes refused because the disk was full or the database's files were "
                      "gone.")
                .Register(registry_)
                .Add({})) {
    for (const Method& method : options.methods) methods_.emplace_back(method);
  }

  void OnCall(std::size_t method, int code, absl::Duration duration) override {
    MethodSeries& series = methods_.at(method);
    const std::size_t place = code >= 0 && static_cast<std::size_t>(code) < kCodes.size() - 1
                                  ? static_cast<std::size_t>(code)
                                  : kCodes.size() - 1;
    Find(series, place, &series.calls, [&](const prometheus::Labels& labels) {
      return &calls_.Add(labels);
    })->Increment();
    if (!series.method.timed) return;
    Find(series, place, &series.seconds, [&](const prometheus::Labels& labels) {
      return &call_seconds_.Add(labels, SecondsBuckets());
    })->Observe(absl::ToDoubleSeconds(duration));
  }

  void OnBatch(const BatchReport& batch) override {
    if (batch.refused) return writes_refused_.Increment(static_cast<double>(batch.writes));
    commit_seconds_.Observe(absl::ToDoubleSeconds(batch.commit));
    batch_seconds_.Observe(absl::ToDoubleSeconds(batch.duration));
    batch_writes_.Observe(static_cast<double>(batch.writes));
  }

  std::string Text(const Sources& sources) const override {
    std::vector<prometheus::MetricFamily> families = {
        Gauges("sweep_build_info", "1, with the version as a label.", "version", {{version_, 1}}),
        Gauge("sweep_time_seconds", "The clock of this machine, in Unix time.",
              absl::ToDoubleSeconds(sources.now() - absl::UnixEpoch()))};
    const SchedulerCounts counts = sources.scheduler();
    Append(WorkFamilies(counts), &families);
    if (const std::optional<double> seconds = sources.time_left()) {
      families.push_back(Gauge("sweep_time_left_seconds",
                               "Until the active sweep that takes longest has ended, at its pace.",
                               *seconds));
    }
    Append(EventFamilies(counts), &families);
    Append(StoreFamilies(sources.store()), &families);
    const Waiting waiting = sources.waiting();
    families.push_back(
        Gauges("sweep_rpc_waiting", "Calls that wait for a thread.", "pool",
               {{"reads", Number(waiting.reads)}, {"files", Number(waiting.files)}}));
    Append(registry_.Collect(), &families);
    Append(ProcessMetrics(), &families);
    return prometheus::TextSerializer().Serialize(families);
  }

 private:
  template <typename Series>
  using ByCode = std::array<std::atomic<Series*>, kCodes.size()>;
  struct MethodSeries {
    explicit MethodSeries(Method its_method) : method(std::move(its_method)) {}
    const Method method;
    // Created on first use: most codes never occur. The registry owns them.
    ByCode<prometheus::Counter> calls{};
    ByCode<prometheus::Histogram> seconds{};
  };

  // Two threads may both call `add` first, since it returns the same series again.
  template <typename Series, typename Add>
  static Series* Find(const MethodSeries& series, std::size_t place, ByCode<Series>* by_code,
                      Add add) {
    std::atomic<Series*>& known = (*by_code)[place];
    if (Series* const found = known.load(std::memory_order_acquire)) return found;
    Series* const added = add({{"method", series.method.name}, {"code", kCodes[place]}});
    known.store(added, std::memory_order_release);
    return added;
  }

  prometheus::Histogram& AddHistogram(const std::string& name, const std::string& help,
                                      const Buckets& buckets) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add({}, buckets);
  }

  const std::string version_;
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& calls_;
  prometheus::Family<prometheus::Histogram>& call_seconds_;
  prometheus::Histogram& commit_seconds_;
  prometheus::Histogram& batch_seconds_;
  prometheus::Histogram& batch_writes_;
  prometheus::Counter& writes_refused_;
  std::deque<MethodSeries> methods_;  // its elements cannot be moved
};

}  // namespace

std::unique_ptr<CoordinatorMetrics> CoordinatorMetrics::Make(const Options& options) {
  return std::make_unique<CoordinatorMetricsImpl>(options);
}

}  // namespace sweep

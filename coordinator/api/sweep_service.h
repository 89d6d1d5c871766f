#pragma once

#include "coordinator/api/watch.h"
#include "coordinator/api/work_pool.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/blob_store.h"
#include "coordinator/store/store.h"
#include "coordinator/views/time_left.h"
#include "sweep/v1/sweeps.grpc.pb.h"

namespace sweep {

// A sweep file as sent, and its meaning.
struct ParsedSweep {
  SweepSource source;
  std::shared_ptr<const SweepSpec> spec;  // shared with the scheduler and the cache
};
// InvalidArgument with every complaint; Cancelled when the caller has gone or the coordinator shuts
// down. For threads that may parse.
absl::StatusOr<ParsedSweep> ParseSource(const v1::SweepSource& given,
                                        grpc::CallbackServerContext* context);

// A stored sweep as the services show it, with its best trial and the time left. Reads the store.
absl::StatusOr<v1::Sweep> DescribeSweep(const SweepRow& row, Store* store, SpecCache* specs,
                                        TimeLeft* time_left);

// Implements sweeps.proto over the scheduler and the store. Thin: checks, converts, delegates.
// Thread-safe.
class SweepService final : public v1::SweepService::CallbackService {
 public:
  struct Parts {  // all must outlive it
    Store* store = nullptr;
    BlobStore* blobs = nullptr;
    Scheduler* scheduler = nullptr;
    SpecCache* specs = nullptr;
    TimeLeft* time_left = nullptr;
    WatchHub* watches = nullptr;
    WorkPool* reads = nullptr;     // runs queries
    WorkPool* parsing = nullptr;   // parses sweep files
    WorkPool* searches = nullptr;  // repeats searches, which may think for long
  };
  explicit SweepService(const Parts& parts)
      : store_(parts.store),
        blobs_(parts.blobs),
        scheduler_(parts.scheduler),
        specs_(parts.specs),
        time_left_(parts.time_left),
        watches_(parts.watches),
        reads_(parts.reads),
        parsing_(parts.parsing),
        searches_(parts.searches) {}

  grpc::ServerUnaryReactor* CreateSweep(grpc::CallbackServerContext* context,
                                        const v1::CreateSweepRequest* request,
                                        v1::CreateSweepResponse* response) override;
  grpc::ServerUnaryReactor* GetSweep(grpc::CallbackServerContext* context,
                                     const v1::GetSweepRequest* request,
                                     v1::GetSweepResponse* response) override;
  grpc::ServerUnaryReactor* ListSweeps(grpc::CallbackServerContext* context,
                                       const v1::ListSweepsRequest* request,
                                       v1::ListSweepsResponse* response) override;
  grpc::ServerUnaryReactor* CancelSweep(grpc::CallbackServerContext* context,
                                        const v1::CancelSweepRequest* request,
                                        v1::CancelSweepResponse* response) override;
  grpc::ServerUnaryReactor* PauseSweep(grpc::CallbackServerContext* context,
                                       const v1::PauseSweepRequest* request,
                                       v1::PauseSweepResponse* response) override;
  grpc::ServerUnaryReactor* ResumeSweep(grpc::CallbackServerContext* context,
                                        const v1::ResumeSweepRequest* request,
                                        v1::ResumeSweepResponse* response) override;
  grpc::ServerUnaryReactor* RetrySweep(grpc::CallbackServerContext* context,
                                       const v1::RetrySweepRequest* request,
                                       v1::RetrySweepResponse* response) override;
  grpc::ServerUnaryReactor* ExtendSweep(grpc::CallbackServerContext* context,
                                        const v1::ExtendSweepRequest* request,
                                        v1::ExtendSweepResponse* response) override;
  grpc::ServerUnaryReactor* EditSweep(grpc::CallbackServerContext* context,
                                      const v1::EditSweepRequest* request,
                                      v1::EditSweepResponse* response) override;
  grpc::ServerUnaryReactor* DeleteSweep(grpc::CallbackServerContext* context,
                                        const v1::DeleteSweepRequest* request,
                                        v1::DeleteSweepResponse* response) override;
  grpc::ServerUnaryReactor* RenameSweep(grpc::CallbackServerContext* context,
                                        const v1::RenameSweepRequest* request,
                                        v1::RenameSweepResponse* response) override;
  grpc::ServerUnaryReactor* ArchiveSweep(grpc::CallbackServerContext* context,
                                         const v1::ArchiveSweepRequest* request,
                                         v1::ArchiveSweepResponse* response) override;
  grpc::ServerUnaryReactor* RankSweep(grpc::CallbackServerContext* context,
                                      const v1::RankSweepRequest* request,
                                      v1::RankSweepResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchSweepResponse>* WatchSweep(
      grpc::CallbackServerContext* context, const v1::WatchSweepRequest* request) override;
  grpc::ServerUnaryReactor* PreviewSuggestions(grpc::CallbackServerContext* context,
                                               const v1::PreviewSuggestionsRequest* request,
                                               v1::PreviewSuggestionsResponse* response) override;
  grpc::ServerWriteReactor<v1::ReplaySearchResponse>* ReplaySearch(
      grpc::CallbackServerContext* context, const v1::ReplaySearchRequest* request) override;

 private:
  // What an edit would do; may parse and read.
  absl::StatusOr<EditRequest> PlanEdit(const std::string& name, const v1::EditSweepRequest& request,
                                       grpc::CallbackServerContext* context) const;
  // The sweep as the edit would leave it.
  absl::StatusOr<v1::Sweep> PlannedEdit(const EditRequest& edit) const;
  absl::Status List(const v1::ListSweepsRequest& request, v1::ListSweepsResponse* response);
  absl::Status Rank(const v1::RankSweepRequest& request, v1::RankSweepResponse* response);
  absl::StatusOr<v1::Sweep> Describe(const SweepRow& row) const {
    return DescribeSweep(row, store_, specs_, time_left_);
  }
  // Finishes a call that changed the sweep with its present state. Callable on any thread: a thread
  // that may read the store does the work.
  void FinishWithSweep(grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor,
                       const absl::StatusOr<SweepRow>& row, v1::Sweep* sweep);
  // The sweep as far as it is known without reading.
  v1::Sweep DescribeKnown(const SweepRow& row) const;

  Store* const store_;
  BlobStore* const blobs_;
  Scheduler* const scheduler_;
  SpecCache* const specs_;
  TimeLeft* const time_left_;
  WatchHub* const watches_;
  WorkPool* const reads_;
  WorkPool* const parsing_;
  WorkPool* const searches_;
};

}  // namespace sweep

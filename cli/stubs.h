#pragma once

#include <grpcpp/channel.h>

#include <memory>

#include "sweep/v1/blobs.grpc.pb.h"
#include "sweep/v1/callers.grpc.pb.h"
#include "sweep/v1/sweeps.grpc.pb.h"
#include "sweep/v1/trials.grpc.pb.h"
#include "sweep/v1/views.grpc.pb.h"
#include "sweep/v1/workers.grpc.pb.h"

namespace sweep::cli {

// The coordinator's services on one channel. Thread-safe.
struct Stubs {
  explicit Stubs(std::shared_ptr<grpc::Channel> to)
      : channel(std::move(to)),
        sweeps(channel),
        trials(channel),
        workers(channel),
        callers(channel),
        blobs(channel),
        views(channel) {}

  std::shared_ptr<grpc::Channel> channel;
  v1::SweepService::Stub sweeps;
  v1::TrialService::Stub trials;
  v1::WorkerService::Stub workers;
  v1::CallerService::Stub callers;
  v1::BlobService::Stub blobs;
  v1::ViewService::Stub views;
};

}  // namespace sweep::cli

#pragma once

// Helpers for calls whose messages are bytes.

#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "sweep/v1/blobs.pb.h"
#include "sweep/v1/callers.pb.h"
#include "sweep/v1/sweeps.pb.h"
#include "sweep/v1/trials.pb.h"
#include "sweep/v1/views.pb.h"
#include "sweep/v1/workers.pb.h"

namespace sweep::testing {

inline std::string ToText(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  (void)buffer.Dump(&slices);
  std::string text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

inline grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// Waits for the one pending operation. False when it failed.
inline bool Wait(grpc::CompletionQueue* queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue->Next(&tag, &ok) && ok;
}

// The methods of all services of the contract.
inline std::vector<const google::protobuf::MethodDescriptor*> AllMethods() {
  std::vector<const google::protobuf::MethodDescriptor*> methods;
  for (const google::protobuf::FileDescriptor* file :
       {v1::CreateSweepRequest::descriptor()->file(), v1::GetTrialRequest::descriptor()->file(),
        v1::SynchronizeRequest::descriptor()->file(), v1::PutBlobRequest::descriptor()->file(),
        v1::SuggestTrialRequest::descriptor()->file(), v1::GetViewRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.push_back(file->service(i)->method(j));
      }
    }
  }
  return methods;
}

// "/sweep.v1.WorkerService/ReportEpochs".
inline std::string MethodPath(const google::protobuf::MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

// The result of a call: every message of one side, and the final status.
struct RawAnswer {
  std::vector<grpc::ByteBuffer> messages;
  grpc::Status status;
};

// Makes a call of any kind and waits until it ends.
inline RawAnswer Exchange(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                          const std::vector<grpc::ByteBuffer>& requests,
                          grpc::ClientContext* context) {
  RawAnswer answer;
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(context, method, &queue);
  call->StartCall(nullptr);
  bool alive = Wait(&queue);
  for (const grpc::ByteBuffer& request : requests) {
    if (!alive) break;
    call->Write(request, nullptr);
    alive = Wait(&queue);
  }
  if (alive) {
    call->WritesDone(nullptr);
    Wait(&queue);
  }
  while (true) {
    grpc::ByteBuffer message;
    call->Read(&message, nullptr);
    if (!Wait(&queue)) break;
    answer.messages.push_back(message);
  }
  call->Finish(&answer.status, nullptr);
  Wait(&queue);
  queue.Shutdown();
  return answer;
}

}  // namespace sweep::testing

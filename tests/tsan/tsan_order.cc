// Tells ThreadSanitizer the order that gRPC gives to this program's steps. The distribution's gRPC
// and abseil are built without ThreadSanitizer, so it takes the callbacks of a call, which run one
// after the other on several threads, for unordered. Every program of a ThreadSanitizer build that
// uses gRPC is linked with this file: its definitions replace the libraries' own, and call them.
//
// Only gRPC's promises are shown, not the locks by which it keeps them: these would order nearly
// all callbacks with each other, and so hide the races between them.

#include <dlfcn.h>
#include <link.h>
#include <sanitizer/tsan_interface.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpc/grpc.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "grpcpp/version_info.h"

// This file depends on the libraries' internals.
static_assert(GRPC_CPP_VERSION_MAJOR == 1 && GRPC_CPP_VERSION_MINOR == 51,
              "compare this file with completion_queue.cc, executor.cc and server_callback.cc");
static_assert(ABSL_LTS_RELEASE_VERSION == 20220623, "compare this file with mutex.cc");

namespace {

// The library's own definition of the function with that mangled name.
template <typename Function>
Function* Real(const char* name) {
  void* const found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) {
    std::fprintf(stderr, "tsan_order: no library defines %s\n", name);
    std::abort();
  }
  return reinterpret_cast<Function*>(found);
}

// Everything before a server's start precedes all its calls, and these precede its end.
char server_start;
char calls_end;

// The tag for which this thread waits at the end of a server.
thread_local const void* shutdown_tag = nullptr;

// The address that stands for gRPC's work on the operation of that tag.
void* Outcome(void* tag) { return static_cast<char*>(tag) + 1; }

grpc_event TakeOver(const grpc_event& event) {
  if (event.type != GRPC_OP_COMPLETE) return event;
  __tsan_acquire(event.tag);
  __tsan_acquire(&server_start);
  if (event.tag == shutdown_tag) {
    __tsan_acquire(&calls_end);
    shutdown_tag = nullptr;
  }
  return event;
}

}  // namespace

struct grpc_cq_completion;

// Operations. Everything before the beginning of one precedes everything after its tag has come out
// of the completion queue. The threads that run callbacks take them from such a queue, too.

bool grpc_cq_begin_op(grpc_completion_queue* queue, void* tag) {
  static auto* const real =
      Real<bool(grpc_completion_queue*, void*)>("_Z16grpc_cq_begin_opP21grpc_completion_queuePv");
  __tsan_release(tag);
  return real(queue, tag);
}

void grpc_cq_end_op(grpc_completion_queue* queue, void* tag, absl::Status error,
                    void (*done)(void*, grpc_cq_completion*), void* argument,
                    grpc_cq_completion* storage, bool internal) {
  static auto* const real =
      Real<void(grpc_completion_queue*, void*, absl::Status, void (*)(void*, grpc_cq_completion*),
                void*, grpc_cq_completion*, bool)>(
          "_Z14grpc_cq_end_opP21grpc_completion_queuePvN4absl7debian36StatusEPFvS1_P18grpc_cq_"
          "completionES1_S6_b");
  __tsan_release(Outcome(tag));
  real(queue, tag, std::move(error), done, argument, storage, internal);
}

extern "C" {

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  static auto* const real =
      Real<decltype(grpc_completion_queue_next)>("grpc_completion_queue_next");
  return TakeOver(real(queue, deadline, reserved));
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  static auto* const real =
      Real<decltype(grpc_completion_queue_pluck)>("grpc_completion_queue_pluck");
  const grpc_event event = TakeOver(real(queue, tag, deadline, reserved));
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(Outcome(tag));
  return event;
}

void grpc_server_start(grpc_server* server) {
  static auto* const real = Real<decltype(grpc_server_start)>("grpc_server_start");
  __tsan_release(&server_start);
  real(server);
}

void grpc_server_shutdown_and_notify(grpc_server* server, grpc_completion_queue* queue, void* tag) {
  static auto* const real =
      Real<decltype(grpc_server_shutdown_and_notify)>("grpc_server_shutdown_and_notify");
  shutdown_tag = tag;
  real(server, queue, tag);
}

// Called after a call's last callback.
void grpc_call_unref(grpc_call* call) {
  static auto* const real = Real<decltype(grpc_call_unref)>("grpc_call_unref");
  __tsan_release(&calls_end);
  real(call);
}

}  // extern "C"

// The executor, on whose threads gRPC calls OnDone and OnCancel.

// The beginnings of the types in gRPC's closure.h.
struct grpc_closure {
  grpc_closure* next;
};
struct grpc_closure_list {
  grpc_closure* head;
  grpc_closure* tail;
};

namespace grpc_core {

enum class ExecutorType;
enum class ExecutorJobType;

class Executor {
 public:
  static void Run(grpc_closure* closure, absl::Status error, ExecutorType type,
                  ExecutorJobType job_type);
  static std::size_t RunClosures(const char* name, grpc_closure_list list);
};

void Executor::Run(grpc_closure* closure, absl::Status error, ExecutorType type,
                   ExecutorJobType job_type) {
  static auto* const real = Real<decltype(Run)>(
      "_ZN9grpc_core8Executor3RunEP12grpc_closureN4absl7debian36StatusENS_12ExecutorTypeENS_"
      "15ExecutorJobTypeE");
  __tsan_release(closure);
  real(closure, std::move(error), type, job_type);
}

std::size_t Executor::RunClosures(const char* name, grpc_closure_list list) {
  static auto* const real =
      Real<decltype(RunClosures)>("_ZN9grpc_core8Executor11RunClosuresEPKc17grpc_closure_list");
  for (grpc_closure* closure = list.head; closure != nullptr; closure = closure->next) {
    __tsan_acquire(closure);
  }
  return real(name, list);
}

}  // namespace grpc_core

// A call's countdowns. Whoever removes the last condition runs OnDone or OnCancel, after everything
// that the others did before they removed theirs. The headers' code, which ThreadSanitizer sees,
// removes some; the library's own code removes others.

namespace grpc::internal {
namespace {

// Calls OnCancel, after which the library removes a condition.
class CancelledReactor final : public ServerReactor {
 public:
  CancelledReactor(ServerReactor* reactor, void* countdown)
      : reactor_(reactor), countdown_(countdown) {}
  void OnDone() override { std::abort(); }  // gRPC calls it by the call's own reactor
  void OnCancel() override {
    reactor_->OnCancel();
    __tsan_release(countdown_);
    delete this;
  }

 private:
  ServerReactor* const reactor_;
  void* const countdown_;
};

}  // namespace

// The library has compiled code for calls of any method; ThreadSanitizer sees this copy instead.
template class CallbackBidiHandler<ByteBuffer, ByteBuffer>;

void ServerCallbackCall::ScheduleOnDone(bool inline_ondone) {
  static auto* const real = Real<void(ServerCallbackCall*, bool)>(
      "_ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb");
  __tsan_acquire(&callbacks_outstanding_);
  real(this, inline_ondone);
}

void ServerCallbackCall::CallOnCancel(ServerReactor* reactor) {
  static auto* const real = Real<void(ServerCallbackCall*, ServerReactor*)>(
      "_ZN4grpc8internal18ServerCallbackCall12CallOnCancelEPNS0_13ServerReactorE");
  __tsan_acquire(&on_cancel_conditions_remaining_);
  real(this, new CancelledReactor(reactor, &callbacks_outstanding_));
}

}  // namespace grpc::internal

// abseil's locks, when anything but gRPC's core takes them; gRPC's headers do.

namespace {

// True if the code at `address` is part of gRPC's core.
bool IsOfGrpcCore(const void* address) {
  struct Range {
    std::uintptr_t begin;
    std::uintptr_t end;
  };
  static const std::vector<Range>* const ranges = [] {
    auto* const found = new std::vector<Range>;
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* result) {
          const std::string_view name = info->dlpi_name;
          if (name.find("/libgrpc.so") == name.npos && name.find("/libgpr.so") == name.npos) {
            return 0;
          }
          for (int i = 0; i < info->dlpi_phnum; ++i) {
            const auto& segment = info->dlpi_phdr[i];
            const std::uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
            if (segment.p_type == PT_LOAD) {
              static_cast<std::vector<Range>*>(result)->push_back({begin, begin + segment.p_memsz});
            }
          }
          return 0;
        },
        found);
    return found;
  }();
  for (const Range& range : *ranges) {
    const auto value = reinterpret_cast<std::uintptr_t>(address);
    if (value >= range.begin && value < range.end) return true;
  }
  return false;
}

void Acquire(absl::Mutex* mutex, const void* caller) {
  if (!IsOfGrpcCore(caller)) __tsan_acquire(mutex);
}

void Release(absl::Mutex* mutex, const void* caller) {
  if (!IsOfGrpcCore(caller)) __tsan_release(mutex);
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  static auto* const real = Real<void(Mutex*)>("_ZN4absl7debian35Mutex4LockEv");
  real(this);
  Acquire(this, __builtin_return_address(0));
}

bool Mutex::TryLock() {
  static auto* const real = Real<bool(Mutex*)>("_ZN4absl7debian35Mutex7TryLockEv");
  const bool locked = real(this);
  if (locked) Acquire(this, __builtin_return_address(0));
  return locked;
}

void Mutex::Unlock() {
  static auto* const real = Real<void(Mutex*)>("_ZN4absl7debian35Mutex6UnlockEv");
  Release(this, __builtin_return_address(0));
  real(this);
}

void CondVar::Wait(Mutex* mutex) {
  static auto* const real =
      Real<void(CondVar*, Mutex*)>("_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE");
  Release(mutex, __builtin_return_address(0));
  real(this, mutex);
  Acquire(mutex, __builtin_return_address(0));
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static auto* const real = Real<bool(CondVar*, Mutex*, Duration)>(
      "_ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  Release(mutex, __builtin_return_address(0));
  const bool timed_out = real(this, mutex, timeout);
  Acquire(mutex, __builtin_return_address(0));
  return timed_out;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static auto* const real = Real<bool(CondVar*, Mutex*, Time)>(
      "_ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  Release(mutex, __builtin_return_address(0));
  const bool timed_out = real(this, mutex, deadline);
  Acquire(mutex, __builtin_return_address(0));
  return timed_out;
}

ABSL_NAMESPACE_END
}  // namespace absl

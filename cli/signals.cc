#include "cli/signals.h"

#include <signal.h>

#include <chrono>
#include <thread>

#include "common/base/end_signals.h"
#include "common/base/mutex.h"

namespace sweep::cli {
namespace {

struct Signals {
  Mutex mutex;
  CondVar arrived;
  EndSignals ends ABSL_GUARDED_BY(mutex);
};

// Never destroyed: the waiting thread outlives main's locals.
Signals& State() {
  static Signals* const signals = new Signals;
  return *signals;
}

}  // namespace

void InstallSignals() {
  static const sigset_t set = EndSignalSet();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // Detached: waits in the kernel until the process ends.
  std::thread([] {
    while (true) {
      int signal = 0;
      if (sigwait(&set, &signal) != 0) return;
      Signals& state = State();
      MutexLock lock(&state.mutex);
      state.ends.Take(signal, std::chrono::steady_clock::now());
      state.arrived.NotifyAll();
    }
  }).detach();
}

int SignalCount() {
  Signals& state = State();
  MutexLock lock(&state.mutex);
  return state.ends.requests();
}

void WaitForSignal(absl::Duration timeout) {
  Signals& state = State();
  MutexLock lock(&state.mutex);
  const int before = state.ends.requests();
  const auto deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
  while (state.ends.requests() == before) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline || !state.arrived.WaitFor(&state.mutex, deadline - now)) return;
  }
}

}  // namespace sweep::cli

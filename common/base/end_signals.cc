#include "common/base/end_signals.h"

namespace sweep {

int EndSignals::Take(int signal, TimePoint now) {
  const auto apart = signal == SIGINT ? kKeysApart : kApart;
  if (requests_ == 0 || now - last_ >= apart) {
    ++requests_;
    last_ = now;
  }
  return requests_;
}

sigset_t EndSignalSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  struct sigaction hangup = {};
  // sigwait receives a blocked signal even if it is ignored.
  if (sigaction(SIGHUP, nullptr, &hangup) != 0 || hangup.sa_handler != SIG_IGN) {
    sigaddset(&set, SIGHUP);
  }
  return set;
}

void IgnoreSignalsOfWrites() {
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
  IgnoreFileSizeSignal();
}

void IgnoreFileSizeSignal() {
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, nullptr);
}

}  // namespace sweep

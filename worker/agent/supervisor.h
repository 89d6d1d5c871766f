#pragma once

#include <sys/types.h>

namespace sweep {

// The program that a supervisor starts. Everything is prepared before the fork, since nothing may
// be allocated after it.
struct SupervisedProgram {
  char* const* argv = nullptr;  // argv[0]: the path of the program
  char* const* envp = nullptr;
  const char* folder = nullptr;  // to run in; null: where the worker runs
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  int failure_fd = -1;  // closed by a successful start, else it gets a StartFailure
};

struct StartFailure {
  enum class Stage : int { kFork, kFolder, kExecute };
  Stage stage = Stage::kFork;
  int error = 0;  // errno
};

// The body of a supervisor, a process between the worker and a program. It starts the program as
// the leader of a process group of its own, adopts whatever the program's descendants leave behind
// (PR_SET_CHILD_SUBREAPER), kills the others once the program has ended, and ends after the last of
// them, in the same way as the program. So nothing that a program starts, not even a daemon,
// outlives the program or the worker: the kernel tells the supervisor when the worker's thread that
// forked it has ended.
//
// Runs in the child of a multithreaded process, with all signals blocked: only async-signal-safe
// calls. The worker's SIGTERM is passed on to the program's process group, its kKillAll kills
// everything; signals of others are ignored. The worker deals with a supervisor that is itself
// stopped or killed, see TrainerProcess and KillOrphans.
[[noreturn]] void Supervise(const SupervisedProgram& program, pid_t worker);

// The signal that makes a supervisor kill all below it.
extern const int kKillAll;

}  // namespace sweep

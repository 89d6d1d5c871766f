#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace sweep {

// Cleans up a program's processes when their supervisor was killed: the kernel hands them to this
// process (PR_SET_CHILD_SUBREAPER), which kills them. There is one registry of supervisors per
// process, as there is one set of children. Thread-safe.

// Calls `fork`, whose child must begin a process group of its own before anything else, and
// registers the child as a supervisor. From then on this process adopts orphans.
pid_t ForkSupervisor(const std::function<pid_t()>& fork);

// Call when the supervisor has been reaped, with its wait status.
void ForgetSupervisor(pid_t pid, int status);

// When a supervisor was killed: kills and reaps the orphans that this process has adopted since.
// These are its children that are neither supervisors nor in its own process group, so that
// processes started by others are left alone. True while there may be more, since the children of a
// killed process arrive only after its death: call again soon.
bool KillOrphans();

// The environment variable that names the worker's own folder to everything that it starts.
extern const char kFolderMark[];

// Kills the processes of this user, except this one, that carry the mark of `folder`. For a folder
// whose worker is dead: when the worker and a supervisor are killed together, nobody is left to
// kill the program's background processes. Waits for their ends, 2 s at most. A process that has
// changed its environment is not found. Running in the folder is no proof: a person may look around
// there.
void KillMarked(const std::string& folder);

}  // namespace sweep

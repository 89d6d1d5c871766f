#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace sweep {

// What becomes of a program's processes when their supervisor is killed: the kernel hands them to
// this process (PR_SET_CHILD_SUBREAPER), which kills them. The registry of supervisors is one per
// process, as its children are. Thread-safe.

// Forks by `fork`, whose child must begin a process group of its own before anything else, and
// counts the child among the supervisors. From then on this process adopts orphans.
pid_t ForkSupervisor(const std::function<pid_t()>& fork);

// The supervisor has been reaped, with this wait status.
void ForgetSupervisor(pid_t pid, int status);

// When a supervisor was killed: kills and reaps what has come to this process since. That is, its
// children that are no supervisors and not in its own process group, so that those which others
// start here are left alone. True while there may be more, since the children of what is killed
// come only when it is dead: call it again soon then.
bool KillOrphans();

// In the environment of everything that a worker starts: the worker's own folder.
extern const char kFolderMark[];

// Kills the processes of this user, but not this one, that carry the mark of `folder`. For a folder
// whose worker is dead: when the worker and a supervisor were killed together, what the program had
// put into the background is nobody's child any more. Waits for their ends, 2 s at most. One that
// has changed its environment is not found. That it runs in the folder would be no proof: a person
// may look around there.
void KillMarked(const std::string& folder);

}  // namespace sweep

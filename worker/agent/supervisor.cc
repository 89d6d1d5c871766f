#include "worker/agent/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <initializer_list>

namespace sweep {

const int kKillAll = SIGUSR1;

namespace {

// Pause between two rounds of killing: children of a killed process are adopted only when it is
// dead.
constexpr timespec kRound = {.tv_sec = 0, .tv_nsec = 5'000'000};

// Resets all signals except an ignored SIGHUP: a program under `nohup` survives its terminal.
void ResetSignals() {
  struct sigaction action = {};
  struct sigaction hangup = {};
  action.sa_handler = SIG_DFL;
  const bool deaf = sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
  for (int number = 1; number < NSIG; ++number) {
    if (number != SIGHUP || !deaf) sigaction(number, &action, nullptr);
  }
}

[[noreturn]] void Fail(const SupervisedProgram& program, StartFailure::Stage stage) {
  const StartFailure failure{.stage = stage, .error = errno};
  [[maybe_unused]] const ssize_t written = write(program.failure_fd, &failure, sizeof failure);
  _exit(127);
}

// `go` is a pipe that ends when the supervisor has closed what it inherited. A program that ran
// earlier could stop its supervisor while the worker waits for the end of `failure_fd`.
[[noreturn]] void RunProgram(const SupervisedProgram& program, pid_t supervisor, const int go[2]) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(127);  // it died before prctl
  close(go[1]);
  char none_comes;
  while (read(go[0], &none_comes, 1) < 0 && errno == EINTR) {
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(program.stdin_fd, STDIN_FILENO);
  dup2(program.stdout_fd, STDOUT_FILENO);
  dup2(program.stderr_fd, STDERR_FILENO);
  // Descriptors that a library opened without O_CLOEXEC must not reach the program either.
  close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
  if (program.folder != nullptr && chdir(program.folder) != 0) {
    Fail(program, StartFailure::Stage::kFolder);
  }
  execve(program.argv[0], program.argv, program.envp);
  Fail(program, StartFailure::Stage::kExecute);
}

bool HasChildren() {
  siginfo_t info = {};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

void KillChildren() {
  const int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char text[4096];
  pid_t pid = 0;
  for (ssize_t got; (got = read(fd, text, sizeof text)) > 0;) {
    for (ssize_t i = 0; i < got; ++i) {
      if (text[i] >= '0' && text[i] <= '9') {
        pid = pid * 10 + (text[i] - '0');
      } else {
        if (pid > 0) kill(pid, SIGKILL);
        pid = 0;
      }
    }
  }
  close(fd);
}

// Ends this process in the same way as the program.
[[noreturn]] void EndAs(int status) {
  if (!WIFSIGNALED(status)) _exit(WEXITSTATUS(status));
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const int number = WTERMSIG(status);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  kill(getpid(), number);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  _exit(128 + number);
}

// The next signal of `awaited`, or 0. Only the worker's signals count: batch systems send theirs to
// everything in a job, so the program gets them itself.
int NextWish(const sigset_t& awaited, bool killing, pid_t worker) {
  siginfo_t info = {};
  const int number =
      killing ? sigtimedwait(&awaited, &info, &kRound) : sigwaitinfo(&awaited, &info);
  // Checked each time: somebody else's signal of the same number may have hidden the worker's end.
  if (getppid() != worker) return kKillAll;
  return number > 0 && info.si_pid == worker ? number : 0;
}

[[noreturn]] void Watch(pid_t program, pid_t worker) {
  sigset_t awaited;
  sigemptyset(&awaited);
  for (const int number : {SIGCHLD, SIGTERM, kKillAll}) sigaddset(&awaited, number);
  int program_status = 0;
  bool running = true;
  bool killing = false;
  while (true) {
    siginfo_t ended = {};
    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) {
      const bool is_program = ended.si_pid == program;
      // Until it is reaped, its number cannot belong to another group.
      if (is_program) kill(-program, SIGKILL);
      int status = 0;
      waitpid(ended.si_pid, &status, 0);
      ended.si_pid = 0;
      if (!is_program) continue;
      running = false;
      killing = true;
      program_status = status;
    }
    if (!HasChildren()) EndAs(program_status);
    if (killing) {
      if (running) kill(-program, SIGKILL);
      KillChildren();
    }
    const int wish = NextWish(awaited, killing, worker);
    if (wish == SIGTERM && running) {
      kill(-program, SIGTERM);
      kill(-program, SIGCONT);  // a stopped process would not see it
    }
    if (wish == kKillAll) killing = true;
  }
}

}  // namespace

void Supervise(const SupervisedProgram& program, pid_t worker) {
  setpgid(0, 0);
  prctl(PR_SET_NAME, "sweep-supervise");
  prctl(PR_SET_PDEATHSIG, kKillAll);
  if (getppid() != worker) _exit(127);  // it died before prctl
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  ResetSignals();
  const pid_t self = getpid();
  int go[2];
  if (pipe2(go, O_CLOEXEC) != 0) Fail(program, StartFailure::Stage::kFork);
  const pid_t pid = _Fork();
  if (pid == 0) RunProgram(program, self, go);
  if (pid < 0) Fail(program, StartFailure::Stage::kFork);
  setpgid(pid, pid);  // the program calls it too; either may come first
  // Closes everything, above all the pipes: so the worker sees when the program closes its ends,
  // and the program sees that it may go on.
  close_range(0, UINT_MAX, 0);
  Watch(pid, worker);
}

}  // namespace sweep

#include "cli/commands/waiting.h"

#include "cli/signals.h"

namespace sweep::cli {

int WithConnection(const Session& session, bool waits,
                   const std::function<int(Connection& connection)>& command) {
  if (waits) InstallSignals();
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  return command(**connection);
}

absl::Status WaitUntil(const std::function<absl::StatusOr<bool>()>& done) {
  while (SignalCount() == 0) {
    const absl::StatusOr<bool> answer = done();
    if (!answer.ok()) return answer.status();
    if (*answer) return absl::OkStatus();
    WaitForSignal(absl::Milliseconds(250));
  }
  return absl::CancelledError("interrupted");
}

int AfterWaiting(const absl::Status& status, const Session& session, const std::string& goes_on) {
  if (status.ok()) return kExitOk;
  if (!absl::IsCancelled(status)) return Fail(status);
  Say(session, goes_on);
  return kExitInterrupted;
}

}  // namespace sweep::cli

#include "proto/names.h"

#include <charconv>

#include "absl/status/status.h"
#include "common/base/ids.h"

namespace sweep {
namespace {

constexpr std::string_view kSweeps = "sweeps/";
constexpr std::string_view kTrials = "/trials/";
constexpr std::string_view kWorkers = "workers/";
constexpr std::string_view kCaller = "caller:";  // before the name of a caller among the workers

// Limit on the shown part of a name from a request, in messages.
constexpr std::size_t kShownLength = 128;

absl::Status BadName(std::string_view text, std::string_view wanted) {
  std::string message = "'";
  message.append(text.substr(0, kShownLength)).append("' is not ").append(wanted);
  return absl::InvalidArgumentError(message);
}

std::string_view WithoutPrefix(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

// 0 unless `text` is a positive decimal number.
std::int64_t ParseNumber(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && number > 0 ? number : 0;
}

}  // namespace

std::string SweepResource(std::string_view name) { return std::string(kSweeps).append(name); }

std::string TrialResource(std::string_view sweep, std::int64_t number) {
  return SweepResource(sweep).append(kTrials).append(std::to_string(number));
}

std::string WorkerResource(std::string_view name) {
  return name.empty() ? std::string() : std::string(kWorkers).append(name);
}

absl::StatusOr<std::string> ParseSweepResource(std::string_view text) {
  const std::string_view name = WithoutPrefix(text, kSweeps);
  if (!IsValidName(name)) {
    const std::string_view sweep = name.substr(0, name.find('/'));
    const bool is_trial = sweep.size() < name.size() && IsValidName(sweep);
    return BadName(text, is_trial ? "the name of a sweep but of a trial; its sweep is '" +
                                        std::string(sweep) + "'"
                                  : "the name of a sweep (NAME or sweeps/NAME)");
  }
  return std::string(name);
}

absl::StatusOr<TrialId> ParseTrialResource(std::string_view text) {
  const bool is_long = text.starts_with(kSweeps);
  const std::string_view separator = is_long ? kTrials : "/";
  const std::string_view rest = WithoutPrefix(text, kSweeps);
  const std::size_t at = rest.find(separator);
  TrialId id;
  if (at != std::string_view::npos) {
    id.sweep = std::string(rest.substr(0, at));
    id.number = ParseNumber(rest.substr(at + separator.size()));
  }
  if (!IsValidName(id.sweep) || id.number == 0) {
    return BadName(text, "the name of a trial (NAME/NUMBER or sweeps/NAME/trials/NUMBER)");
  }
  return id;
}

absl::StatusOr<std::string> ParseWorkerResource(std::string_view text) {
  const std::string_view name = WithoutPrefix(text, kWorkers);
  if (name.starts_with(kCaller) && IsValidName(name.substr(kCaller.size()))) {
    return BadName(name,
                   "a worker but a caller: it asks for each trial itself; pause the sweep instead");
  }
  if (!IsValidName(name)) return BadName(text, "the name of a worker (NAME or workers/NAME)");
  return std::string(name);
}

}  // namespace sweep

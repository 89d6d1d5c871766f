#include "coordinator/http/http_actions.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/sha256.h"
#include "coordinator/views/json.h"
#include "coordinator/views/view_query.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::chrono::seconds kLongestWait{10};
constexpr std::size_t kMaxRequestIdBytes = 128;
constexpr std::size_t kShownBytes = 80;

using Flags = std::vector<std::string_view>;

// The boolean fields that an action accepts besides request_id.
Flags FlagsOf(bool is_sweep, const std::string& verb) {
  if (is_sweep && verb == "pause") return {"now"};
  if (is_sweep && verb == "retry") return {"failed", "cancelled", "diverged"};
  if (!is_sweep && verb == "retry") return {"force"};
  return {};
}

// The body of an action. Accepts only known keys of the right type.
class ActionBody {
 public:
  static absl::StatusOr<ActionBody> Parse(const std::string& text, const Flags& flags) {
    ActionBody body;
    body.json_ = text.empty() ? Json::object() : Json::parse(text, nullptr, false);
    if (!body.json_.is_object()) {
      return absl::InvalidArgumentError("the body must be a JSON object");
    }
    for (const auto& [key, value] : body.json_.items()) {
      const bool is_flag = std::find(flags.begin(), flags.end(), key) != flags.end();
      if (is_flag ? value.is_boolean() : key == "request_id" && value.is_string()) continue;
      return absl::InvalidArgumentError(fmt::format(
          "'{}' is unknown to this action, or has the wrong type", Shortened(key, kShownBytes)));
    }
    return body;
  }

  bool Flag(const char* name) const { return json_.value(name, false); }
  std::string RequestId() const {
    const std::string id = json_.value("request_id", "");
    return id.size() <= kMaxRequestIdBytes ? id : Sha256Hex(id);
  }

 private:
  Json json_;
};

// Waits until the callback that `start` receives is called.
template <typename Result, typename StartCall>
absl::StatusOr<Result> Await(StartCall start) {
  // Shared with the callback, which may come after the wait has ended.
  auto promise = std::make_shared<std::promise<absl::StatusOr<Result>>>();
  std::future<absl::StatusOr<Result>> future = promise->get_future();
  start([promise](absl::StatusOr<Result> result) { promise->set_value(std::move(result)); });
  if (future.wait_for(kLongestWait) == std::future_status::ready) return future.get();
  return absl::UnavailableError("the change takes longer than expected; look again");
}

absl::StatusOr<std::string> RunSweepAction(const HttpOptions& options, const std::string& sweep,
                                           const std::string& verb, const ActionBody& body) {
  SweepDesk& sweeps = options.scheduler->sweeps();
  absl::Status status;
  if (verb == "pause") {
    status = Await<SweepRow>([&](auto done) {
               sweeps.PauseSweep(sweep, body.Flag("now"), body.RequestId(), done);
             }).status();
  } else if (verb == "resume") {
    status = Await<SweepRow>([&](auto done) {
               sweeps.ResumeSweep(sweep, body.RequestId(), done);
             }).status();
  } else if (verb == "cancel") {
    status = Await<SweepRow>([&](auto done) {
               sweeps.CancelSweep(sweep, body.RequestId(), done);
             }).status();
  } else if (verb == "retry") {
    const absl::StatusOr<SharedSpec> spec = options.specs->Get(sweep);
    if (!spec.ok()) return spec.status();
    status = Await<RetriedSweep>([&](auto done) {
               sweeps.RetrySweep(*spec,
                                 {.failed = body.Flag("failed"),
                                  .cancelled = body.Flag("cancelled"),
                                  .diverged = body.Flag("diverged"),
                                  .request_id = body.RequestId()},
                                 done);
             }).status();
  } else {
    return absl::NotFoundError(
        fmt::format("'{}' is no action on a sweep", Shortened(verb, kShownBytes)));
  }
  if (!status.ok()) return status;
  return options.views->SweepDocument(sweep);
}

absl::StatusOr<std::string> RunTrialAction(const HttpOptions& options, const std::string& sweep,
                                           const std::string& number_text, const std::string& verb,
                                           const ActionBody& body) {
  const absl::StatusOr<std::int64_t> number = ParseTrialNumber(number_text);
  if (!number.ok()) return number.status();
  absl::StatusOr<TrialRow> trial;
  if (verb == "cancel") {
    trial = Await<TrialRow>([&](auto done) {
      options.scheduler->sweeps().CancelTrial(sweep, *number, body.RequestId(), done);
    });
  } else if (verb == "retry") {
    const absl::StatusOr<SharedSpec> spec = options.specs->Get(sweep);
    if (!spec.ok()) return spec.status();
    trial = Await<TrialRow>([&](auto done) {
      options.scheduler->sweeps().RetryTrial(
          *spec, *number, {.diverged = body.Flag("force"), .request_id = body.RequestId()}, done);
    });
  } else {
    return absl::NotFoundError(
        fmt::format("'{}' is no action on a trial", Shortened(verb, kShownBytes)));
  }
  if (!trial.ok()) return trial.status();
  return options.views->TrialDocument(*trial);
}

}  // namespace

absl::StatusOr<std::string> RunAction(const HttpOptions& options, const std::string& path,
                                      const std::string& text) {
  const absl::StatusOr<ViewQuery> query = ViewQuery::Parse(path, "");
  if (!query.ok()) return query.status();
  const std::vector<std::string>& parts = query->path;
  const bool is_sweep = parts.size() == 3 && parts[0] == "sweeps";
  const bool is_trial = parts.size() == 5 && parts[0] == "sweeps" && parts[2] == "trials";
  if (!is_sweep && !is_trial) return absl::NotFoundError("there is no such action");
  if (absl::Status named = CheckSweepName(parts[1]); !named.ok()) return named;
  const absl::StatusOr<ActionBody> body = ActionBody::Parse(text, FlagsOf(is_sweep, parts.back()));
  if (!body.ok()) return body.status();
  if (is_sweep) return RunSweepAction(options, parts[1], parts[2], *body);
  return RunTrialAction(options, parts[1], parts[3], parts[4], *body);
}

}  // namespace sweep

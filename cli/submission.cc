#include "cli/submission.h"

#include <fmt/format.h>

#include <set>

#include "absl/strings/numbers.h"
#include "cli/calls.h"
#include "cli/present/present.h"
#include "cli/present/source_diff.h"
#include "cli/upload.h"
#include "common/spec/sweep_name.h"

namespace sweep::cli {
namespace {

constexpr int kMaxDiffLines = 40;
constexpr int kMostCopies = 10'000;

// The first free name of NAME, NAME-2, NAME-3, ….
absl::StatusOr<std::string> FreeName(Connection& connection, const std::string& name) {
  const absl::StatusOr<std::vector<v1::Sweep>> sweeps = ListSweeps(connection, /*archived=*/true);
  if (!sweeps.ok()) return sweeps.status();
  std::set<std::string> taken;
  for (const v1::Sweep& sweep : *sweeps) taken.insert(ShortName(sweep.name()));
  if (!taken.contains(name)) return name;
  for (int number = 2; number < kMostCopies; ++number) {
    const std::string candidate = NumberedName(name, number);
    if (!taken.contains(candidate)) return candidate;
  }
  return absl::AlreadyExistsError(
      fmt::format("{} and {} copies of it exist; choose another name", name, kMostCopies - 2));
}

absl::Status GiveName(const std::string& name, SweepInput* input) {
  if (input->spec.name == name) return absl::OkStatus();
  absl::StatusOr<std::string> text = WithSweepName(input->source.text, name);
  if (!text.ok()) return text.status();
  input->source.text = *std::move(text);
  // Its seed may be derived from the name.
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(input->source, &diagnostics);
  if (!spec.ok()) return spec.status();
  input->spec = *std::move(spec);
  return absl::OkStatus();
}

absl::StatusOr<v1::CreateSweepResponse> SubmitUnderNewName(Connection& connection,
                                                           const SubmissionOptions& options,
                                                           SweepInput* input) {
  const std::string name = input->spec.name;
  // Another client may take the name between the two calls.
  for (int attempt = 0; attempt < 10; ++attempt) {
    const absl::StatusOr<std::string> free = FreeName(connection, name);
    if (!free.ok()) return free.status();
    if (absl::Status named = GiveName(*free, input); !named.ok()) return named;
    absl::StatusOr<v1::CreateSweepResponse> created =
        CreateSweep(connection, ToProto(input->source), options.keep_going);
    const bool was_taken =
        created.ok() ? !created->created() : absl::IsAlreadyExists(created.status());
    if (!was_taken) return created;
  }
  return absl::AbortedError(fmt::format("every name like {} was taken meanwhile", name));
}

// The copy of `name` (NAME-2, …) with exactly this content, made by --new before; empty when there
// is none.
std::string CopyWithContent(Connection& connection, const SweepInput& input) {
  const absl::StatusOr<std::vector<v1::Sweep>> sweeps = ListSweeps(connection, /*archived=*/true);
  if (!sweeps.ok()) return "";
  for (const v1::Sweep& sweep : *sweeps) {
    const std::string name = ShortName(sweep.name());
    const std::size_t dash = name.rfind('-');
    int number = 0;
    if (dash == std::string::npos || !absl::SimpleAtoi(name.substr(dash + 1), &number)) continue;
    if (number < 2 || name != NumberedName(input.spec.name, number)) continue;
    SweepInput copy = input;
    if (GiveName(name, &copy).ok() && copy.spec.IsStoredAs(sweep.digest())) return name;
  }
  return "";
}

// A free name for the stored sweep, so that the new one can have its name.
std::string OldName(Connection& connection, const std::string& name) {
  constexpr std::size_t kLongest = 59;  // of 63, leaving room for "-old"
  const std::string old = name.substr(0, kLongest) + "-old";
  return FreeName(connection, old).value_or(old);
}

absl::Status ExplainDifference(Connection& connection, const SubmissionOptions& options,
                               const Session& session, const SweepInput& input,
                               const absl::Status& refusal) {
  const std::string& name = input.spec.name;
  const absl::StatusOr<v1::Sweep> stored = GetSweep(connection, name);
  if (!stored.ok()) return refusal;
  std::string edit;
  const bool may_be_edited =
      input.source.file != "-" &&
      EditSweep(connection, *stored, ToProto(input.source), /*validate_only=*/true).ok();
  if (may_be_edited) {
    edit = fmt::format("  {}\n      changes it, and keeps what is there\n",
                       Command(session, {"edit", name, FileWord(input.source.file)}));
  }
  const std::string diff = SourceDiff(name, stored->source(), ToProto(input.source), kMaxDiffLines);
  return absl::AlreadyExistsError(
      fmt::format("sweep '{}' exists with other content ({}, {}/{} trials ended):\n{}\n"
                  "To train what the file says now, do one of these:\n"
                  "{}  {} --new\n      trains it as {}, or the next name that is free\n"
                  "  {}\n      keeps what is there under another name; then the same "
                  "command again\n"
                  "  {}\n      throws away what is there; then the same command again\n"
                  "or give the file another 'name'",
                  name, StatusText(*stored), EndedTrials(stored->counts()),
                  stored->planned_trials(), diff, edit, options.command, NumberedName(name, 2),
                  Command(session, {"rename", name, OldName(connection, name)}),
                  Command(session, {"delete", name})));
}

// Says so when a copy uses the points and seeds of its original, which may surprise.
void SayWhoseCopy(Connection& connection, const v1::Sweep& created, const Session& session) {
  const absl::StatusOr<std::vector<v1::Sweep>> sweeps = ListSweeps(connection, /*archived=*/true);
  if (!sweeps.ok()) return;
  for (const v1::Sweep& sweep : *sweeps) {
    if (sweep.name() == created.name() || sweep.digest() != created.digest()) continue;
    Say(session, fmt::format("{} says the same as {} but for its name: it trains the same "
                             "configurations with the same seeds again (another 'seed' in the file "
                             "gives others)",
                             ShortName(created.name()), ShortName(sweep.name())));
    return;
  }
}

}  // namespace

absl::StatusOr<v1::CreateSweepResponse> Submit(Connection& connection,
                                               const SubmissionOptions& options,
                                               const Session& session, SweepInput* input) {
  if (options.upload_data) {
    const absl::Status uploaded =
        UploadDataOf(connection, [&](const std::string& text) { Say(session, text); }, input);
    if (!uploaded.ok()) return uploaded;
  }
  absl::StatusOr<v1::CreateSweepResponse> created =
      options.new_name ? SubmitUnderNewName(connection, options, input)
                       : CreateSweep(connection, ToProto(input->source), options.keep_going);
  if (absl::IsAlreadyExists(created.status()) && !options.new_name) {
    if (const std::string copy = CopyWithContent(connection, *input); !copy.empty()) {
      if (absl::Status named = GiveName(copy, input); !named.ok()) return named;
      return CreateSweep(connection, ToProto(input->source), options.keep_going);
    }
    return ExplainDifference(connection, options, session, *input, created.status());
  }
  if (created.ok() && created->created()) SayWhoseCopy(connection, created->sweep(), session);
  return created;
}

}  // namespace sweep::cli

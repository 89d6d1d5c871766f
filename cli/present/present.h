#pragma once

#include <google/protobuf/map.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/present/listing.h"
#include "cli/session.h"
#include "sweep/v1/resources.pb.h"
#include "sweep/v1/sweeps.pb.h"

namespace sweep::cli {

// The coordinator's answers as listings. Their JSON is stable for scripts: names and types do not
// change within a major version (docs/cli.md). It comes from answers.h.
Listing SweepListing(const std::vector<v1::Sweep>& sweeps);
// "60 trials", "60 to 120 trials" while a race may add some.
std::string PlannedText(const v1::Sweep& sweep);
// Trials of `sweep`, whose objectives judge them.
Listing TrialListing(const v1::Sweep& sweep, const std::vector<v1::Trial>& trials);
Listing EpochListing(const std::vector<v1::Epoch>& epochs);
// The segments that the weights of a trial of a population come from; no rows for any other trial.
Listing LineageListing(const v1::Sweep& sweep, const v1::Trial& trial);
Listing AttemptListing(const std::vector<v1::Attempt>& attempts);
Listing WorkerListing(const std::vector<v1::Worker>& workers);
// Sentences about connected workers that have other data than a sweep or are put aside.
std::vector<std::string> WorkerNotes(const std::vector<v1::Worker>& workers, absl::Time now);
Listing RankListing(const v1::RankSweepResponse& ranking);

// "completed"
std::string StateName(v1::TrialState state);
std::string StateName(v1::SweepState state);
// The state, with failures: "completed, 3 failed".
std::string StatusText(const v1::Sweep& sweep);
// Red when trials failed, the coordinator paused the sweep or its file is refused; yellow when
// trials diverged; green when it completed without any of these.
Style StatusStyle(const v1::Sweep& sweep);
Style StateStyle(v1::TrialState state);
std::string StyledStatus(const v1::Sweep& sweep, const Session& session);
// True when the sweep has not ended and its file is refused.
bool IsKeptFromRunning(const v1::Sweep& sweep);
// "old does not run: this build of the coordinator does not accept its file: old.yaml:3: …"; empty
// unless the refused file keeps it from running.
std::string RefusalText(const v1::Sweep& sweep);
// "broken is paused: the first 3 trials failed alike: …"; empty unless the coordinator paused it.
std::string PauseText(const v1::Sweep& sweep);
// "4.2 MB"
std::string BytesText(std::int64_t bytes);
// "lr=0.1 schedule=cosine"
std::string ParametersText(const v1::Trial& trial);
std::string ValueText(const v1::Value& value);
// The value for programs; a list is an array.
Json ValueJson(const v1::Value& value);
// "lr=0.1 schedule=cosine"; the learning rate first.
std::string ValuesText(const google::protobuf::Map<std::string, v1::Value>& values);
// The coordinator's estimate of the time to the sweep's end; nullopt when there is none.
std::optional<absl::Duration> TimeLeft(const v1::Sweep& sweep);
// "best that qualifies 99.21 % (x/3)", or "best so far val/f1 0.91 (x/3)" while none qualifies;
// empty before there is a value. `is_short` shortens the first form to "best".
std::string BestText(const v1::Sweep& sweep, bool is_short = false);
// "sweeps/x/trials/3" as "x/3", "workers/w" as "w".
std::string ShortName(const std::string& resource);
// "99.21 %", "val/f1 0.91": the best value of the first objective.
std::string BestValueText(const v1::Sweep& sweep);
// The name of the trial's sweep.
std::string SweepOf(const v1::Trial& trial);
// Number of ended trials.
std::int64_t EndedTrials(const v1::TrialCounts& counts);
// Number of trials created so far.
std::int64_t MadeTrials(const v1::TrialCounts& counts);
// Limit on a reason in a table or a line.
constexpr std::size_t kReasonBytes = 500;
// True when the sweep is completed or cancelled.
bool HasEnded(const v1::Sweep& sweep);
// True when the trial is neither pending, running nor on hold.
bool HasEnded(v1::TrialState state);

// Prints the sweep's current state for programs: JSON with the keys of `extra` added, or CSV.
// Prints nothing for tables.
void PrintSweep(const v1::Sweep& sweep, const Session& session, const Json& extra = Json::object());

// Prints the ranking with its gates and a concluding line, as `best` and `run` do.
void PrintRanking(const v1::RankSweepResponse& ranking, const Session& session, std::ostream& out);
// Prints the notes below the ranking's table.
void PrintRankingNotes(const v1::RankSweepResponse& ranking, const Session& session,
                       std::ostream& out);

}  // namespace sweep::cli

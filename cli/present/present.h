#pragma once

#include <google/protobuf/map.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/present/listing.h"
#include "cli/session.h"
#include "sweep/v1/resources.pb.h"
#include "sweep/v1/sweeps.pb.h"

namespace sweep::cli {

// What the coordinator answered, as listings and JSON. The JSON is a promise to scripts: names and
// types do not change within a major version (docs/cli.md).
Listing SweepListing(const std::vector<v1::Sweep>& sweeps);
// Of `sweep`, by whose objectives they are judged.
Listing TrialListing(const v1::Sweep& sweep, const std::vector<v1::Trial>& trials);
Listing EpochListing(const std::vector<v1::Epoch>& epochs);
Listing AttemptListing(const std::vector<v1::Attempt>& attempts);
Listing WorkerListing(const std::vector<v1::Worker>& workers);
// A sentence for each worker that is put aside.
std::vector<std::string> WorkerNotes(const std::vector<v1::Worker>& workers, absl::Time now);
Listing RankListing(const v1::RankSweepResponse& ranking);
nlohmann::json SweepJson(const v1::Sweep& sweep);
nlohmann::json TrialJson(const v1::Sweep& sweep, const v1::Trial& trial);

// "completed"
std::string StateName(v1::TrialState state);
std::string StateName(v1::SweepState state);
// The state with what went wrong: "completed, 3 failed".
std::string StatusText(const v1::Sweep& sweep);
// Red when trials have failed or the coordinator has paused it, green when it completed without.
Style StatusStyle(const v1::Sweep& sweep);
Style StateStyle(v1::TrialState state);
std::string StyledStatus(const v1::Sweep& sweep, const Session& session);
// It would go on, if this build of the coordinator accepted its file.
bool IsKeptFromRunning(const v1::Sweep& sweep);
// "old does not run: this build of the coordinator does not accept its file: old.yaml:3: …"; empty
// unless it is kept from running.
std::string RefusalText(const v1::Sweep& sweep);
// "broken is paused: the first 3 trials failed alike: …"; empty unless the coordinator paused it.
std::string PauseText(const v1::Sweep& sweep);
// "4.2 MB"
std::string BytesText(std::int64_t bytes);
// "lr=0.1 schedule=cosine"
std::string ParametersText(const v1::Trial& trial);
std::string ValueText(const v1::Value& value);
// "lr=0.1 schedule=cosine"; the learning rate first.
std::string ValuesText(const google::protobuf::Map<std::string, v1::Value>& values);
// How long the sweep will take to its end, as the coordinator says; nullopt when it cannot be said.
std::optional<absl::Duration> TimeLeft(const v1::Sweep& sweep);
// "best that qualifies 99.21 % (x/3)", "best so far val/f1 0.91 (x/3)" while none does; empty
// before there is one. `is_short`: one that qualifies is "best" alone.
std::string BestText(const v1::Sweep& sweep, bool is_short = false);
// "sweeps/x/trials/3" as "x/3", "workers/w" as "w".
std::string ShortName(const std::string& resource);
// "99.21 %", "val/f1 0.91": its best value of the first objective.
std::string BestValueText(const v1::Sweep& sweep);
// The name of the sweep that it belongs to.
std::string SweepOf(const v1::Trial& trial);
// Trials that have ended, of how many: "7/60".
std::int64_t EndedTrials(const v1::TrialCounts& counts);
// All that there are.
std::int64_t MadeTrials(const v1::TrialCounts& counts);
// Of a reason, in a table or a line.
constexpr std::size_t kReasonBytes = 500;
// Whether it is completed or cancelled.
bool HasEnded(const v1::Sweep& sweep);
// Whether it is neither pending, running nor on hold.
bool HasEnded(v1::TrialState state);

// The sweep as it is now, for programs: JSON with the keys of `extra` added, or CSV. Nothing as a
// table.
void PrintSweep(const v1::Sweep& sweep, const Session& session,
                const nlohmann::json& extra = nlohmann::json::object());

// The ranking with its gates and a line of conclusion, as `best` and `run` print it.
void PrintRanking(const v1::RankSweepResponse& ranking, const Session& session, std::ostream& out);
// What stands below its table.
void PrintRankingNotes(const v1::RankSweepResponse& ranking, const Session& session,
                       std::ostream& out);

}  // namespace sweep::cli

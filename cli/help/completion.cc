#include "cli/help/completion.h"

#include <signal.h>
#include <sys/time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "cli/calls.h"
#include "cli/help/suggestions.h"
#include "cli/present/present.h"
#include "cli/session.h"
#include "cli/user_settings.h"
#include "common/command_line/options.h"
#include "common/network/network_file.h"
#include "coordinator/store/peek.h"
#include "coordinator/store/store_files.h"

namespace sweep::cli {
namespace {

// In the scripts, @FUNCTION@ and @PROGRAMS@ stand for the names that Script puts there.
constexpr char kBashScript[] = R"(# bash completion for @PROGRAMS@
@FUNCTION@() {
  local current=${COMP_WORDS[COMP_CWORD]} line name
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files | :dirs)
        compopt -o filenames 2>/dev/null
        local kind=-f
        [ "$line" = :dirs ] && kind=-d
        while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen $kind -- "$current")
        ;;
      :nospace) compopt -o nospace 2>/dev/null ;;
      *) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F @FUNCTION@ @PROGRAMS@
)";

constexpr char kZshScript[] = R"(#compdef @PROGRAMS@
# zsh completion for @PROGRAMS@
@FUNCTION@() {
  local line
  local -a values texts suffix
  for line in "${(@f)$("${words[1]/#\~/$HOME}" __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) _files ;;
      :dirs) _files -/ ;;
      :nospace) suffix=(-S '') ;;
      *)
        values+=("${line%%$'\t'*}")
        texts+=("${line/$'\t'/  -- }")
        ;;
    esac
  done
  (( $#values )) && compadd $suffix -d texts -- "${values[@]}"
}
if [ "${funcstack[1]}" = @FUNCTION@ ]; then
  @FUNCTION@ "$@"
else
  compdef @FUNCTION@ @PROGRAMS@
fi
)";

// fish leaves out what does not fit the word, and adds no space behind a '/'.
constexpr char kFishScript[] = R"(# fish completion for @PROGRAMS@
function @FUNCTION@
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l program (string replace -r '^~' -- "$HOME" $words[1])
  for line in ($program __complete -- $words[2..-1] "$current" 2>/dev/null)
    switch $line
      case :files
        __fish_complete_path "$current"
      case :dirs
        __fish_complete_directories "$current"
      case :nospace
      case '*'
        printf '%s\n' $line
    end
  end
end
for program in @PROGRAMS@
  complete -c $program -f -a '(@FUNCTION@)'
end
)";

constexpr char kAllPrograms[] = "sweep sweep-coordinator sweep-worker";

std::string Script(const std::string& shell, const std::string& programs) {
  const std::string function = "_" + programs.substr(0, programs.find(' '));
  std::string script = shell == "bash" ? kBashScript : shell == "zsh" ? kZshScript : kFishScript;
  for (const auto& [mark, text] :
       {std::pair<std::string, std::string>{"@FUNCTION@", function}, {"@PROGRAMS@", programs}}) {
    for (std::size_t at = 0; (at = script.find(mark, at)) != std::string::npos;) {
      script.replace(at, mark.size(), text);
    }
  }
  return script;
}

struct SweepSize {
  std::string name;
  std::int64_t trials = 0;
};

// Names from the coordinator or the database, without starting a process.
class LiveNames {
 public:
  explicit LiveNames(const std::map<std::string, std::string>& flags) {
    const absl::StatusOr<std::vector<Setting>> settings = ResolveSettings(flags);
    if (!settings.ok()) return;
    database_ = ValueOf(*settings, "db");
    const bool database_given = flags.count("db") != 0 && flags.count("coordinator") == 0;
    const std::string coordinator = database_given ? "" : ValueOf(*settings, "coordinator");
    // A database without a holder is read directly.
    std::error_code error;
    const bool at_rest = coordinator.empty() && std::filesystem::exists(database_, error) &&
                         absl::IsNotFound(StoreFiles::FindHolder(database_).status());
    if (at_rest) return;
    absl::StatusOr<std::unique_ptr<Connection>> connection =
        Connection::Open({.coordinator = coordinator,
                          .database = database_,
                          .security = SecurityOf(*settings),
                          .allow_embedded = false,
                          .patience = absl::Milliseconds(300)});
    if (connection.ok()) connection_ = *std::move(connection);
  }

  std::vector<SweepSize> Sweeps() {
    std::vector<SweepSize> sizes;
    if (connection_ != nullptr) {
      const absl::StatusOr<std::vector<v1::Sweep>> sweeps =
          ListSweeps(*connection_, /*archived=*/true);
      if (!sweeps.ok()) return sizes;
      for (const v1::Sweep& sweep : *sweeps) {
        sizes.push_back({ShortName(sweep.name()), MadeTrials(sweep.counts())});
      }
      return sizes;
    }
    const absl::StatusOr<std::vector<PeekedSweep>> sweeps = PeekSweeps(database_);
    if (!sweeps.ok()) return sizes;
    for (const PeekedSweep& sweep : *sweeps) sizes.push_back({sweep.name, sweep.trials});
    return sizes;
  }

  std::vector<std::string> Workers() {
    std::vector<std::string> names;
    if (connection_ == nullptr) return names;
    const absl::StatusOr<std::vector<v1::Worker>> workers = ListWorkers(*connection_);
    if (!workers.ok()) return names;
    for (const v1::Worker& worker : *workers) {
      if (worker.connected()) names.push_back(ShortName(worker.name()));
    }
    return names;
  }

 private:
  std::string database_;
  std::unique_ptr<Connection> connection_;
};

// The position of the last word: its command, and its option or argument.
struct Place {
  const CLI::App* command = nullptr;
  const CLI::App* root = nullptr;
  std::optional<OptionInfo> value_of;        // the option whose value is being typed
  int arguments = 0;                         // earlier words that are arguments of the command
  std::string prefix;                        // "--format=" when the value is in the same word
  std::map<std::string, std::string> flags;  // settings given by the words, by key
};

std::optional<OptionInfo> FindFlag(const CLI::App* command, const std::string& flag) {
  for (; command != nullptr; command = command->get_parent()) {
    for (const OptionInfo& option : OptionsOf(*command)) {
      if (std::find(option.flags.begin(), option.flags.end(), flag) != option.flags.end())
        return option;
    }
  }
  return std::nullopt;
}

void KeepSetting(const std::string& flag, const std::string& value, Place* place) {
  for (const SettingInfo& info : SettingInfos()) {
    if (info.flag == flag) place->flags[info.key] = value;
  }
}

// Rejoins "--format=json", which bash splits into three words.
std::vector<std::string> Joined(const std::vector<std::string>& words) {
  std::vector<std::string> joined;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_sign = words[i] == "=" && !joined.empty() && joined.back().starts_with("--");
    if (!is_sign) {
      joined.push_back(words[i]);
      continue;
    }
    joined.back() += "=";
    if (i + 1 < words.size()) joined.back() += words[++i];
  }
  return joined;
}

Place FindPlace(const CLI::App& app, const std::vector<std::string>& words) {
  Place place{.command = &app, .root = &app};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with("-")) {
      const CLI::App* const inner =
          place.arguments == 0 ? FindCommand(*place.command, word) : nullptr;
      if (inner == nullptr) {
        ++place.arguments;
      } else {
        place.command = inner;
      }
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string flag = word.substr(0, equals);
    if (equals != std::string::npos) {
      KeepSetting(flag, word.substr(equals + 1), &place);
      continue;
    }
    const std::optional<OptionInfo> option = FindFlag(place.command, flag);
    if (!option.has_value() || !option->takes_value) continue;
    if (i + 2 == words.size()) {
      place.value_of = option;
    } else {
      KeepSetting(flag, words[++i], &place);
    }
  }
  return place;
}

class Candidates {
 public:
  Candidates(std::string start, std::string prefix, std::ostream& out)
      : start_(std::move(start)), prefix_(std::move(prefix)), out_(out) {}
  void Add(const std::string& word, const std::string& description = "") {
    // A command's own option comes before a global one of the same name.
    if (!word.starts_with(start_) || !added_.insert(word).second) return;
    out_ << prefix_ << word << (description.empty() ? "" : "\t") << description << '\n';
  }
  void Directive(const std::string& line) { out_ << line << '\n'; }
  const std::string& start() const { return start_; }

 private:
  const std::string start_;
  const std::string prefix_;
  std::ostream& out_;
  std::set<std::string> added_;
};

// Adds "seed-000/" for every sweep, or the trials of the sweep already typed.
void AddTrialNames(LiveNames&& live, Candidates* candidates) {
  constexpr std::int64_t kMost = 1000;
  const std::size_t slash = candidates->start().find('/');
  for (const SweepSize& sweep : live.Sweeps()) {
    if (slash == std::string::npos) {
      candidates->Add(sweep.name + "/");
    } else if (candidates->start().substr(0, slash) == sweep.name) {
      for (std::int64_t n = 1; n <= std::min(sweep.trials, kMost); ++n) {
        candidates->Add(sweep.name + "/" + std::to_string(n));
      }
    }
  }
  if (slash == std::string::npos) candidates->Directive(":nospace");
}

void AddValues(const OptionInfo& option, const Place& place, Candidates* candidates) {
  const std::string& takes = option.takes;
  for (const std::string& choice : option.choices) candidates->Add(choice);
  if (takes == "FILE" || takes == "IMAGE" || takes == "NETWORK" || takes == "PROGRAM") {
    candidates->Directive(":files");
  }
  if (takes == "FOLDER" || takes == "DIR") candidates->Directive(":dirs");
  if (takes == "NETWORK") {
    for (const std::string& name : BuiltinNetworkNames()) candidates->Add(name);
  }
  if (takes == "KEY" && option.choices.empty()) {
    for (const std::string& key : SortKeys()) candidates->Add(key);
    for (const std::string& key : SortKeys()) candidates->Add("-" + key);
  }
  if (takes == "WORKER") {
    for (const std::string& name : LiveNames(place.flags).Workers()) candidates->Add(name);
  }
  if (takes == "COMMAND") {
    for (const CLI::App* command : CommandsOf(*place.root))
      candidates->Add(command->get_name(), Summary(*command));
  }
  const bool either = takes == "NAME[/N]" && candidates->start().find('/') != std::string::npos;
  if (takes == "NAME/N" || either) {
    AddTrialNames(LiveNames(place.flags), candidates);
  } else if (takes == "NAME" || takes == "NAME[/N]") {
    for (const SweepSize& sweep : LiveNames(place.flags).Sweeps()) candidates->Add(sweep.name);
  }
}

void AddFlags(const CLI::App* command, Candidates* candidates) {
  for (; command != nullptr; command = command->get_parent()) {
    for (const OptionInfo& option : OptionsOf(*command)) {
      for (const std::string& flag : option.flags) {
        if (flag.starts_with("--")) candidates->Add(flag, option.description);
      }
    }
  }
  candidates->Add("--help", "this help");
}

// Ends the process silently when the coordinator is too slow for a person at the keyboard.
void LimitTime() {
  signal(SIGALRM, SIG_DFL);
  const itimerval limit{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 900'000}};
  setitimer(ITIMER_REAL, &limit, nullptr);
}

}  // namespace

void Complete(const CLI::App& app, std::vector<std::string> words, std::ostream& out) {
  LimitTime();
  // If bash has not split the word, it contains the flag, and so must the answers.
  const bool split = std::find(words.begin(), words.end(), "=") != words.end();
  words = Joined(words);
  if (words.empty()) words.emplace_back();
  const Place place = FindPlace(app, words);
  const std::string& last = words.back();
  if (place.value_of.has_value()) {
    Candidates candidates(last, "", out);
    return AddValues(*place.value_of, place, &candidates);
  }
  if (last.starts_with("-")) {
    const std::size_t equals = last.find('=');
    if (equals == std::string::npos) {
      Candidates candidates(last, "", out);
      return AddFlags(place.command, &candidates);
    }
    Candidates candidates(last.substr(equals + 1), split ? "" : last.substr(0, equals + 1), out);
    const std::optional<OptionInfo> option = FindFlag(place.command, last.substr(0, equals));
    if (option.has_value()) AddValues(*option, place, &candidates);
    return;
  }
  Candidates candidates(last, "", out);
  if (place.arguments == 0) {
    for (const CLI::App* command : CommandsOf(*place.command)) {
      candidates.Add(command->get_name(), Summary(*command));
    }
    if (place.command == place.root) candidates.Add("help", "Help on a command or topic");
  }
  int argument = 0;
  for (const OptionInfo& option : OptionsOf(*place.command)) {
    if (!option.positional) continue;
    if (argument++ == place.arguments || option.repeatable)
      return AddValues(option, place, &candidates);
  }
}

void AddCompletionCommands(CLI::App* app, Session* session) {
  CLI::App* completion = app->add_subcommand("completion",
                                             "Completion for a shell\n"
                                             "Prints a script that makes the shell complete "
                                             "commands, options, their values, files, and the\n"
                                             "live names of sweeps, trials and workers; also the "
                                             "options of sweep-coordinator and\n"
                                             "sweep-worker.");
  completion->group("Files, workers, settings");
  auto shell = std::make_shared<std::string>();
  auto program = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(OneOf({"bash", "zsh", "fish"}));
  completion->add_option("PROGRAM", *program, "only for this program; without it, for all of them")
      ->check(OneOf({"sweep", "sweep-coordinator", "sweep-worker"}));
  completion->footer(
      "Examples:\n"
      "  echo 'source <(sweep completion bash)' >> ~/.bashrc\n"
      "  echo 'source <(sweep completion zsh)' >> ~/.zshrc     after compinit\n"
      "  sweep completion fish > ~/.config/fish/completions/sweep.fish");
  completion->callback([=] {
    std::cout << Script(*shell, program->empty() ? kAllPrograms : *program);
    session->exit_code = kExitOk;
  });
}

}  // namespace sweep::cli

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/help/help.h"
#include "cli/help/json_keys.h"
#include "cli/user_settings.h"

namespace sweep::cli {
namespace {

std::string OptionsText() {
  std::string text;
  for (const SettingInfo& info : SettingInfos()) {
    const std::string takes =
        info.choices.empty() ? info.takes : fmt::format("{}", fmt::join(info.choices, "|"));
    text += fmt::format("  {:<28}{}\n", info.flag + " " + takes, info.description);
    if (!info.fallback.empty()) text += fmt::format("  {:<28}[default: {}]\n", "", info.fallback);
  }
  return text +
         "  -q, --quiet                 errors and the result that a script needs, nothing\n"
         "                              else: submit prints the name, run the ranking\n"
         "  -h, --help                  help on the command\n"
         "  --version                   the version, before any command\n\n"
         "They may stand before or behind the command. A flag counts more than an\n"
         "environment variable, that more than the configuration file, that more than the\n"
         "default; `sweep config` shows what holds and why.\n";
}

constexpr char kCoordinator[] =
    "Commands ask, in this order:\n"
    "  1. the coordinator that --coordinator, SWEEP_COORDINATOR or the configuration\n"
    "     file names; a --db on the command line goes before the latter two;\n"
    "  2. the process that holds the database --db at this moment, such as a\n"
    "     `sweep run` in another terminal;\n"
    "  3. that file itself, served from within the command;\n"
    "  4. 127.0.0.1:7077.\n\n"
    "`submit` leaves out step 3, since nobody would train. A coordinator that does not\n"
    "answer is given up after 5 seconds, with its address and exit code 4; `watch`\n"
    "tries again for --patience.\n";

constexpr char kEnvironment[] =
    "  SWEEP_COORDINATOR   HOST:PORT of the coordinator, as --coordinator\n"
    "  SWEEP_DB            the database, as --db\n"
    "  SWEEP_TLS_CA        the coordinator's authority, as --tls-ca\n"
    "  SWEEP_TLS_CERT      the own certificate, as --tls-cert\n"
    "  SWEEP_TLS_KEY       its key, as --tls-key\n"
    "  SWEEP_TOKEN_FILE    the file with the own token, as --token-file\n"
    "  SWEEP_FORMAT        table, json or csv, as --format\n"
    "  NO_COLOR            not empty: no colours\n"
    "  CLICOLOR_FORCE      not empty and not 0: colours even when this is no terminal\n"
    "  SWEEP_CONFIG        the configuration file; else\n"
    "                      $XDG_CONFIG_HOME/sweep/config.yaml, else\n"
    "                      ~/.config/sweep/config.yaml\n"
    "  SWEEP_DATA_DIR      the folder of the data set's files, for run and train\n"
    "  SWEEP_TRAINER       the program that trains, for run and train\n\n"
    "The configuration file is YAML with the keys coordinator, db, format, color,\n"
    "tls_ca, tls_cert, tls_key and token_file:\n\n"
    "  coordinator: trainer-1:7077\n"
    "  format: table\n\n"
    "`sweep config set KEY VALUE` writes it. A wrong key or value in it is an error\n"
    "that names the line.\n";

constexpr char kExitCodes[] =
    "    0  done; of run, watch and submit --wait: some configuration meets all criteria,\n"
    "       and no trial has failed for good\n"
    "    1  failed, and the message says what; of run, watch and submit --wait: trials\n"
    "       have failed for good (how many, and why), or the sweep was cancelled before\n"
    "       a configuration met all criteria; of replay: something did not come again\n"
    "    2  bad input: a wrong file, flag, name or value; nothing was changed\n"
    "    3  best, run, watch and submit --wait found no configuration that meets all\n"
    "       criteria, and no trial has failed; best --region: it knows no region; ask:\n"
    "       the sweep has ended; tell: the trial has been ended early\n"
    "    4  the coordinator could not be reached\n"
    "    5  not allowed: the coordinator wants a token, or one with another role\n"
    "  130  ended by Ctrl-C; `run` has kept everything and says how to go on, a watched\n"
    "       sweep goes on\n";

std::string OutputText() {
  std::string text =
      "Results are printed as a table that fits the terminal, as JSON or as CSV. JSON is\n"
      "one object, or an array of them, with the keys below; keys and types do not\n"
      "change within a major version, new ones may be added. CSV has the same keys as\n"
      "its header, with one column per hyperparameter (parameters.lr). Numbers are raw\n"
      "(shares from 0 to 1, seconds, bytes), times are UTC with milliseconds, as\n"
      "2026-05-01T10:00:00.250Z, what is not known is null, or empty in CSV. Seeds and\n"
      "integers beyond 2^53 are text: many readers of JSON would round the numbers.\n"
      "Sentences for people are left out.\n";
  for (const CommandKeys& command : JsonKeys()) {
    text += fmt::format("\n{}{}\n", command.command, command.array ? " (array)" : "");
    std::string line = " ";
    for (const std::string& key : command.keys) {
      if (line.size() + 1 + key.size() > 80) {
        text += line + "\n";
        line = " ";
      }
      line += " " + key;
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace

const std::vector<HelpTopic>& HelpTopics() {
  static const auto* const topics = new std::vector<HelpTopic>{
      {"options", "Options of every command", OptionsText()},
      {"coordinator", "Which coordinator is asked", kCoordinator},
      {"environment", "Environment variables and configuration file", kEnvironment},
      {"output", "Output for programs", OutputText()},
      {"exit-codes", "Exit codes", kExitCodes},
  };
  return *topics;
}

}  // namespace sweep::cli

#include "common/spec/other_words.h"

#include "absl/strings/ascii.h"
#include "common/base/nearest.h"

namespace sweep {

const std::map<std::string, std::string>& MeantKeys() {
  static const auto& meant = *new std::map<std::string, std::string>{
      {"seeds", "replicates"},
      {"num_seeds", "replicates"},
      {"repeats", "replicates"},
      {"repetitions", "replicates"},
      {"count", "run_cap"},
      {"trials", "run_cap"},
      {"max_trials", "run_cap"},
      {"n_trials", "run_cap"},
      {"num_trials", "run_cap"},
      {"num_samples", "run_cap"},
      {"budget", "run_cap"},
      {"params", "parameters"},
      {"max_epochs", "epochs"},
      {"num_epochs", "epochs"},
      {"data", "dataset"},
      {"network", "model"},
      {"gates", "require"},
      {"criteria", "require"},
      {"target", "require"},
      {"tags", "labels"},
      {"objective", "metric"},
      {"space", "parameters"},
      {"algorithm", "method"},
      {"script", "program"},
      {"enqueue", "try_first"},
      {"initial", "try_first"},
      {"points_to_evaluate", "try_first"},
      {"allow_duplicates", "repeat_points"},
      {"allow_repeats", "repeat_points"},
  };
  return meant;
}

std::string DatasetHint(const std::string& word) {
  std::string folded;
  for (const char c : word) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) folded += absl::ascii_tolower(c);
  }
  const std::size_t at = folded.find("mnist");
  if (at == folded.npos || at == 0) return "";  // emnist, fashion-mnist
  return "; write {format: idx, path: FOLDER} with the folder of its files";
}

std::string MetricHint(const std::string& word, const std::vector<std::string>& names) {
  const std::string lower = absl::AsciiStrToLower(word);
  const auto has = [&](const char* part) { return lower.find(part) != std::string::npos; };
  // Other tools let the program choose: val_loss, validation_acc.
  if (has("loss")) return has("train") ? "; did you mean 'train_loss'?" : "; did you mean 'loss'?";
  if (has("acc")) {
    return has("train") ? "; did you mean 'train_accuracy'?" : "; did you mean 'accuracy'?";
  }
  return DidYouMean(word, names);
}

std::string GateHint(const std::string& word, const std::vector<std::string>& names) {
  if (word.find("flop") == std::string::npos) return DidYouMean(word, names);
  return "; there are train_mflop and forward_mflop, both in millions per image";
}

}  // namespace sweep

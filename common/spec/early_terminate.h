#pragma once

#include <optional>
#include <string>

namespace sweep {

// The rule that ends trials early, see docs/stopping.md. Each type has some of the numbers.
struct EarlyTerminate {
  enum class Type { kMedian, kAsha, kTarget, kHyperband };  // the last: Weights & Biases' rule
  enum class Form {
    kPromotion,  // trials rest at a rung until they are among the best there
    kStopping,   // trials that are not among the best of a rung are stopped
  };

  Type type = Type::kMedian;
  // median, target: trials are not judged before this epoch. asha: the first rung.
  int min_epochs = 3;
  // median: nor at an epoch that fewer others have reached. target: nor before so many like it have
  // completed.
  int min_trials = 4;
  // asha: one trial in `eta` goes on from a rung, to one of `eta` times as many epochs; whole.
  // hyperband: the same, and may be a fraction.
  double eta = 3;
  Form form = Form::kPromotion;  // asha
  int brackets = 1;              // asha; 0: as many as there are
  int min_iter = 0;              // hyperband: its first band; 0: counted down from `max_iter`
  int max_iter = 0;              // hyperband
  int s = 0;                     // hyperband: number of bands below `max_iter`
  bool strict = true;            // hyperband: the value at the band counts, else the best
  // target: the part of the trials which would have met the gates that is stopped.
  double risk = 0.01;

  // True when trials may rest on hold.
  bool Holds() const { return type == Type::kAsha && form == Form::kPromotion; }
  // True when it ends trials at a few epochs, its rungs or bands, and different ones elsewhere.
  bool HasRungs() const { return type == Type::kAsha || type == Type::kHyperband; }
  // True when it depends on the points of the configurations.
  bool ReadsPoints() const { return type == Type::kTarget; }
  // As in the file: "median".
  std::string word() const { return WordOf(type); }
  static std::string WordOf(Type type);
  // As text: "the median rule, from epoch 3 on and against at least 4 others".
  std::string ToString() const;
  // For the digest of a sweep: the type and its numbers.
  std::string Canonical() const;
};

// When a sweep or a trial has found what it looks for. At least one of them is set.
struct StopWhen {
  int qualifying = 0;            // configurations that end the sweep; 0: they do not
  bool trial_qualifies = false;  // a trial ends once it meets the criteria

  // As text: "stop_when: 3 configurations qualify".
  std::string ToString() const;
};

// All that ends trials before their last epoch, as text; "": nothing.
std::string StopsInWords(const std::optional<EarlyTerminate>& rule,
                         const std::optional<StopWhen>& when);

}  // namespace sweep

#include "common/spec/early_terminate.h"

#include "absl/strings/str_cat.h"
#include "common/base/counted.h"
#include "common/base/value.h"

namespace sweep {
namespace {

std::string AshaText(const EarlyTerminate& rule) {
  const bool promotes = rule.form == EarlyTerminate::Form::kPromotion;
  std::string text = absl::StrCat("asha: after epoch ", rule.min_epochs, " and each ", rule.eta,
                                  " times as many, 1 trial in ", rule.eta,
                                  " goes on and the others ", promotes ? "rest" : "stop");
  if (rule.brackets == 0) absl::StrAppend(&text, ", in all brackets");
  if (rule.brackets > 1) absl::StrAppend(&text, ", in ", rule.brackets, " brackets");
  return text;
}

std::string HyperbandText(const EarlyTerminate& rule) {
  return absl::StrCat("hyperband as in Weights & Biases: ",
                      rule.max_iter > 0
                          ? absl::StrCat(Counted(rule.s, "band"), " below epoch ", rule.max_iter)
                          : absl::StrCat("bands from epoch ", rule.min_iter, " on"),
                      ", eta ", FormatDouble(rule.eta),
                      rule.strict ? ", by the value at a band" : ", by the best value");
}

std::string TargetText(const EarlyTerminate& rule) {
  return absl::StrCat("target: trials that cannot meet the gates any more, but for a risk of ",
                      FormatDouble(rule.risk), ", from epoch ", rule.min_epochs, " on and after ",
                      Counted(rule.min_trials, "completed trial"), " of the same kind");
}

}  // namespace

std::string EarlyTerminate::WordOf(Type type) {
  switch (type) {
    case Type::kMedian:
      return "median";
    case Type::kAsha:
      return "asha";
    case Type::kTarget:
      return "target";
    case Type::kHyperband:
      return "hyperband";
  }
  return "";
}

std::string EarlyTerminate::ToString() const {
  if (type == Type::kTarget) return TargetText(*this);
  if (type == Type::kAsha) return AshaText(*this);
  if (type == Type::kHyperband) return HyperbandText(*this);
  return absl::StrCat("the median rule, from epoch ", min_epochs, " on and against at least ",
                      min_trials, min_trials == 1 ? " other" : " others");
}

std::string EarlyTerminate::Canonical() const {
  if (type == Type::kAsha) {
    return absl::StrCat("asha ", min_epochs, " eta ", FormatDouble(eta),
                        form == Form::kPromotion ? " promotion" : " stopping", " brackets ",
                        brackets);
  }
  if (type == Type::kHyperband) {
    return absl::StrCat("hyperband ", min_iter, " ", max_iter, " ", s, " eta ", FormatDouble(eta),
                        strict ? " strict" : "");
  }
  std::string text = absl::StrCat(word(), " ", min_epochs, " ", min_trials);
  if (type == Type::kTarget) absl::StrAppend(&text, " risk ", FormatDouble(risk));
  return text;
}

std::string StopWhen::ToString() const {
  std::string text = "stop_when: ";
  if (qualifying == 1) absl::StrAppend(&text, "1 configuration qualifies");
  if (qualifying > 1) absl::StrAppend(&text, qualifying, " configurations qualify");
  if (!trial_qualifies) return text;
  return absl::StrCat(text, qualifying > 0 ? ", " : "", "a trial when it qualifies");
}

std::string StopsInWords(const std::optional<EarlyTerminate>& rule,
                         const std::optional<StopWhen>& when) {
  return absl::StrCat(rule ? rule->ToString() : "", rule && when ? "; " : "",
                      when ? when->ToString() : "");
}

}  // namespace sweep

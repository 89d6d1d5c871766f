#pragma once

#include <cstdint>
#include <string>

namespace sweep {

// Whether the first trials of a sweep all fail for the same reason, such as a wrong import: then
// the rest would fail as well, and is not begun. The rule holds until a trial reports an epoch.

// So many different trials have to fail alike, with no other failure between them. Attempts of one
// trial are one: its hyperparameters may be what does not work.
inline constexpr int kAlikeTrials = 3;

struct Failure {
  std::int64_t number = 0;    // of the trial
  std::string worker;         // on which it failed
  bool others_could = false;  // another worker is there that could have trained it
  std::string reason;
};

struct AlikeVerdict {
  std::string note;          // to be kept until the next failure
  std::string pause_reason;  // why the sweep is to be paused; empty when it is not
};

// `note` is that of the verdict before, empty at first. The same failure told twice changes
// nothing. A training that diverged counts as none: there the program works. Failures of a single
// worker do not pause the sweep while another one could do its work: the machine may be what is
// broken. Pure.
AlikeVerdict JudgeFailure(const std::string& note, const Failure& failure);

// What is compared: how the attempt ended and the line that says why, without what differs from
// attempt to attempt: numbers, addresses, paths, times. At most 200 bytes.
std::string FailureSignature(const std::string& reason);

// The line of a reason that says most: the last one that tells of an error, as it was printed.
std::string FailureHeadline(const std::string& reason);

}  // namespace sweep

#pragma once

#include <cstdint>
#include <string>

namespace sweep {

// Pauses a sweep whose first trials all fail for the same reason, such as a wrong import: the other
// trials would fail as well. The rule holds until a trial reports an epoch.

// The number of different trials that have to fail alike, with no other failure between them. All
// attempts of one trial count once: its hyperparameters may be the cause.
inline constexpr int kAlikeTrials = 3;

struct Failure {
  std::int64_t number = 0;    // of the trial
  std::string worker;         // on which it failed
  bool others_could = false;  // another connected worker could have trained it
  std::string reason;
};

struct AlikeVerdict {
  std::string note;          // the caller keeps it until the next failure
  std::string pause_reason;  // why the sweep is to be paused; empty: it goes on
};

// `note` is that of the last verdict, empty at first. A failure that is reported twice counts once.
// A training that diverged is no failure: its program works. Failures of a single worker do not
// pause the sweep while another worker could do its work: the machine may be broken. Pure.
AlikeVerdict JudgeFailure(const std::string& note, const Failure& failure);

// The text that is compared: how the attempt ended and the line that says why, without numbers,
// addresses, paths and times, which differ from attempt to attempt. At most 200 bytes.
std::string FailureSignature(const std::string& reason);

// The most telling line of a reason: the last one that mentions an error, as it was printed.
std::string FailureHeadline(const std::string& reason);

}  // namespace sweep

#pragma once

#include "coordinator/store/rows.h"
#include "google/protobuf/message.h"

namespace sweep {

// Sets each field of `message` that holds one number, text or flag and has the name of a fact of
// the trial (trial_facts.h). A field of a fact that the trial does not have stays unset.
void FillFacts(const TrialRow& trial, google::protobuf::Message* message);

// Adds what a sweep has taken from earlier ones to `warm_starts` of the message.
template <typename Message>
void FillWarmStarts(const SweepRow& sweep, Message* message) {
  for (const WarmStartRow& start : sweep.warm_starts) {
    auto& added = *message->add_warm_starts();
    added.set_source(start.source);
    added.set_taken(start.taken);
    added.set_left_out(start.left_out);
    added.set_reason(start.reason);
  }
}

}  // namespace sweep

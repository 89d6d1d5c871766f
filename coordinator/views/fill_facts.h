#pragma once

#include "coordinator/store/rows.h"
#include "google/protobuf/message.h"

namespace sweep {

// Sets each field of `message` that holds one number, text or flag and has the name of a fact of
// the trial (trial_facts.h). A field of a fact that the trial does not have stays unset.
void FillFacts(const TrialRow& trial, google::protobuf::Message* message);

}  // namespace sweep

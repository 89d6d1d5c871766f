#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/session.h"
#include "cli/spec_input.h"
#include "sweep/v1/sweeps.pb.h"

namespace sweep::cli {

struct SubmissionOptions {
  std::string command;  // how to call it again: "sweep run night.yaml"
  bool keep_going = false;
  bool new_name = false;  // when the name is taken, NAME-2 or the next that is free
};

// Submits a sweep file that was read. The name in `*input` is then that of the sweep: with
// `new_name` the one that was free, and else that of a copy that was made so from this content.
// AlreadyExists when the name is taken by another content, with the lines that differ and what can
// be done.
absl::StatusOr<v1::CreateSweepResponse> Submit(Connection& connection,
                                               const SubmissionOptions& options,
                                               const Session& session, SweepInput* input);

}  // namespace sweep::cli

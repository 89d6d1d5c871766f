#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/session.h"
#include "cli/spec_input.h"
#include "sweep/v1/sweeps.pb.h"

namespace sweep::cli {

struct SubmissionOptions {
  std::string command;  // to repeat the call: "sweep run night.yaml"
  bool keep_going = false;
  bool new_name = false;     // if the name is taken, use NAME-2 or the next free one
  bool upload_data = false;  // first store the data at the coordinator, and name it in the file
};

// Submits a sweep file. Sets the name in `*input` to the sweep's: with `new_name` a free one;
// without it, when the name is taken, that of an earlier copy with the same content, if any.
// AlreadyExists when a sweep with other content has the name, with the differing lines and possible
// commands.
absl::StatusOr<v1::CreateSweepResponse> Submit(Connection& connection,
                                               const SubmissionOptions& options,
                                               const Session& session, SweepInput* input);

}  // namespace sweep::cli

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/protocol/trial_spec.h"
#include "coordinator/store/blob_store.h"

namespace sweep {

// The blobs of an uploaded data set: its manifest and every piece; none for other data.
// FailedPrecondition when a part is not there, InvalidArgument when the blob is no manifest. Reads
// files.
absl::StatusOr<std::vector<std::string>> FindDataBlobs(const DatasetSpec& dataset,
                                                       const BlobStore& blobs);

}  // namespace sweep

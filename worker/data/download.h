#pragma once

#include <cstdint>
#include <string>

#include "worker/data/dataset.h"

namespace sweep {

// False in a build without libcurl (SWEEP_SERVICE=OFF, the trainer alone).
bool CanDownload();

struct DownloadLimits {
  std::int64_t max_bytes = std::int64_t{64} << 20;
  long connect_timeout_seconds = 10;
  long min_bytes_per_second = 1000;  // a transfer slower than this …
  long slow_seconds = 30;            // … for this long is given up
};

// Fetches `url` (http, https or file; redirects are followed, certificates verified) into the new
// file `path`, which is on the disk (fsync) on return and removed on an exception. `progress` gets
// `name` and may throw to stop the transfer; that exception is passed on. Throws DataError with the
// reason only, without the URL. Thread-safe.
void DownloadFile(const std::string& url, const std::string& path, const std::string& name,
                  const DownloadProgress& progress, const DownloadLimits& limits = {});

}  // namespace sweep

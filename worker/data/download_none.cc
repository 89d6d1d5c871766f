#include "worker/data/download.h"

namespace sweep {

bool CanDownload() { return false; }

void DownloadFile(const std::string&, const std::string&, const std::string&,
                  const DownloadProgress&, const DownloadLimits&) {
  throw DataError("this build cannot download (it was built without libcurl)");
}

}  // namespace sweep

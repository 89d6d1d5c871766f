// Replaces the generated list of files in a build without the page.
#include "coordinator/http/web_files.h"

namespace sweep {

std::span<const WebFile> WebFiles() { return {}; }

}  // namespace sweep

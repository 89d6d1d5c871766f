#include "coordinator/http/web_files.h"

#include <algorithm>

namespace sweep {

const WebFile* FindWebFile(std::span<const WebFile> files, std::string_view path) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [path](const WebFile& file) { return file.path == path; });
  return found == files.end() ? nullptr : &*found;
}

std::string PageOfNoPage() {
  return R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sweep</title>
<h1>This coordinator was built without its web page</h1>
<p>The page is built together with the programs where Node.js 18 or newer and npm are installed and
the npm registry can be reached:</p>
<pre>apt-get install nodejs npm
rm -rf build/release/web
deploy/build.sh</pre>
<p>All that it would show can be had without it: as JSON below <a href="/api/sweeps">/api/sweeps</a>
(docs/dashboard.md), and from the command line (<code>sweep --help</code>).</p>
</html>
)html";
}

}  // namespace sweep

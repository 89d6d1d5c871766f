#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sweep {

// A file of the built page, embedded in the binary.
struct WebFile {
  std::string_view path;     // "/index.html", "/assets/index-4f2a.js"
  std::string_view type;     // "text/javascript; charset=utf-8"
  std::string_view etag;     // in quotes
  std::string_view gzipped;  // its bytes
};

// Sorted by path; empty when the page was not built.
std::span<const WebFile> WebFiles();

// nullptr when there is no such file.
const WebFile* FindWebFile(std::span<const WebFile> files, std::string_view path);

// The text at "/" in a build without the page.
std::string PageOfNoPage();

}  // namespace sweep

// embed_files FOLDER OUT.cc OUT.bin: writes all files below FOLDER to OUT.bin, gzipped one after
// the other, and a C++ file that embeds them as WebFiles().

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/base/sha256.h"
#include "coordinator/http/gzip.h"

namespace {

namespace fs = std::filesystem;

constexpr int kLevel = 9;

std::string TypeOf(const std::string& extension) {
  static const std::map<std::string, std::string> kTypes = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".json", "application/json; charset=utf-8"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"}};
  const auto found = kTypes.find(extension);
  return found == kTypes.end() ? "application/octet-stream" : found->second;
}

std::string Read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void Embed(const std::string& folder, const std::string& source, const std::string& binary) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::ofstream bytes(binary, std::ios::binary);
  std::string rows;
  std::size_t offset = 0;
  for (const fs::path& path : paths) {
    const std::string content = Read(path);
    const std::string gzipped = sweep::Gzip(content, kLevel);
    const std::string name = "/" + fs::relative(path, folder).generic_string();
    if (name.find_first_of("\"\\") != std::string::npos) throw std::runtime_error(name);
    bytes << gzipped;
    rows += "    {\"" + name + "\", \"" + TypeOf(path.extension()) + "\", \"\\\"" +
            sweep::Sha256Hex(content).substr(0, 20) + "\\\"\", {web_files_bytes + " +
            std::to_string(offset) + ", " + std::to_string(gzipped.size()) + "}},\n";
    offset += gzipped.size();
  }
  bytes << '\0';  // OUT.bin must not be empty
  std::ofstream(source) << "// Made by embed_files.\n"
                           "#include \"coordinator/http/web_files.h\"\n\n"
                           "asm(\".section .rodata\\n\"\n"
                           "    \".global web_files_bytes\\n\"\n"
                           "    \"web_files_bytes:\\n\"\n"
                           "    \".incbin \\\""
                        << binary
                        << "\\\"\\n\"\n"
                           "    \".previous\\n\");\n"
                           "extern \"C\" const char web_files_bytes[];\n\n"
                           "namespace sweep {\n\n"
                           "std::span<const WebFile> WebFiles() {\n"
                           "  static const WebFile kFiles[] = {\n"
                        << rows
                        << "    {}};\n"
                           "  return {kFiles, "
                        << paths.size() << "};\n}\n\n}  // namespace sweep\n";
  if (!bytes.flush()) throw std::runtime_error("cannot write " + binary);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::runtime_error("usage: embed_files FOLDER OUT.cc OUT.bin");
    Embed(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "embed_files: %s\n", error.what());
    return 1;
  }
}

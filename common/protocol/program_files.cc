#include "common/protocol/program_files.h"

#include <algorithm>

#include "common/base/sha256.h"
#include "common/base/utf8.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxNameBytes = 255;
constexpr int kMaxFolders = 8;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// Puts the length first, so that no text can pass for two.
std::string Framed(std::string_view text) {
  return std::to_string(text.size()) + ":" + std::string(text);
}

std::string CheckText(const std::string& name, const std::string& text) {
  const int line = BrokenUtf8Line(text);
  if (line > 0)
    return "file '" + name + "' is not UTF-8 text: see its line " + std::to_string(line);
  if (text.find('\0') != std::string::npos) return "file '" + name + "' is no text: it has a NUL";
  return "";
}

}  // namespace

std::string CheckProgramFileName(std::string_view name) {
  if (name.empty()) return "a file has no name";
  if (name.size() > kMaxNameBytes) {
    return "the name of a file has " + std::to_string(name.size()) + " bytes; the limit is " +
           std::to_string(kMaxNameBytes);
  }
  if (std::any_of(name.begin(), name.end(), IsControl) || BrokenUtf8Line(name) > 0) {
    return "the name of a file has characters that cannot be shown";
  }
  const std::string file = "file '" + std::string(name) + "'";
  if (name.front() == '/') return file + " has an absolute path; it must be below the sweep file";
  int folders = 0;
  for (std::string_view rest = name;; ++folders) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part == "..") return file + " has '..' in its path; it must be below the sweep file";
    if (part.empty() || part == ".") {
      return file + " has an empty part or '.' in its path; write it as 'folder/file'";
    }
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (folders <= kMaxFolders) return "";
  return file + " lies in " + std::to_string(folders) + " folders; the limit is " +
         std::to_string(kMaxFolders);
}

std::string CheckProgramFiles(const ProgramFiles& files) {
  if (files.size() > kMaxProgramFiles) {
    return std::to_string(files.size()) + " files; the limit is " +
           std::to_string(kMaxProgramFiles);
  }
  std::size_t bytes = 0;
  for (const auto& [name, text] : files) {
    std::string error = CheckProgramFileName(name);
    if (error.empty()) error = CheckText(name, text);
    if (!error.empty()) return error;
    for (const auto& [other, ignored] : files) {
      if (other.starts_with(name + "/")) {
        return "file '" + name + "' is the folder of file '" + other + "' as well";
      }
    }
    bytes += text.size();
  }
  if (bytes <= kMaxProgramBytes) return "";
  return "the files have " + std::to_string(bytes) + " bytes together; the limit is " +
         std::to_string(kMaxProgramBytes);
}

std::string ProgramDigest(const ProgramFiles& files) {
  if (files.empty()) return "";
  std::string all = "program files 1\n";
  for (const auto& [name, text] : files) all += Framed(name) + " " + Framed(text) + "\n";
  return Sha256Hex(all);
}

}  // namespace sweep

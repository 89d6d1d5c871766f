#include "cli/commands/confirm_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <set>
#include <system_error>

#include "cli/present/output_file.h"
#include "common/base/input_file.h"
#include "common/base/printable.h"
#include "common/spec/models_parser.h"

namespace sweep::cli {
namespace {

namespace fs = std::filesystem;

enum class FilePlace { kFree, kSame, kOther };

FilePlace PlaceOf(const fs::path& path, const std::string& text) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return FilePlace::kFree;
  InputFile file(path.string(), InputKind::kRegular);
  std::string there;
  const bool is_read = file.ok() && file.Read(text.size(), &there);
  return is_read && there == text ? FilePlace::kSame : FilePlace::kOther;
}

// Symbolic links followed, as far as the path exists.
fs::path Resolved(const fs::path& path) {
  std::error_code error;
  return fs::weakly_canonical(fs::absolute(path), error);
}

// Sweeps come from other people too: nothing of theirs is written where a login or a desktop would
// run it, or through a link into another folder.
bool IsHarmless(const fs::path& folder, const std::string& name) {
  for (const fs::path& part : fs::path(name).lexically_normal()) {
    if (part.string().starts_with('.') && part != ".") return false;
  }
  const fs::path inside = Resolved(folder / name).lexically_relative(Resolved(folder));
  return !inside.empty() && *inside.begin() != "..";
}

bool LeadsOut(const std::string& name) {
  const fs::path path = fs::path(name).lexically_normal();
  return path.is_absolute() || path.empty() || *path.begin() == "..";
}

}  // namespace

bool HasFolder(const std::string& file) {
  if (file.starts_with("/dev/") || file.starts_with("/proc/")) return false;
  std::error_code error;
  return !fs::exists(file, error) || fs::is_regular_file(file, error);
}

std::map<std::string, std::string> NamesInside(const std::string& file, const SweepSource& source) {
  const fs::path folder = fs::path(file).parent_path();
  std::set<std::string> taken = {fs::path(file).filename().string()};
  for (const auto& [name, text] : source.network_files) taken.insert(name);
  for (const auto& [name, text] : source.program_files) taken.insert(name);
  std::map<std::string, std::string> names;
  for (const auto& [name, text] : source.network_files) {
    if (!LeadsOut(name) || PlaceOf(folder / name, text) == FilePlace::kSame) continue;
    const fs::path path(name);
    std::string inside = path.filename().string();
    for (int number = 2; taken.contains(inside); ++number) {
      inside = fmt::format("{}-{}{}", path.stem().string(), number, path.extension().string());
    }
    taken.insert(inside);
    if (!IsNetworkPath(inside)) inside.insert(0, "./");  // else the name of a built-in network
    names.emplace(name, inside);
  }
  return names;
}

absl::StatusOr<std::vector<std::string>> WriteFilesBeside(const std::string& file,
                                                          const SweepSource& source) {
  const fs::path folder = fs::path(file).parent_path();
  std::map<std::string, std::string> wanted = source.network_files;
  wanted.insert(source.program_files.begin(), source.program_files.end());
  std::vector<std::string> written;
  for (const auto& [name, text] : wanted) {
    const std::string path = (folder / name).string();
    if (Resolved(path) == Resolved(file)) {
      return absl::AlreadyExistsError(
          fmt::format("{} is the place of the sweep's own {}; write it under another name",
                      Printable(file), Printable(name)));
    }
    const FilePlace place = PlaceOf(path, text);
    if (place == FilePlace::kFree) {
      if (!IsHarmless(folder, name)) {
        return absl::InvalidArgumentError(
            fmt::format("{} of the sweep is hidden, or lies behind a link; it is not written",
                        Printable(name)));
      }
      written.push_back(name);
    }
    if (place != FilePlace::kOther) continue;
    return absl::AlreadyExistsError(fmt::format(
        "{} is another file than the {} that the sweep was trained with; write {} to another "
        "folder",
        Printable(path), Printable(name), Printable(fs::path(file).filename().string())));
  }
  for (std::string& name : written) {
    const fs::path path = folder / name;
    std::error_code error;
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
    absl::StatusOr<std::unique_ptr<OutputFile>> made = OutputFile::Create(path.string());
    if (!made.ok()) return made.status();
    (*made)->stream() << wanted.at(name);
    if (absl::Status status = (*made)->Commit(); !status.ok()) return status;
    name = path.string();
  }
  return written;
}

}  // namespace sweep::cli

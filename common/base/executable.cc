#include "common/base/executable.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

namespace sweep {
namespace {

constexpr std::size_t kHeadBytes = 4096;
// Linux reads this many bytes of a `#!` line (BINPRM_BUF_SIZE).
constexpr std::size_t kLongestLine = 255;
// The longest chain of interpreters that Linux follows (fs/exec.c).
constexpr int kMostInterpreters = 5;
constexpr std::string_view kAdvice =
    "begin it with, for example, #!/bin/sh or #!/usr/bin/env python3, or name its interpreter in "
    "the command";

// `text` with its control characters made visible.
std::string Shown(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    if (c == '\r') {
      shown += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      shown += '?';
    } else {
      shown += c;
    }
  }
  return shown;
}

struct ScriptLine {
  std::string interpreter;
  std::string argument;  // the rest of the line, which Linux passes as one argument
};

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view FirstLine(std::string_view bytes) { return bytes.substr(0, bytes.find('\n')); }

// nullopt for a file that does not begin with `#!`.
std::optional<ScriptLine> ParseScriptLine(std::string_view bytes) {
  if (!bytes.starts_with("#!")) return std::nullopt;
  const std::string_view line = Trimmed(FirstLine(bytes).substr(2));
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  return ScriptLine{std::string(line.substr(0, end)), std::string(Trimmed(line.substr(end)))};
}

bool IsElf(std::string_view bytes) { return bytes.starts_with(ELFMAG); }

std::string WhyNotScript(std::string_view bytes) {
  const std::string_view line = FirstLine(bytes);
  if (line.ends_with('\r')) {
    const ScriptLine parsed = *ParseScriptLine(line);
    const std::string& last = parsed.argument.empty() ? parsed.interpreter : parsed.argument;
    return "its #! line ends in a carriage return, as Windows ends lines, so it asks for '" +
           Shown(last) + "'; save the file with Unix line ends";
  }
  const ScriptLine parsed = *ParseScriptLine(bytes);
  if (parsed.interpreter.empty()) return "its #! line names no interpreter";
  if (line.size() > kLongestLine) {
    return "its #! line has " + std::to_string(line.size()) + " bytes; the limit is " +
           std::to_string(kLongestLine);
  }
  if (parsed.interpreter.front() != '/') {
    return "its #! line names '" + Shown(parsed.interpreter) +
           "', which is no absolute path; write #!/usr/bin/env " + Shown(parsed.interpreter);
  }
  return "";
}

// Explains a file that is neither a script nor ELF, by the most frequent mistakes.
std::string WhyUnknownKind(std::string_view bytes) {
  if (bytes.empty()) return "it is empty";
  if (bytes.starts_with("\xEF\xBB\xBF#!")) {
    return "a byte order mark stands before its #! line; save the file without one";
  }
  if (bytes.starts_with("MZ")) return "it is a program for Windows";
  const std::string_view line = FirstLine(bytes);
  if (line.find("#!") != std::string_view::npos && Trimmed(line).starts_with("#!")) {
    return "a blank stands before its #!";
  }
  const std::size_t next = bytes.find("\n#!");
  if (next != std::string_view::npos &&
      Trimmed(bytes.substr(0, next)).find_first_not_of("\r\n") == std::string_view::npos) {
    return "an empty line stands before its #! line";
  }
  return "it does not begin with #! and is no compiled program; " + std::string(kAdvice);
}

// The ELF header of this program, for its class, byte order and machine.
std::string OwnElfHeader() {
  std::array<char, sizeof(Elf64_Ehdr)> head{};
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  const ssize_t got = read(fd, head.data(), head.size());
  close(fd);
  return got == static_cast<ssize_t>(head.size()) ? std::string(head.data(), head.size()) : "";
}

std::string MachineName(unsigned machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_386:
      return "32-bit x86";
    case EM_AARCH64:
      return "64-bit ARM";
    case EM_ARM:
      return "32-bit ARM";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "64-bit POWER";
    case EM_S390:
      return "s390";
    default:
      return "machine number " + std::to_string(machine);
  }
}

unsigned MachineOf(std::string_view elf) {
  Elf64_Half machine = 0;
  memcpy(&machine, elf.data() + offsetof(Elf64_Ehdr, e_machine), sizeof machine);
  return machine;
}

// Requires an ELF file. Sets `linker` if the file is for this machine and names a dynamic linker.
std::string WhyNotElf(std::string_view bytes, std::string* linker) {
  if (bytes.size() < sizeof(Elf64_Ehdr)) return "it is a compiled program that was cut off";
  const std::string own = OwnElfHeader();
  if (own.empty()) return "";
  // Compares with this program's header; a kernel may also run 32-bit programs of the same family.
  if (bytes[EI_CLASS] != own[EI_CLASS] || bytes[EI_DATA] != own[EI_DATA] ||
      MachineOf(bytes) != MachineOf(own)) {
    return "it is a program for " + MachineName(MachineOf(bytes)) + ", and this machine is " +
           MachineName(MachineOf(own));
  }
  if (bytes[EI_CLASS] != ELFCLASS64) return "";
  Elf64_Ehdr header;
  memcpy(&header, bytes.data(), sizeof header);
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) {
    return "it is a compiled file, but no program";
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const std::size_t at = header.e_phoff + std::size_t{i} * sizeof(Elf64_Phdr);
    if (at > bytes.size() || bytes.size() - at < sizeof(Elf64_Phdr)) return "";
    Elf64_Phdr segment;
    memcpy(&segment, bytes.data() + at, sizeof segment);
    if (segment.p_type != PT_INTERP || segment.p_offset >= bytes.size()) continue;
    const std::string_view path = bytes.substr(segment.p_offset, segment.p_filesz);
    *linker = std::string(path.substr(0, path.find('\0')));
  }
  return "";
}

std::string JoinPath(const std::string& folder, const std::string& path) {
  return folder.empty() || path.starts_with('/') ? path : folder + "/" + path;
}

// Why `path` is no regular file, or "".
std::string WhyNoFile(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    const int error = errno;
    if (error == ENOENT && lstat(path.c_str(), &info) == 0) {
      return "it is a link that leads nowhere";
    }
    return error == ENOENT ? "it does not exist" : strerror(error);
  }
  if (S_ISDIR(info.st_mode)) return "it is a folder";
  return S_ISREG(info.st_mode) ? "" : "it is no regular file";
}

bool IsOnNoexec(const std::string& path) {
  struct statvfs info;
  return statvfs(path.c_str(), &info) == 0 && (info.f_flag & ST_NOEXEC) != 0;
}

// nullopt when the file may be executed but not read.
std::optional<std::string> ReadHead(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string bytes(kHeadBytes, '\0');
  const ssize_t got = read(fd, bytes.data(), bytes.size());
  close(fd);
  if (got < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

bool IsOnPath(const std::string& program) {
  const char* path = std::getenv("PATH");
  for (std::string_view rest = path == nullptr ? "" : path; !rest.empty();) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    const std::string candidate = std::string(folder) + "/" + program;
    if (WhyNoFile(candidate).empty() && access(candidate.c_str(), X_OK) == 0) return true;
  }
  return false;
}

// The program that `env` does not find on PATH: python3 of "#!/usr/bin/env python3". Else "".
std::string MissingForEnv(const ScriptLine& line) {
  const bool is_env = line.interpreter == "env" || line.interpreter.ends_with("/env");
  if (!is_env || line.argument.empty() || line.argument.front() == '-') return "";
  if (line.argument.find('=') != std::string::npos) return "";
  if (line.argument.find('/') != std::string::npos) return "";
  return IsOnPath(line.argument) ? "" : line.argument;
}

std::string WhyNotExecutableAt(const std::string& path, const std::string& folder, int depth);

std::string WhyNotInterpreter(const ScriptLine& line, const std::string& folder, int depth) {
  if (depth + 1 >= kMostInterpreters) return "its interpreters stand too deep behind each other";
  const std::string why = WhyNotExecutableAt(JoinPath(folder, line.interpreter), folder, depth + 1);
  if (why == "it does not exist") {
    return "its interpreter '" + Shown(line.interpreter) + "' does not exist";
  }
  if (!why.empty()) {
    return "its interpreter '" + Shown(line.interpreter) + "' cannot be executed: " + why;
  }
  const std::string missing = MissingForEnv(line);
  if (missing.empty()) return "";
  return "its #! line asks " + line.interpreter + " for '" + Shown(missing) +
         "', and there is none on PATH";
}

std::string WhyNotExecutableAt(const std::string& path, const std::string& folder, int depth) {
  if (std::string why = WhyNoFile(path); !why.empty()) return why;
  if (IsOnNoexec(path)) return "its folder is mounted noexec: nothing in it may be executed";
  if (access(path.c_str(), X_OK) != 0) {
    return "it lacks the permission to be executed (chmod +x " + Shown(path) + ")";
  }
  const std::optional<std::string> head = ReadHead(path);
  if (!head) return "";
  if (IsElf(*head)) {
    std::string linker;
    std::string why = WhyNotElf(*head, &linker);
    if (why.empty() && !linker.empty() && WhyNoFile(linker) != "") {
      why = "its dynamic linker '" + Shown(linker) + "' does not exist";
    }
    return why;
  }
  if (std::string why = WhyNotExecutable(*head); !why.empty()) return why;
  return WhyNotInterpreter(*ParseScriptLine(*head), folder, depth);
}

}  // namespace

std::string WhyNotExecutable(std::string_view bytes) {
  if (IsElf(bytes)) return "";
  return bytes.starts_with("#!") ? WhyNotScript(bytes) : WhyUnknownKind(bytes);
}

std::string WhyNotExecutableFile(const std::string& path, const std::string& folder) {
  return WhyNotExecutableAt(path, folder, 0);
}

}  // namespace sweep

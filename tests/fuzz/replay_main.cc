// Runs a fuzz target over stored inputs, for builds without libFuzzer: every file of the folders
// named on the command line, also cut short and with single bytes changed.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kVariations = 64;  // of each kind, per file

void Try(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

int TryFile(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  const std::string bytes = text.str();
  Try(bytes);
  int tried = 1;
  const std::size_t step = bytes.size() / kVariations + 1;
  for (std::size_t i = 0; i < bytes.size(); i += step) {
    Try(bytes.substr(0, i));
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x15);
    Try(changed);
    tried += 2;
  }
  return tried;
}

}  // namespace

int main(int argc, char** argv) {
  int tried = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) tried += TryFile(entry.path());
    }
  }
  std::printf("%d inputs\n", tried);
  return tried > 0 ? 0 : 1;
}

// IDX files, plain and gzip: reading gives DataError or an array whose size matches its dimensions.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "worker/data/dataset.h"
#include "worker/data/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int fd = memfd_create("idx", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != static_cast<ssize_t>(size)) return 0;
  for (const int rank : {1, 3}) {
    try {
      const sweep::IdxArray array = sweep::ReadIdxArray(path, rank, sweep::Digest::kSha256);
      std::size_t product = 1;
      for (const std::int64_t dimension : array.dimensions)
        product *= static_cast<std::size_t>(dimension);
      if (array.elements.size() != product) __builtin_trap();
    } catch (const sweep::DataError&) {
    }
  }
  return 0;
}

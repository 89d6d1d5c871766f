#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace sweep {

// Incremental SHA-256 (FIPS 180-4, by libcrypto). Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(const void* data, std::size_t size_bytes);
  // 64 lower-case hexadecimal digits. Call once; the object is spent afterwards.
  std::string FinishHex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// SHA-256 of `bytes` as 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

// True for exactly 64 lower-case hexadecimal digits.
bool IsSha256Hex(std::string_view text);

}  // namespace sweep

#pragma once

#include <string>
#include <string_view>

namespace sweep {

// Compresses by RFC 1952, with zlib. `level` is zlib's, 1 to 9.
std::string Gzip(std::string_view data, int level);
// Decompresses the output of Gzip; "" for anything else.
std::string Gunzip(std::string_view data);
// True when a client with this Accept-Encoding accepts gzip.
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace sweep

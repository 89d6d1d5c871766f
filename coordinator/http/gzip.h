#pragma once

#include <string>
#include <string_view>

namespace sweep {

// RFC 1952, by zlib. `level` is zlib's, 1 to 9.
std::string Gzip(std::string_view data, int level);
// Of what Gzip made; "" for anything else.
std::string Gunzip(std::string_view data);
// Whether a client that sends this Accept-Encoding takes gzip.
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace sweep

#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <string>

namespace sweep {

// The message as JSON, by the options of proto/sweep/documents/json.proto. Doubles that are whole
// have a ".0", and text that is not UTF-8 is mended. The option `rounded` counts only if `rounds`.
// Thread-safe.
std::string PrintJson(const google::protobuf::Message& message, bool rounds = true);

// PrintJson in at most `limit_bytes`, as far as lists that may be cut allow: while the text is
// longer they lose half of their rows, the message's last list first, and what counts them grows.
std::string PrintJsonWithin(std::size_t limit_bytes, google::protobuf::Message* message);

// To six significant digits, as the option `rounded` prints.
double RoundToSixDigits(double value);

}  // namespace sweep

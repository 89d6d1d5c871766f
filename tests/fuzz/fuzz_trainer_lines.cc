// Lines of the trainer's protocol, in both directions: reading gives ProtocolError or a message,
// and a message stays the same when it is written and read again.

#include <cstdint>
#include <string>
#include <string_view>

#include "common/protocol/trainer_message.h"

namespace {

void ReadMessage(std::string_view line) {
  bool is_json = false;
  const sweep::TrainerMessage message = sweep::TrainerMessageFromJson(line, &is_json);
  if (!is_json) return;
  const std::string written = sweep::TrainerMessageToJson(message);
  if (sweep::TrainerMessageToJson(sweep::TrainerMessageFromJson(written, &is_json)) != written) {
    __builtin_trap();
  }
}

void ReadTrial(std::string_view line) {
  const std::string written = sweep::TrialSpecToJson(sweep::TrialSpecFromJson(line));
  if (sweep::TrialSpecToJson(sweep::TrialSpecFromJson(written)) != written) __builtin_trap();
}

template <typename Function>
void Allow(Function function, std::string_view line) {
  try {
    function(line);
  } catch (const sweep::ProtocolError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  Allow(ReadMessage, line);
  Allow(ReadTrial, line);
  Allow(
      [](std::string_view text) {
        std::string trial;
        sweep::TrainerCommandFromJson(text, &trial);
      },
      line);
  return 0;
}

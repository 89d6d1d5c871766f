// Weights and checkpoints: reading gives SafeTensorsError, or a content that stays the same when it
// is written and read again. Comparing a checkpoint with a trial throws no other exception.

#include <cstdint>
#include <string>
#include <string_view>

#include "common/tensors/safetensors.h"
#include "worker/trainer/checkpoint.h"

namespace {

void CheckContent(const sweep::SafeTensors& content) {
  const std::string written = sweep::SerializeSafeTensors(content);
  if (sweep::SerializeSafeTensors(sweep::ParseSafeTensors(written, "again")) != written) {
    __builtin_trap();
  }
}

void CheckCheckpoint(const sweep::SafeTensors& content) {
  static const sweep::TrialSpec kTrial;
  const sweep::Checkpoint checkpoint = sweep::CheckpointFromSafeTensors(content, "fuzz");
  if (checkpoint.last.epoch != checkpoint.epoch) __builtin_trap();
  (void)sweep::ExplainMismatch(checkpoint, kTrial);
  const auto text = [](const sweep::Checkpoint& from) {
    return sweep::SerializeSafeTensors(sweep::CheckpointToSafeTensors(from));
  };
  const std::string written = text(checkpoint);
  const sweep::SafeTensors again = sweep::ParseSafeTensors(written, "again");
  if (text(sweep::CheckpointFromSafeTensors(again, "again")) != written) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const sweep::SafeTensors content = sweep::ParseSafeTensors(bytes, "fuzz");
    CheckContent(content);
    CheckCheckpoint(content);
  } catch (const sweep::SafeTensorsError&) {
  }
  return 0;
}

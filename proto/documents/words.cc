#include "proto/documents/words.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "sweep/documents/json.pb.h"

namespace sweep {
namespace {

// "TrialState" is in front of its values as "TRIAL_STATE_".
std::string PrefixOf(const std::string& name) {
  std::string prefix;
  for (const char letter : name) {
    if (absl::ascii_isupper(static_cast<unsigned char>(letter)) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(static_cast<unsigned char>(letter));
  }
  return prefix + "_";
}

}  // namespace

std::vector<std::string> DocumentWords(const google::protobuf::EnumDescriptor& enumeration) {
  const std::string prefix = PrefixOf(enumeration.name());
  std::vector<std::string> words;
  for (int i = 0; i < enumeration.value_count(); ++i) {
    const google::protobuf::EnumValueDescriptor& value = *enumeration.value(i);
    const std::string& word = value.options().GetExtension(documents::word);
    words.push_back(word.empty() ? absl::AsciiStrToLower(value.name().substr(prefix.size()))
                                 : word);
  }
  return words;
}

std::vector<std::string> DocumentKeys(const google::protobuf::Descriptor& message) {
  std::vector<std::string> keys;
  for (int i = 0; i < message.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *message.field(i);
    if (field.options().GetExtension(documents::json).extends()) {
      for (std::string& key : DocumentKeys(*field.message_type())) keys.push_back(std::move(key));
    } else {
      keys.push_back(field.name());
    }
  }
  return keys;
}

}  // namespace sweep

#include "coordinator/views/fill_facts.h"

#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "common/base/value.h"
#include "coordinator/store/trial_facts.h"
#include "google/protobuf/descriptor.h"

namespace sweep {
namespace {

using google::protobuf::FieldDescriptor;

// Leaves a field alone that cannot hold a value of that kind, such as an enum.
void Set(const Value& value, const FieldDescriptor* field, google::protobuf::Message* message) {
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  const auto* const integer = std::get_if<std::int64_t>(&value);
  const auto* const number = std::get_if<double>(&value);
  const auto* const flag = std::get_if<bool>(&value);
  const auto* const text = std::get_if<std::string>(&value);
  const FieldDescriptor::CppType type = field->cpp_type();
  if (integer != nullptr && type == FieldDescriptor::CPPTYPE_INT64) {
    reflection.SetInt64(message, field, *integer);
  } else if (integer != nullptr && type == FieldDescriptor::CPPTYPE_INT32) {
    reflection.SetInt32(message, field, static_cast<std::int32_t>(*integer));
  } else if (number != nullptr && type == FieldDescriptor::CPPTYPE_DOUBLE) {
    reflection.SetDouble(message, field, *number);
  } else if (flag != nullptr && type == FieldDescriptor::CPPTYPE_BOOL) {
    reflection.SetBool(message, field, *flag);
  } else if (text != nullptr && type == FieldDescriptor::CPPTYPE_STRING) {
    reflection.SetString(message, field, *text);
  }
}

struct FilledField {
  const TrialFact* fact;
  const FieldDescriptor* field;
};

std::vector<FilledField> FieldsOf(const google::protobuf::Descriptor& message) {
  std::vector<FilledField> fields;
  for (const std::vector<TrialFact>* const facts : {&TrialFacts(), &NetworkFacts()}) {
    for (const TrialFact& fact : *facts) {
      const FieldDescriptor* const field = message.FindFieldByName(std::string(fact.name));
      if (field != nullptr && !field->is_repeated()) fields.push_back({&fact, field});
    }
  }
  return fields;
}

// A list of trials fills many messages of one kind.
const std::vector<FilledField>& KnownFieldsOf(const google::protobuf::Descriptor& message) {
  thread_local std::unordered_map<const google::protobuf::Descriptor*, std::vector<FilledField>>
      known;
  const auto [place, is_new] = known.try_emplace(&message);
  if (is_new) place->second = FieldsOf(message);
  return place->second;
}

}  // namespace

void FillFacts(const TrialRow& trial, google::protobuf::Message* message) {
  for (const auto& [fact, field] : KnownFieldsOf(*message->GetDescriptor())) {
    if (const std::optional<Value> value = fact->value(trial)) Set(*value, field, message);
  }
}

}  // namespace sweep

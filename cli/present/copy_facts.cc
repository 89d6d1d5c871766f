#include "cli/present/copy_facts.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/timestamp.pb.h>

#include <map>
#include <string>
#include <vector>

#include "cli/present/cells.h"
#include "proto/documents/values.h"
#include "sweep/documents/json.pb.h"

namespace sweep::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string TextOf(const Message& from, const FieldDescriptor& source) {
  const Reflection& read = *from.GetReflection();
  if (source.cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
    return std::to_string(read.GetUInt64(from, &source));
  }
  if (source.cpp_type() == FieldDescriptor::CPPTYPE_STRING) return read.GetString(from, &source);
  google::protobuf::Timestamp time;
  time.CopyFrom(read.GetMessage(from, &source));
  return sweep::TimeText(cells::ToTime(time));
}

std::int64_t IntegerOf(const Message& from, const FieldDescriptor& source) {
  const Reflection& read = *from.GetReflection();
  return source.cpp_type() == FieldDescriptor::CPPTYPE_INT32 ? read.GetInt32(from, &source)
                                                             : read.GetInt64(from, &source);
}

void CopyField(const Message& from, const FieldDescriptor& source, Message* to,
               const FieldDescriptor& field) {
  const Reflection& read = *from.GetReflection();
  const Reflection& write = *to->GetReflection();
  if (source.has_presence() && !read.HasField(from, &source)) return;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      if (const std::int64_t number = IntegerOf(from, source);
          number != 0 || source.has_presence() || !field.has_optional_keyword()) {
        write.SetInt64(to, &field, number);
      }
      return;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return write.SetDouble(to, &field, read.GetDouble(from, &source));
    case FieldDescriptor::CPPTYPE_BOOL:
      return write.SetBool(to, &field, read.GetBool(from, &source));
    case FieldDescriptor::CPPTYPE_STRING:
      return write.SetString(to, &field, TextOf(from, source));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const std::string& word = read.GetEnum(from, &source)->name();
      const auto* const value = field.enum_type()->FindValueByName(word);
      if (value != nullptr) write.SetEnum(to, &field, value);
      return;
    }
    default:
      return CopyFacts(read.GetMessage(from, &source), write.MutableMessage(to, &field));
  }
}

// Items of a list, or entries of a map in the order of their keys.
void CopyList(const Message& from, const FieldDescriptor& source, Message* to,
              const FieldDescriptor& field) {
  const Reflection& read = *from.GetReflection();
  const Reflection& write = *to->GetReflection();
  const int count = read.FieldSize(from, &source);
  if (field.message_type() == nullptr) {
    for (int i = 0; i < count; ++i) {
      write.AddString(to, &field, read.GetRepeatedString(from, &source, i));
    }
    return;
  }
  std::map<std::string, const Message*> entries;
  for (int i = 0; i < count; ++i) {
    const Message& item = read.GetRepeatedMessage(from, &source, i);
    if (source.is_map()) {
      entries[TextOf(item, *source.message_type()->map_key())] = &item;
    } else {
      CopyFacts(item, write.AddMessage(to, &field));
    }
  }
  for (const auto& [name, item] : entries) {
    Message* const entry = write.AddMessage(to, &field);
    entry->GetReflection()->SetString(entry, entry->GetDescriptor()->field(0), name);
    CopyField(*item, *source.message_type()->map_value(), entry, *entry->GetDescriptor()->field(1));
  }
}

// A value of a hyperparameter: the field of its type.
void CopyValue(const Message& from, Message* to) {
  std::vector<const FieldDescriptor*> set;
  from.GetReflection()->ListFields(from, &set);
  for (const FieldDescriptor* const source : set) {
    for (int i = 0; i < to->GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *to->GetDescriptor()->field(i);
      if (field.cpp_type() == source->cpp_type()) CopyField(from, *source, to, field);
    }
  }
}

// Whether they are lists, messages or neither alike; a time is a text.
bool IsAlike(const FieldDescriptor& source, const FieldDescriptor& field) {
  const auto* const message = source.message_type();
  const bool is_message =
      message != nullptr && message != google::protobuf::Timestamp::descriptor();
  return source.is_repeated() == field.is_repeated() &&
         is_message == (field.message_type() != nullptr);
}

}  // namespace

void CopyFacts(const Message& from, Message* document) {
  const google::protobuf::Descriptor& fields = *document->GetDescriptor();
  if (fields.real_oneof_decl_count() > 0) return CopyValue(from, document);
  for (int i = 0; i < fields.field_count(); ++i) {
    const FieldDescriptor& field = *fields.field(i);
    if (field.options().GetExtension(documents::json).extends()) {
      CopyFacts(from, document->GetReflection()->MutableMessage(document, &field));
      continue;
    }
    const FieldDescriptor* const source = from.GetDescriptor()->FindFieldByName(field.name());
    if (source == nullptr || !IsAlike(*source, field)) continue;
    if (field.is_repeated()) {
      CopyList(from, *source, document, field);
    } else {
      CopyField(from, *source, document, field);
    }
  }
}

}  // namespace sweep::cli

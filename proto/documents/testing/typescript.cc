#include "proto/documents/testing/typescript.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "proto/documents/words.h"
#include "sweep/documents/json.pb.h"

namespace sweep {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::SourceLocation;

constexpr std::string_view kHead =
    "// Generated from proto/sweep/documents/documents.proto by documents_test; do not edit.\n"
    "// SWEEP_UPDATE_GOLDEN=1 build/release/bin/documents_test writes it again.\n";
constexpr std::size_t kMaxColumns = 100;

documents::JsonForm FormOf(const Descriptor& message) {
  return message.options().GetExtension(documents::form);
}

const documents::JsonField& OptionsOf(const FieldDescriptor& field) {
  return field.options().GetExtension(documents::json);
}

bool HasOneof(const Descriptor& message) { return message.real_oneof_decl_count() > 0; }

// Whether it stands at the top of the file with a name of its own.
bool IsExported(const Descriptor& message) {
  const documents::JsonForm form = FormOf(message);
  return form == documents::OBJECT || (form == documents::VALUE && HasOneof(message));
}

class Writer {
 public:
  explicit Writer(const FileDescriptor& file) : file_(file) {}

  std::string Run() {
    SourceLocation syntax;
    file_.GetSourceLocation({FileDescriptorProto::kSyntaxFieldNumber}, &syntax);
    std::string text = fmt::format("{}//\n{}", kHead, Comment(syntax.leading_comments, ""));
    for (const auto& [line, part] : Parts()) text += part;
    return text;
  }

 private:
  // By their lines in the file.
  std::map<int, std::string> Parts() {
    std::map<int, std::string> parts;
    for (int i = 0; i < file_.enum_type_count(); ++i) {
      const EnumDescriptor& enumeration = *file_.enum_type(i);
      std::string words = " " + WordsOf(enumeration);
      if (words.size() + 30 > kMaxColumns) {
        words = "\n  |" + absl::StrReplaceAll(words, {{" | ", "\n  | "}});
      }
      parts[LineOf(enumeration)] = fmt::format(
          "{}export type {} ={};\n", CommentsAbove(enumeration), enumeration.name(), words);
    }
    for (int i = 0; i < file_.message_type_count(); ++i) {
      const Descriptor& message = *file_.message_type(i);
      if (IsExported(message)) parts[LineOf(message)] = Exported(message);
    }
    return parts;
  }

  static std::string Exported(const Descriptor& message) {
    if (FormOf(message) == documents::VALUE) {
      return fmt::format("{}export type {} = {};\n", CommentsAbove(message), message.name(),
                         OnlyOf(message));
    }
    std::vector<std::string> bases;
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      if (OptionsOf(field).extends()) bases.push_back(field.message_type()->name());
    }
    return fmt::format("{}export interface {}{}{} {{\n{}}}\n", CommentsAbove(message),
                       message.name(), bases.empty() ? "" : " extends ", absl::StrJoin(bases, ", "),
                       FieldsOf(message, "  "));
  }

  static std::string FieldsOf(const Descriptor& message, const std::string& indent) {
    std::string text;
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      if (OptionsOf(field).extends()) continue;
      const SourceLocation location = LocationOf(field);
      const std::string& meaning = OptionsOf(field).meaning();
      const std::string behind =
          meaning.empty() ? Comment(location.trailing_comments, " ") : " // " + meaning + "\n";
      text += fmt::format("{}{}{}: {};{}", Comment(location.leading_comments, indent), indent,
                          field.name(), TypeOf(field, indent), behind.empty() ? "\n" : behind);
    }
    return text;
  }

  static std::string TypeOf(const FieldDescriptor& field, const std::string& indent) {
    const documents::JsonField& options = OptionsOf(field);
    std::string type = ItemOf(field, indent);
    if (field.is_repeated()) {
      if (field.message_type() != nullptr && FormOf(*field.message_type()) == documents::ENTRY) {
        return fmt::format("Record<string, {}>", type);
      }
      if (options.items_nullable()) type += " | null";
      const bool is_union =
          absl::StrContains(type, " | ") && !absl::StrContains("]}>", type.back());
      return is_union ? fmt::format("({})[]", type) : type + "[]";
    }
    return field.has_optional_keyword() ? type + " | null" : type;
  }

  // Without what says whether it is a list or may be null.
  static std::string ItemOf(const FieldDescriptor& field, const std::string& indent) {
    if (!OptionsOf(field).typescript().empty()) return OptionsOf(field).typescript();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return MessageType(*field.message_type(), indent);
      case FieldDescriptor::CPPTYPE_ENUM: {
        const EnumDescriptor& enumeration = *field.enum_type();
        return enumeration.containing_type() == nullptr ? enumeration.name() : WordsOf(enumeration);
      }
      case FieldDescriptor::CPPTYPE_STRING:
        return "string";
      case FieldDescriptor::CPPTYPE_BOOL:
        return "boolean";
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_INT64:
        return "number";
      default:
        return fmt::format("PrintJson has no {}", field.cpp_type_name());
    }
  }

  // An interface by its name; what is declared inside another message, a list or a pair in place.
  static std::string MessageType(const Descriptor& message, const std::string& indent) {
    switch (FormOf(message)) {
      case documents::ENTRY:
        return TypeOf(*message.field(1), indent);
      case documents::ARRAY: {
        std::vector<std::string> types;
        for (int i = 0; i < message.field_count(); ++i) {
          types.push_back(TypeOf(*message.field(i), indent));
        }
        return fmt::format("[{}]", absl::StrJoin(types, ", "));
      }
      case documents::VALUE:
        return HasOneof(message) ? message.name() : OnlyOf(message);
      default:
        break;
    }
    if (message.containing_type() == nullptr) return message.name();
    return InPlace(message, indent);
  }

  // On one line where it fits and has no comments.
  static std::string InPlace(const Descriptor& message, const std::string& indent) {
    std::vector<std::string> fields;
    bool is_short = true;
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      const SourceLocation location = LocationOf(field);
      is_short =
          is_short && location.leading_comments.empty() && location.trailing_comments.empty();
      fields.push_back(fmt::format("{}: {}", field.name(), TypeOf(field, "")));
    }
    const std::string line = fmt::format("{{ {} }}", absl::StrJoin(fields, "; "));
    if (is_short && line.size() + 20 < kMaxColumns) return line;
    return fmt::format("{{\n{}{}}}", FieldsOf(message, indent + "  "), indent);
  }

  // What a message stands for of which only one field is printed.
  static std::string OnlyOf(const Descriptor& message) {
    std::vector<std::string> types;
    for (int i = 0; i < message.field_count(); ++i) {
      const std::string type = TypeOf(*message.field(i), "");
      if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
    }
    return absl::StrJoin(types, " | ");
  }

  static std::string WordsOf(const EnumDescriptor& enumeration) {
    return absl::StrJoin(
        DocumentWords(enumeration), " | ",
        [](std::string* out, const std::string& word) { *out += fmt::format("\"{}\"", word); });
  }

  template <typename Described>
  static SourceLocation LocationOf(const Described& described) {
    SourceLocation location;
    described.GetSourceLocation(&location);
    return location;
  }
  template <typename Described>
  static int LineOf(const Described& described) {
    return LocationOf(described).start_line;
  }

  // A blank line, and what stands above it.
  template <typename Described>
  static std::string CommentsAbove(const Described& described) {
    const SourceLocation location = LocationOf(described);
    std::string text = "\n";
    for (const std::string& detached : location.leading_detached_comments) {
      text += Comment(detached, "") + "\n";
    }
    return text + Comment(location.leading_comments, "");
  }

  // Each line of a comment with its slashes; "" for none.
  static std::string Comment(const std::string& text, const std::string& indent) {
    std::string result;
    if (text.empty()) return result;
    const std::vector<std::string> lines = absl::StrSplit(text, '\n');
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) result += indent + "//" + lines[i] + "\n";
    return result;
  }

  const FileDescriptor& file_;
};

}  // namespace

std::string DocumentsAsTypeScript(const FileDescriptor& file) { return Writer(file).Run(); }

}  // namespace sweep

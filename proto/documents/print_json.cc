#include "proto/documents/print_json.h"

#include <google/protobuf/descriptor.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/utf8.h"
#include "proto/documents/words.h"
#include "sweep/documents/json.pb.h"

namespace sweep {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::int64_t kMostExact = std::int64_t{1} << 53;
// Numbers from 1e-4 up to here are written without an exponent.
constexpr int kMostDigits = 15;
constexpr int kMostZeros = 4;

void AppendInteger(std::int64_t value, std::string* out) {
  std::array<char, 24> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  out->append(text.data(), end.ptr);
}

// Digits that are read as digits * 10^(point - length), as nlohmann's JSON writes them: "0.05",
// "12.0", "1.5e-07".
void AppendDigits(std::string_view digits, int point, std::string* out) {
  const int length = static_cast<int>(digits.size());
  if (length <= point && point <= kMostDigits) {
    out->append(digits).append(static_cast<std::size_t>(point - length), '0').append(".0");
  } else if (0 < point && point <= kMostDigits) {
    const auto whole = static_cast<std::size_t>(point);
    out->append(digits.substr(0, whole)).append(".").append(digits.substr(whole));
  } else if (-kMostZeros < point && point <= 0) {
    out->append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else {
    out->append(digits.substr(0, 1));
    if (length > 1) out->append(".").append(digits.substr(1));
    const int exponent = point - 1;
    out->append(exponent < 0 ? "e-" : "e+");
    if (std::abs(exponent) < 10) out->push_back('0');
    AppendInteger(std::abs(exponent), out);
  }
}

// The shortest digits that are read as this number. Null unless finite: JSON has no other numbers.
void AppendNumber(double value, std::string* out) {
  if (!std::isfinite(value)) {
    out->append("null");
    return;
  }
  if (std::signbit(value)) out->push_back('-');
  if (value == 0) {
    out->append("0.0");
    return;
  }
  std::array<char, 40> text;  // "1.2345e-07"
  const auto end = std::to_chars(text.data(), text.data() + text.size(), std::fabs(value),
                                 std::chars_format::scientific);
  const std::string_view written(text.data(), static_cast<std::size_t>(end.ptr - text.data()));
  const std::size_t mark = written.find('e');
  std::string_view power = written.substr(mark + 1);
  if (power.front() == '+') power.remove_prefix(1);
  int exponent = 0;
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  std::array<char, 24> digits;
  std::size_t count = 0;
  for (const char letter : written.substr(0, mark)) {
    if (letter != '.') digits[count++] = letter;
  }
  AppendDigits(std::string_view(digits.data(), count), exponent + 1, out);
}

// Of a control character, a quote or a backslash.
void AppendEscape(char letter, std::string* out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kPlain = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  out->push_back('\\');
  if (const std::size_t place = kPlain.find(letter); place != std::string_view::npos) {
    out->push_back(kLetters[place]);
    return;
  }
  out->append("u00");
  out->push_back(kHex[static_cast<unsigned char>(letter) >> 4]);
  out->push_back(kHex[letter & 0xf]);
}

void AppendText(std::string_view text, std::string* out) {
  out->push_back('"');
  std::size_t plain = 0;  // what begins here is as it stands
  std::size_t i = 0;
  while (i < text.size()) {
    const auto letter = static_cast<unsigned char>(text[i]);
    const std::size_t length = letter < 0x80 ? 1 : Utf8Length(text.substr(i));
    const bool is_plain = length > 0 && letter >= 0x20 && letter != '"' && letter != '\\';
    if (!is_plain) {
      out->append(text.substr(plain, i - plain));
      if (length == 0) {
        out->append("\uFFFD");
      } else {
        AppendEscape(text[i], out);
      }
      plain = i + 1;
    }
    i += is_plain ? length : 1;
  }
  out->append(text.substr(plain)).push_back('"');
}

struct Plan;

// How a field is printed: what its descriptor and its options say, looked up once.
struct FieldPlan {
  const FieldDescriptor* field = nullptr;
  const Reflection* reflection = nullptr;  // asking a message for it takes longer than using it
  documents::JsonField json;
  std::string key;                 // "\"name\":"
  const Plan* plan = nullptr;      // of a message
  std::vector<std::string> words;  // of an enumeration, by number
};

struct Plan {
  documents::JsonForm form = documents::OBJECT;
  const google::protobuf::OneofDescriptor* oneof = nullptr;  // the only one
  std::vector<FieldPlan> fields;
};

// The plans of all messages that were printed, which live as long as the process.
class Plans {
 public:
  const Plan& Of(const Descriptor& message) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return Find(message);
  }

 private:
  const Plan& Find(const Descriptor& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::unique_ptr<Plan>& plan = plans_[&message];
    if (plan != nullptr) return *plan;
    plan = std::make_unique<Plan>();
    plan->form = message.options().GetExtension(documents::form);
    const Message& prototype =
        *google::protobuf::MessageFactory::generated_factory()->GetPrototype(&message);
    if (message.real_oneof_decl_count() > 0) plan->oneof = message.oneof_decl(0);
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      FieldPlan made{.field = &field,
                     .reflection = prototype.GetReflection(),
                     .json = field.options().GetExtension(documents::json)};
      AppendText(field.name(), &made.key);
      made.key.push_back(':');
      if (field.message_type() != nullptr) made.plan = &Find(*field.message_type());
      if (field.enum_type() != nullptr) made.words = DocumentWords(*field.enum_type());
      plan->fields.push_back(std::move(made));
    }
    return *plan;
  }

  Mutex mutex_;
  std::map<const Descriptor*, std::unique_ptr<Plan>> plans_ ABSL_GUARDED_BY(mutex_);
};

const Plan& PlanOf(const Descriptor& message) {
  static Plans& plans = *new Plans;
  return plans.Of(message);
}

bool IsEntry(const FieldPlan& field) {
  return field.plan != nullptr && field.plan->form == documents::ENTRY;
}

class Printer {
 public:
  explicit Printer(bool rounds) : rounds_(rounds) {}
  void Print(const Message& message, const Plan& plan) {
    switch (plan.form) {
      case documents::ARRAY:
        out_.push_back('[');
        for (const FieldPlan& field : plan.fields) {
          Separate();
          PrintField(message, field);
        }
        out_.push_back(']');
        return;
      case documents::VALUE:
        return PrintOnly(message, plan);
      default:
        out_.push_back('{');
        PrintFields(message, plan);
        out_.push_back('}');
        return;
    }
  }
  std::string Take() { return std::move(out_); }

 private:
  void Separate() {
    if (out_.back() != '[' && out_.back() != '{') out_.push_back(',');
  }

  void PrintFields(const Message& message, const Plan& plan) {
    for (const FieldPlan& field : plan.fields) {
      if (field.json.extends()) {
        PrintFields(field.reflection->GetMessage(message, field.field), *field.plan);
        continue;
      }
      Separate();
      out_.append(field.key);
      PrintField(message, field);
    }
  }

  // The only field, or that of its oneof which is set.
  void PrintOnly(const Message& message, const Plan& plan) {
    if (plan.oneof == nullptr) return PrintField(message, plan.fields.front());
    const FieldDescriptor* const field =
        plan.fields.front().reflection->GetOneofFieldDescriptor(message, plan.oneof);
    if (field == nullptr) {
      out_.append("null");
    } else {
      PrintSingle(message, plan.fields[static_cast<std::size_t>(field->index())]);
    }
  }

  void PrintField(const Message& message, const FieldPlan& field) {
    if (field.field->is_repeated()) return PrintList(message, field);
    if (field.field->has_optional_keyword() && !field.reflection->HasField(message, field.field)) {
      out_.append("null");
      return;
    }
    PrintSingle(message, field);
  }

  void PrintList(const Message& message, const FieldPlan& field) {
    const bool is_object = IsEntry(field);
    out_.push_back(is_object ? '{' : '[');
    const int count = field.reflection->FieldSize(message, field.field);
    for (int i = 0; i < count; ++i) {
      Separate();
      if (is_object) {
        PrintEntry(field.reflection->GetRepeatedMessage(message, field.field, i), *field.plan);
      } else {
        PrintItem(message, field, i);
      }
    }
    out_.push_back(is_object ? '}' : ']');
  }

  void PrintEntry(const Message& entry, const Plan& plan) {
    std::string unused;
    const FieldPlan& key = plan.fields.at(0);
    AppendText(key.reflection->GetStringReference(entry, key.field, &unused), &out_);
    out_.push_back(':');
    PrintField(entry, plan.fields.at(1));
  }

  void PrintSingle(const Message& message, const FieldPlan& plan) {
    const FieldDescriptor* const field = plan.field;
    std::string unused;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Print(plan.reflection->GetMessage(message, field), *plan.plan);
      case FieldDescriptor::CPPTYPE_STRING:
        return PrintText(plan.reflection->GetStringReference(message, field, &unused), plan);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return PrintNumber(plan.reflection->GetDouble(message, field), plan);
      case FieldDescriptor::CPPTYPE_INT64:
        return PrintInteger(plan.reflection->GetInt64(message, field), plan);
      case FieldDescriptor::CPPTYPE_BOOL:
        return PrintFlag(plan.reflection->GetBool(message, field));
      case FieldDescriptor::CPPTYPE_ENUM:
        return PrintWord(plan.reflection->GetEnumValue(message, field), plan);
      default:
        return;  // api.ts, which is generated, would not compile
    }
  }

  void PrintItem(const Message& message, const FieldPlan& plan, int i) {
    const FieldDescriptor* const field = plan.field;
    std::string unused;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Print(plan.reflection->GetRepeatedMessage(message, field, i), *plan.plan);
      case FieldDescriptor::CPPTYPE_STRING:
        return PrintText(plan.reflection->GetRepeatedStringReference(message, field, i, &unused),
                         plan);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return PrintNumber(plan.reflection->GetRepeatedDouble(message, field, i), plan);
      case FieldDescriptor::CPPTYPE_INT64:
        return PrintInteger(plan.reflection->GetRepeatedInt64(message, field, i), plan);
      case FieldDescriptor::CPPTYPE_BOOL:
        return PrintFlag(plan.reflection->GetRepeatedBool(message, field, i));
      case FieldDescriptor::CPPTYPE_ENUM:
        return PrintWord(plan.reflection->GetRepeatedEnumValue(message, field, i), plan);
      default:
        return;  // likewise
    }
  }

  void PrintText(const std::string& text, const FieldPlan& plan) {
    if (plan.json.verbatim()) {
      out_.append(text.empty() ? "null" : text);
    } else {
      AppendText(text, &out_);
    }
  }

  void PrintNumber(double value, const FieldPlan& plan) {
    AppendNumber(rounds_ && plan.json.rounded() ? RoundToSixDigits(value) : value, &out_);
  }

  void PrintInteger(std::int64_t value, const FieldPlan& plan) {
    const bool is_text = plan.json.text_when_large() && (value > kMostExact || value < -kMostExact);
    if (is_text) out_.push_back('"');
    AppendInteger(value, &out_);
    if (is_text) out_.push_back('"');
  }

  void PrintFlag(bool flag) { out_.append(flag ? "true" : "false"); }

  void PrintWord(int number, const FieldPlan& plan) {
    const auto index = static_cast<std::size_t>(number);
    AppendText(index < plan.words.size() ? plan.words[index] : "", &out_);
  }

  const bool rounds_;
  std::string out_;
};

// Takes off half of the rows, if there are two of them.
bool Halve(const FieldDescriptor& list, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const int rows = reflection.FieldSize(*message, &list);
  if (rows < 2) return false;
  const int left_out = rows - rows / 2;
  for (int i = 0; i < left_out; ++i) reflection.RemoveLast(message, &list);
  const Descriptor& descriptor = *message->GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor* const field = descriptor.field(i);
    if (!field->options().GetExtension(documents::json).counts_cut()) continue;
    reflection.SetInt64(message, field, reflection.GetInt64(*message, field) + left_out);
  }
  return true;
}

// Cuts the lists of `part`, which is `whole` or one whose fields stand among those of it.
void CutToFit(std::size_t limit_bytes, const Message& whole, Message* part, std::string* text) {
  const Descriptor& descriptor = *part->GetDescriptor();
  for (int i = descriptor.field_count(); i-- > 0 && text->size() > limit_bytes;) {
    const FieldDescriptor& field = *descriptor.field(i);
    const documents::JsonField& json = field.options().GetExtension(documents::json);
    if (json.extends() && part->GetReflection()->HasField(*part, &field)) {
      CutToFit(limit_bytes, whole, part->GetReflection()->MutableMessage(part, &field), text);
    }
    if (!json.cut_to_fit()) continue;
    while (text->size() > limit_bytes && Halve(field, part)) *text = PrintJson(whole);
  }
}

}  // namespace

double RoundToSixDigits(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double magnitude = std::floor(std::log10(std::fabs(value)));
  // Beyond these the power of ten is no double.
  if (magnitude < -300 || magnitude > 300) return value;
  // By the power of ten that is exact, so that the shortest decimal text stays short.
  if (magnitude <= 5) {
    const double scale = std::pow(10, 5 - magnitude);
    return std::round(value * scale) / scale;
  }
  const double scale = std::pow(10, magnitude - 5);
  return std::round(value / scale) * scale;
}

std::string PrintJson(const Message& message, bool rounds) {
  Printer printer(rounds);
  printer.Print(message, PlanOf(*message.GetDescriptor()));
  return printer.Take();
}

std::string PrintJsonWithin(std::size_t limit_bytes, Message* message) {
  std::string text = PrintJson(*message);
  CutToFit(limit_bytes, *message, message, &text);
  return text;
}

}  // namespace sweep

#include "coordinator/views/testing/api_contract.h"

#include <algorithm>
#include <cctype>
#include <regex>
#include <stdexcept>
#include <utility>

namespace sweep {
namespace {

using nlohmann::json;
using Kind = ApiType::Kind;

class Parser {
 public:
  explicit Parser(std::string text) : text_(std::move(text)) {}

  // Every "export interface" and "export type".
  std::map<std::string, ApiType> Run() {
    std::map<std::string, ApiType> types;
    for (Skip(); position_ < text_.size(); Skip()) {
      Expect("export");
      const std::string what = Word();
      const std::string name = Word();
      if (what == "type") {
        Expect("=");
        types[name] = Union();
        Expect(";");
        continue;
      }
      ApiType base;
      if (Take("extends")) base = types.at(Word());
      ApiType type = Object();
      type.fields.insert(type.fields.begin(), base.fields.begin(), base.fields.end());
      types[name] = std::move(type);
    }
    return types;
  }

 private:
  void Skip() {
    while (position_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[position_]))) {
      ++position_;
    }
  }
  bool Take(std::string_view token) {
    Skip();
    if (text_.compare(position_, token.size(), token) != 0) return false;
    position_ += token.size();
    return true;
  }
  void Expect(std::string_view token) {
    if (Take(token)) return;
    throw std::runtime_error("api.ts: expected '" + std::string(token) + "' before '" +
                             text_.substr(position_, 40) + "'");
  }
  std::string Word() {
    Skip();
    const std::size_t begin = position_;
    while (
        position_ < text_.size() &&
        (std::isalnum(static_cast<unsigned char>(text_[position_])) || text_[position_] == '_')) {
      ++position_;
    }
    if (begin == position_) Expect("a word");
    return text_.substr(begin, position_ - begin);
  }
  std::string Quoted() {
    Expect("\"");
    const std::size_t end = text_.find('"', position_);
    std::string text = text_.substr(position_, end - position_);
    position_ = end + 1;
    return text;
  }

  ApiType Object() {
    ApiType type{.kind = Kind::kObject};
    Expect("{");
    while (!Take("}")) {
      std::string name = Word();
      Expect(":");
      type.fields.emplace_back(std::move(name), Union());
      if (!Take(";")) {
        Expect("}");
        break;
      }
    }
    return type;
  }

  ApiType Union() {
    Take("|");
    ApiType first = Postfix();
    Skip();
    if (text_[position_] != '|') return first;
    ApiType type{.kind = Kind::kUnion, .parts = {std::move(first)}};
    while (Take("|")) type.parts.push_back(Postfix());
    return type;
  }

  ApiType Postfix() {
    ApiType type = Primary();
    while (Take("[")) {
      if (Take("]")) {
        type = {.kind = Kind::kArray, .parts = {std::move(type)}};
      } else {
        type = {.kind = Kind::kFieldOf, .text = Quoted(), .parts = {std::move(type)}};
        Expect("]");
      }
    }
    return type;
  }

  ApiType Primary() {
    Skip();
    const char next = text_[position_];
    if (next == '{') return Object();
    if (next == '"') return {.kind = Kind::kLiteral, .text = Quoted()};
    if (Take("(")) {
      ApiType type = Union();
      Expect(")");
      return type;
    }
    if (Take("[")) {
      ApiType type{.kind = Kind::kTuple};
      do type.parts.push_back(Union());
      while (Take(","));
      Expect("]");
      return type;
    }
    ApiType type{.kind = Kind::kName, .text = Word()};
    if (type.text != "Record") return type;
    Expect("<");
    Expect("string");
    Expect(",");
    type = {.kind = Kind::kRecord, .parts = {Union()}};
    Expect(">");
    return type;
  }

  std::string text_;
  std::size_t position_ = 0;
};

}  // namespace

ApiContract::ApiContract(std::string_view text)
    : types_(Parser(std::regex_replace(std::string(text), std::regex("//[^\n]*"), "")).Run()) {}

std::string ApiContract::Complaints(const std::string& interface, const json& document) const {
  std::string complaints;
  Check(types_.at(interface), document, interface, &complaints);
  return complaints;
}

bool ApiContract::Fits(const ApiType& type, const json& value) const {
  std::string complaints;
  Check(type, value, "", &complaints);
  return complaints.empty();
}

void ApiContract::CheckNamed(const ApiType& type, const json& value, const std::string& path,
                             std::string* complaints) const {
  if (type.text == "unknown") return;
  if (const auto named = types_.find(type.text); named != types_.end()) {
    return Check(named->second, value, path, complaints);
  }
  const bool fits = (type.text == "number" && value.is_number()) ||
                    (type.text == "string" && value.is_string()) ||
                    (type.text == "boolean" && value.is_boolean()) ||
                    (type.text == "null" && value.is_null());
  if (fits) return;
  *complaints += path + ": is " + value.dump().substr(0, 60) + ", not a " + type.text + "\n";
}

void ApiContract::CheckObject(const ApiType& type, const json& value, const std::string& path,
                              std::string* complaints) const {
  if (!value.is_object()) {
    *complaints += path + ": is no object\n";
    return;
  }
  for (const auto& [name, field] : type.fields) {
    if (value.contains(name)) {
      Check(field, value[name], path + "." + name, complaints);
    } else {
      *complaints += path + ": has no " + name + "\n";
    }
  }
  for (const auto& [key, item] : value.items()) {
    const bool is_known = std::any_of(type.fields.begin(), type.fields.end(),
                                      [&key = key](const auto& f) { return f.first == key; });
    if (!is_known) *complaints += path + ": has " + key + ", which api.ts does not\n";
  }
}

void ApiContract::Check(const ApiType& type, const json& value, const std::string& path,
                        std::string* complaints) const {
  const auto complain = [&](const std::string& what) { *complaints += path + ": " + what + "\n"; };
  switch (type.kind) {
    case Kind::kName:
      return CheckNamed(type, value, path, complaints);
    case Kind::kLiteral:
      if (value != type.text) complain("is " + value.dump().substr(0, 60));
      return;
    case Kind::kUnion: {
      const bool fits = std::any_of(type.parts.begin(), type.parts.end(),
                                    [&](const ApiType& part) { return Fits(part, value); });
      if (fits) return;
      // Of what could be meant, the complaints in detail.
      if (!value.is_null() && type.parts.size() == 2 && type.parts[1].text == "null") {
        return Check(type.parts[0], value, path, complaints);
      }
      return complain("is " + value.dump().substr(0, 60));
    }
    case Kind::kFieldOf: {
      const ApiType& owner = types_.at(type.parts[0].text);
      for (const auto& [name, field] : owner.fields) {
        if (name == type.text) return Check(field, value, path, complaints);
      }
      return complain("there is no field " + type.text);
    }
    case Kind::kArray:
    case Kind::kTuple: {
      if (!value.is_array()) return complain("is no array");
      const bool is_tuple = type.kind == Kind::kTuple;
      if (is_tuple && value.size() != type.parts.size()) return complain("is of another length");
      for (std::size_t i = 0; i < value.size(); ++i) {
        Check(type.parts[is_tuple ? i : 0], value[i], path + "[" + std::to_string(i) + "]",
              complaints);
      }
      return;
    }
    case Kind::kRecord:
      if (!value.is_object()) return complain("is no object");
      for (const auto& [key, item] : value.items()) {
        Check(type.parts[0], item, path + "." + key, complaints);
      }
      return;
    case Kind::kObject:
      return CheckObject(type, value, path, complaints);
  }
}

}  // namespace sweep

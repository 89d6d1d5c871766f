#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json.hpp"

namespace sweep {

// A type of TypeScript, as far as dashboards/web/src/api.ts uses them. For tests.
struct ApiType {
  enum class Kind { kName, kLiteral, kObject, kArray, kTuple, kUnion, kRecord, kFieldOf };
  Kind kind = Kind::kName;
  std::string text;                                     // kName, kLiteral; the field of kFieldOf
  std::vector<ApiType> parts;                           // elements, alternatives
  std::vector<std::pair<std::string, ApiType>> fields;  // kObject
};

// The interfaces and types of api.ts, against which documents are held. For tests; throws
// std::runtime_error for a file that it does not understand.
class ApiContract {
 public:
  explicit ApiContract(std::string_view text);

  // What is wrong with `document` as `interface`: missing and unknown keys, values of another type.
  // One line each; "" when nothing is.
  std::string Complaints(const std::string& interface, const nlohmann::json& document) const;

 private:
  void Check(const ApiType& type, const nlohmann::json& value, const std::string& path,
             std::string* complaints) const;
  void CheckNamed(const ApiType& type, const nlohmann::json& value, const std::string& path,
                  std::string* complaints) const;
  void CheckObject(const ApiType& type, const nlohmann::json& value, const std::string& path,
                   std::string* complaints) const;
  bool Fits(const ApiType& type, const nlohmann::json& value) const;

  std::map<std::string, ApiType> types_;
};

}  // namespace sweep

#include "common/yaml/document_scan.h"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "common/base/utf8.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/yaml.h"

namespace sweep {
namespace {

// Thrown to stop yaml-cpp's parser early.
struct TooManyNodes {
  int line;
};

// Counts the nodes of a document.
class Counter final : public YAML::EventHandler {
 public:
  explicit Counter(int max_nodes) : left_(max_nodes) {}

  bool empty() const { return empty_; }
  int start_line() const { return start_line_; }

  void OnDocumentStart(const YAML::Mark& mark) override { start_line_ = mark.line + 1; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    // A document with only a null counts as empty.
    const bool was_empty = empty_;
    Count(mark);
    empty_ = was_empty;
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Count(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string&) override {
    Count(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Count(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Count(mark);
  }
  void OnMapEnd() override {}

 private:
  void Count(const YAML::Mark& mark) {
    if (--left_ < 0) throw TooManyNodes{mark.line + 1};
    empty_ = false;
  }

  int left_;
  bool empty_ = true;
  int start_line_ = 0;
};

// Finds characters that YAML forbids in any text (section 5.1), and those that make yaml-cpp assume
// another encoding.
YamlFault FindControl(const std::string& text) {
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && c != '\t' && c != '\n' && c != '\r';
  };
  const auto found = std::find_if(text.begin(), text.end(), is_control);
  if (found == text.end()) return {};
  const auto line = std::count(text.begin(), found, '\n') + 1;
  char message[96];
  std::snprintf(message, sizeof(message),
                "is no text: it contains the control character U+%04X, which YAML does not allow",
                static_cast<unsigned>(static_cast<unsigned char>(*found)));
  return {static_cast<int>(line), message};
}

}  // namespace

YamlFault ScanYaml(const std::string& text, int max_nodes, bool allows_controls) {
  if (const int line = BrokenUtf8Line(text); line > 0) return {line, "is not UTF-8 text"};
  if (YamlFault fault = FindControl(text); !allows_controls && !fault.message.empty()) return fault;
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  try {
    Counter first(max_nodes);
    if (!parser.HandleNextDocument(first) || first.empty()) return {0, "is empty"};
    Counter second(max_nodes);
    if (!parser.HandleNextDocument(second)) return {};
    return {second.start_line(), "a second YAML document starts here; one is allowed"};
  } catch (const TooManyNodes& fault) {
    return {fault.line, "more than " + std::to_string(max_nodes) + " values"};
  }
}

}  // namespace sweep

#pragma once

#include <optional>
#include <string>

#include "common/base/diagnostic.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// A sweep file's text as YAML, parsed once by the rules of the newest edition. Shared by the parser
// and the loaders of the files that it names. Immutable.
class SweepDocument {
 public:
  SweepDocument(const std::string& file, const std::string& text) {
    YamlReader reader(file, &complaints_);
    root_ = reader.Load(text);
  }

  // nullopt when the text is no acceptable YAML; complaints() says why.
  const std::optional<YAML::Node>& root() const { return root_; }
  const Diagnostics& complaints() const { return complaints_; }

 private:
  Diagnostics complaints_;
  std::optional<YAML::Node> root_;
};

}  // namespace sweep

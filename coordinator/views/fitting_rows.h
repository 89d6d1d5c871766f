#pragma once

#include <cstddef>
#include <utility>

#include "coordinator/views/json.h"
#include "coordinator/views/view_context.h"

namespace sweep {

// The rows of a document that continues elsewhere: those that fit into it as it is sent, so that
// nothing is cut off behind the position that its page token names.
class FittingRows {
 public:
  // `frame`: the document without its rows.
  explicit FittingRows(const Json& frame) : bytes_(DumpJson(frame).size() + kTokenBytes) {}

  // False when the document would become too large; the first row is always taken.
  bool Add(Json row) {
    const std::size_t bytes = bytes_ + DumpJson(row).size() + 1;
    if (bytes > kMaxDocumentBytes && !rows_.empty()) return false;
    bytes_ = bytes;
    rows_.push_back(std::move(row));
    return true;
  }

  std::size_t size() const { return rows_.size(); }
  Json Take() { return std::exchange(rows_, Json::array()); }

 private:
  static constexpr std::size_t kTokenBytes = 200;  // and the brackets
  std::size_t bytes_;
  Json rows_ = Json::array();
};

}  // namespace sweep

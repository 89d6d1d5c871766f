#pragma once

#include <google/protobuf/message.h>

#include <cstddef>

#include "coordinator/views/view_context.h"
#include "proto/documents/print_json.h"

namespace sweep {

// Decides how many rows fit into a document that continues on another page. Such a document must
// not be cut when it is printed: its page token says where the next page begins.
class FittingRows {
 public:
  // `frame`: the document without its rows.
  explicit FittingRows(const google::protobuf::Message& frame)
      : bytes_(PrintJson(frame).size() + kTokenBytes) {}

  // False when the document would become too large with this row; the first one always fits.
  bool Add(const google::protobuf::Message& row) {
    const std::size_t bytes = bytes_ + PrintJson(row).size() + 1;
    if (bytes > kMaxDocumentBytes && !is_first_) return false;
    bytes_ = bytes;
    is_first_ = false;
    return true;
  }

 private:
  static constexpr std::size_t kTokenBytes = 200;  // and the brackets
  std::size_t bytes_;
  bool is_first_ = true;
};

}  // namespace sweep

#include "worker/agent/line_splitter.h"

#include <utility>

namespace sweep {

void LineSplitter::Append(std::string_view piece, const Sink& sink) {
  if (piece.empty()) return;
  if (std::exchange(returned_, false)) {
    line_.clear();
    skipping_ = false;
  }
  if (skipping_) return;
  const std::size_t room = limit_bytes_ - line_.size();
  line_.append(piece.substr(0, room));
  if (piece.size() <= room) return;
  sink(line_, /*cut=*/true);
  line_.clear();
  skipping_ = true;
}

void LineSplitter::Feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find_first_of("\r\n");
    Append(bytes.substr(0, end), sink);
    if (end == std::string_view::npos) return;
    returned_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (returned_) continue;
    if (!skipping_) sink(line_, /*cut=*/false);
    line_.clear();
    skipping_ = false;
  }
}

void LineSplitter::Finish(const Sink& sink) {
  if (!skipping_ && !line_.empty()) sink(line_, /*cut=*/false);
  line_.clear();
  skipping_ = returned_ = false;
}

}  // namespace sweep

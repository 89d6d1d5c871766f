#include "worker/agent/line_splitter.h"

#include <algorithm>

namespace sweep {

void LineSplitter::Emit(bool cut, const Sink& sink) {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  sink(line_, cut);
  line_.clear();
}

void LineSplitter::Feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, newline);
    if (!skipping_) {
      const std::size_t room = limit_bytes_ - line_.size();
      line_.append(piece.substr(0, room));
      if (piece.size() > room) {
        Emit(/*cut=*/true, sink);
        skipping_ = true;
      }
    }
    if (newline == std::string_view::npos) return;
    if (!skipping_) Emit(/*cut=*/false, sink);
    skipping_ = false;
    bytes.remove_prefix(newline + 1);
  }
}

void LineSplitter::Finish(const Sink& sink) {
  if (!skipping_ && !line_.empty()) Emit(/*cut=*/false, sink);
  skipping_ = false;
}

}  // namespace sweep

#include "cli/present/log_sink.h"

#include <iostream>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "cli/present/live_block.h"
#include "common/logging/log.h"
#include "spdlog/sinks/base_sink.h"
#include "spdlog/spdlog.h"

namespace sweep::cli {
namespace {

class AboveLiveText final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    LiveBlock::Above(std::cerr, std::string_view(line.data(), line.size()));
  }
  void flush_() override { std::cerr << std::flush; }
};

}  // namespace

void LogAboveLiveText() {
  auto sink = std::make_shared<AboveLiveText>();  // shared with the logger
  auto logger = std::make_shared<spdlog::logger>("sweep", std::move(sink));
  logger->set_formatter(LogFormatter("%l: %*"));
  spdlog::set_default_logger(std::move(logger));
  spdlog::set_level(spdlog::level::warn);
}

}  // namespace sweep::cli

#include "common/logging/log.h"

#include <gtest/gtest.h>

#include <sstream>

#include "spdlog/formatter.h"
#include "spdlog/logger.h"
#include "spdlog/sinks/ostream_sink.h"

namespace sweep {
namespace {

TEST(Log, AMessageCannotEndItsLineOrDriveATerminal) {
  std::ostringstream out;
  spdlog::logger logger("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  logger.set_formatter(LogFormatter("%l %*"));
  logger.warn("worker=\u202Eevil reason=\"two\nlines\" colour=\x1b[31m host=größe");
  EXPECT_EQ(out.str(),
            "warning worker=\\u202eevil reason=\"two\\nlines\" colour=\\x1b[31m host=größe\n");
}

}  // namespace
}  // namespace sweep

#include "common/base/end_signals.h"

#include <gtest/gtest.h>

#include <chrono>

namespace sweep {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr EndSignals::TimePoint kStart{std::chrono::hours(1)};

TEST(EndSignals, TheFirstOfAnyKindIsAWish) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    EndSignals signals;
    EXPECT_EQ(signals.requests(), 0);
    EXPECT_EQ(signals.Take(signal, kStart), 1) << signal;
  }
}

TEST(EndSignals, WhatABatchSystemRepeatsIsOneWish) {
  EndSignals signals;
  signals.Take(SIGTERM, kStart);
  EXPECT_EQ(signals.Take(SIGTERM, kStart), 1);
  EXPECT_EQ(signals.Take(SIGTERM, kStart + milliseconds(100)), 1);
  EXPECT_EQ(signals.Take(SIGTERM, kStart + milliseconds(4999)), 1);
  EXPECT_EQ(signals.requests(), 1);
}

TEST(EndSignals, OneSomeSecondsLaterIsAnother) {
  EndSignals signals;
  signals.Take(SIGTERM, kStart);
  EXPECT_EQ(signals.Take(SIGTERM, kStart + seconds(5)), 2);
  EXPECT_EQ(signals.Take(SIGTERM, kStart + milliseconds(5100)), 2) << "it is repeated, too";
  EXPECT_EQ(signals.Take(SIGTERM, kStart + seconds(10)), 3);
}

TEST(EndSignals, ATerminalThatClosesIsOneWish) {
  EndSignals signals;
  signals.Take(SIGHUP, kStart);
  EXPECT_EQ(signals.Take(SIGTERM, kStart + milliseconds(200)), 1);
  EXPECT_EQ(signals.Take(SIGHUP, kStart + milliseconds(300)), 1);
  EXPECT_EQ(signals.Take(SIGHUP, kStart + seconds(6)), 2);
}

TEST(EndSignals, ASecondKeyPressNeedNotWait) {
  EndSignals signals;
  signals.Take(SIGINT, kStart);
  EXPECT_EQ(signals.Take(SIGINT, kStart + milliseconds(20)), 1) << "handed on by a wrapper";
  EXPECT_EQ(signals.Take(SIGINT, kStart + milliseconds(250)), 2);
}

TEST(EndSignals, APersonMayHurryWhatABatchSystemBegan) {
  EndSignals signals;
  signals.Take(SIGTERM, kStart);
  EXPECT_EQ(signals.Take(SIGINT, kStart + seconds(1)), 2);
  EndSignals other;
  other.Take(SIGINT, kStart);
  EXPECT_EQ(other.Take(SIGTERM, kStart + seconds(1)), 1);
}

TEST(EndSignalSet, LeavesOutAHangupThatIsIgnored) {
  struct sigaction ignore = {}, before = {};
  ignore.sa_handler = SIG_DFL;
  sigaction(SIGHUP, &ignore, &before);
  sigset_t set = EndSignalSet();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) EXPECT_TRUE(sigismember(&set, signal));
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGHUP, &ignore, nullptr);
  set = EndSignalSet();
  EXPECT_FALSE(sigismember(&set, SIGHUP));
  EXPECT_TRUE(sigismember(&set, SIGTERM));
  sigaction(SIGHUP, &before, nullptr);
}

}  // namespace
}  // namespace sweep

#include "coordinator/scheduler/effects.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "coordinator/store/testing/store_testing.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What was done, in order.
class Record {
 public:
  void Add(std::string what) {
    MutexLock lock(&mutex_);
    done_.push_back(std::move(what));
  }
  std::vector<std::string> Get() const {
    MutexLock lock(&mutex_);
    return done_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> done_ ABSL_GUARDED_BY(mutex_);
};

class EffectsTest : public testing::Test {
 protected:
  // A write and its completion, both recorded.
  void DeferWrite(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(effects_.mutex) {
    effects_.DeferWrite(WriteOf(name), DoneOf(name));
  }
  Store::WriteFunction WriteOf(const std::string& name) {
    return [this, name](WriteTransaction&) {
      record_.Add("write " + name);
      return absl::OkStatus();
    };
  }
  Store::Completion DoneOf(const std::string& name) {
    return [this, name](const absl::Status& status) {
      record_.Add("done " + name + " " + std::string(absl::StatusCodeToString(status.code())));
    };
  }
  void Defer(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(effects_.mutex) {
    effects_.Defer([this, name] { record_.Add(name); });
  }

  std::unique_ptr<Store> store_ = Must(Store::Open({}));
  EventBus events_;
  Record record_;
  Effects effects_{store_.get(), &events_};
};

TEST_F(EffectsTest, NothingIsDoneUnderTheLock) {
  {
    MutexLock lock(&effects_.mutex);
    Defer("a");
    DeferWrite("b");
    EXPECT_THAT(record_.Get(), IsEmpty());
  }
  effects_.RunDeferred();
  effects_.WaitIdle();
  EXPECT_THAT(record_.Get(), ElementsAre("a", "write b", "done b OK"));
}

TEST_F(EffectsTest, AnotherThreadDoesWhatIsLeftToIt) {
  effects_.StartThread();
  std::latch left(1);
  {
    MutexLock lock(&effects_.mutex);
    // Would wait for ever if RunDeferredElsewhere did it.
    effects_.Defer([&left] { left.wait(); });
    DeferWrite("a");
  }
  effects_.RunDeferredElsewhere();
  left.count_down();
  effects_.WaitIdle();
  EXPECT_THAT(record_.Get(), ElementsAre("write a", "done a OK"));
  effects_.StopThread();
}

TEST_F(EffectsTest, WithoutAThreadWhatIsLeftIsDoneAtOnce) {
  const auto leave = [this](const std::string& name) {
    {
      MutexLock lock(&effects_.mutex);
      Defer(name);
    }
    effects_.RunDeferredElsewhere();
  };
  leave("before there is a thread");
  effects_.StartThread();
  effects_.StopThread();
  leave("after its end");
  EXPECT_THAT(record_.Get(), ElementsAre("before there is a thread", "after its end"));
}

TEST_F(EffectsTest, ThreadsAreServedInTheOrderOfTheirDecisions) {
  constexpr int kThreads = 8;
  constexpr int kDecisions = 500;
  int decisions = 0;
  std::vector<int> done;  // without a lock of its own: one thread at a time
  std::atomic<int> running = 0;
  int most_running = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < kDecisions; ++i) {
          {
            MutexLock lock(&effects_.mutex);
            effects_.Defer([&, decision = ++decisions] {
              most_running = std::max(most_running, ++running);
              done.push_back(decision);
              std::this_thread::yield();
              --running;
            });
          }
          effects_.RunDeferred();
        }
      });
    }
  }
  effects_.WaitIdle();
  std::vector<int> expected(kThreads * kDecisions);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(done, expected);
  EXPECT_EQ(most_running, 1);
}

TEST_F(EffectsTest, TheStoreGetsWritesInTheOrderOfTheDecisions) {
  constexpr int kThreads = 4;
  constexpr int kDecisions = 50;
  int decisions = 0;
  std::vector<int> written;  // on the writer thread only
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < kDecisions; ++i) {
          {
            MutexLock lock(&effects_.mutex);
            const int decision = ++decisions;
            effects_.DeferWrite(
                [&written, decision](WriteTransaction&) {
                  written.push_back(decision);
                  return absl::OkStatus();
                },
                [](const absl::Status& status) { EXPECT_EQ(status, absl::OkStatus()); });
          }
          effects_.RunDeferred();
        }
      });
    }
  }
  effects_.WaitIdle();
  std::vector<int> expected(kThreads * kDecisions);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(written, expected);
}

TEST_F(EffectsTest, ACompletionTakesTheLockAndNeedNotRunWhatItDefers) {
  {
    MutexLock lock(&effects_.mutex);
    effects_.DeferWrite(WriteOf("a"), [this](const absl::Status&) {
      record_.Add("done a");
      MutexLock lock(&effects_.mutex);
      DeferWrite("b");
    });
  }
  effects_.RunDeferred();
  effects_.WaitIdle();
  EXPECT_THAT(record_.Get(), ElementsAre("write a", "done a", "write b", "done b OK"));
}

TEST_F(EffectsTest, AThreadLeavesItsActionsToTheThreadAtWork) {
  std::latch has_started(1);
  std::latch may_end(1);
  {
    MutexLock lock(&effects_.mutex);
    effects_.Defer([&] {
      has_started.count_down();
      may_end.wait();
      record_.Add("first");
    });
    Defer("second");
  }
  std::jthread works([this] { effects_.RunDeferred(); });
  has_started.wait();
  {
    MutexLock lock(&effects_.mutex);
    Defer("third");
  }
  effects_.RunDeferred();
  EXPECT_THAT(record_.Get(), IsEmpty());
  may_end.count_down();
  works.join();
  EXPECT_THAT(record_.Get(), ElementsAre("first", "second", "third"));
}

TEST_F(EffectsTest, AnActionThatDefersMoreIsNotInterrupted) {
  {
    MutexLock lock(&effects_.mutex);
    effects_.Defer([this] {
      {
        MutexLock lock(&effects_.mutex);
        Defer("later");
      }
      effects_.RunDeferred();
      record_.Add("first");
    });
    Defer("second");
  }
  effects_.RunDeferred();
  EXPECT_THAT(record_.Get(), ElementsAre("first", "second", "later"));
}

TEST_F(EffectsTest, APreparedWriteKeepsItsPlace) {
  {
    MutexLock lock(&effects_.mutex);
    effects_.DeferPreparedWrite(
        [this] {
          MutexLock lock(&effects_.mutex);  // it is free
          record_.Add("prepare a");
        },
        WriteOf("a"), DoneOf("a"));
    DeferWrite("b");
  }
  effects_.RunDeferred();
  effects_.WaitIdle();
  const std::vector<std::string> done = record_.Get();
  const auto place = [&](const std::string& what) {
    return std::find(done.begin(), done.end(), what) - done.begin();
  };
  EXPECT_EQ(done.size(), 5);
  EXPECT_LT(place("prepare a"), place("write a"));
  EXPECT_LT(place("write a"), place("write b"));
  EXPECT_LT(place("done a OK"), place("done b OK"));
}

TEST_F(EffectsTest, WaitIdleWaitsForTheCompletionOfAWrite) {
  std::latch may_commit(1);
  {
    MutexLock lock(&effects_.mutex);
    effects_.DeferWrite(
        [&](WriteTransaction&) {
          may_commit.wait();
          return absl::OkStatus();
        },
        DoneOf("a"));
  }
  effects_.RunDeferred();
  std::jthread waits([this] {
    effects_.WaitIdle();
    record_.Add("idle");
  });
  EXPECT_THAT(record_.Get(), IsEmpty());
  may_commit.count_down();
  waits.join();
  EXPECT_THAT(record_.Get(), ElementsAre("done a OK", "idle"));
}

TEST_F(EffectsTest, AFailedWriteTellsItsCompletion) {
  effects_.Write([](WriteTransaction&) { return absl::NotFoundError("it is not there"); },
                 DoneOf("a"));
  effects_.WaitIdle();
  EXPECT_THAT(record_.Get(), ElementsAre("done a NOT_FOUND"));
}

TEST_F(EffectsTest, RequestsAreRefusedOnceItStops) {
  effects_.Write(WriteOf("a"), DoneOf("a"));
  effects_.WaitIdle();
  {
    MutexLock lock(&effects_.mutex);
    effects_.Stop();
    EXPECT_TRUE(effects_.is_stopping());
  }
  effects_.Write(WriteOf("b"), DoneOf("b"));
  effects_.WaitIdle();
  EXPECT_THAT(record_.Get(), ElementsAre("write a", "done a OK", "done b UNAVAILABLE"));
}

TEST_F(EffectsTest, WhatIsUnderWayIsStillWrittenWhenItStops) {
  {
    MutexLock lock(&effects_.mutex);
    DeferWrite("a");
    effects_.Stop();
    DeferWrite("b");
  }
  effects_.RunDeferred();
  effects_.WaitIdle();
  const std::vector<std::string> done = record_.Get();
  EXPECT_EQ(std::count(done.begin(), done.end(), "done a OK"), 1);
  EXPECT_EQ(std::count(done.begin(), done.end(), "done b OK"), 1);
}

TEST_F(EffectsTest, AListenerIsToldAfterTheLockIsReleased) {
  events_.Subscribe(7, [this](EventBus::Signal signal) {
    MutexLock lock(&effects_.mutex);  // it is free
    record_.Add(signal == EventBus::Signal::kEvents ? "events" : "progress");
  });
  {
    MutexLock lock(&effects_.mutex);
    effects_.DeferSignal(7, EventBus::Signal::kEvents);
    effects_.DeferSignal(8, EventBus::Signal::kEvents);
    effects_.DeferSignal(7, EventBus::Signal::kProgress);
  }
  effects_.RunDeferred();
  EXPECT_THAT(record_.Get(), ElementsAre("events", "progress"));
}

}  // namespace
}  // namespace sweep

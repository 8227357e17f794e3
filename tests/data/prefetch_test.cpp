#include "data/prefetch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace kern::data {
namespace {

TEST(Prefetch, ItemsComeInOrderAndThenNothing) {
  for (const size_t ahead : {size_t(0), size_t(1), size_t(5), size_t(1000)}) {
    Prefetch<int64_t> items(
        3, 200, [](int64_t i) { return i * i; }, ahead);
    for (int64_t i = 3; i < 200; ++i) {
      const auto item = items.next();
      ASSERT_TRUE(item.has_value());
      ASSERT_EQ(*item, i * i);
    }
    EXPECT_FALSE(items.next().has_value());
    EXPECT_FALSE(items.next().has_value());
  }
}

TEST(Prefetch, AnEmptyRangeHasNoItem) {
  Prefetch<int> items(5, 5, [](int64_t) -> int { throw std::logic_error("never called"); });
  EXPECT_FALSE(items.next().has_value());
}

TEST(Prefetch, AnExceptionComesAtItsIndexAndStays) {
  Prefetch<int64_t> items(
      0, 10,
      [](int64_t i) {
        if (i == 4) throw std::runtime_error("item 4 is broken");
        return i;
      },
      8);
  for (int64_t i = 0; i < 4; ++i) ASSERT_EQ(items.next().value(), i);
  for (int again = 0; again < 2; ++again) {
    try {
      items.next();
      FAIL() << "no exception";
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "item 4 is broken");
    }
  }
}

TEST(Prefetch, NoMoreThanTheBoundIsPrepared) {
  std::atomic<int> made{0};
  Prefetch<int> items(
      0, 1000, [&](int64_t) { return ++made; }, 3);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LE(made.load(), 3);
  items.next();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_LE(made.load(), 4);
}

// A consumer that waits is fed by more threads, each item once and in order.
TEST(Prefetch, ThreadsAreAddedForWhoeverWaits) {
  std::atomic<int> made{0}, together{0}, most{0};
  Prefetch<int64_t> items(
      0, 60,
      [&](int64_t i) {
        const int now = ++together;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        --together, ++made;
        return i;
      },
      2, 4);
  for (int64_t i = 0; i < 60; ++i) ASSERT_EQ(items.next().value(), i);
  EXPECT_FALSE(items.next().has_value());
  EXPECT_EQ(made, 60);
  EXPECT_GT(most, 2);
  EXPECT_LE(most, 4);
  EXPECT_EQ(items.wanted_threads(), 4);
}

TEST(Prefetch, OneThreadIsEnoughForWhoeverDoesNotWait) {
  std::atomic<int> together{0}, most{0};
  Prefetch<int64_t> items(
      0, 20,
      [&](int64_t i) {
        most = std::max(most.load(), ++together);
        --together;
        return i;
      },
      2, 8);
  for (int64_t i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_EQ(items.next().value(), i);
  }
  EXPECT_EQ(most, 1);
}

TEST(Prefetch, AnExceptionOfOneThreadWaitsForTheItemsBefore) {
  for (int turn = 0; turn < 20; ++turn) {
    Prefetch<int64_t> items(
        0, 100,
        [](int64_t i) {
          if (i % 10 == 7) throw std::runtime_error(std::to_string(i));
          std::this_thread::sleep_for(std::chrono::microseconds(200));
          return i;
        },
        6, 5);
    for (int64_t i = 0; i < 7; ++i) ASSERT_EQ(items.next().value(), i);
    for (int again = 0; again < 2; ++again) {
      try {
        items.next();
        FAIL() << "no exception";
      } catch (const std::runtime_error& e) {
        EXPECT_STREQ(e.what(), "7");
      }
    }
  }
}

TEST(Prefetch, LeavingEarlyJoinsWithoutMakingTheRest) {
  std::atomic<int> made{0};
  {
    Prefetch<std::unique_ptr<int>> items(
        0, 1'000'000, [&](int64_t) { return std::make_unique<int>(++made); }, 2);
    EXPECT_EQ(*items.next().value(), 1);
  }
  EXPECT_LE(made.load(), 4);
}

}  // namespace
}  // namespace kern::data

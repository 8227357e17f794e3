#include "kernels/common/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace kern::kernels {
namespace {

class Parallel : public ::testing::Test {
 protected:
  ~Parallel() override { set_thread_count(before_); }
  const int before_ = thread_count();
};

TEST_F(Parallel, every_chunk_is_done_once_with_the_same_bounds) {
  for (const int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    for (const int64_t n : {0, 1, 5, 64, 97})
      for (const int64_t grain : {0, 1, 3, 40, 200}) {
        std::vector<std::atomic<int>> times(static_cast<size_t>(n));
        parallel_for(n, grain, [&](int64_t begin, int64_t end) {
          const int64_t step = std::max<int64_t>(1, grain);
          EXPECT_EQ(begin % step, 0);
          EXPECT_EQ(end, std::min(n, begin + step));
          EXPECT_GE(worker(), 0);
          EXPECT_LT(worker(), threads);
          for (int64_t i = begin; i < end; ++i) ++times[size_t(i)];
        });
        for (const auto& t : times) EXPECT_EQ(t, 1) << n << " by " << grain << " on " << threads;
      }
  }
}

// Two calls in a row, thousands of times: a worker that comes late to one must not touch the next.
TEST_F(Parallel, short_calls_follow_each_other) {
  set_thread_count(4);
  for (int call = 0; call < 5000; ++call) {
    std::vector<int> done(size_t(1 + call % 9));
    parallel_for(int64_t(done.size()), 1, [&](int64_t i, int64_t) { done[size_t(i)] += 1 + call; });
    for (const int d : done) ASSERT_EQ(d, 1 + call);
  }
}

// A thread that does not get on (another program has its core) holds up the chunk that it is at and no other.
TEST_F(Parallel, a_slow_thread_holds_up_one_chunk) {
  set_thread_count(2);
  std::atomic<int> others = 0;
  bool in_time = false;
  parallel_for(8, 1, [&](int64_t chunk, int64_t) {
    if (chunk != 4) {  // the first of the second thread
      ++others;
      return;
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (others < 7 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    in_time = others == 7;
  });
  EXPECT_TRUE(in_time) << "chunks of a slow thread's share wait for it";
}

TEST_F(Parallel, the_first_exception_comes_out_and_the_pool_goes_on) {
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    for (int64_t bad = 0; bad < 12; ++bad) {
      EXPECT_THROW(parallel_for(12, 1,
                                [&](int64_t i, int64_t) {
                                  if (i == bad) throw std::runtime_error("no");
                                }),
                   std::runtime_error);
      std::atomic<int> done = 0;
      parallel_for(12, 1, [&](int64_t, int64_t) { ++done; });
      EXPECT_EQ(done, 12);
      EXPECT_EQ(worker(), 0);
    }
  }
}

TEST_F(Parallel, calls_within_a_chunk_and_from_other_threads_are_served) {
  set_thread_count(3);
  std::atomic<int> done = 0;
  parallel_for(6, 1, [&](int64_t, int64_t) {
    parallel_for(5, 1, [&](int64_t, int64_t) {
      EXPECT_EQ(worker(), 0);
      ++done;
    });
  });
  EXPECT_EQ(done, 30);
  std::vector<std::thread> callers;
  for (int t = 0; t < 3; ++t)
    callers.emplace_back([&] {
      for (int call = 0; call < 200; ++call)
        parallel_for(7, 2, [&](int64_t begin, int64_t end) { done += int(end - begin); });
    });
  for (std::thread& t : callers) t.join();
  EXPECT_EQ(done, 30 + 3 * 200 * 7);
}

}  // namespace
}  // namespace kern::kernels

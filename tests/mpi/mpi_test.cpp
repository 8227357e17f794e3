// Started by mpirun with several ranks (tests/CMakeLists.txt): each test runs on all of them.
#include "engine/mpi/mpi.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/communicator.h"

namespace kern {
namespace {

// What rank r has at i: of very different sizes, so that the order of additions shows.
float value(int r, int64_t i) { return std::sin(float(i * 7 + r * 3)) * std::pow(10.0f, float((i + r) % 7)); }

TEST(Ranks, AreCounted) {
  Communicator& all = communicator();
  EXPECT_EQ(all.size(), ranks_by_launcher());
  EXPECT_GT(all.size(), 1);
  EXPECT_EQ(all.local_size(), all.size());
  EXPECT_EQ(all.local_rank(), all.rank());
  EXPECT_EQ(all.sum(int64_t(1)), all.size());
  EXPECT_EQ(all.sum(double(all.rank())), all.size() * (all.size() - 1) / 2.0);
  EXPECT_TRUE(all.any(all.rank() == 1));
  EXPECT_FALSE(all.any(false));
}

TEST(Ranks, AddInTheirOrder) {
  Communicator& all = communicator();
  for (const int64_t n : {0, 1, 2, 5, 1000, 100003}) {
    std::vector<float> v(size_t(n), 0.0f), expected(size_t(n), 0.0f);
    for (int64_t i = 0; i < n; ++i) {
      v[size_t(i)] = value(all.rank(), i);
      float sum = value(0, i);
      for (int r = 1; r < all.size(); ++r) sum += value(r, i);
      expected[size_t(i)] = sum;
    }
    all.sum(std::span(v));
    EXPECT_EQ(v, expected) << n;
  }
}

TEST(Ranks, AddMoreThanOnePieceAndAnyRemainder) {
  Communicator& all = communicator();
  std::vector<int64_t> v(size_t(all.size()) * (1 << 22) + 5);
  std::iota(v.begin(), v.end(), all.rank());
  all.sum(std::span(v));
  const int64_t n = all.size(), ranks = n * (n - 1) / 2;
  for (size_t i = 0; i < v.size(); ++i) ASSERT_EQ(v[i], n * int64_t(i) + ranks) << i;
}

TEST(Ranks, SumsGoOnBesideEachOther) {
  Communicator& all = communicator();
  std::vector<std::vector<float>> v;
  for (int k = 0; k < 9; ++k) {
    v.emplace_back(size_t(1 + 991 * k), float(all.rank() + k));
    all.begin_sum(v.back());
    if (all.rank() % 2) all.progress();
  }
  all.finish_sums();
  const int n = all.size();
  for (int k = 0; k < 9; ++k)
    for (const float x : v[size_t(k)]) ASSERT_EQ(x, float(n * k + n * (n - 1) / 2));
}

TEST(Ranks, HearEachOther) {
  Communicator& all = communicator();
  const std::vector<std::string> said = all.gather(std::string(size_t(all.rank()) * 3, char('a' + all.rank())));
  ASSERT_EQ(int(said.size()), all.size());
  for (int r = 0; r < all.size(); ++r) EXPECT_EQ(said[size_t(r)], std::string(size_t(r) * 3, char('a' + r)));
  std::string word = all.rank() == 1 ? "hello" : "     ";
  all.broadcast(std::as_writable_bytes(std::span(word)), 1);
  EXPECT_EQ(word, "hello");
  all.barrier();
}

TEST(Ranks, ShareAllThingsOnce) {
  Communicator& all = communicator();
  for (const int64_t n : {0, 1, 2, 7, 100}) {
    const auto [first, last] = all.share(n);
    EXPECT_LE(last - first, n / all.size() + 1);
    EXPECT_EQ(all.sum(last - first), n);
    EXPECT_EQ(last, all.rank() + 1 < all.size() ? all.share(n, all.rank() + 1).first : n);
  }
}

}  // namespace
}  // namespace kern

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const kern::MpiSession session;
  return kern::communicator().any(RUN_ALL_TESTS() != 0);
}

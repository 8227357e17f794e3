#include "data/trace_store.h"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/common/error.h"

namespace kern::data {
namespace {

TEST(TraceStore, KeepsWhatWasWrittenAndGivesZerosElsewhere) {
  const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) / "kern_trace_store.f32";
  std::filesystem::remove(path);
  {
    TraceStore store(path, 4);
    store.write(2, std::vector<float>{1, 2, 3, 4});
    store.write(0, std::vector<float>{7, 8}, 1);
    store.write(2, std::vector<float>{0, 0}, 1);  // zeros over what stands there
    store.write(1000, std::vector<float>(4, 0.0f));
  }
  EXPECT_EQ(std::filesystem::file_size(path), 3 * 4 * sizeof(float));
  const TraceStore again(path, 4);
  std::vector<float> v(4);
  again.read(0, v);
  EXPECT_EQ(v, (std::vector<float>{0, 7, 8, 0}));
  again.read(2, v);
  EXPECT_EQ(v, (std::vector<float>{1, 0, 0, 4}));
  again.read(1000, v);
  EXPECT_EQ(v, (std::vector<float>(4, 0.0f)));
  std::vector<float> two(2);
  again.read(2, two, 2);
  EXPECT_EQ(two, (std::vector<float>{0, 4}));
  std::filesystem::remove(path);
  EXPECT_THROW(TraceStore("/no/such/folder/store", 4), Error);
}

}  // namespace
}  // namespace kern::data

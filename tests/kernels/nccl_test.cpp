// NCCL's own file, opened without a GPU: its functions are there and its version is one we know. What it computes is tested
// with several ranks (tests/mpi/rank_sums_test.cpp).
#include <gtest/gtest.h>
#ifdef KERN_CUDA
#include <cstdlib>

#include "kernels/common/nvidia/nccl.h"
#include "tests/support/error_of.h"

namespace kern::kernels {
namespace {

TEST(Nccl, is_opened_without_a_GPU) {
  const char* named = std::getenv("KERN_REAL_NCCL");
  const NcclApi api(SharedLibrary({named ? named : "libnccl.so.2"}));
  if (!api.library && !named)
    GTEST_SKIP() << "NCCL is not installed (KERN_REAL_NCCL may name its file): " << api.library.why();
  ASSERT_TRUE(api.library) << api.library.why();
  int version = 0;
  ASSERT_EQ(api.GetVersion(&version), nccl::Result::success);
  EXPECT_GE(version, 20900);
  EXPECT_LT(version, 30000) << "look whether nccl_api.h still says what nccl.h does";
  EXPECT_EQ(api.version().substr(0, 2), "2.");
  EXPECT_EQ(kern::testing::error_of([&] { api.check_result(nccl::Result::invalid_argument, "a try"); }).substr(0, 5),
            "NCCL ");
}

}  // namespace
}  // namespace kern::kernels
#endif

// cuBLASLt's row beyond what linear_test.cpp asks of every row. On the emulated GPU the library is
// tests/nvidia/fake_cublaslt.cpp.
#include <gtest/gtest.h>
#ifdef KERN_CUDA
#include <functional>

#include "kernels/common/nvidia/cublaslt.h"
#include "kernels/common/precision.h"
#include "kernels/matmul/linear.h"
#include "tests/support/error_of.h"
#include "tests/support/kernel_check.h"
#include "tests/support/leaks_of_others.h"
#include "tests/support/source_files.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

constexpr LinearSpec kSmall{.rows = 7, .c = 12, .k = 8};

using kern::testing::error_of;
#define SKIP_WITHOUT_CUBLASLT() \
  if (!opened_cublaslt()) GTEST_SKIP() << "nothing was run: cuBLASLt: " << cublaslt_in_words()

TEST(CublasLtImpl, stands_behind_our_own_and_is_taken_when_named) {
  SKIP_WITHOUT_CUBLASLT();
  EXPECT_STREQ(select(linear_registry(), Device::cuda, kSmall).name, "cuda");
  const PreferImpl prefer("linear=cublaslt");
  EXPECT_STREQ(select(linear_registry(), Device::cuda, kSmall).name, "cublaslt");
  EXPECT_STREQ(select(linear_registry(), Device::cuda, LinearSpec{.rows = 0, .c = 3, .k = 2}).name, "cuda");
}

// Arrays that begin where no plan was made for, a bias that begins anywhere, and tensor cores that round.
TEST(CublasLtImpl, takes_what_it_can_and_gives_the_rest_to_ours) {
  SKIP_WITHOUT_CUBLASLT();
  const LinearSpec& g = kSmall;
  const auto x = Array<>::uniform(g.rows + 1, g.c, 0, 1), w = Array<>::uniform(g.w_size(), 1, 0, 2),
             b = Array<>::uniform(g.k + 1, 1, 0, 3);
  for (const int64_t x_begins : {0, 1})
    for (const bool tf32 : {false, true}) {
      SCOPED_TRACE(text("x + ", x_begins, tf32 ? ", tf32" : ""));
      Array<> y0(g.rows, g.k);
      linear_forward_reference(g, x.data() + x_begins, w.data(), b.data() + 1, y0.data());
      set_precision(tf32 ? Precision::tf32 : Precision::f32);
      for_each_impl(linear_registry(), g, [&](const LinearImpl& impl, const Exec& exec) {
        if (std::string_view(impl.name) != "cublaslt") return;
        Array<> y(g.rows, g.k);
        impl.forward(exec, g, x.data() + x_begins, w.data(), b.data() + 1, y.data());
        EXPECT_TRUE(close(y, y0, {.absolute = tf32 ? 1e-2 : 1e-5}));
        if (tf32 && x_begins == 0) {
          EXPECT_FALSE(close(y, y0, {.absolute = 1e-6})) << "nothing was rounded";
        }
      });
      set_precision(Precision::f32);
    }
}

TEST(CublasLtImpl, can_be_captured) {
  SKIP_WITHOUT_CUBLASLT();
  const LinearSpec g{.rows = 5, .c = 300, .k = 12};  // long enough sums for a workspace
  const auto x = Array<>::integers(g.rows, g.c, 0, 1), w = Array<>::integers(g.w_size(), 1, 0, 2),
             b = Array<>::integers(g.k, 1, 0, 3);
  Array<> y(g.rows, g.k), y0(g.rows, g.k);
  linear_forward_reference(g, x.data(), w.data(), b.data(), y0.data());
  const PreferImpl prefer("linear=cublaslt");
  const LinearImpl& impl = select(linear_registry(), Device::cuda, g);
  Values<std::byte> scratch(impl.workspace(g) + 64);
  std::byte* space = scratch.device();
  const float *px = x.device(), *pw = w.device(), *pb = b.device();
  float* out = y.device();
  cudaStream_t stream = nullptr;
  cuda_check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
  cuda_check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture");
  impl.forward({.stream = stream, .scratch = space + (64 - reinterpret_cast<uintptr_t>(space) % 64) % 64}, g, px, pw,
               pb, out);
  cudaGraph_t graph = nullptr;
  cuda_check(cudaStreamEndCapture(stream, &graph), "end of capture");
  EXPECT_TRUE(std::isnan(std::as_const(y).at(0, 0))) << "what is recorded is not done yet";
  cudaGraphExec_t recorded = nullptr;
  cuda_check(cudaGraphInstantiate(&recorded, graph, 0), "instantiate");
  for (int i = 0; i < 2; ++i) cuda_check(cudaGraphLaunch(recorded, stream), "launch");
  cuda_check(cudaStreamSynchronize(stream), "wait");
  y.device();  // they were written to
  EXPECT_TRUE(close(y, y0));
  cudaGraphExecDestroy(recorded), cudaGraphDestroy(graph), cudaStreamDestroy(stream);
}

#ifdef KERN_CUDA_EMULATED
TEST(CublasLtMisuse, is_refused_in_a_sentence) {
  SKIP_WITHOUT_CUBLASLT();
  CublasLt& lt = *opened_cublaslt();
  auto* objects = reinterpret_cast<int64_t (*)()>(lt.api.library.symbol("kern_fake_cublaslt_objects"));
  ASSERT_TRUE(objects);
  const int64_t before = objects();
  const MatmulSpec good{.m = 8,
                        .n = 7,
                        .k = 300,
                        .transpose_a = true,
                        .transpose_b = false,
                        .a_pitch = 300,
                        .b_pitch = 300,
                        .d_pitch = 8,
                        .bias = true,
                        .tf32 = false};
  const auto planned = [&](void (*spoil)(MatmulSpec&)) {
    MatmulSpec spec = good;
    spoil(spec);
    return error_of([&] { MatmulPlan(lt, spec, "a product"); });
  };
  const std::string refused = "a product: cuBLASLt 13.0.0: ",
                    because = ": an unsupported value or parameter was passed to the function";
  EXPECT_EQ(planned([](MatmulSpec&) {}), "no error");
  EXPECT_EQ(planned([](MatmulSpec& g) { g.a_pitch = 299; }), refused + "a layout cannot be made" + because);
  EXPECT_EQ(planned([](MatmulSpec& g) { g.n = 0; }), refused + "a layout cannot be made" + because);
  EXPECT_EQ(objects(), before) << "objects that nobody gave back";

  const MatmulPlan plan(lt, good, "a product");
  EXPECT_EQ(plan.workspace(), 1000u);
  Array<> a(8, 300), b(7, 300), bias(8, 1), d(7, 8);
  Values<std::byte> bytes(2048);
  std::byte* space = bytes.device() + (256 - reinterpret_cast<uintptr_t>(bytes.device()) % 256);
  const auto run = [&](const float* pa, const float* pb, const float* pbias, float* pd, void* workspace) {
    return error_of([&] {
      plan.run(nullptr, pa, pb, pbias, pd, workspace);
      wait_for_device();
    });
  };
  EXPECT_EQ(run(a.device(), b.device(), bias.device(), d.device(), space), "no error");
  EXPECT_EQ(run(a.device() + 1, b.device(), bias.device(), d.device(), space), refused + "it failed" + because);
  EXPECT_EQ(run(a.device(), b.device(), nullptr, d.device(), space), refused + "it failed" + because);
  EXPECT_EQ(run(a.device(), b.device(), bias.device(), d.device(), nullptr), refused + "it failed" + because);
  EXPECT_NE(run(a.device(), b.device(), bias.device(), d.device() + 64, space).find("a copy of 32 bytes"),
            std::string::npos);
}
#endif

// What of the installed library needs no GPU.
TEST(CublasLtInstalled, has_every_function_and_takes_descriptions) {
  using namespace cublaslt;
  const LeaksOfOthers ignored;
  const CublasLtApi api(
      SharedLibrary({"libcublasLt.so.13", "/usr/local/cuda/lib64/libcublasLt.so.13",
                     testing::build_file("../cuda_toolkit/lib/libcublasLt.so.13").c_str(), "libcublasLt.so.12"}));
  if (!api.library) GTEST_SKIP() << "nothing was run: " << api.library.why();
  EXPECT_GE(api.GetVersion(), 120000u);
  MatmulDesc description = nullptr;
  ASSERT_EQ(api.MatmulDescCreate(&description, ComputeType::fast_tf32, LtDataType::float32), LtStatus::success);
  const Operation turned = Operation::transposed;
  const Epilogue bias = Epilogue::bias;
  const void* pointer = &turned;
  EXPECT_EQ(api.MatmulDescSetAttribute(description, DescAttribute::transpose_a, &turned, sizeof turned),
            LtStatus::success);
  EXPECT_EQ(api.MatmulDescSetAttribute(description, DescAttribute::epilogue, &bias, sizeof bias), LtStatus::success);
  EXPECT_EQ(api.MatmulDescSetAttribute(description, DescAttribute::bias_pointer, &pointer, sizeof pointer),
            LtStatus::success);
  EXPECT_EQ(api.MatmulDescSetAttribute(description, DescAttribute::epilogue, &bias, 1), LtStatus::invalid_value);
  MatrixLayout layout = nullptr;
  EXPECT_EQ(api.MatrixLayoutCreate(&layout, LtDataType::float32, 8, 7, 9), LtStatus::success);
  Preference preference = nullptr;
  EXPECT_EQ(api.MatmulPreferenceCreate(&preference), LtStatus::success);
  const uint32_t alignment = 16, schemes = in_compute_type;
  const uint64_t workspace = 1 << 20;
  const auto prefer = [&](PreferenceAttribute name, const auto& value) {
    return api.MatmulPreferenceSetAttribute(preference, name, &value, sizeof value);
  };
  EXPECT_EQ(prefer(PreferenceAttribute::most_workspace, workspace), LtStatus::success);
  EXPECT_EQ(prefer(PreferenceAttribute::reduction_schemes, schemes), LtStatus::success);
  EXPECT_EQ(prefer(PreferenceAttribute::alignment_d, alignment), LtStatus::success);
  EXPECT_EQ(prefer(PreferenceAttribute::alignment_d, workspace), LtStatus::invalid_value) << "8 bytes for 4";
  EXPECT_EQ(api.MatmulPreferenceDestroy(preference), LtStatus::success);
  EXPECT_EQ(api.MatrixLayoutDestroy(layout), LtStatus::success);
  EXPECT_EQ(api.MatmulDescDestroy(description), LtStatus::success);
}

}  // namespace
}  // namespace kern::kernels
#else
TEST(CublasLtImpl, is_not_in_a_build_without_cuda) { GTEST_SKIP() << "nothing was run: built without CUDA"; }
#endif

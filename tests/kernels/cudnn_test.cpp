// cuDNN's implementations beyond what conv2d_test.cpp asks of every one: which engines are taken, what is refused, capture, and,
// where the library itself is installed, whether it agrees to all that Kern asks of it for a GPU that is described to
// it. On the emulated GPU the library is tests/nvidia/fake_cudnn.cpp.
#include <gtest/gtest.h>
#ifdef KERN_CUDA
#include <functional>
#include <map>
#include <optional>

#include "kernels/common/precision.h"
#include "kernels/conv/conv2d_cudnn.h"
#include "kernels/conv/conv_transpose2d.h"
#include "tests/support/error_of.h"
#include "tests/support/kernel_check.h"
#include "tests/support/leaks_of_others.h"
#include "tests/support/source_files.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;
using namespace cudnn;

constexpr Conv2dSpec kSmallConvolution{.n = 2,
                                       .c = 6,
                                       .h = 5,
                                       .w = 4,
                                       .k = 8,
                                       .r = 3,
                                       .s = 3,
                                       .pad_top = 1,
                                       .pad_bottom = 1,
                                       .pad_left = 1,
                                       .pad_right = 1};
constexpr Conv2dSpec kSmallVolume{.n = 2,
                                  .c = 4,
                                  .h = 5,
                                  .w = 4,
                                  .k = 6,
                                  .r = 3,
                                  .s = 3,
                                  .pad_top = 1,
                                  .pad_bottom = 1,
                                  .pad_left = 1,
                                  .pad_right = 1,
                                  .d = 3,
                                  .t = 3,
                                  .pad_front = 1,
                                  .pad_back = 1};
constexpr ConvTranspose2dSpec kTurned{
    .n = 1, .c = 4, .h = 3, .w = 3, .k = 2, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2};
constexpr ConvDirection kDirections[] = {ConvDirection::forward, ConvDirection::backward_data,
                                         ConvDirection::backward_weight};

constexpr Precision kPrecisions[] = {Precision::f32, Precision::tf32, Precision::bf16};

const Conv2dImpl& cudnn_impl() {
  for (const Conv2dImpl& impl : conv2d_registry().impls)
    if (std::string_view(impl.name) == "cudnn") return impl;
  throw InternalError("conv2d has no implementation 'cudnn'");
}
using kern::testing::error_of;
#define SKIP_WITHOUT_CUDNN() \
  if (!opened_cudnn()) GTEST_SKIP() << "nothing was run: cuDNN: " << cudnn_in_words()

// --- which implementation serves ---

TEST(CudnnImpl, stands_behind_our_own_and_is_taken_when_named) {
  SKIP_WITHOUT_CUDNN();
  EXPECT_TRUE(cudnn_impl().supports(kSmallConvolution));
  EXPECT_STREQ(select(conv2d_registry(), Device::cuda, kSmallConvolution).name, "cuda");
  EXPECT_STREQ(select(conv2d_registry(), Device::cuda, kSmallVolume).name, "cuda");
  const PreferImpl prefer("conv2d=cudnn,conv_transpose2d=cudnn");
  EXPECT_STREQ(select(conv2d_registry(), Device::cuda, kSmallConvolution).name, "cudnn");
  EXPECT_STREQ(select(conv2d_registry(), Device::cuda, kSmallVolume).name, "cudnn");
  EXPECT_STREQ(select(conv_transpose2d_registry(), Device::cuda, kTurned).name, "cudnn");
  const PreferImpl prefer_bf16("conv2d=cudnn_bf16,conv_transpose2d=cudnn_bf16");
  EXPECT_STREQ(select(conv2d_registry<Bf16>(), Device::cuda, kSmallConvolution).name, "cudnn_bf16");
  EXPECT_STREQ(select(conv_transpose2d_registry<Bf16>(), Device::cuda, kTurned).name, "cudnn_bf16");
  ConvTranspose2dSpec longer = kTurned;
  longer.rows_added = 2;  // beyond what a convolution would read
  EXPECT_STREQ(select(conv_transpose2d_registry(), Device::cuda, longer).name, "cuda");
  Conv2dSpec empty = kSmallConvolution;
  empty.n = 0;
  EXPECT_STRNE(select(conv2d_registry(), Device::cuda, empty).name, "cudnn");
}

// A slice that begins at an odd channel is not what a plan was made for: our own kernels do it.
TEST(CudnnImpl, gives_odd_addresses_to_ours) {
  SKIP_WITHOUT_CUDNN();
  Conv2dSpec g = kSmallConvolution;
  g.pitch = {.x = 9};
  const auto x = Array<>::integers(g.x_rows(), 9, 0, 1), w = Array<>::integers(g.w_size(), 1, 0, 2);
  Array<> y(g.y_rows(), g.k), y0(g.y_rows(), g.k);
  EXPECT_FALSE(conv2d_cudnn_run<float>({}, g, ConvDirection::forward, x.data() + 1, w.data(), y.data()));
  conv2d_forward_reference(g, x.data() + 1, w.data(), static_cast<const float*>(nullptr), y0.data());
  for_each_impl(conv2d_registry(), g, [&](const Conv2dImpl& impl, const Exec& exec) {
    if (std::string_view(impl.name) != "cudnn") return;
    impl.forward(exec, g, x.data() + 1, w.data(), nullptr, y.data());
    EXPECT_TRUE(close(y, y0));
  });
}

// --- which engine ---

TEST(CudnnPlan, is_made_for_the_gpu) {
  SKIP_WITHOUT_CUDNN();
  Cudnn& cudnn = *opened_cudnn();
  for (const ConvDirection d : kDirections)
    for (const Precision p : kPrecisions)
      for (const Conv2dSpec& g : {kSmallConvolution, kSmallVolume})
        EXPECT_EQ(error_of([&] { conv2d_cudnn_plan(cudnn.api, cudnn.target(), g, d, p); }), "no error");
}

// A filter that reads no plane beside its own has the plan of a batch of images; one that does has another.
TEST(CudnnPlan, of_planes_that_are_a_batch_is_that_of_images) {
  SKIP_WITHOUT_CUDNN();
  Conv2dSpec images = kSmallConvolution, planes = kSmallConvolution, deeper = kSmallVolume;
  images.n = 6, planes.d = 3, deeper.pad_front = 2;
  for (const ConvDirection d : kDirections) {
    ASSERT_TRUE(conv2d_cudnn_plan<float>(images, d));
    EXPECT_EQ(conv2d_cudnn_plan<float>(planes, d), conv2d_cudnn_plan<float>(images, d));
    EXPECT_NE(conv2d_cudnn_plan<float>(kSmallVolume, d), conv2d_cudnn_plan<float>(deeper, d));
  }
}

#ifdef KERN_CUDA_EMULATED
// The stand-in's engines: 0 tensor cores, 1 does not repeat, 2 Winograd, 3 refuses, 4 wants too much, 5 and 6 are good;
// 5 is not proposed for groups, and its fallbacks are 1 and 6.
TEST(CudnnPlan, passes_over_engines_that_would_not_repeat_or_round) {
  SKIP_WITHOUT_CUDNN();
  Cudnn& cudnn = *opened_cudnn();
  auto* descriptors = reinterpret_cast<int64_t (*)()>(cudnn.api.library.symbol("kern_fake_cudnn_descriptors"));
  ASSERT_TRUE(descriptors);
  const int64_t before = descriptors();
  Conv2dSpec grouped = kSmallConvolution;
  grouped.groups = 2;
  for (const ConvDirection d : kDirections) {
    SCOPED_TRACE(to_string(d));
    EXPECT_EQ(conv2d_cudnn_plan(cudnn.api, cudnn.target(), kSmallConvolution, d, Precision::f32).engine, 5);
    EXPECT_EQ(conv2d_cudnn_plan(cudnn.api, cudnn.target(), kSmallConvolution, d, Precision::tf32).engine, 0);
    EXPECT_EQ(conv2d_cudnn_plan(cudnn.api, cudnn.target(), kSmallConvolution, d, Precision::bf16).engine, 0);
    EXPECT_EQ(conv2d_cudnn_plan(cudnn.api, cudnn.target(), grouped, d, Precision::f32).engine, 6);
  }
  EXPECT_EQ(
      conv2d_cudnn_plan(cudnn.api, cudnn.target(), kSmallConvolution, ConvDirection::forward, Precision::f32).workspace,
      3001);
  EXPECT_EQ(descriptors(), before) << "descriptors that nobody gave back";
  EXPECT_EQ(&*conv2d_cudnn_plan<float>(kSmallConvolution, ConvDirection::forward),
            &*conv2d_cudnn_plan<float>(kSmallConvolution, ConvDirection::forward));
}

TEST(CudnnPlan, tf32_rounds_only_when_asked) {
  SKIP_WITHOUT_CUDNN();
  const auto x = Array<>::uniform(kSmallConvolution.x_rows(), kSmallConvolution.c, 0, 1),
             w = Array<>::uniform(kSmallConvolution.w_size(), 1, 0, 2);
  Array<> y0(kSmallConvolution.y_rows(), kSmallConvolution.k);
  conv2d_forward_reference(kSmallConvolution, x.data(), w.data(), static_cast<const float*>(nullptr), y0.data());
  for (const bool on : {false, true}) {
    set_precision(on ? Precision::tf32 : Precision::f32);
    for_each_impl(conv2d_registry(), kSmallConvolution, [&](const Conv2dImpl& impl, const Exec& exec) {
      if (std::string_view(impl.name) != "cudnn") return;
      Array<> y(kSmallConvolution.y_rows(), kSmallConvolution.k);
      impl.forward(exec, kSmallConvolution, x.data(), w.data(), nullptr, y.data());
      EXPECT_EQ(bool(close(y, y0, {.absolute = 1e-5})), !on);
      EXPECT_TRUE(close(y, y0, {.absolute = 2e-2}));
    });
    set_precision(Precision::f32);
  }
}
#endif

// --- inside a recorded step ---

TEST(CudnnImpl, can_be_captured) {
  SKIP_WITHOUT_CUDNN();
  const Conv2dSpec& g = kSmallConvolution;
  const auto x = Array<>::integers(g.x_rows(), g.c, 0, 1), w = Array<>::integers(g.w_size(), 1, 0, 2),
             b = Array<>::integers(g.k, 1, 0, 3), dy = Array<>::integers(g.y_rows(), g.k, 0, 4);
  Array<> y(g.y_rows(), g.k), dx(g.x_rows(), g.c), dw(g.w_size(), 1), y0 = y, dx0 = dx, dw0 = dw;
  conv2d_forward_reference(g, x.data(), w.data(), b.data(), y0.data());
  conv2d_backward_data_reference(g, dy.data(), w.data(), dx0.data());
  conv2d_backward_weight_reference(g, dy.data(), x.data(), dw0.data());
  const Conv2dImpl& impl = cudnn_impl();
  ASSERT_TRUE(impl.supports(g));
  Values<std::byte> scratch(impl.workspace(g) + 64);
  cudaStream_t stream = nullptr;
  cuda_check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
  const float *px = x.device(), *pw = w.device(), *pb = b.device(), *pdy = dy.device();
  float *py = y.device(), *pdx = dx.device(), *pdw = dw.device();
  std::byte* space = scratch.device();
  const Exec exec{.stream = stream, .scratch = space + (64 - reinterpret_cast<uintptr_t>(space) % 64) % 64};
  cuda_check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture");
  impl.forward(exec, g, px, pw, pb, py);
  impl.backward_data(exec, g, pdy, pw, pdx);
  impl.backward_weight(exec, g, pdy, px, pdw);
  cudaGraph_t graph = nullptr;
  cuda_check(cudaStreamEndCapture(stream, &graph), "end of capture");
  EXPECT_TRUE(std::isnan(std::as_const(y).at(0, 0))) << "what is recorded is not done yet";
  cudaGraphExec_t recorded = nullptr;
  cuda_check(cudaGraphInstantiate(&recorded, graph, 0), "instantiate");
  for (int i = 0; i < 2; ++i) cuda_check(cudaGraphLaunch(recorded, stream), "launch");
  cuda_check(cudaStreamSynchronize(stream), "wait");
  y.device(), dx.device(), dw.device();  // they were written to
  EXPECT_TRUE(close(y, y0));
  EXPECT_TRUE(close(dx, dx0));
  EXPECT_TRUE(close(dw, dw0));
  cudaGraphExecDestroy(recorded), cudaGraphDestroy(graph), cudaStreamDestroy(stream);
}

// --- what a library refuses: the stand-in and, where it is installed, the library itself ---

// The library as it is installed. Nothing of it needs a GPU but a handle and the work itself.
const CudnnApi* installed() {
  static const CudnnApi* api =
      new CudnnApi(SharedLibrary({"libcudnn.so.9", "/usr/local/cuda/lib64/libcudnn.so.9",
                                  testing::build_file("../cuda_toolkit/lib/libcudnn.so.9").c_str()}));
  return api->library ? api : nullptr;
}
std::map<std::string, const CudnnApi*> libraries() {
  std::map<std::string, const CudnnApi*> all;
  if (const CudnnApi* api = installed()) all["installed"] = api;
  if (opened_cudnn()) all["of the GPU"] = &opened_cudnn()->api;
  return all;
}

struct Misuse {
  const char* name;
  std::function<void(const CudnnApi&)> commit;
};
CudnnDescriptor half_a_tensor(const CudnnApi& api) {
  CudnnDescriptor t(api, DescriptorType::tensor, "a tensor");
  t.set(Attribute::tensor_id, int64_t{7}).set(Attribute::tensor_data_type, DataType::float32);
  return t;
}
CudnnDescriptor tensor(const CudnnApi& api, int64_t id, std::vector<int64_t> dims, std::vector<int64_t> strides) {
  CudnnDescriptor t = half_a_tensor(api);
  t.set(Attribute::tensor_id, id)
      .set(Attribute::tensor_dimensions, dims)
      .set(Attribute::tensor_strides, strides)
      .set(Attribute::tensor_alignment, int64_t{16});
  return t;
}
CudnnDescriptor convolution(const CudnnApi& api, bool all = true, int64_t axes = 2) {
  const std::vector<int64_t> ones(size_t(axes), 1);
  CudnnDescriptor c(api, DescriptorType::convolution, "a convolution");
  c.set(Attribute::convolution_compute_type, DataType::float32)
      .set(Attribute::convolution_mode, ConvolutionMode::cross_correlation)
      .set(Attribute::convolution_spatial_dims, axes)
      .set(Attribute::convolution_strides, ones)
      .set(Attribute::convolution_pre_paddings, ones)
      .set(Attribute::convolution_post_paddings, ones);
  if (all) c.set(Attribute::convolution_dilations, ones);
  return c;
}
// Of volumes, by a convolution of them or of images.
void forward_of_volumes(const CudnnApi& api, bool of_images) {
  CudnnDescriptor x = tensor(api, 1, {2, 16, 4, 8, 8}, {4096, 1, 1024, 128, 16}),
                  w = tensor(api, 2, {32, 16, 3, 3, 3}, {432, 1, 144, 48, 16}),
                  y = tensor(api, 3, {2, 32, 4, 8, 8}, {8192, 1, 2048, 256, 32}),
                  c = convolution(api, true, of_images ? 2 : 3);
  x.finalize(), w.finalize(), y.finalize(), c.finalize();
  CudnnDescriptor op(api, DescriptorType::operation_forward, "a forward pass");
  op.set(Attribute::forward_x, x).set(Attribute::forward_w, w).set(Attribute::forward_y, y);
  op.set(Attribute::forward_convolution, c).set(Attribute::forward_alpha, 1.0f).set(Attribute::forward_beta, 0.0f);
  op.finalize();
}
void forward_into(const CudnnApi& api, std::vector<int64_t> y_dims, std::vector<int64_t> y_strides,
                  bool finish_y = true) {
  CudnnDescriptor x = tensor(api, 1, {2, 16, 8, 8}, {1024, 1, 128, 16}), y = tensor(api, 3, y_dims, y_strides),
                  w = tensor(api, 2, {32, 16, 3, 3}, {144, 1, 48, 16}), c = convolution(api);
  x.finalize(), w.finalize(), c.finalize();
  if (finish_y) y.finalize();
  CudnnDescriptor op(api, DescriptorType::operation_forward, "a forward pass");
  op.set(Attribute::forward_x, x).set(Attribute::forward_w, w).set(Attribute::forward_y, y);
  op.set(Attribute::forward_convolution, c).set(Attribute::forward_alpha, 1.0f).set(Attribute::forward_beta, 0.0f);
  op.finalize();
}
const Misuse kMisuses[] = {
    {"no alignment",
     [](const CudnnApi& api) {
       CudnnDescriptor t = half_a_tensor(api);
       t.set(Attribute::tensor_dimensions, std::vector<int64_t>{2, 2});
       t.set(Attribute::tensor_strides, std::vector<int64_t>{2, 1});
       t.finalize();
     }},
    {"no strides",
     [](const CudnnApi& api) {
       CudnnDescriptor t = half_a_tensor(api);
       t.set(Attribute::tensor_dimensions, std::vector<int64_t>{2, 2}).set(Attribute::tensor_alignment, int64_t{16});
       t.finalize();
     }},
    {"fewer strides than dimensions",
     [](const CudnnApi& api) {
       tensor(api, 1, {2, 3, 4, 5}, {60, 1, 15}).finalize();
     }},
    {"a negative stride",
     [](const CudnnApi& api) {
       tensor(api, 1, {2, 3, 4, 5}, {60, 1, -15, 3}).finalize();
     }},
    {"a value of another type",
     [](const CudnnApi& api) {
       CudnnDescriptor t = half_a_tensor(api);
       t.set(Attribute::tensor_alignment, 16.0f);
     }},
    {"two values where there is one",
     [](const CudnnApi& api) {
       CudnnDescriptor t = half_a_tensor(api);
       t.set(Attribute::tensor_alignment, std::vector<int64_t>{16, 16});
     }},
    {"an attribute of another descriptor",
     [](const CudnnApi& api) {
       CudnnDescriptor t = half_a_tensor(api);
       t.set(Attribute::convolution_strides, std::vector<int64_t>{1, 1});
     }},
    {"a change after it was finalized",
     [](const CudnnApi& api) {
       CudnnDescriptor t = tensor(api, 1, {2, 2}, {2, 1});
       t.finalize();
       t.set(Attribute::tensor_alignment, int64_t{4});
     }},
    {"a look before it was finalized",
     [](const CudnnApi& api) {
       CudnnDescriptor plan(api, DescriptorType::execution_plan, "a plan");
       plan.get<int64_t>(Attribute::plan_workspace_size, 1);
     }},
    {"a convolution without dilations", [](const CudnnApi& api) { convolution(api, false).finalize(); }},
    {"volumes by a convolution of images", [](const CudnnApi& api) { forward_of_volumes(api, true); }},
    {"an output of another height",
     [](const CudnnApi& api) {
       forward_into(api, {2, 32, 9, 8}, {2304, 1, 256, 32});
     }},
    {"an output of other channels",
     [](const CudnnApi& api) {
       forward_into(api, {2, 16, 8, 8}, {1024, 1, 128, 16});
     }},
    {"a tensor that is not finalized",
     [](const CudnnApi& api) {
       forward_into(api, {2, 32, 8, 8}, {2048, 1, 256, 32}, false);
     }},
    {"a graph of nothing",
     [](const CudnnApi& api) { CudnnDescriptor(api, DescriptorType::operation_graph, "a graph").finalize(); }},
    {"a heuristic of nothing",
     [](const CudnnApi& api) { CudnnDescriptor(api, DescriptorType::engine_heuristic, "a heuristic").finalize(); }},
    {"a plan without an engine",
     [](const CudnnApi& api) { CudnnDescriptor(api, DescriptorType::execution_plan, "a plan").finalize(); }},
};

TEST(CudnnMisuse, is_refused_in_a_sentence) {
  const LeaksOfOthers ignored;
  const auto all = libraries();
  if (all.empty()) GTEST_SKIP() << "nothing was run: cuDNN: " << cudnn_in_words();
  for (const auto& [name, api] : all)
    for (const Misuse& m : kMisuses) {
      const std::string sentence = error_of([&, &library = *api] { m.commit(library); });
      EXPECT_TRUE(sentence.find(": cuDNN " + api->version() + ": it ") != sentence.npos)
          << name << " " << api->version() << ", " << m.name << ": " << sentence;
    }
  for (const auto& [name, api] : all)  // and the same without the fault is taken
    EXPECT_EQ(error_of([&, &library = *api] {
                forward_into(library, {2, 32, 8, 8}, {2048, 1, 256, 32});
              }),
              "no error")
        << name;
  for (const auto& [name, api] : all)
    EXPECT_EQ(error_of([&, &library = *api] { forward_of_volumes(library, false); }), "no error") << name;
}

#ifdef KERN_CUDA_EMULATED
TEST(CudnnMisuse, of_a_plan_is_refused) {
  SKIP_WITHOUT_CUDNN();
  Cudnn& cudnn = *opened_cudnn();
  const CudnnPlan plan =
      conv2d_cudnn_plan(cudnn.api, cudnn.target(), kSmallConvolution, ConvDirection::forward, Precision::f32);
  Array<> x(kSmallConvolution.x_rows(), kSmallConvolution.c), w(kSmallConvolution.w_size(), 1),
      y(kSmallConvolution.y_rows(), kSmallConvolution.k);
  Values<std::byte> bytes(8192);
  std::byte* space = bytes.device() + (256 - reinterpret_cast<uintptr_t>(bytes.device()) % 256);
  const std::string of = "conv2d forward of [2,5,4,6] by [8,3,3,6]: cuDNN 9.0.0 failed: bad parameter: ";
  EXPECT_EQ(error_of([&] {
              cudnn_run(cudnn, plan, nullptr, {{1, x.device()}, {2, w.device()}, {3, y.device()}}, nullptr);
            }),
            of + "the plan needs a workspace");
  EXPECT_EQ(error_of([&] {
              cudnn_run(cudnn, plan, nullptr, {{1, x.device()}, {2, w.device()}}, space);
            }),
            of + "a tensor of the plan has no pointer");
  EXPECT_EQ(error_of([&] {
              cudnn_run(cudnn, plan, nullptr, {{1, x.device() + 1}, {2, w.device()}, {3, y.device()}}, space);
            }),
            of + "a tensor's pointer is not aligned as the plan was told");
  // Too small a workspace, and an array of the host: found when the GPU gets there.
  cudnn_run(cudnn, plan, nullptr, {{1, x.device()}, {2, w.device()}, {3, y.device()}}, space + 7680);
  EXPECT_NE(error_of([] { wait_for_device(); }).find("workspace: a copy of 3001 bytes"), std::string::npos);
  alignas(16) static float on_host[2 * 6 * 5 * 4];
  cudnn_run(cudnn, plan, nullptr, {{1, on_host}, {2, w.device()}, {3, y.device()}}, space);
  EXPECT_NE(error_of([] { wait_for_device(); }).find("not one of the GPU's"), std::string::npos);
}
#endif

// --- the library itself, without a GPU ---

// An H100 as the library describes one to itself, so that it makes plans for it anywhere (cuDNN 9.8 and later).
constexpr char kH100[] = R"({"deviceName": "NVIDIA H100 80GB HBM3", "deviceVer": 900, "driverVer": 13000,
  "cudaDeviceId": 0, "totalGlobalMem": 85899345920, "multiProcessorCount": 132, "warpSize": 32, "maxCtasPerSM": 32,
  "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64], "maxThreadsPerBlock": 1024,
  "maxThreadsPerSM": 2048, "regsPerBlock": 65536, "maxRegistersPerSM": 65536, "maxSharedMemoryPerBlock": 49152,
  "maxSharedMemoryPerBlockOptin": 232448, "reservedSharedMemoryPerBlock": 1024, "l2CacheSize": 52428800,
  "smClockRateKHz": 1980000, "memClockRateKHz": 2619000, "pciDeviceId": 0, "isTccDriver": 0, "supportCoopLaunch": 1})";

TEST(CudnnInstalled, plans_every_direction_for_an_h100_that_is_described_to_it) {
  const LeaksOfOthers ignored;
  const CudnnApi* api = installed();
  if (!api) GTEST_SKIP() << "nothing was run: no libcudnn.so.9 is installed";
  std::optional<CudnnDescriptor> gpu;
  const std::string refused = error_of([&] {
    gpu.emplace(*api, DescriptorType::device_properties, "an H100");
    gpu->set(Attribute::device_json, std::vector<char>(kH100, kH100 + sizeof kH100 - 1)).finalize();
  });
  if (refused != "no error") GTEST_SKIP() << "nothing was run: " << refused;
  struct Case {
    const char* name;
    Conv2dSpec g;
  };
  const auto image = [](int n, int c, int side, int k, int groups = 1, Pitches pitch = {}) {
    return Conv2dSpec{.n = n,
                      .c = c,
                      .h = side,
                      .w = side,
                      .k = k,
                      .r = 3,
                      .s = 3,
                      .groups = groups,
                      .pad_top = 1,
                      .pad_bottom = 1,
                      .pad_left = 1,
                      .pad_right = 1,
                      .pitch = pitch};
  };
  Conv2dSpec dilated = image(4, 64, 64, 64), asymmetric = image(4, 32, 64, 64);
  dilated.dil_h = dilated.dil_w = dilated.pad_top = dilated.pad_bottom = dilated.pad_left = dilated.pad_right = 2;
  asymmetric.stride_h = asymmetric.stride_w = asymmetric.pad_bottom = 2;
  const Case cases[] = {
      {"small", kSmallConvolution},
      {"small, transposed", kTurned.conv_of_forward()},
      {"a small volume", kSmallVolume},
      {"64 channels, 512x512", image(8, 64, 512, 64)},
      {"3 channels to 32", image(6, 3, 256, 32)},
      {"slices of a concatenation", image(8, 64, 128, 64, 1, {.x = 128, .y = 128, .dx = 128, .dy = 128})},
      {"groups", image(8, 64, 56, 64, 4)},
      {"depthwise", image(8, 96, 56, 96, 96)},
      {"dilation", dilated},
      {"more padding below", asymmetric},
      {"a signal", {.n = 16, .c = 1, .w = 1100, .k = 4, .s = 3, .pad_left = 1, .pad_right = 1}},
      {"odd pitches",
       {.n = 2, .c = 5, .h = 9, .w = 9, .k = 7, .r = 3, .s = 3, .pitch = {.x = 7, .y = 9, .dx = 6, .dy = 8}}},
      {"pointwise", {.n = 8, .c = 64, .h = 512, .w = 512, .k = 2}},
      {"2x2, stride 2", {.n = 8, .c = 32, .h = 64, .w = 64, .k = 64, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2}},
  };
  for (const Case& c : cases)
    for (const Precision p : kPrecisions)
      for (const ConvDirection d : kDirections) {
        SCOPED_TRACE(text(c.name, ", ", d, ", ", name_of(p)));
        EXPECT_EQ(error_of([&] { conv2d_cudnn_plan(*api, {.described = &*gpu}, c.g, d, p); }), "no error");
      }
  const auto engine = [&] {
    return conv2d_cudnn_plan(*api, {.described = &*gpu}, kSmallConvolution, ConvDirection::backward_weight,
                             Precision::tf32)
        .engine;
  };
  EXPECT_EQ(engine(), engine()) << "the choice does not repeat";
}

}  // namespace
}  // namespace kern::kernels
#else
TEST(CudnnImpl, is_not_in_a_build_without_cuda) { GTEST_SKIP() << "nothing was run: built without CUDA"; }
#endif

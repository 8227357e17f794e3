// What the runtime does besides running kernels: how much shared memory a kernel may have, errors that stay, a device
// for which this build has no image.
#include "kernels/common/launches.h"
#include "tests/emulator/fault_check.h"
#include "tests/support/error_of.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

// --- shared memory beyond 48 KiB ---
template <int kStatic>
__global__ void staging_kernel(int floats, float* y) {
  KERN_SHARED(float[kStatic], of_block);
  float* const staged = KERN_DYNAMIC_SHARED(float);
  if (threadIdx.x > 0) return;
  of_block[0] = 1;
  staged[floats - 1] = 2;
  y[blockIdx.x] = of_block[0] + staged[floats - 1];
}
constexpr size_t KiB = 1024;
// A launch as CUDA takes it, without what KERN_LAUNCH asks for first.
template <int kStatic>
cudaError_t launch_as_it_is(size_t shared_bytes, float* y) {
  struct Parameters {
    int floats;
    float* y;
  };
  void (*kernel)(int, float*) = staging_kernel<kStatic>;
  const auto parameters = std::make_shared<const Parameters>(Parameters{int(shared_bytes / 4), y});
  return emulator::enqueue({.name = "staging_kernel",
                            .grid = 1,
                            .block = 32,
                            .shared_bytes = shared_bytes,
                            .kernel = reinterpret_cast<void (*)()>(kernel),
                            .parameters = parameters,
                            .parameter_bytes = sizeof(Parameters),
                            .call =
                                [](void (*function)(), const void* p) {
                                  const auto& at = *static_cast<const Parameters*>(p);
                                  reinterpret_cast<void (*)(int, float*)>(function)(at.floats, at.y);
                                }},
                           nullptr);
}
template <int kStatic>
cudaError_t allow(size_t bytes) {
  void (*kernel)(int, float*) = staging_kernel<kStatic>;
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                              int(bytes));
}
TEST(SharedMemory, more_than_48_KiB_must_be_asked_for) {
  const Buffer y(1);
  EXPECT_EQ(launch_as_it_is<1>(49 * KiB, y.get()), cudaErrorInvalidValue);
  EXPECT_TRUE(has(cudaGetErrorString(cudaErrorInvalidValue), {"staging_kernel: 50176 bytes of dynamic shared memory",
                                                              "has not been called, which allows it 49152"}));
  EXPECT_EQ(launch_as_it_is<1>(47 * KiB, y.get()), cudaSuccess);
  EXPECT_EQ(allow<1>(60 * KiB), cudaSuccess);
  EXPECT_EQ(launch_as_it_is<1>(49 * KiB, y.get()), cudaSuccess);
  EXPECT_EQ(launch_as_it_is<1>(61 * KiB, y.get()), cudaErrorInvalidValue);
  EXPECT_EQ(allow<1>(228 * KiB), cudaErrorInvalidValue) << "no block has that much";
  cuda_check(cudaDeviceSynchronize(), "waiting");
  EXPECT_EQ(allow<1>(227 * KiB), cudaErrorInvalidValue) << "not beside a variable of the block";
  EXPECT_EQ(allow<1>(227 * KiB - 4), cudaSuccess);
  EXPECT_EQ(y.values()[0], 3);
}
TEST(SharedMemory, variables_of_the_block_count) {
  const Buffer y(1);
  EXPECT_EQ(launch_as_it_is<6 * 1024>(4 * KiB, y.get()), cudaSuccess);
  cuda_check(cudaDeviceSynchronize(), "waiting");
  cudaFuncAttributes attributes{};
  void (*kernel)(int, float*) = staging_kernel<6 * 1024>;
  EXPECT_EQ(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel)), cudaSuccess);
  EXPECT_EQ(attributes.sharedSizeBytes, 24 * KiB);
  EXPECT_EQ(attributes.maxDynamicSharedSizeBytes, int(24 * KiB));
  EXPECT_EQ(launch_as_it_is<6 * 1024>(25 * KiB, y.get()), cudaErrorInvalidValue);
  for (int i = 0; i < 2; ++i)
    KERN_LAUNCH(kernel, {.grid = 1, .block = 32, .shared_bytes = 25 * KiB}, int(25 * KiB / 4), y.get());
  cuda_check(cudaDeviceSynchronize(), "waiting");
}

class Recorded : public ::testing::Test {
 protected:
  void SetUp() override { cuda_check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream"); }
  void TearDown() override { cudaStreamDestroy(stream_); }
  template <class Work>
  cudaGraph_t record(Work work) {
    cuda_check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeRelaxed), "capture");
    work();
    cudaGraph_t graph = nullptr;
    cuda_check(cudaStreamEndCapture(stream_, &graph), "end of capture");
    return graph;
  }
  LaunchConfig with(size_t shared_bytes) const {
    return {.grid = 1, .block = 32, .shared_bytes = shared_bytes, .stream = stream_};
  }
  cudaStream_t stream_ = nullptr;
};
// H1: a second, smaller launch while the first was recorded took away what the first one's node needed.
TEST_F(Recorded, a_smaller_launch_takes_nothing_from_a_larger_one_before_it) {
  const Buffer y(1);
  void (*kernel)(int, float*) = staging_kernel<3>;
  const auto floats = [](size_t bytes) { return int(bytes / 4); };
  cudaGraph_t graph = record([&] {
    KERN_LAUNCH(kernel, with(96 * KiB), floats(96 * KiB), y.get());
    KERN_LAUNCH(kernel, with(64 * KiB), floats(64 * KiB), y.get());
    KERN_LAUNCH(kernel, with(4 * KiB), floats(4 * KiB), y.get());
  });
  cudaGraphExec_t recorded = nullptr;
  cuda_check(cudaGraphInstantiate(&recorded, graph, 0), "instantiate");
  KERN_LAUNCH(kernel, with(50 * KiB), floats(50 * KiB), y.get());
  cuda_check(cudaGraphLaunch(recorded, stream_), "launch");
  cuda_check(cudaStreamSynchronize(stream_), "wait");
  EXPECT_EQ(y.values()[0], 3);
  cudaGraphExecDestroy(recorded), cudaGraphDestroy(graph);
}
TEST_F(Recorded, a_node_gets_what_its_kernel_is_allowed_when_the_graph_is_made_and_launched) {
  const Buffer y(1);
  void (*kernel)(int, float*) = staging_kernel<4>;
  cudaGraph_t graph = record([&] { KERN_LAUNCH(kernel, with(96 * KiB), int(96 * KiB / 4), y.get()); });
  const std::string_view less[] = {"a node of a graph: kernel: 98304 bytes", "has allowed it 65536"};
  cudaGraphExec_t recorded = nullptr;
  EXPECT_EQ(allow<4>(64 * KiB), cudaSuccess);
  EXPECT_EQ(cudaGraphInstantiate(&recorded, graph, 0), cudaErrorInvalidValue);
  EXPECT_TRUE(has(cudaGetErrorString(cudaErrorInvalidValue), {less[0], less[1]}));
  EXPECT_EQ(allow<4>(96 * KiB), cudaSuccess);
  EXPECT_EQ(cudaGraphInstantiate(&recorded, graph, 0), cudaSuccess);
  EXPECT_EQ(allow<4>(64 * KiB), cudaSuccess);
  EXPECT_EQ(cudaGraphLaunch(recorded, stream_), cudaErrorInvalidValue);
  EXPECT_EQ(allow<4>(96 * KiB), cudaSuccess);
  EXPECT_EQ(cudaGraphLaunch(recorded, stream_), cudaSuccess);
  cuda_check(cudaStreamSynchronize(stream_), "wait");
  cudaGraphExecDestroy(recorded), cudaGraphDestroy(graph);
}

// --- a capture that goes over two streams ---
__global__ void plus_kernel(const float* from, float what, float* to) { *to = *from + what; }
class Forked : public Recorded {
 protected:
  void SetUp() override {
    Recorded::SetUp();
    cuda_check(cudaStreamCreateWithFlags(&side_, cudaStreamNonBlocking), "a stream");
    cuda_check(cudaEventCreate(&fork_), "an event");
    cuda_check(cudaEventCreate(&join_), "an event");
  }
  void TearDown() override {
    cudaEventDestroy(fork_), cudaEventDestroy(join_), cudaStreamDestroy(side_);
    Recorded::TearDown();
  }
  void plus(cudaStream_t stream, int from, float what, int to) {
    KERN_LAUNCH(plus_kernel, {.grid = 1, .block = 1, .stream = stream}, y_.get() + from, what, y_.get() + to);
  }
  void fork() {
    cuda_check(cudaEventRecord(fork_, stream_), "fork");
    cuda_check(cudaStreamWaitEvent(side_, fork_), "fork");
  }
  void join() {
    cuda_check(cudaEventRecord(join_, side_), "join");
    cuda_check(cudaStreamWaitEvent(stream_, join_), "join");
  }
  // y[4] after two launches, whose branches do their work as early as they may or as late.
  template <class Work>
  std::vector<float> orders(Work work) {
    cudaGraph_t graph = record(work);
    cudaGraphExec_t recorded = nullptr;
    cuda_check(cudaGraphInstantiate(&recorded, graph, 0), "instantiate");
    const uint64_t before = emulator::seed();
    std::vector<float> out;
    for (const uint64_t seed : {1, 2}) {
      emulator::set_seed(seed);
      cuda_check(cudaMemcpy(y_.get(), counting(5).data(), 5 * sizeof(float), cudaMemcpyHostToDevice), "to the GPU");
      for (int i = 0; i < 2; ++i) cuda_check(cudaGraphLaunch(recorded, stream_), "launch");
      cuda_check(cudaStreamSynchronize(stream_), "wait");
      out.push_back(y_.values()[4]);
    }
    emulator::set_seed(before);
    cudaGraphExecDestroy(recorded), cudaGraphDestroy(graph);
    return out;
  }
  const Buffer y_{counting(5)};
  cudaStream_t side_ = nullptr;
  cudaEvent_t fork_ = nullptr, join_ = nullptr;
};
TEST_F(Forked, both_branches_follow_the_fork_and_come_before_what_follows_the_join) {
  const auto out = orders([&] {
    plus(stream_, 0, 10, 1);  // y[1] = 10
    fork();
    plus(side_, 1, 100, 2);      // y[2] = 110
    plus(side_, 2, 1000, 2);     // 1110
    plus(stream_, 1, 10000, 3);  // y[3] = 10010
    join();
    plus(stream_, 2, 1, 4);
  });
  EXPECT_EQ(out, (std::vector<float>{1111, 1111}));
}
// Planted: what a branch gives is read before it is waited for.
TEST_F(Forked, a_missing_wait_reads_old_values_in_one_order) {
  const auto out = orders([&] {
    fork();
    plus(side_, 0, 100, 2);
    plus(stream_, 2, 1, 4);
    join();
    plus(stream_, 0, 0, 2);
  });
  EXPECT_NE(out[0], out[1]);
}
TEST_F(Forked, a_branch_that_is_not_joined_is_refused) {
  cuda_check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeRelaxed), "capture");
  fork();
  plus(side_, 0, 100, 2);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorStreamCaptureUnjoined);
  EXPECT_EQ(graph, nullptr);
  cudaGetLastError();
  cuda_check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeRelaxed), "capture");
  fork();
  join();
  plus(side_, 0, 100, 2);  // after the join
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorStreamCaptureUnjoined);
  cudaGetLastError();
  plus(side_, 0, 100, 2);  // the streams are free again
  cuda_check(cudaStreamSynchronize(side_), "wait");
  EXPECT_EQ(y_.values()[2], 100);
  EXPECT_EQ(orders([&] {
              fork();
              plus(side_, 0, 5, 4);
              join();
            }),
            (std::vector<float>{5, 5}));
}

// --- errors that stay ---
__global__ void outside_kernel(int at, float* y) { y[at] = 1; }
class Errors : public ::testing::Test {
 protected:
  void TearDown() override {
    set_sync_launches(false);
    emulator::forget_faults();
  }
};
TEST_F(Errors, of_a_kernel_stay_until_the_process_ends) {
  const Buffer y(counting(8));
  void* p = nullptr;
  cudaEvent_t event = nullptr;
  cudaStream_t stream = nullptr;
  KERN_LAUNCH(outside_kernel, {.grid = 1, .block = 1}, 8, y.get());
  const std::string said = error_of([] { cuda_check(cudaDeviceSynchronize(), "waiting"); });
  EXPECT_TRUE(has(said, {"CUDA: waiting: outside_kernel: thread (0,0,0)", "(cudaErrorLaunchFailure)",
                         "the GPU refuses all further work of this process: start it again", "KERN_SYNC=on"}));
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure) << "asking clears nothing";
  EXPECT_EQ(cudaMalloc(&p, 8), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaMallocHost(&p, 8), cudaErrorLaunchFailure);
  float value = 0;
  EXPECT_EQ(cudaMemcpy(&value, y.get(), 4, cudaMemcpyDeviceToHost), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaMemsetAsync(y.get(), 0, 4), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaStreamCreateWithFlags(&stream, 0), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaStreamQuery(nullptr), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaEventCreate(&event), cudaErrorLaunchFailure);
  EXPECT_TRUE(has(error_of([&] { KERN_LAUNCH(outside_kernel, {.grid = 1, .block = 1}, 0, y.get()); }),
                  {"CUDA: outside_kernel: ", "start it again"}));
  emulator::forget_faults();  // as another process would find it
  KERN_LAUNCH(outside_kernel, {.grid = 1, .block = 1}, 0, y.get());
  EXPECT_EQ(y.values()[0], 1);
}
TEST_F(Errors, of_a_call_are_its_own) {
  const Buffer y(counting(8));
  const std::string said = error_of([&] { KERN_LAUNCH(outside_kernel, {.grid = 1, .block = 1025}, 0, y.get()); });
  EXPECT_TRUE(has(said, {"a block of 1025 threads", "(cudaErrorInvalidConfiguration)"}));
  EXPECT_FALSE(has(said, {"start it again"}));
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  KERN_LAUNCH(outside_kernel, {.grid = 1, .block = 1}, 0, y.get());
  EXPECT_EQ(y.values()[0], 1);
}
TEST_F(Errors, name_the_kernel_where_every_launch_is_waited_for) {
  const Buffer y(counting(8));
  set_sync_launches(true);
  KERN_LAUNCH(outside_kernel, {.grid = 1, .block = 1}, 0, y.get());
  const std::string said = error_of([&] { KERN_LAUNCH(outside_kernel, {.grid = 1, .block = 1}, 8, y.get()); });
  EXPECT_TRUE(has(said, {"CUDA: outside_kernel: ", "start it again"}));
  EXPECT_FALSE(has(said, {"KERN_SYNC"})) << "it is on";
}
TEST_F(Errors, what_is_recorded_is_not_waited_for) {
  const Buffer y(counting(8));
  set_sync_launches(true);
  cudaStream_t stream = nullptr;
  cuda_check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
  cuda_check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "capture");
  KERN_LAUNCH(outside_kernel, {.grid = 1, .block = 1, .stream = stream}, 2, y.get());
  cudaGraph_t graph = nullptr;
  cuda_check(cudaStreamEndCapture(stream, &graph), "end of capture");
  EXPECT_EQ(y.values()[2], 2);
  cudaGraphDestroy(graph), cudaStreamDestroy(stream);
}

// --- a device that this build was not made for ---
TEST_F(Errors, no_image_for_the_device) {
  const Buffer y(counting(8));
  const auto run = [&] { return error_of([&] { KERN_LAUNCH(outside_kernel, {.grid = 1, .block = 1}, 0, y.get()); }); };
  cudaFuncAttributes attributes{};
  const auto kernel = reinterpret_cast<const void*>(outside_kernel);
  emulator::set_architecture(75);
  EXPECT_TRUE(has(run(), {"no kernel image is available for execution on the device"}));
  EXPECT_EQ(cudaFuncGetAttributes(&attributes, kernel), cudaErrorNoKernelImageForDevice);
  cudaDeviceProp properties;
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_EQ(properties.major * 10 + properties.minor, 75);
  emulator::set_architecture(86);
  EXPECT_EQ(run(), "no error");
  EXPECT_EQ(cudaFuncGetAttributes(&attributes, kernel), cudaSuccess);
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_EQ(properties.sharedMemPerBlockOptin, 99 * KiB);
  emulator::set_architecture(90);
}

}  // namespace
}  // namespace kern::kernels

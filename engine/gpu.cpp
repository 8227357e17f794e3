#include "engine/gpu.h"

#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>
#include <vector>

#ifdef KERN_CUDA
#include "engine/communicator.h"
#include "kernels/common/cuda.h"
#include "kernels/common/image.h"
#include "kernels/common/log.h"
#endif

namespace kern {
namespace {

void copy_on_host(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height) {
  if (to_pitch == width && from_pitch == width) width *= height, height = width > 0;
  for (size_t i = 0; i < height; ++i)
    std::memcpy(static_cast<std::byte*>(to) + i * to_pitch, static_cast<const std::byte*>(from) + i * from_pitch,
                width);
}

#ifdef KERN_CUDA
using kernels::cuda_check;

// Why the first GPU cannot be used; empty: it can. `there`: a GPU seems to be there all the same.
std::string why_not(bool& there) {
  constexpr const char* kInstead = ", or use device=cpu";
  int count = 0, driver = 0, runtime = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  cudaGetLastError();
  if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
    return "no GPU can be used (none is there); use device=cpu, or install NVIDIA's driver";
  if (error == cudaErrorInsufficientDriver) {
    if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
      return "no GPU can be used (there is no driver of NVIDIA's); use device=cpu, or install the driver";
    there = true;
    cudaRuntimeGetVersion(&runtime);
    const auto version = [](int v) { return text(v / 1000, ".", v % 1000 / 10); };
    return text("the GPU cannot be used: its driver is for CUDA ", version(driver), ", this build of Kern ",
                runtime > driver ? "is made with CUDA " + version(runtime) : "needs a newer one",
                "; install a newer driver", kInstead);
  }
  there = true;
  if (error != cudaSuccess)
    return text("the GPU cannot be used: ", cudaGetErrorString(error), " (", cudaGetErrorName(error),
                "); see what nvidia-smi says", kInstead);
  cudaFuncAttributes attributes;
  const cudaError_t image = cudaFuncGetAttributes(&attributes, kernels::any_kernel());
  if (image == cudaSuccess) return {};
  cudaGetLastError();
  cudaDeviceProp gpu;
  if (cudaGetDeviceProperties(&gpu, 0) != cudaSuccess) cudaGetLastError(), gpu = {};
  return text("the GPU (", gpu.name, ", compute capability ", gpu.major, ".", gpu.minor,
              ") cannot be used: ", cudaGetErrorString(image), " (", cudaGetErrorName(image), "); ",
              gpu.major >= 8 ? text("build Kern with -DCMAKE_CUDA_ARCHITECTURES=", gpu.major, gpu.minor)
                             : std::string("Kern needs one of 8.0 or newer: use another GPU"),
              kInstead);
}

// Of the ranks on one machine each has a GPU of its own: by order, of those that it may see. The variable and not cudaSetDevice,
// which says it of one thread only.
void choose_by_rank() {
  const int rank = communicator().local_rank();
  if (communicator().local_size() == 1) return;
  std::vector<std::string> visible;
  if (const char* given = std::getenv("CUDA_VISIBLE_DEVICES")) {
    std::istringstream list(given);
    for (std::string one; std::getline(list, one, ',');) visible.push_back(one);
    if (visible.size() == 1) return;  // the launcher has chosen
  }
  const std::string own = visible.empty() ? std::to_string(rank) : visible[size_t(rank) % visible.size()];
  ::setenv("CUDA_VISIBLE_DEVICES", own.c_str(), 1);
}

// Opened at the first use: the GPU of this process, the stream that all work goes to, and the one of uploads.
struct Gpu {
  bool there = false;
  std::string why;
  bool told = true;  // the person has nothing to learn from `why`, or knows it
  cudaStream_t stream = nullptr, upload = nullptr, branch = nullptr;
  cudaEvent_t fork = nullptr, join = nullptr;
  Gpu() {
    bool seen = false;
    choose_by_rank();
    why = why_not(seen);
    if (!why.empty() && communicator().local_size() > 1)
      why += text(" (this is rank ", communicator().rank(), ", one of ", communicator().local_size(),
                  " on its machine: each needs a GPU of its own)");
    told = !seen;
    if (!why.empty()) return;
    cuda_check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
    for (cudaStream_t* other : {&upload, &branch})
      cuda_check(cudaStreamCreateWithFlags(other, cudaStreamNonBlocking), "a stream");
    for (cudaEvent_t* event : {&fork, &join})
      cuda_check(cudaEventCreateWithFlags(event, cudaEventDisableTiming), "an event");
    kernels::set_current_stream(stream);
    there = true;
  }
};
Gpu& gpu() {
  static Gpu& only = *new Gpu;
  return only;
}
cudaStream_t stream_of(CudaStream which) { return which == CudaStream::work ? gpu().stream : gpu().upload; }
#endif

thread_local bool recording_now = false;

// A copy from or to the host would be done once, when the step is recorded, and not whenever it is launched.
void refuse_while_recording(const char* what) {
  check(!recording_now, what,
        " while a step is being recorded; nothing in a step may do that: give it to the step as an input or set it "
        "before, read it behind the step, or run with KERN_GRAPH=off");
}

}  // namespace

bool gpu_available(std::string* why) {
#ifdef KERN_CUDA
  if (why) *why = gpu().why;
  return gpu().there;
#else
  if (why) *why = "this build of Kern has no CUDA; use device=cpu, or build with KERN_CUDA=ON on a machine with nvcc";
  return false;
#endif
}

void require_device(Device device, SourceLocation at) {
  std::string why;
  if (device == Device::cuda) check({gpu_available(&why), at}, "device=cuda: ", why);
}

Device device_of(DeviceChoice choice, SourceLocation at) {
  if (choice == DeviceChoice::automatic) {
    if (gpu_available() && !gpu_info().emulated) return Device::cuda;
#ifdef KERN_CUDA
    if (!gpu().there && !std::exchange(gpu().told, true)) warn("device=auto computes on the CPU: ", gpu().why);
#endif
    return Device::cpu;
  }
  const Device device = choice == DeviceChoice::cpu ? Device::cpu : Device::cuda;
  require_device(device, at);
  return device;
}

GpuInfo gpu_info() {
  require_device(Device::cuda);
  GpuInfo info;
#ifdef KERN_CUDA
  cudaDeviceProp properties;
  cuda_check(cudaGetDeviceProperties(&properties, 0), "properties of the GPU");
  info.name = properties.name;
  info.major = properties.major;
  info.minor = properties.minor;
  info.multiprocessors = properties.multiProcessorCount;
  cuda_check(cudaMemGetInfo(&info.free, &info.memory), "memory of the GPU");
  cuda_check(cudaDriverGetVersion(&info.driver), "the driver's version");
  cuda_check(cudaRuntimeGetVersion(&info.runtime), "the runtime's version");
#ifdef KERN_CUDA_EMULATED
  info.emulated = true;
#endif
#endif
  return info;
}

void wait_for(Device device) {
  if (device == Device::cpu) return;
  require_device(device);
  refuse_while_recording("the host waits for the GPU");
#ifdef KERN_CUDA
  cuda_check(cudaStreamSynchronize(gpu().stream), "waiting for the GPU");
#endif
}

std::byte* gpu_allocate(size_t bytes) {
  require_device(Device::cuda);
  void* p = nullptr;
#ifdef KERN_CUDA
  const cudaError_t error = cudaMalloc(&p, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  cuda_check(error, "memory of the GPU");
#else
  (void)bytes;
#endif
  return static_cast<std::byte*>(p);
}
void gpu_free(std::byte* p) {
#ifdef KERN_CUDA
  cudaFree(p);  // an error here says that an earlier kernel failed: whoever waits for that one is told
#else
  (void)p;
#endif
}
void gpu_hand_out_again(std::byte* p, size_t bytes) {
#ifdef KERN_CUDA_EMULATED
  emulator::forget_contents(p, bytes, static_cast<cudaStream_t>(kernels::current_stream()));
#else
  (void)p, (void)bytes;
#endif
}

void copy_bytes(Device to_device, void* to, size_t to_pitch, Device from_device, const void* from, size_t from_pitch,
                size_t width, size_t height) {
  if (width == 0 || height == 0) return;
  if (to_device == Device::cpu && from_device == Device::cpu)
    return copy_on_host(to, to_pitch, from, from_pitch, width, height);
  require_device(Device::cuda);
  if (to_device == Device::cpu) refuse_while_recording("the host reads what the GPU computes");
  if (from_device == Device::cpu) refuse_while_recording("the host gives values to the GPU");
#ifdef KERN_CUDA
  const cudaMemcpyKind kind = to_device == Device::cpu     ? cudaMemcpyDeviceToHost
                              : from_device == Device::cpu ? cudaMemcpyHostToDevice
                                                           : cudaMemcpyDeviceToDevice;
  if (to_pitch == width && from_pitch == width) {
    cuda_check(cudaMemcpyAsync(to, from, width * height, kind, gpu().stream), "a copy");
  } else {
    cuda_check(cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, width, height, kind, gpu().stream), "a copy");
  }
  if (to_device == Device::cpu) wait_for(Device::cuda);
#endif
}

void set_bytes(Device device, void* p, unsigned char value, size_t bytes) {
  if (bytes == 0) return;
  if (device == Device::cpu) {
    std::memset(p, value, bytes);
    return;
  }
  require_device(device);
#ifdef KERN_CUDA
  cuda_check(cudaMemsetAsync(p, value, bytes, gpu().stream), "filling memory of the GPU");
#endif
}

PinnedMemory::PinnedMemory(size_t bytes) : bytes_(bytes) {
  require_device(Device::cuda);
#ifdef KERN_CUDA
  void* p = nullptr;
  cuda_check(cudaMallocHost(&p, bytes), "pinned memory of the host");
  data_ = static_cast<std::byte*>(p);
#endif
}
PinnedMemory::~PinnedMemory() {
#ifdef KERN_CUDA
  cudaFreeHost(data_);
#endif
}

void copy_later(Device to_device, void* to, Device from_device, const void* from, size_t bytes, CudaStream stream) {
  require_device(Device::cuda);
  internal_check(to_device != from_device, "copy_later is for copies between the GPU and pinned memory");
  refuse_while_recording(to_device == Device::cpu ? "the host reads what the GPU computes"
                                                  : "the host gives values to the GPU");
#ifdef KERN_CUDA
  cuda_check(
      cudaMemcpyAsync(to, from, bytes, to_device == Device::cpu ? cudaMemcpyDeviceToHost : cudaMemcpyHostToDevice,
                      stream_of(stream)),
      "a copy");
#else
  (void)to, (void)from, (void)bytes, (void)stream;
#endif
}

CudaEvent::CudaEvent([[maybe_unused]] bool timed) {
  require_device(Device::cuda);
#ifdef KERN_CUDA
  cudaEvent_t event = nullptr;
  cuda_check(cudaEventCreateWithFlags(&event, timed ? 0 : cudaEventDisableTiming), "an event");
  event_ = event;
#endif
}
CudaEvent::~CudaEvent() {
#ifdef KERN_CUDA
  cudaEventDestroy(static_cast<cudaEvent_t>(event_));
#endif
}
void CudaEvent::record([[maybe_unused]] CudaStream in) {
  refuse_while_recording("the host marks a place in the GPU's work");
#ifdef KERN_CUDA
  cuda_check(cudaEventRecord(static_cast<cudaEvent_t>(event_), stream_of(in)), "an event");
#endif
}
void CudaEvent::hold([[maybe_unused]] CudaStream later) const {
  refuse_while_recording("the GPU's work waits for an event");
#ifdef KERN_CUDA
  cuda_check(cudaStreamWaitEvent(stream_of(later), static_cast<cudaEvent_t>(event_), 0), "waiting for an event");
#endif
}
bool CudaEvent::reached() const {
#ifdef KERN_CUDA
  const cudaError_t error = cudaEventQuery(static_cast<cudaEvent_t>(event_));
  if (error == cudaErrorNotReady) return cudaGetLastError(), false;
  cuda_check(error, "asking the GPU");
#endif
  return true;
}
void CudaEvent::wait() const {
  refuse_while_recording("the host waits for the GPU");
#ifdef KERN_CUDA
  cuda_check(cudaEventSynchronize(static_cast<cudaEvent_t>(event_)), "waiting for the GPU");
#endif
}
double CudaEvent::milliseconds_since([[maybe_unused]] const CudaEvent& earlier) const {
  float milliseconds = 0;
#ifdef KERN_CUDA
  cuda_check(
      cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(earlier.event_), static_cast<cudaEvent_t>(event_)),
      "the time between two events");
#endif
  return milliseconds;
}

CudaGraph::CudaGraph(const std::function<void()>& work) {
  require_device(Device::cuda);
  check(!recording_now, "a step is being recorded inside of another");
#ifdef KERN_CUDA
  cudaGraph_t graph = nullptr;
  // Relaxed: memory may be allocated meanwhile. What must not happen copy_bytes and its like refuse by themselves.
  cuda_check(cudaStreamBeginCapture(gpu().stream, cudaStreamCaptureModeRelaxed), "recording a step");
  recording_now = true;
  try {
    work();
  } catch (...) {
    recording_now = false;
    if (cudaStreamEndCapture(gpu().stream, &graph) == cudaSuccess && graph) cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  recording_now = false;
  cuda_check(cudaStreamEndCapture(gpu().stream, &graph), "recording a step");
  cudaGraphExec_t exec = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&exec, graph, 0);
  cudaGraphDestroy(graph);
  cuda_check(error, "making a graph of a step");
  graph_ = exec;
#else
  (void)work;
#endif
}
CudaGraph::~CudaGraph() {
#ifdef KERN_CUDA
  cudaStreamSynchronize(gpu().stream);  // it may be under way
  cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph_));
#endif
}
void CudaGraph::launch() const {
  check(!recording_now, "a step is being recorded inside of another");
#ifdef KERN_CUDA
  cuda_check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph_), gpu().stream), "a recorded step");
#endif
}
bool recording() { return recording_now; }

GraphBranch::GraphBranch(bool wanted) : forked_(wanted && recording_now) {
#ifdef KERN_CUDA
  if (!forked_) return;
  cuda_check(cudaEventRecord(gpu().fork, gpu().stream), "a branch of a recorded step");
  cuda_check(cudaStreamWaitEvent(gpu().branch, gpu().fork, 0), "a branch of a recorded step");
#endif
}
GraphBranch::~GraphBranch() {
#ifdef KERN_CUDA
  // What goes wrong here is found at the end of the recording too: the branch has not come back.
  if (forked_ && cudaEventRecord(gpu().join, gpu().branch) == cudaSuccess)
    cudaStreamWaitEvent(gpu().stream, gpu().join, 0);
#endif
}
GraphBranch::Inside::Inside([[maybe_unused]] const GraphBranch& branch) : outside_(kernels::current_stream()) {
#ifdef KERN_CUDA
  if (branch.forked_) kernels::set_current_stream(gpu().branch);
#endif
}
GraphBranch::Inside::~Inside() { kernels::set_current_stream(outside_); }

}  // namespace kern

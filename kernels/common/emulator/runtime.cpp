#include "kernels/common/emulator/runtime.h"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "kernels/common/emulator/dry_run.h"
#include "kernels/common/emulator/heap.h"
#include "kernels/common/emulator/library.h"
#include "kernels/common/error.h"

namespace emulator = kern::emulator;
using kern::text;

// One piece of a stream's work. Returns what was wrong, empty when nothing was.
using Work = std::function<std::string()>;

struct EmulatedGraph {
  std::vector<Work> works;
};
struct EmulatedStream {
  std::deque<Work> waiting;
  bool running = false;
  std::unique_ptr<EmulatedGraph> capture;
};
struct EmulatedEvent {
  EmulatedStream* stream = nullptr;
  uint64_t recorded = 0, reached = 0;  // how often
  std::chrono::steady_clock::time_point when{};
};

namespace {

std::recursive_mutex mutex;                            // one thread at a time emulates the card
EmulatedStream& default_stream = *new EmulatedStream;  // never destroyed: memory may be given back at the very end
std::vector<EmulatedStream*>& all_streams = *new std::vector<EmulatedStream*>{&default_stream};
std::string last_fault;
cudaError_t last_error = cudaSuccess;

EmulatedStream& of(cudaStream_t stream) { return stream ? *stream : default_stream; }

cudaError_t fail(cudaError_t error) { return last_error = error; }
cudaError_t fail_with(std::string sentence) {
  last_fault = std::move(sentence);
  return fail(cudaErrorLaunchFailure);
}

// Runs what waits in a stream, up to and with the work that makes `until` true.
template <class Until>
cudaError_t run_stream(EmulatedStream& s, Until until) {
  if (s.running) return fail_with("a stream waits for itself");
  s.running = true;
  std::string wrong;
  while (wrong.empty() && !s.waiting.empty() && !until()) {
    Work work = std::move(s.waiting.front());
    s.waiting.pop_front();
    wrong = work();
  }
  if (!wrong.empty()) s.waiting.clear();  // a card would refuse all that follows
  s.running = false;
  if (wrong.empty()) wrong = emulator::take_host_fault();
  return wrong.empty() ? cudaSuccess : fail_with(std::move(wrong));
}
cudaError_t run_all(EmulatedStream& s) {
  return run_stream(s, [] { return false; });
}

cudaError_t add(cudaStream_t stream, Work work) {
  EmulatedStream& s = of(stream);
  if (s.capture) s.capture->works.push_back(std::move(work));
  else s.waiting.push_back(std::move(work));
  return cudaSuccess;
}
// In a dry run a piece of work is written down, and that is all.
bool noted(emulator::DryNode node, cudaStream_t stream) {
  emulator::DryRun* const dry = emulator::DryRun::current();
  if (dry) dry->note(std::move(node), of(stream).capture != nullptr);
  return dry != nullptr;
}
bool capturing_any() {
  for (EmulatedStream* s : all_streams)
    if (s->capture) return true;
  return false;
}
// Waiting is forbidden while a stream records.
cudaError_t refuse_wait() {
  return fail_with("the host waits for the card while a step is being captured; nothing in a step may do that");
}
bool inside(const void* p) { return emulator::in_heap(reinterpret_cast<uintptr_t>(p)); }

std::string copy_now(void* to, const void* from, size_t bytes) {
  for (const void* p : {static_cast<const void*>(to), from})
    if (bytes && inside(p) && !emulator::heap_holds(reinterpret_cast<uintptr_t>(p), bytes))
      return text("a copy of ", bytes, " bytes begins ", emulator::heap_where(reinterpret_cast<uintptr_t>(p)));
  emulator::heap_copy(to, from, bytes);
  return {};
}
// Whether the memory's side of a copy agrees with what the call says.
bool direction_fits(const void* to, const void* from, cudaMemcpyKind kind) {
  auto on_card = [](const void* p) { return inside(p); };
  auto on_host = [](const void* p) { return !inside(p) || emulator::host_may_touch(reinterpret_cast<uintptr_t>(p)); };
  switch (kind) {
    case cudaMemcpyHostToDevice:
      return on_host(from) && on_card(to);
    case cudaMemcpyDeviceToHost:
      return on_card(from) && on_host(to);
    case cudaMemcpyDeviceToDevice:
      return on_card(from) && on_card(to);
    case cudaMemcpyHostToHost:
      return on_host(from) && on_host(to);
    default:
      return true;
  }
}

}  // namespace

namespace kern::emulator {
cudaError_t enqueue(Launch launch, cudaStream_t stream) {
  std::lock_guard lock(mutex);
  if (noted({DryNode::Kind::kernel, launch.name, launch.grid, launch.block, launch.shared_bytes}, stream))
    return cudaSuccess;
  return add(stream, [launch = std::make_shared<Launch>(std::move(launch))] { return run(*launch); });
}

const CardOfLibrary& card_of_library() {
  static const CardOfLibrary card{.enqueue =
                                      [](Work work, void* stream) {
                                        std::lock_guard lock(mutex);
                                        const auto of_card = static_cast<cudaStream_t>(stream);
                                        if (!noted({DryNode::Kind::library, "library"}, of_card))
                                          add(of_card, std::move(work));
                                      },
                                  .capturing =
                                      [](void* stream) {
                                        std::lock_guard lock(mutex);
                                        return of(static_cast<cudaStream_t>(stream)).capture != nullptr;
                                      },
                                  .copy =
                                      [](void* to, const void* from, size_t bytes) {
                                        if (inside(to) || inside(from)) return copy_now(to, from, bytes);
                                        return std::string("the address is not one of the card's");
                                      }};
  return card;
}
}  // namespace kern::emulator

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
  }
  return "unknown";
}
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorNotReady:
      return "not ready";
    case cudaErrorLaunchFailure:
      return last_fault.c_str();
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted while a stream is being captured";
  }
  return "unknown error";
}
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
cudaError_t cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : fail(cudaErrorInvalidValue); }
cudaError_t cudaDriverGetVersion(int* version) { return *version = 0, cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int* version) { return *version = 0, cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated on the CPU");
  properties->totalGlobalMem = emulator::heap_capacity();
  properties->major = 9;
  properties->multiProcessorCount = 4;
  properties->sharedMemPerBlockOptin = emulator::kSharedBytes;
  properties->l2CacheSize = 1 << 20;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = emulator::heap_capacity();
  *free = *total - std::min(*total, emulator::heap_live());
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  std::lock_guard lock(mutex);
  if (capturing_any()) return refuse_wait();
  for (size_t i = 0; i < all_streams.size(); ++i)
    if (const cudaError_t e = run_all(*all_streams[i])) return e;
  return cudaSuccess;
}

namespace {
cudaError_t take(void** p, size_t bytes, emulator::MemoryKind kind) {
  std::lock_guard lock(mutex);
  *p = bytes ? emulator::heap_take(bytes, kind) : nullptr;
  return *p || !bytes ? cudaSuccess : fail(cudaErrorMemoryAllocation);
}
cudaError_t give_back(void* p) {
  std::lock_guard lock(mutex);
  if (capturing_any()) return refuse_wait();
  const cudaError_t waited = cudaDeviceSynchronize();  // as cudaFree does
  if (!emulator::heap_give_back(p)) return fail(cudaErrorInvalidValue);
  return waited;
}
}  // namespace
cudaError_t cudaMalloc(void** p, size_t bytes) { return take(p, bytes, emulator::MemoryKind::device); }
cudaError_t cudaMallocManaged(void** p, size_t bytes, unsigned) {
  return take(p, bytes, emulator::MemoryKind::managed);
}
cudaError_t cudaMallocHost(void** p, size_t bytes) { return take(p, bytes, emulator::MemoryKind::pinned); }
cudaError_t cudaFree(void* p) { return give_back(p); }
cudaError_t cudaFreeHost(void* p) { return give_back(p); }

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return cudaMemcpy2DAsync(to, bytes, from, bytes, bytes, 1, kind, stream);
}
cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  std::lock_guard lock(mutex);
  if (width == 0 || height == 0) return cudaSuccess;
  if (width > to_pitch || width > from_pitch) return fail(cudaErrorInvalidValue);
  if (!direction_fits(to, from, kind))
    return fail_with(text("a copy of ", width * height, " bytes goes the other way than its call says"));
  auto* t = static_cast<std::byte*>(to);
  const auto* f = static_cast<const std::byte*>(from);
  if (noted({emulator::DryNode::Kind::copy, "copy", {}, {}, 0, 2 * width * height}, stream)) {
    for (size_t i = 0; !inside(to) && i < height; ++i) std::memset(t + i * to_pitch, 0, width);
    return cudaSuccess;
  }
  if (!inside(from)) {  // not pinned: read now
    std::vector<std::byte> staged(width * height);
    for (size_t i = 0; i < height; ++i) std::memcpy(staged.data() + i * width, f + i * from_pitch, width);
    return add(stream, [=, staged = std::move(staged)] {
      std::string wrong;
      for (size_t i = 0; i < height && wrong.empty(); ++i)
        wrong = copy_now(t + i * to_pitch, staged.data() + i * width, width);
      return wrong;
    });
  }
  add(stream, [=] {
    std::string wrong;
    for (size_t i = 0; i < height && wrong.empty(); ++i) wrong = copy_now(t + i * to_pitch, f + i * from_pitch, width);
    return wrong;
  });
  return inside(to) ? cudaSuccess : cudaStreamSynchronize(stream);
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  std::lock_guard lock(mutex);
  if (const cudaError_t e = cudaMemcpyAsync(to, from, bytes, kind, nullptr)) return e;
  return cudaStreamSynchronize(nullptr);
}
cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t stream) {
  std::lock_guard lock(mutex);
  if (noted({emulator::DryNode::Kind::fill, "fill", {}, {}, 0, bytes}, stream)) return cudaSuccess;
  return add(stream, [=]() -> std::string {
    if (bytes && !emulator::heap_holds(reinterpret_cast<uintptr_t>(p), bytes))
      return text("cudaMemsetAsync of ", bytes, " bytes begins ", emulator::heap_where(reinterpret_cast<uintptr_t>(p)));
    emulator::heap_set(p, static_cast<unsigned char>(value), bytes);
    return {};
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  std::lock_guard lock(mutex);
  all_streams.push_back(*stream = new EmulatedStream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  std::lock_guard lock(mutex);
  const cudaError_t e = run_all(of(stream));
  std::erase(all_streams, stream);
  delete stream;
  return e;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  std::lock_guard lock(mutex);
  if (of(stream).capture) return refuse_wait();
  return run_all(of(stream));
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  std::lock_guard lock(mutex);
  return of(stream).waiting.empty() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return *event = new EmulatedEvent, cudaSuccess; }
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  std::lock_guard lock(mutex);
  const cudaError_t e = event->stream && event->reached < event->recorded ? run_all(*event->stream) : cudaSuccess;
  delete event;
  return e;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  std::lock_guard lock(mutex);
  event->stream = &of(stream);
  const uint64_t mark = ++event->recorded;
  return add(stream, [=]() -> std::string {
    event->reached = mark;
    event->when = std::chrono::steady_clock::now();
    return {};
  });
}
namespace {
cudaError_t reach(cudaEvent_t event, uint64_t mark) {
  if (!event->stream || event->reached >= mark) return cudaSuccess;
  return run_stream(*event->stream, [&] { return event->reached >= mark; });
}
}  // namespace
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  std::lock_guard lock(mutex);
  if (event->stream && event->stream->capture) return refuse_wait();
  return reach(event, event->recorded);
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  std::lock_guard lock(mutex);
  return event->reached >= event->recorded ? cudaSuccess : cudaErrorNotReady;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  std::lock_guard lock(mutex);
  if (from->reached < from->recorded || to->reached < to->recorded) return cudaErrorNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(to->when - from->when).count();
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  std::lock_guard lock(mutex);
  if (!event->stream || event->stream == &of(stream)) return cudaSuccess;
  return add(stream, [event, mark = event->recorded]() -> std::string {
    return reach(event, mark) == cudaSuccess ? std::string() : last_fault;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = of(stream).capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  std::lock_guard lock(mutex);
  if (!stream) return fail(cudaErrorStreamCaptureUnsupported);  // the default stream cannot be captured
  if (of(stream).capture) return fail(cudaErrorInvalidValue);
  of(stream).capture = std::make_unique<EmulatedGraph>();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  std::lock_guard lock(mutex);
  if (!of(stream).capture) return fail(cudaErrorInvalidValue);
  *graph = of(stream).capture.release();
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  return *exec = new EmulatedGraph(*graph), cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  std::lock_guard lock(mutex);
  for (const Work& work : exec->works) add(stream, work);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return delete exec, cudaSuccess; }

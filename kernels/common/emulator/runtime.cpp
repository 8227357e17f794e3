#include "kernels/common/emulator/runtime.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels/common/emulator/checks.h"
#include "kernels/common/emulator/dry_run.h"
#include "kernels/common/emulator/heap.h"
#include "kernels/common/emulator/library.h"
#include "kernels/common/emulator/tensor_map.h"
#include "kernels/common/error.h"

namespace emulator = kern::emulator;
using kern::text;

// One piece of a stream's work, a kernel or something else. Returns what was wrong, empty when nothing was.
struct Work {
  std::function<std::string()> act;
  std::shared_ptr<emulator::Launch> launch;
  int branch = 0;             // of a graph: that of the stream which was captured is 0
  int record = 0, await = 0;  // instead of work: an event's mark, counted from 1
  std::string operator()() const;
};

struct EmulatedGraph {
  std::vector<Work> works;
  int marks = 0;
  struct Branch {
    struct EmulatedStream* stream = nullptr;
    bool joined = true;  // nothing of it is left that branch 0 does not wait for
    int last_mark = 0;   // behind all its work, if there is one
  };
  std::vector<Branch> branches;
};
struct EmulatedStream {
  std::deque<Work> waiting;
  bool running = false;
  std::shared_ptr<EmulatedGraph> capture;  // of its own, or of the stream that it waits for
  int branch = 0;
};
struct EmulatedEvent {
  EmulatedStream* stream = nullptr;
  std::weak_ptr<EmulatedGraph> captured;  // where it was recorded last, if that was captured
  int mark = 0, branch = 0;               // there
  uint64_t recorded = 0, reached = 0;     // how often
  std::chrono::steady_clock::time_point when{};
};

namespace {

std::recursive_mutex mutex;                            // one thread at a time emulates the GPU
EmulatedStream& default_stream = *new EmulatedStream;  // never destroyed: memory may be given back at the very end
std::vector<EmulatedStream*>& all_streams = *new std::vector<EmulatedStream*>{&default_stream};

// What the last error was, in more words than CUDA has for it; and the one after which nothing works any more.
struct Failure {
  cudaError_t error = cudaSuccess;
  std::string sentence;
};
Failure last_failure, fatal;
cudaError_t last_error = cudaSuccess;

EmulatedStream& of(cudaStream_t stream) { return stream ? *stream : default_stream; }

cudaError_t fail(cudaError_t error, std::string sentence = {}) {
  last_failure = {error, std::move(sentence)};
  return last_error = error;
}
cudaError_t fail_for_good() { return last_error = fatal.error; }

// --- the device ---
int number_of(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::atoi(text) : otherwise;
}
int& capability() {
  static int of_device = number_of("KERN_EMULATOR_ARCH", 90);
  return of_device;
}
int driver() {
  static const int version = number_of("KERN_EMULATOR_DRIVER", -1);
  return version;
}
constexpr int kOldestDriver = 13000;
bool has_image() { return capability() >= 80; }
size_t shared_of_block() {  // with cudaFuncSetAttribute; table "Technical specifications" of the CUDA programming guide
  switch (capability()) {
    case 75:
      return 64 * 1024;
    case 70:
    case 72:
      return 96 * 1024;
    case 80:
    case 87:
      return 163 * 1024;
    case 86:
    case 89:
    case 120:
    case 121:
      return 99 * 1024;
    default:
      return emulator::kSharedBytes;
  }
}
struct Function {
  size_t of_variables = 0;                             // shared memory, as far as it has run
  size_t most_dynamic = emulator::kStaticSharedBytes;  // with its variables
  bool set = false, ran = false;
};
std::unordered_map<const void*, Function>& functions() {
  static auto& all = *new std::unordered_map<const void*, Function>;
  return all;
}
const void* key_of(const emulator::Launch& launch) { return reinterpret_cast<const void*>(launch.kernel); }
// Why a kernel cannot have the shared memory it is launched with; sets its limit.
std::string too_much_shared(emulator::Launch& launch) {
  const Function& f = functions()[key_of(launch)];
  // Its variables are known when it has run once.
  launch.shared_limit = f.set || !f.ran ? shared_of_block() : emulator::kStaticSharedBytes;
  const size_t most = f.set ? f.most_dynamic : emulator::kStaticSharedBytes - f.of_variables;
  if (launch.shared_bytes <= most) return {};
  return text(launch.name, ": ", launch.shared_bytes, " bytes of dynamic shared memory; cudaFuncSetAttribute has ",
              f.set ? "" : "not been called, which allows it ", f.set ? "allowed it " : "", most);
}

// Runs what waits in a stream, up to and with the work that makes `until` true.
template <class Until>
cudaError_t run_stream(EmulatedStream& s, Until until) {
  if (fatal.error) return fail_for_good();
  if (s.running) return fail(cudaErrorInvalidValue, "a stream waits for itself");
  s.running = true;
  std::string wrong;
  while (wrong.empty() && !s.waiting.empty() && !until()) {
    const Work work = std::move(s.waiting.front());
    s.waiting.pop_front();
    wrong = work();
    if (!wrong.empty() && work.launch) fatal = {cudaErrorLaunchFailure, wrong};
  }
  if (!wrong.empty()) s.waiting.clear();  // a GPU would refuse all that follows
  s.running = false;
  if (fatal.error) return fail_for_good();
  if (wrong.empty()) wrong = emulator::take_host_fault();
  return wrong.empty() ? cudaSuccess : fail(cudaErrorInvalidValue, std::move(wrong));
}
cudaError_t run_all(EmulatedStream& s) {
  return run_stream(s, [] { return false; });
}

cudaError_t add(cudaStream_t stream, Work work);
cudaError_t add(cudaStream_t stream, std::function<std::string()> act) {
  return add(stream, Work{.act = std::move(act), .launch = nullptr});
}
cudaError_t add(cudaStream_t stream, Work work) {
  if (fatal.error) return fail_for_good();
  EmulatedStream& s = of(stream);
  if (s.capture) {
    EmulatedGraph::Branch& branch = s.capture->branches[size_t(s.branch)];
    if (work.record) branch.last_mark = work.record;
    else branch.last_mark = 0, branch.joined = s.branch == 0;
    work.branch = s.branch;
    s.capture->works.push_back(std::move(work));
  } else {
    s.waiting.push_back(std::move(work));
  }
  return cudaSuccess;
}

// A graph under way: its branches do their work when branch 0 waits for it, or as soon as they may, whichever the seed
// says, so that an order nobody asked for is not relied on.
struct GraphRun {
  std::vector<std::deque<Work>> branches;
  std::vector<bool> reached;  // by mark
  bool early = false;

  std::string run_branch(size_t b, int until) {
    std::string wrong;
    while (wrong.empty() && !branches[b].empty() && !(until && reached[size_t(until)])) {
      if (const int mark = branches[b].front().await; mark && !reached[size_t(mark)]) break;
      const Work work = std::move(branches[b].front());
      branches[b].pop_front();
      if (work.record) reached[size_t(work.record)] = true;
      else if (!work.await) wrong = work();
      if (!wrong.empty() && work.launch) fatal = {cudaErrorLaunchFailure, wrong};
    }
    return wrong;
  }
  std::string record(int mark) {
    reached[size_t(mark)] = true;
    std::string wrong;
    for (size_t b = 1; early && b < branches.size() && wrong.empty(); ++b) wrong = run_branch(b, 0);
    return wrong;
  }
  std::string await(int mark) {
    std::string wrong;
    for (size_t b = 1; b < branches.size() && wrong.empty() && !reached[size_t(mark)]; ++b) wrong = run_branch(b, mark);
    if (wrong.empty() && !reached[size_t(mark)]) wrong = "a graph waits for an event that nothing in it records";
    return wrong;
  }
};
void add_graph(const EmulatedGraph& graph, cudaStream_t stream) {
  const auto run = std::make_shared<GraphRun>();
  run->branches.resize(graph.branches.size());
  run->reached.resize(size_t(graph.marks) + 1);
  run->early = emulator::seed() % 2 == 0;
  for (const Work& work : graph.works) {
    if (work.branch > 0) run->branches[size_t(work.branch)].push_back(work);
    else if (work.record) add(stream, [run, mark = work.record] { return run->record(mark); });
    else if (work.await) add(stream, [run, mark = work.await] { return run->await(mark); });
    else add(stream, work);
  }
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
  return fail(cudaErrorStreamCaptureUnsupported,
              "the host waits for the GPU while a step is being captured; nothing in a step may do that");
}
bool inside(const void* p) { return emulator::in_heap(reinterpret_cast<uintptr_t>(p)); }

std::string copy_now(void* to, const void* from, size_t bytes) {
  for (const void* p : {static_cast<const void*>(to), from})
    if (bytes && inside(p) && !emulator::heap_holds(reinterpret_cast<uintptr_t>(p), bytes))
      return text("a copy of ", bytes, " bytes begins ", emulator::heap_where(reinterpret_cast<uintptr_t>(p)));
  emulator::heap_copy(to, from, bytes);
  const auto t = reinterpret_cast<uintptr_t>(to), f = reinterpret_cast<uintptr_t>(from);
  if (bytes && inside(to)) {
    if (inside(from)) emulator::copy_written(t, f, bytes);
    else emulator::note_written(t, bytes);
  }
  return {};
}
// Whether the memory's side of a copy agrees with what the call says.
bool direction_fits(const void* to, const void* from, cudaMemcpyKind kind) {
  auto on_gpu = [](const void* p) { return inside(p); };
  auto on_host = [](const void* p) { return !inside(p) || emulator::host_may_touch(reinterpret_cast<uintptr_t>(p)); };
  switch (kind) {
    case cudaMemcpyHostToDevice:
      return on_host(from) && on_gpu(to);
    case cudaMemcpyDeviceToHost:
      return on_gpu(from) && on_host(to);
    case cudaMemcpyDeviceToDevice:
      return on_gpu(from) && on_gpu(to);
    case cudaMemcpyHostToHost:
      return on_host(from) && on_host(to);
    default:
      return true;
  }
}

}  // namespace

std::string Work::operator()() const {
  if (!launch) return act();
  std::string wrong = emulator::run(*launch);
  Function& f = functions()[key_of(*launch)];
  f.of_variables = emulator::static_shared_bytes();
  f.ran = true;
  return wrong;
}

namespace kern::emulator {
cudaError_t enqueue(Launch launch, cudaStream_t stream) {
  std::lock_guard lock(mutex);
  if (fatal.error) return fail_for_good();
  if (!has_image()) return fail(cudaErrorNoKernelImageForDevice);
  if (std::string why = refused(launch); !why.empty()) return fail(cudaErrorInvalidConfiguration, std::move(why));
  if (std::string why = too_much_shared(launch); !why.empty()) return fail(cudaErrorInvalidValue, std::move(why));
  if (noted({DryNode::Kind::kernel, launch.name, launch.grid, launch.block, launch.shared_bytes}, stream))
    return cudaSuccess;
  return add(stream, Work{.act = {}, .launch = std::make_shared<Launch>(std::move(launch))});
}
void forget_contents(void* p, size_t bytes, cudaStream_t stream) {
  std::lock_guard lock(mutex);
  if (DryRun::current()) return;  // nothing is written in one
  add(stream, [=]() -> std::string {
    if (heap_holds(reinterpret_cast<uintptr_t>(p), bytes)) forget_written(reinterpret_cast<uintptr_t>(p), bytes);
    return {};
  });
}
void forget_faults() {
  std::lock_guard lock(mutex);
  fatal = {};
  last_error = cudaSuccess;
}
void set_architecture(int of_device) {
  std::lock_guard lock(mutex);
  capability() = of_device;
  functions().clear();
}

const EmulatedGpu& gpu_of_library() {
  static const EmulatedGpu gpu{.enqueue =
                                   [](std::function<std::string()> work, void* stream) {
                                     std::lock_guard lock(mutex);
                                     const auto of_gpu = static_cast<cudaStream_t>(stream);
                                     if (!noted({DryNode::Kind::library, "library"}, of_gpu))
                                       add(of_gpu, std::move(work));
                                   },
                               .capturing =
                                   [](void* stream) {
                                     std::lock_guard lock(mutex);
                                     return of(static_cast<cudaStream_t>(stream)).capture != nullptr;
                                   },
                               .copy =
                                   [](void* to, const void* from, size_t bytes) {
                                     if (inside(to) || inside(from)) return copy_now(to, from, bytes);
                                     return std::string("the address is not one of the GPU's");
                                   }};
  return gpu;
}
}  // namespace kern::emulator

namespace {
struct Words {
  cudaError_t error;
  const char *name, *sentence;
};
constexpr Words kWords[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorNoKernelImageForDevice, "cudaErrorNoKernelImageForDevice",
     "no kernel image is available for execution on the device"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "not ready"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined", "capturing stream has unjoined work"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted while a stream is being captured"},
};
const Words& words_of(cudaError_t error) {
  static constexpr Words unknown{cudaErrorInvalidValue, "unknown", "unknown error"};
  for (const Words& w : kWords)
    if (w.error == error) return w;
  return unknown;
}
}  // namespace
const char* cudaGetErrorName(cudaError_t error) { return words_of(error).name; }
const char* cudaGetErrorString(cudaError_t error) {
  for (const Failure* f : {&fatal, &last_failure})
    if (error && f->error == error && !f->sentence.empty()) return f->sentence.c_str();
  return words_of(error).sentence;
}
cudaError_t cudaGetLastError() { return std::exchange(last_error, fatal.error); }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = driver() >= 0 && driver() < kOldestDriver ? 0 : 1;
  return *count ? cudaSuccess : fail(cudaErrorInsufficientDriver);
}
cudaError_t cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : fail(cudaErrorInvalidValue); }
cudaError_t cudaDriverGetVersion(int* version) { return *version = driver() < 0 ? 0 : driver(), cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int* version) { return *version = driver() < 0 ? 0 : kOldestDriver, cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated on the CPU");
  properties->totalGlobalMem = emulator::heap_capacity();
  properties->major = capability() / 10;
  properties->minor = capability() % 10;
  properties->multiProcessorCount = 4;
  properties->sharedMemPerBlockOptin = shared_of_block();
  properties->l2CacheSize = 1 << 20;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  if (attribute != cudaDevAttrMaxSharedMemoryPerBlockOptin) return fail(cudaErrorInvalidValue);
  return *value = int(shared_of_block()), cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  std::lock_guard lock(mutex);
  if (fatal.error) return fail_for_good();
  if (!has_image()) return fail(cudaErrorNoKernelImageForDevice);
  const Function& f = functions()[kernel];
  *attributes = {
      .sharedSizeBytes = f.of_variables,
      .maxDynamicSharedSizeBytes = int(f.set ? f.most_dynamic : emulator::kStaticSharedBytes - f.of_variables)};
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute, int value) {
  std::lock_guard lock(mutex);
  if (fatal.error) return fail_for_good();
  if (!has_image()) return fail(cudaErrorNoKernelImageForDevice);
  Function& f = functions()[kernel];
  if (value < 0 || size_t(value) + f.of_variables > shared_of_block()) return fail(cudaErrorInvalidValue);
  f.most_dynamic = size_t(value);
  f.set = true;
  return cudaSuccess;
}
cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult* result) {
  const bool known = std::strcmp(symbol, "cuTensorMapEncodeTiled") == 0;
  *function = known ? reinterpret_cast<void*>(&emulator::encode_tiled) : nullptr;
  *result = known ? cudaDriverEntryPointSuccess : cudaDriverEntryPointSymbolNotFound;
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
  *p = nullptr;
  if (fatal.error) return fail_for_good();
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
    return fail(cudaErrorInvalidValue,
                text("a copy of ", width * height, " bytes goes the other way than its call says"));
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
  add(stream, [=]() -> std::string {
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
    emulator::note_written(reinterpret_cast<uintptr_t>(p), bytes);
    return {};
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  std::lock_guard lock(mutex);
  if (fatal.error) return fail_for_good();
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
  if (fatal.error) return fail_for_good();
  return of(stream).waiting.empty() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  if (fatal.error) return fail_for_good();
  return *event = new EmulatedEvent, cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  std::lock_guard lock(mutex);
  const cudaError_t e = event->stream && event->reached < event->recorded ? run_all(*event->stream) : cudaSuccess;
  delete event;
  return e;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  std::lock_guard lock(mutex);
  if (const auto& capture = of(stream).capture) {
    event->captured = capture;
    event->branch = of(stream).branch;
    return add(stream, Work{.act = {}, .launch = nullptr, .record = event->mark = ++capture->marks});
  }
  event->captured.reset();
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
  if (fatal.error) return fail_for_good();
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
  if (fatal.error) return fail_for_good();
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
  EmulatedStream& s = of(stream);
  if (const auto graph = event->captured.lock()) {
    if (graph->branches.empty()) return fail(cudaErrorStreamCaptureUnsupported, "the event's capture has ended");
    if (!s.capture) {  // from now on this stream is captured too
      s.capture = graph;
      s.branch = int(graph->branches.size());
      graph->branches.push_back({.stream = &s});
    }
    if (s.capture != graph) return fail(cudaErrorStreamCaptureUnsupported, "two captures are mixed");
    if (event->branch == s.branch) return cudaSuccess;
    EmulatedGraph::Branch& other = graph->branches[size_t(event->branch)];
    if (s.branch == 0 && other.last_mark == event->mark) other.joined = true;
    return add(stream, Work{.act = {}, .launch = nullptr, .await = event->mark});
  }
  if (!event->stream || event->stream == &s) return cudaSuccess;
  return add(stream, [event, mark = event->recorded]() -> std::string {
    return reach(event, mark) == cudaSuccess ? std::string() : cudaGetErrorString(last_error);
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = of(stream).capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  std::lock_guard lock(mutex);
  if (fatal.error) return fail_for_good();
  if (!stream) return fail(cudaErrorStreamCaptureUnsupported);  // the default stream cannot be captured
  if (of(stream).capture) return fail(cudaErrorInvalidValue);
  of(stream).capture = std::make_shared<EmulatedGraph>();
  of(stream).capture->branches.push_back({.stream = &of(stream)});
  of(stream).branch = 0;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  std::lock_guard lock(mutex);
  *graph = nullptr;
  if (!of(stream).capture || of(stream).branch != 0) return fail(cudaErrorInvalidValue);
  const std::shared_ptr<EmulatedGraph> captured = of(stream).capture;
  bool joined = true;
  for (const EmulatedGraph::Branch& branch : captured->branches) {
    joined = joined && branch.joined;
    branch.stream->capture.reset();
    branch.stream->branch = 0;
  }
  auto made = std::make_unique<EmulatedGraph>(*captured);
  captured->branches.clear();  // events recorded in it are of no more use
  if (fatal.error) return fail_for_good();
  if (!joined)
    return fail(cudaErrorStreamCaptureUnjoined, "a stream that the captured one forked was not joined again");
  *graph = made.release();
  return cudaSuccess;
}
namespace {
// A kernel's node has what shared memory the kernel is allowed now, not what it was when it was recorded.
cudaError_t check_shared(EmulatedGraph& graph) {
  for (Work& work : graph.works)
    if (work.launch)
      if (std::string why = too_much_shared(*work.launch); !why.empty())
        return fail(cudaErrorInvalidValue, "a node of a graph: " + why);
  return cudaSuccess;
}
}  // namespace
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  std::lock_guard lock(mutex);
  *exec = nullptr;
  if (fatal.error) return fail_for_good();
  auto made = std::make_unique<EmulatedGraph>(*graph);
  for (Work& work : made->works)
    if (work.launch) work.launch = std::make_shared<emulator::Launch>(*work.launch);
  if (const cudaError_t e = check_shared(*made)) return e;
  return *exec = made.release(), cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  std::lock_guard lock(mutex);
  if (fatal.error) return fail_for_good();
  if (const cudaError_t e = check_shared(*exec)) return e;
  add_graph(*exec, stream);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return delete exec, cudaSuccess; }

// The GPU: whether one is there, its memory, its stream, and copies between it and the host. All CUDA runtime
// calls of the engine are in gpu.cpp; in a build without CUDA the same functions say that there is no GPU.
//
// Work given to a GPU is done in the order of one stream, while the host goes on. Reading values (Tensor::values,
// item) waits for it; nothing else does.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "kernels/common/device.h"
#include "kernels/common/error.h"

namespace kern {

// Whether there is a GPU that this build can use; if not, `why` (if given) gets a sentence that says what to do.
bool gpu_available(std::string* why = nullptr);
// Error with that sentence where `device` is not there.
void require_device(Device device, SourceLocation at = SourceLocation::current());
// What a person may ask for; automatic is a GPU where there is one (an emulated one must be asked for). Where there is
// one that cannot be used (its driver is too old, this build has no code for it) a warning says so, once.
enum class DeviceChoice { automatic, cpu, cuda };
Device device_of(DeviceChoice choice, SourceLocation at = SourceLocation::current());  // Error where it is not there

struct GpuInfo {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  int driver = 0, runtime = 0;  // versions of CUDA: 12040 is 12.4
  size_t memory = 0, free = 0;  // bytes
  bool emulated = false;
};
GpuInfo gpu_info();  // Error without a GPU

void wait_for(Device device);  // until all work given to it is done; throws what went wrong in a kernel

// --- for the engine: raw memory ---
std::byte* gpu_allocate(size_t bytes);  // null when the GPU is full
void gpu_free(std::byte* p);
// A block changes hands: an emulated GPU refuses to read what the former owner left in it; others do nothing.
void gpu_hand_out_again(std::byte* p, size_t bytes);
// height rows of width bytes; the pitches are in bytes. Copies from the GPU to the host wait for it, others do not,
// and the host's bytes may be changed as soon as this returns.
void copy_bytes(Device to_device, void* to, size_t to_pitch, Device from_device, const void* from, size_t from_pitch,
                size_t width, size_t height);
void set_bytes(Device device, void* p, unsigned char value, size_t bytes);

// --- for the engine: what lets the host run ahead of the GPU ---
// Memory of the host that the GPU copies from and to by itself.
class PinnedMemory {
 public:
  explicit PinnedMemory(size_t bytes);
  ~PinnedMemory();
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;
  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_;
};
// All work is done in the order of one stream, but copies from the host may go beside it, in one of their own.
enum class CudaStream { work, upload };
// Between the GPU and pinned memory, in the order of the stream; the host waits for nothing, and leaves the pinned
// bytes alone until an event that was recorded behind the copy is reached.
void copy_later(Device to_device, void* to, Device from_device, const void* from, size_t bytes,
                CudaStream stream = CudaStream::work);

// A mark in the work of one of the GPU's streams.
class CudaEvent {
 public:
  explicit CudaEvent(bool timed = false);
  ~CudaEvent();
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  void record(CudaStream in = CudaStream::work);              // here: behind all work given to the stream so far
  void hold(CudaStream later) const;                          // what is given to it from now on waits for the event
  bool reached() const;                                       // true if it was never recorded
  void wait() const;                                          // throws what went wrong in a kernel before it
  double milliseconds_since(const CudaEvent& earlier) const;  // both timed and reached

 private:
  [[maybe_unused]] void* event_ = nullptr;
};

// Work of the GPU that was written down instead of done: launch() does it, as often as it is called, with the
// arguments it was recorded with. What it reads and writes must stay where it is.
class CudaGraph {
 public:
  // Whatever work() gives to the GPU. An error in it leaves nothing behind.
  explicit CudaGraph(const std::function<void()>& work);
  ~CudaGraph();
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;
  void launch() const;

 private:
  [[maybe_unused]] void* graph_ = nullptr;
};
bool recording();  // whether this thread is making a CudaGraph

// Part of a recorded step that the GPU may do beside another part:
//
//   const GraphBranch branch(wanted);
//   ...                                          // one part
//   { const GraphBranch::Inside inside(branch); ... }  // the other; both are behind what was there before the branch
//
// What follows the branch's end waits for both. Neither may write what the other reads or writes, and memory that one
// of them has used may not be handed to the other: what they use is held until the end. Where nothing is being
// recorded, or `wanted` is false, the parts are done one after the other.
class GraphBranch {
 public:
  explicit GraphBranch(bool wanted);
  ~GraphBranch();
  GraphBranch(const GraphBranch&) = delete;
  GraphBranch& operator=(const GraphBranch&) = delete;

  class Inside {
   public:
    explicit Inside(const GraphBranch& branch);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    void* outside_;
  };

 private:
  [[maybe_unused]] bool forked_;
};

}  // namespace kern

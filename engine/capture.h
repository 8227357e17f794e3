// A step of a training that a GPU does from a record (a CUDA graph), with one call instead of hundreds of launches:
//
//   StepGraphs graphs(device);
//   optimiser.prepare_step();                                   // numbers that kernels read are set outside
//   const auto out = graphs.run({x, labels}, [&](const std::vector<Tensor>& in) -> std::vector<Tensor> {
//     const Tensor loss = cross_entropy(network(in[0]), in[1]);
//     backward(loss);
//     optimiser.apply_step();
//     return {loss};
//   });
//
// The code is the eager one. For inputs of shapes that were not seen before it runs as it stands, which warms
// everything up; the second time it is recorded, and from then on the record is launched and the code no longer runs.
// So what is not the GPU's work happens twice and never again: printing, counting, host scalars. Whatever decides what
// the code gives to the GPU must be in the inputs' shapes or in `circumstances`. In a step the host neither reads from
// the GPU nor writes to it: an error says so when it is recorded.
//
// Inputs go through pinned memory, two sets of it, and from there to the GPU while it does the step before: into two
// sets of staging there, from which the step's own stream copies them into tensors that stay where they are. The host
// waits only if it is two steps ahead. The GPU's memory of a record stays its own (KeptBlocks); up to 32 records live
// side by side; the least used ones go first when memory is short, or when one that was not used for long is in a new
// one's way.
//
// On the CPU, in a dry run and with KERN_GRAPH=off (on a GPU: eagerly, for profiling or to find a fault's place)
// the code runs every time.
#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "engine/gpu.h"
#include "engine/packed_filters.h"
#include "engine/tensor.h"

namespace kern {

bool graphs_enabled();  // KERN_GRAPH=on|off, on if unset
void set_graphs(bool on);

class StepGraphs {
 public:
  using Work = std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs)>;
  explicit StepGraphs(Device device) : device_(device) {}
  StepGraphs(const StepGraphs&) = delete;
  StepGraphs& operator=(const StepGraphs&) = delete;

  // What work() returns for these inputs (of any device), on the device; on a GPU it holds until the next run.
  // Tensors that work() uses besides must outlive this and stay where they are.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs, const Work& work,
                          const std::vector<int64_t>& circumstances = {});

  enum class Last { none, eager, recorded, replayed };
  Last last() const { return last_; }  // how the last run was done: a recorded one was launched too

 private:
  struct Record {
    std::vector<int64_t> key;
    uint64_t last_run = 0;                // of runs_
    std::vector<Tensor> inputs, outputs;  // on the GPU
    std::optional<KeptBlocks> blocks;
    PackedFilters filters;
    std::optional<CudaGraph> graph;
    bool warm = false;
  };
  struct Staging {
    std::unique_ptr<PinnedMemory> host;
    Tensor gpu;          // u8
    CudaEvent uploaded;  // the host's bytes may be written again
    CudaEvent taken;     // the GPU's
  };
  // Null: there are many, all of them in use; this run is eager.
  Record* record_of(std::vector<int64_t> key, const std::vector<Tensor>& inputs);
  std::vector<Tensor> empty_on_gpu(const std::vector<Tensor>& like) const;
  Staging* staging_for(const std::vector<Tensor>& inputs);  // null: none of them is on the host
  void upload(const std::vector<Tensor>& from, const std::vector<Tensor>& to, Staging* staging);

  Device device_;
  std::list<Record> records_;  // the last used first
  std::unique_ptr<PackedFilters> dry_filters_;
  uint64_t runs_ = 0;
  std::unique_ptr<Staging> staging_[2];
  int next_staging_ = 0;
  Last last_ = Last::none;
};

}  // namespace kern

// What a step of a training will need of memory, known before the first one, and whether the machine has it.
#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "kernels/common/device.h"
#include "training/recipe.h"

namespace kern::training {

struct StepMemory {
  size_t peak = 0;      // bytes in use by tensors and scratch at the peak of the step, to the byte
  size_t reserved = 0;  // with the blocks between that are kept for reuse: what the process takes, at most
};
// Of a step, with the tensors there are already (parameters, moments). It is run dry (engine/dry_run.h), and twice,
// for the second finds what the first left: it must make its data as Tensor::empty, and nothing of it is computed.
StepMemory memory_of_step(const std::function<void()>& step, Device device = Device::cpu);

// The most bytes that tensors can take on this machine: those they hold and those that are free, by /proc/meminfo and
// by the limits of this process's cgroups (both versions), whichever leaves less. Nothing where the system does not
// say. `root` stands for "/" in tests.
std::optional<size_t> bytes_for_tensors(const std::filesystem::path& root = "/");

// The same of the GPU.
std::optional<size_t> bytes_for_tensors_on_gpu();

// "batch 64 needs 5.1 GB, 4.0 GB are free: use batch=48 or a smaller window", with the largest batch that fits; empty
// where this one does. bytes(batch) must not fall as the batch grows. otherwise: what else a person can do.
std::string too_large(int batch, size_t available, const std::function<size_t(int batch)>& bytes,
                      std::string_view otherwise);

// Before a training: prints what a step of the recipe's batch needs. Where the device has less, an Error with the
// remedy, or, with force, a warning; a warning too where only what is kept between would not fit. `data`: bytes that
// the data take besides, which are said with it.
StepMemory announce_memory(const Recipe& recipe, const std::function<StepMemory(int batch)>& foresee, Device device,
                           std::string_view otherwise, size_t data = 0);

}  // namespace kern::training

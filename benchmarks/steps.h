// Whole steps of the timed models: training (forward, loss, backward, Adam) or prediction.
#pragma once
#include <string>
#include <vector>

#include "benchmarks/models.h"
#include "engine/profile.h"

namespace kern::benchmarks {

struct Quartiles {
  double lower = 0, median = 0, upper = 0, least = 0;
};
Quartiles quartiles(std::vector<double> values);  // of at least one value

struct StepOptions {
  Device device = Device::cpu;
  int batch = 0, side = 0;  // 0: the model's usual (models.h)
  int warmup = 3, repeats = 20;
  int block = 1;         // steps between two looks at the clock, whose losses nobody reads: a training has a GPU so
  int64_t seed = 0;      // of the weights and of dropout; the data are the same for all
  bool predict = false;  // forward alone, in evaluation mode and without gradients
  bool prepared = true;  // with predict: as apps predict (layers/prepare.h)
  bool profile = false, by_shape = false;
};
struct StepResult {
  std::string id = {};
  int64_t parameters = 0;
  std::vector<double> milliseconds = {};  // of a step, for every timed block in order
  double loss = 0;                        // after the last step
  size_t foreseen_bytes = 0;              // the peak as a dry run knew it before the first step
  size_t peak_bytes = 0;                  // of tensors and scratch: parameters, gradients, moments, data too
  uint64_t late_allocations = 0;          // requests to the system's allocator after the second step
  std::vector<std::pair<Profile::Key, Profile::Impl>> profile = {};  // of all timed steps, slowest first
};
// The peak of the memory of these steps from making the model on, with whatever tensors there are already; nothing is
// computed.
size_t foresee_peak(const Model& model, const StepOptions& options);
StepResult time_steps(const Model& model, const StepOptions& options);
// That many of these steps, and nothing else; the first is done eagerly, a GPU records the second.
void run_steps(const Model& model, const StepOptions& options, int steps);

}  // namespace kern::benchmarks

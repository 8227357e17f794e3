// How long work takes on its device: the CPU's by the steady clock, a GPU's by events in its stream.
#pragma once
#include <functional>
#include <optional>

#include "engine/gpu.h"

namespace kern {

class Stopwatch {
 public:
  explicit Stopwatch(Device device);
  // From the beginning of work() to the end of all that it gave to the device.
  double milliseconds(const std::function<void()>& work);

 private:
  Device device_;
  std::optional<CudaEvent> begin_, end_;
};

// Calls in a row, as a training step makes them: on a GPU they are recorded once as a graph and replayed, so that what
// the host takes to make a call is not taken for the kernel's time. Where a call cannot be recorded (a library may
// refuse), they are made one by one.
class CallSeries {
 public:
  // call(i) for i < count, each of which has been made before (what allocates or measures at its first call has done
  // so).
  CallSeries(Device device, int count, std::function<void(int)> call);
  double milliseconds_of_one(Stopwatch& watch) const;
  bool recorded() const { return graph_.has_value(); }

 private:
  int count_;
  std::function<void(int)> call_;
  std::optional<CudaGraph> graph_;
};

}  // namespace kern

// What this machine can do at most, measured: the yardstick that kernels are held against.
#pragma once
#include <cstdint>

#include "engine/memory.h"
#include "kernels/common/simd.h"

namespace kern::benchmarks {

struct Machine {
  double gflops = 0;  // multiply-adds of the widest vectors from registers, all threads; 2 operations each. GPU: 0
  double copy = 0;    // GB/s read and written by a copy of arrays far beyond the caches, all threads or by the GPU
};
// A shared machine's peaks change within seconds: what a kernel reaches is a share of what the machine gave beside it.
class Yardstick {
 public:
  explicit Yardstick(Device device = Device::cpu);
  Machine measure() const;  // the best of about a second of each
  double gflops() const;    // of one burst of a millisecond or two
  double copy() const;      // of one copy of 128 MiB

 private:
  Storage from_, to_;
};

// The two loops that are timed, for one instruction set (machine.cpp).
struct Loops {
  float (*multiply_adds)(int64_t turns);
  int64_t flops_of_a_turn;
  void (*copy)(const float* from, float* to, int64_t n);
};
using kernels::Isa;
template <Isa isa>
Loops loops();

}  // namespace kern::benchmarks

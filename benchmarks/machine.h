// What this machine can do at most, measured: the yardstick that kernels are held against.
#pragma once
#include <cstdint>

#include "kernels/common/simd.h"

namespace kern::benchmarks {

struct Machine {
  double gflops = 0;  // multiply-adds of the widest vectors from registers, all threads; 2 operations each
  double copy = 0;    // GB/s read and written by a copy of arrays far beyond the caches, all threads
};
Machine measure_machine();

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

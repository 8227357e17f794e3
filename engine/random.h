// Random numbers, all from Philox keyed by (seed, stream) and counted: the same on every machine, device and thread
// count.
#pragma once
#include <cstdint>
#include <span>
#include <utility>

#include "engine/device_scalar.h"
#include "kernels/common/philox.h"

namespace kern {

// Named streams: drawing more from one never shifts another.
enum class RandomStream : uint32_t { init = 1, shuffle, augment, dropout, noise, synthesize, bootstrap };

// A sequence of numbers on the host. `a` and `b` select independent sequences of one stream, e.g. (epoch, sample).
class RandomSequence {
 public:
  RandomSequence(uint64_t seed, RandomStream stream, uint32_t a = 0, uint32_t b = 0);
  uint32_t next();                                         // 32 random bits
  float uniform() { return kernels::to_uniform(next()); }  // [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  float normal();  // mean 0, variance 1 (Box-Muller)
  double normal(double mean, double deviation) { return mean + deviation * normal(); }
  uint32_t below(uint32_t n);  // 0 .. n-1, each equally likely
  int between(int low, int high) { return low + int(below(uint32_t(high - low + 1))); }  // both ends included
  template <class T>
  void shuffle(std::span<T> items) {  // Fisher-Yates
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(uint32_t(i))]);
  }

 private:
  kernels::PhiloxKey key_;
  uint32_t a_, b_;
  uint64_t block_ = 0;
  kernels::Random4 words_{};
  int used_ = 4;
  float spare_ = 0;
  bool has_spare_ = false;
};

// The random state of training: a seed, and a step count that the training loop advances. Inside a step every random op
// takes the next call number, so its numbers depend on (seed, stream, step, call) alone: a backward pass regenerates
// them and a resumed run repeats them. The whole state at a step's boundary is seed and step.
class Generator {
 public:
  explicit Generator(uint64_t seed = 0) : seed_(seed) {}
  uint64_t seed() const { return seed_; }
  uint64_t step() const { return step_.value(); }
  void set(uint64_t seed, uint64_t step = 0);
  // Of several processes that compute parts of one step each draws numbers of its own; 0 has those of a single process.
  void set_rank(int rank) { rank_ = rank; }
  void advance();
  struct Draw {
    kernels::PhiloxKey key;
    uint64_t step;
    uint32_t call;
    const Generator* from = nullptr;
    // Where kernels of a device read the step. On a GPU it is the generator's own, so that a captured step serves
    // every step: a backward pass belongs before advance().
    const uint64_t* step_on(Device device, SourceLocation at = SourceLocation::current()) const;
  };
  Draw draw(RandomStream stream);

 private:
  uint64_t seed_;
  int rank_ = 0;
  DeviceScalar<uint64_t> step_;
  uint32_t call_ = 0;
};

// What layers use unless they are given another: the numbers of a training step, and those of initial weights.
Generator& default_generator();
RandomSequence& init_random();
// Starts both anew. Models built after set_seed(s) in the same order have the same weights.
void set_seed(uint64_t seed);

kernels::PhiloxKey philox_key(uint64_t seed, RandomStream stream);

}  // namespace kern

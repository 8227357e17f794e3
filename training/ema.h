// An exponential moving average of an optimiser's parameters (Polyak and Juditsky 1992), which often generalises better
// than the parameters themselves. After every update
//   average = decay average + (1 - decay) parameters
// as one kernel over the optimiser's flat array. Buffers (running means) are no part of it: they stay the model's own.
#pragma once
#include "engine/parameter_arena.h"
#include "training/optimiser.h"

namespace kern::training {

struct EmaOptions {
  double decay = 0.999;
  bool warmup = true;  // update n, from 0, decays by min(decay, (1 + n) / (10 + n)): the start is soon forgotten
};

class Ema {
 public:
  // Begins as the parameters are. The optimiser must outlive it. Errors: a decay outside [0, 1).
  explicit Ema(Optimiser& optimiser, const EmaOptions& options = {});
  Ema(const Ema&) = delete;

  void update(SourceLocation at = SourceLocation::current());  // after every update of the optimiser
  double next_decay() const;

  // Within its scope the model's parameters are the averages, and nothing must be trained.
  class Swapped {
   public:
    explicit Swapped(Ema& ema) : ema_(ema) { ema_.swap(); }
    ~Swapped() { ema_.swap(); }
    Swapped(const Swapped&) = delete;

   private:
    Ema& ema_;
  };

  // The averages and the number of updates, under "<prefix>.": for checkpoints.
  std::vector<FileTensor> state(const std::string& prefix) const;
  void load_state(const TensorFile& file, const std::string& prefix);

 private:
  void swap();
  ParameterArena& arena_;
  EmaOptions o_;
  int64_t updates_ = 0;
  Tensor average_;  // [arena size]
};

}  // namespace kern::training

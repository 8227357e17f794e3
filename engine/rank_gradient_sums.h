// The sum over ranks (engine/communicator.h) of an arena's gradients, which goes on while the backward pass does: an
// arena lies in the order of the forward pass, so gradients become final from its end on, and a piece of it is on its
// way as soon as all gradients in it and behind it are. On the CPU. The bits are those of a sum after the pass.
//
//   RankGradientSums sums(arena);
//   {
//     const auto watch = sums.watch();            // of several passes whose gradients add up, for the last one
//     backward(loss);
//   }
//   sums.finish();                                // now gradients are the sums
#pragma once
#include <map>
#include <memory>
#include <vector>

#include "engine/autograd.h"
#include "engine/parameter_arena.h"

namespace kern {

class RankGradientSums {
 public:
  // piece: the values that are sent at once, at least. All ranks with the same arena and the same network's passes.
  explicit RankGradientSums(ParameterArena& arena, int64_t piece = 1 << 18);
  std::unique_ptr<FinalGradients> watch();  // for as long as it lives
  void finish();                            // begins what has not begun, and waits
  size_t pieces() const { return pieces_.size(); }
  size_t begun() const { return pieces_.size() - waiting_; }  // of them, on their way

 private:
  struct Piece {
    int64_t begin, end;  // in values of the arena
    int missing = 0;     // parameters whose gradients are not final
  };
  void begin_last();
  ParameterArena& arena_;
  std::vector<Piece> pieces_;                       // in the order of the arena
  std::map<const Tensor::Impl*, size_t> piece_of_;  // a parameter's
  size_t waiting_ = 0;                              // pieces [0, waiting_) are not on their way
};

}  // namespace kern

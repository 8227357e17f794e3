// All parameters of an optimiser in one flat array, and their gradients in another, so that an update is one kernel
// over one array. The parameters stay the tensors they were: only their storage moves.
#pragma once
#include <vector>

#include "engine/tensor.h"

namespace kern {

class ParameterArena {
 public:
  // Dense f32 leaves. Each begins at a multiple of 16 values; the gaps are zero.
  explicit ParameterArena(std::vector<Tensor> parameters);

  struct Run {
    int64_t begin, end;  // in values of the flat arrays
  };
  // Chunks of neighbouring parameters [first, last) that hold a gradient. A parameter without one (frozen, or not
  // reached by the loss) is left out: an optimiser does not touch it.
  std::vector<Run> runs_with_gradient(size_t first, size_t last) const;
  // Throws when a parameter has been moved into another arena since.
  void check_ownership(SourceLocation at = SourceLocation::current()) const;

  const std::vector<Tensor>& parameters() const { return parameters_; }
  Tensor& values() { return values_; }        // [size]
  Tensor& gradients() { return gradients_; }  // [size]
  int64_t size() const { return values_.size(); }
  int64_t begin_of(size_t i) const { return begins_[i]; }  // of parameter i, in values of the flat arrays
  void clear_gradients();
  // The slice of a flat array of this layout (a moment, say) that belongs to parameter i, in its shape.
  Tensor part(const Tensor& flat, size_t i) const;
  // Tells everyone who saved a parameter that it was written to (by an update of the flat array).
  void touch(size_t first, size_t last);

 private:
  std::vector<Tensor> parameters_;
  std::vector<int64_t> begins_;
  Tensor values_, gradients_;
};

}  // namespace kern

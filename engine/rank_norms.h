// Batch norms whose statistics are of the samples of all ranks (engine/communicator.h), not of this rank's alone: what a
// rank's part of a batch is too small for. On the CPU.
//
//   const RankNorms norms(counts);                 // for the forward pass; every rank has the same layers in it
//   const Tensor loss = loss_of(network(x), ...);  // training batch norms are normalised over all ranks' samples
//
// Outputs, running statistics and gradients are those of one process with the whole batch, up to rounding; running
// statistics are the same on all ranks. A gradient of a rank's loss is to be on the scale of the whole batch's loss (the
// rank's part of it), as gradients are that are summed over ranks afterwards.
#pragma once
#include <vector>

#include "engine/tensor.h"

namespace kern {

class RankNorms {
 public:
  // counts: whether this rank's samples belong to the batch; a rank that has none comes along with any, whose loss must
  // have the weight 0.
  explicit RankNorms(bool counts = true);
  ~RankNorms();
  RankNorms(const RankNorms&) = delete;
  RankNorms& operator=(const RankNorms&) = delete;
  bool counts() const { return counts_; }
  // Of this thread; null outside, and where there is one rank.
  static const RankNorms* current();

 private:
  bool counts_;
  const RankNorms* outer_;
};

// For the op (engine/ops/norm_act.cpp). x [rows.., C].
struct RankMoments {
  Tensor mean, variance;  // [C], over all ranks' rows; the variance is that of the rows, not an estimate
  double rows = 0;        // of all ranks
  bool counts = true;
  // The running statistics, as in kernels/norm/batch_norm.h.
  void move_running(Tensor& running_mean, Tensor& running_variance, float momentum) const;
  // dx as with given statistics becomes that with statistics of the batch. weight may be empty; dweight and dbias are
  // this rank's. All ranks call it.
  void add_to_gradient(const Tensor& x, const Tensor& weight, const float* inverse_deviation, const Tensor& dweight,
                       const Tensor& dbias, Tensor& dx) const;
};
// All ranks call it. Error: one row in all.
RankMoments moments_over_ranks(const Tensor& x, bool counts, SourceLocation at);

}  // namespace kern

// Gradients of parameters whose last sums wait until the end of a backward pass, where one kernel does them all
// (kernels/common/late_sums.h). backward() makes one of these; an op whose kernels leave such sums in scratch gives
// them LateScratch instead of a Workspace:
//
//   const LateScratch scratch(dy.device(), impl.workspace(g), LateScratch::Of::chunks);
//   impl.backward_weight(scratch.exec(), g, dy.data(), x.data(), d[1].mutate());
//
// Whoever reads a gradient before that asks settle() first. Scratch that waits is at most 64 MiB in all; what does
// not fit is done at once. On the CPU nothing waits.
#pragma once
#include <memory>
#include <vector>

#include "engine/tensor.h"
#include "kernels/common/device.h"
#include "kernels/common/late_sums.h"

namespace kern {

class LateGradients {
 public:
  static size_t set_most(size_t bytes);  // returns what it was: 64 MiB unless set
  LateGradients();
  ~LateGradients();  // forgets what has not been done: only an error leaves it behind
  LateGradients(const LateGradients&) = delete;
  LateGradients& operator=(const LateGradients&) = delete;
  static LateGradients* current();  // of this thread; null outside of a backward pass

  void finish();                 // does what waits
  bool make_room(size_t bytes);  // for scratch, by doing what waits if need be; false: there is never so much
  void settle(const Tensor& t);  // the same, if one of the sums that wait goes there
  void keep(const Tensor& t);    // it stays until the sums that wait are done
  void clear(Tensor& gradient);  // zeros, with the others

 private:
  friend class LateScratch;
  void finish_chunks();
  void finish_norms();
  LateGradients* outer_;
  kernels::LateSums sums_;
  struct Scratch {
    std::vector<std::unique_ptr<Storage>> all;
    size_t bytes = 0;
  };
  Scratch of_chunks_, of_norms_;
  std::vector<Tensor> kept_;  // for the norms
};

// Scratch of one call, kept until the sums in it are done. Gradients of other calls may not lie in it.
class LateScratch {
 public:
  enum class Of { chunks, norms };  // which of kernels::LateSums
  LateScratch(Device device, size_t bytes, Of of);
  ~LateScratch();
  LateScratch(const LateScratch&) = delete;
  LateScratch& operator=(const LateScratch&) = delete;
  kernels::Exec exec() const { return {.scratch = storage_ ? storage_->data() : nullptr}; }

 private:
  std::unique_ptr<Storage> storage_;
  LateGradients* late_ = nullptr;  // where it is kept
  Of of_;
  kernels::LateSums* before_ = nullptr;
};

}  // namespace kern

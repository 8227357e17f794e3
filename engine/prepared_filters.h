// Filters of a network that only predicts, each brought once into the form that its convolution reads (transformed for
// Winograd, packed for a direct convolution), instead of at every forward; so are the weights of linear. On the CPU.
//
//   PreparedFilters filters;
//   const NoGrad off;
//   { const PreparedFilters::Scope scope(filters); network(x); }  // makes them
//   { const PreparedFilters::Scope scope(filters); network(x); }  // and uses them
//
// What a filter was made of (weights, bias, a folded norm) is watched: written to, it is made anew. Nothing is used
// while gradients are recorded or in a dry run. layers/prepare.h does this for a whole network.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/tensor.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv_transpose2d.h"
#include "kernels/matmul/linear.h"

namespace kern {

// What a convolution takes into itself, after Jacob et al. 2018 (section 3.2): a batch norm by its running statistics,
//   w'[k,..] = w[k,..] s[k],  b'[k] = (b[k] - mean[k]) s[k] + bias[k],  s[k] = weight[k] / sqrt(variance[k] + eps)
// computed in double, then the limits of an activation.
struct Fold {
  Tensor weight, bias;                    // [K] of the norm, or empty
  Tensor running_mean, running_variance;  // [K]; empty: no norm
  float eps = 0;
  kernels::Limits limits = {};
};

class PreparedFilters {
 public:
  class Scope {  // of this thread
   public:
    explicit Scope(PreparedFilters& filters);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    PreparedFilters* before_;
  };
  // Of this thread's innermost scope; null outside, while gradients are recorded and in a dry run.
  static PreparedFilters* current();

  // y = the convolution (impl, g) of x by w and b (may be empty), with what is folded in (may be null). On the CPU.
  void run(const kernels::Conv2dImpl& impl, const kernels::Conv2dSpec& g, const Tensor& x, const Tensor& w,
           const Tensor& b, const Fold* fold, Tensor& y);
  void run(const kernels::ConvTranspose2dImpl& impl, const kernels::ConvTranspose2dSpec& g, const Tensor& x,
           const Tensor& w, const Tensor& b, const Fold* fold, Tensor& y);
  void run(const kernels::LinearImpl& impl, const kernels::LinearSpec& g, const Tensor& x, const Tensor& w,
           const Tensor& b, const Fold& fold, Tensor& y);

  struct Summary {
    int filters = 0, norms = 0, activations = 0;  // prepared; folded in; applied before the output is stored
    size_t bytes = 0;                             // of prepared filters
    int made = 0;                                 // how often one was made, again or for another size too
  };
  Summary summary() const;

 private:
  struct Sources {  // what an entry is made of, and the versions it was made from
    static constexpr int kCount = 6;
    Tensor tensors[kCount];
    uint64_t versions[kCount] = {};
    float eps = 0;
    Sources(const Tensor& w, const Tensor& b, const Fold* fold);
    bool same_tensors(const Sources& other) const;
    bool operator==(const Sources& other) const;
  };
  // What a filter is prepared for: nothing else of a spec matters to it.
  struct Form {
    const void* impl = nullptr;  // of conv2d or linear; null: none that could prepare it
    kernels::Conv2dSpec key;     // without what a prepared filter does not depend on
    bool backward_data = false;
    uint32_t form = 0;
    bool operator==(const Form&) const = default;
  };
  struct Entry {
    Sources sources;
    kernels::Limits limits;
    Form form;
    std::unique_ptr<Storage> memory;  // prepared, or
    Tensor w, b;                      // with the norm folded in
  };
  // The convolution that an implementation of conv2d carries out, and in which direction.
  struct Direction {
    const kernels::Conv2dImpl* impl;
    kernels::Conv2dSpec g;
    bool backward_data;
  };
  // prepare(w, b, memory of so many bytes) is called once, where form.impl is not null.
  template <class Prepare>
  const Entry& entry(const Form& form, size_t bytes, const Prepare& prepare, const Tensor& w, const Tensor& b,
                     const Fold* fold);
  template <class Impl, class Spec>
  void run(const Impl& impl, const Spec& g, const Direction& d, const Tensor& x, const Tensor& w, const Tensor& b,
           const Fold* fold, Tensor& y);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;
  int made_ = 0;
};

}  // namespace kern

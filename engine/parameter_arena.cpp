#include "engine/parameter_arena.h"

#include "engine/dry_run.h"
#include "kernels/common/layout.h"

namespace kern {
namespace {
constexpr int64_t kAlign = 16;
int64_t padded(int64_t n) { return kernels::ceil_div(n, kAlign) * kAlign; }
}  // namespace

ParameterArena::ParameterArena(std::vector<Tensor> parameters) : parameters_(std::move(parameters)) {
  int64_t total = 0;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& p = parameters_[i];
    check(p.is_leaf() && p.dtype() == DType::f32 && p.dense(), "ParameterArena: parameters must be dense f32 leaves");
    check(!in_dry_run() || p.impl().storage->is_meta(),
          "an optimiser made in a dry run would take real parameters away from their network: make the optimiser "
          "before the dry run, or the network in it");
    for (size_t j = 0; j < i; ++j)
      check(parameters_[j].shared_impl() != p.shared_impl(), "an optimiser was given the same parameter twice (shape ",
            p.shape(), ")");
    begins_.push_back(total);
    total += padded(p.size());
  }
  const TensorOptions options = parameters_.empty() ? TensorOptions{} : parameters_[0].options();
  values_ = Tensor::zeros({total}, options);
  gradients_ = Tensor::zeros({total}, options);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    Tensor& p = parameters_[i];
    part(values_, i).copy_from(p);
    Tensor::Impl& impl = p.impl();
    impl.storage = values_.impl().storage;
    impl.offset = begins_[i];
    impl.version->bump();
    const Tensor slot = part(gradients_, i);
    if (impl.has_grad) Tensor(slot).copy_from(*impl.grad);
    impl.grad = std::make_shared<Tensor>(slot);
  }
}

Tensor ParameterArena::part(const Tensor& flat, size_t i) const {
  Tensor t = flat.batch_slice(begins_[i], begins_[i] + parameters_[i].size()).reshaped(parameters_[i].shape());
  t.impl().version = std::make_shared<Version>();
  return t;
}

void ParameterArena::check_ownership(SourceLocation at) const {
  for (size_t i = 0; i < parameters_.size(); ++i)
    check({parameters_[i].impl().storage == values_.impl().storage && parameters_[i].impl().offset == begins_[i], at},
          "a parameter of shape ", parameters_[i].shape(),
          " was given to another optimiser since; keep one optimiser per parameter");
}

std::vector<ParameterArena::Run> ParameterArena::runs_with_gradient(size_t first, size_t last) const {
  std::vector<Run> runs;
  for (size_t i = first; i < last; ++i) {
    if (!parameters_[i].impl().has_grad) continue;
    const int64_t begin = begins_[i], end = begin + padded(parameters_[i].size());
    if (!runs.empty() && runs.back().end == begin) runs.back().end = end;
    else runs.push_back({begin, end});
  }
  return runs;
}

void ParameterArena::clear_gradients() {
  for (Tensor& p : parameters_) p.clear_grad();
}

void ParameterArena::touch(size_t first, size_t last) {
  for (size_t i = first; i < last; ++i) parameters_[i].impl().version->bump();
}

}  // namespace kern

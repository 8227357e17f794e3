#include "engine/late_gradients.h"

#include <algorithm>
#include <utility>

#include "engine/dry_run.h"

namespace kern {
namespace {
thread_local LateGradients* innermost = nullptr;
size_t most = size_t{64} << 20;
}  // namespace

size_t LateGradients::set_most(size_t bytes) { return std::exchange(most, bytes); }

LateGradients::LateGradients() : outer_(std::exchange(innermost, this)) {}
LateGradients::~LateGradients() { innermost = outer_; }
LateGradients* LateGradients::current() { return innermost; }

void LateGradients::finish_chunks() {
#ifdef KERN_CUDA
  kernels::finish_chunk_sums({}, sums_.chunks);
#endif
  sums_.chunks.clear();
  of_chunks_ = {};
}
void LateGradients::finish_norms() {
#ifdef KERN_CUDA
  kernels::finish_norm_parameter_sums({}, sums_.norms);
#endif
  sums_.norms.clear();
  of_norms_ = {};
  kept_.clear();
}
void LateGradients::finish() {
  finish_chunks();
  finish_norms();
}

void LateGradients::settle(const Tensor& t) {
  if (!t || (sums_.chunks.empty() && sums_.norms.empty())) return;
  const size_t value = size_of(t.dtype());
  const std::byte* const begin = t.impl().storage->data() + size_t(t.impl().offset) * value;
  const std::byte* const end = begin + size_t(t.rows() * t.pitch()) * value;
  const auto inside = [&](const float* out) {
    const auto* at = reinterpret_cast<const std::byte*>(out);
    return at && at >= begin && at < end;
  };
  const auto& [chunks, norms] = sums_;
  if (std::any_of(chunks.begin(), chunks.end(), [&](const auto& s) { return inside(s.out); }) ||
      std::any_of(norms.begin(), norms.end(),
                  [&](const auto& s) { return inside(s.weight) || inside(s.bias) || inside(s.slope); }))
    finish();
}

void LateGradients::keep(const Tensor& t) {
  if (t.device() != Device::cpu) kept_.push_back(t);
}

void LateGradients::clear(Tensor& gradient) {
  if (gradient.device() == Device::cpu || !gradient.dense()) return gradient.fill(0);
  float* const out = gradient.mutate();
  if (!in_dry_run()) sums_.chunks.push_back({.n = gradient.size(), .out = out});
}

bool LateGradients::make_room(size_t bytes) {
  const auto too_much = [&] { return of_chunks_.bytes + of_norms_.bytes + bytes > most; };
  if (bytes > most) return false;
  if (too_much()) finish_chunks();
  if (too_much()) finish_norms();
  return true;
}

LateScratch::LateScratch(Device device, size_t bytes, Of of) : of_(of) {
  LateGradients* const late = LateGradients::current();
  if (late && device != Device::cpu && late->make_room(bytes)) late_ = late;
  if (bytes > 0) storage_ = std::make_unique<Storage>(device, bytes);
  if (late_) before_ = kernels::set_late_sums(&late_->sums_);
}
LateScratch::~LateScratch() {
  if (!late_) return;
  kernels::set_late_sums(before_);
  if (!storage_) return;
  LateGradients::Scratch& kept = of_ == Of::chunks ? late_->of_chunks_ : late_->of_norms_;
  kept.bytes += storage_->bytes();
  kept.all.push_back(std::move(storage_));
}

}  // namespace kern

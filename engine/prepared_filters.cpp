#include "engine/prepared_filters.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/dry_run.h"
#include "engine/ops/op.h"
#include "kernels/common/parallel.h"

namespace kern {
namespace {

thread_local PreparedFilters* innermost = nullptr;

const float* data_or_null(const Tensor& t) { return t ? t.data() : nullptr; }

// A large filter, whose convolution reads it for many outputs, is not worth memory for a second form of it.
bool worth_preparing(const kernels::Conv2dSpec& g, bool backward_data, size_t bytes) {
  constexpr size_t kSmall = size_t{1} << 20;
  constexpr int64_t kMaxPositions = 8192;
  return bytes > 0 && (bytes <= kSmall || (backward_data ? g.x_rows() : g.y_rows()) <= kMaxPositions);
}

// y within the limits, where no kernel has seen to it.
void limit(Tensor& y, kernels::Limits limits) {
  const int64_t c = y.channels(), pitch = y.pitch();
  float* const values = y.mutate();
  kernels::parallel_for(y.rows(), std::max<int64_t>(1, 16384 / c), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (float* v = values + i * pitch; v < values + i * pitch + c; ++v) {
        const float low = *v < limits.low ? limits.low : *v;
        *v = low > limits.high ? limits.high : low;
      }
  });
}

// Filter [K,..] (or [C,..,K/G] where the convolution is transposed) and bias with the norm folded in.
std::pair<Tensor, Tensor> folded(const Tensor& w, const Tensor& b, const Fold& f, bool transposed, int groups) {
  const int64_t k = f.running_mean.size();
  std::vector<double> scale(static_cast<size_t>(k));
  Tensor w_out = Tensor::empty(w.shape()), b_out = Tensor::empty({k});
  const float *mean = f.running_mean.data(), *variance = f.running_variance.data(), *weight = data_or_null(f.weight),
              *bias = data_or_null(f.bias), *before = data_or_null(b);
  float* const shift = b_out.mutate();
  for (int64_t i = 0; i < k; ++i) {
    const double s = (weight ? double(weight[i]) : 1.0) / std::sqrt(double(variance[i]) + double(f.eps));
    scale[size_t(i)] = s;
    shift[i] = float(((before ? double(before[i]) : 0.0) - double(mean[i])) * s + (bias ? double(bias[i]) : 0.0));
  }
  const float* from = w.data();
  float* const to = w_out.mutate();
  const int64_t size = w.size(), per_output = transposed ? 1 : size / k, kg = k / groups, per_group = size / groups;
  for (int64_t i = 0; i < size; ++i) {
    const int64_t channel = transposed ? i / per_group * kg + i % kg : i / per_output;
    to[i] = float(double(from[i]) * scale[size_t(channel)]);
  }
  return {w_out, b_out};
}

}  // namespace

PreparedFilters::Scope::Scope(PreparedFilters& filters) : before_(std::exchange(innermost, &filters)) {}
PreparedFilters::Scope::~Scope() { innermost = before_; }

PreparedFilters* PreparedFilters::current() { return grad_enabled() || in_dry_run() ? nullptr : innermost; }

PreparedFilters::Sources::Sources(const Tensor& w, const Tensor& b, const Fold* fold) : eps(fold ? fold->eps : 0) {
  tensors[0] = w, tensors[1] = b;
  if (fold) {
    tensors[2] = fold->weight, tensors[3] = fold->bias;
    tensors[4] = fold->running_mean, tensors[5] = fold->running_variance;
  }
  for (int i = 0; i < kCount; ++i)
    if (tensors[i]) versions[i] = tensors[i].version();
}
bool PreparedFilters::Sources::same_tensors(const Sources& other) const {
  for (int i = 0; i < kCount; ++i) {
    if (bool(tensors[i]) != bool(other.tensors[i])) return false;
    if (tensors[i] &&
        (tensors[i].impl().version != other.tensors[i].impl().version || tensors[i].data() != other.tensors[i].data()))
      return false;
  }
  return eps == other.eps;
}
bool PreparedFilters::Sources::operator==(const Sources& other) const {
  return same_tensors(other) && std::equal(versions, versions + kCount, other.versions);
}

template <class Prepare>
const PreparedFilters::Entry& PreparedFilters::entry(const Form& form, size_t bytes, const Prepare& prepare,
                                                     const Tensor& w, const Tensor& b, const Fold* fold) {
  const Sources sources(w, b, fold);
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const std::unique_ptr<Entry>& e) {
    return e->sources.same_tensors(sources) && !(e->sources == sources);
  });
  for (const auto& e : entries_)
    if (e->form == form && e->sources == sources) return *e;
  auto made = std::make_unique<Entry>(
      Entry{.sources = sources, .limits = fold ? fold->limits : kernels::Limits{}, .form = form});
  for (Tensor& t : made->sources.tensors)
    if (t) t = t.detach();
  made->w = w.detach();
  if (b) made->b = b.detach();
  if (fold && fold->running_mean) {
    const auto [fw, fb] = folded(w, b, *fold, form.backward_data, form.key.groups);
    made->w = fw, made->b = fb;
  }
  if (form.impl) {
    made->memory = std::make_unique<Storage>(Device::cpu, bytes);
    prepare(made->w.data(), data_or_null(made->b), made->memory->data());
    made->w = {}, made->b = {};
  }
  ++made_;
  return *entries_.emplace_back(std::move(made));
}

template <class Impl, class Spec>
void PreparedFilters::run(const Impl& impl, const Spec& g, const Direction& d, const Tensor& x, const Tensor& w,
                          const Tensor& b, const Fold* fold, Tensor& y) {
  const auto& prepared = d.impl ? d.impl->prepared : kernels::PreparedConv2d{};
  const size_t bytes = prepared.run ? prepared.bytes(d.g, d.backward_data) : 0;
  Form form{.key = d.g, .backward_data = d.backward_data};
  form.key.n = form.key.d = form.key.h = form.key.w = 1, form.key.pitch = {};
  if (worth_preparing(d.g, d.backward_data, bytes)) form.impl = d.impl, form.form = prepared.form(d.g, d.backward_data);
  const auto prepare = [&](const float* from, const float* bias, void* to) {
    prepared.prepare(d.g, d.backward_data, from, bias, to);
  };
  const Entry& e = entry(form, bytes, prepare, w, b, fold);
  const kernels::Limits limits = fold ? fold->limits : kernels::Limits{};
  if (e.memory)
    return prepared.run(Workspace(Device::cpu, d.impl->workspace(d.g)).exec(), d.g, d.backward_data, x.data(),
                        e.memory->data(), limits, y.mutate());
  impl.forward(Workspace(Device::cpu, impl.workspace(g)).exec(), g, x.data(), e.w.data(), data_or_null(e.b),
               y.mutate());
  if (limits.any()) limit(y, limits);
}

void PreparedFilters::run(const kernels::Conv2dImpl& impl, const kernels::Conv2dSpec& g, const Tensor& x,
                          const Tensor& w, const Tensor& b, const Fold* fold, Tensor& y) {
  run(impl, g, Direction{&impl, g, false}, x, w, b, fold, y);
}
void PreparedFilters::run(const kernels::ConvTranspose2dImpl& impl, const kernels::ConvTranspose2dSpec& g,
                          const Tensor& x, const Tensor& w, const Tensor& b, const Fold* fold, Tensor& y) {
  const kernels::Conv2dSpec conv = g.conv_of_forward();
  run(impl, g,
      Direction{impl.by_conv2d ? &kernels::select(kernels::conv2d_registry(), Device::cpu, conv) : nullptr, conv, true},
      x, w, b, fold, y);
}

void PreparedFilters::run(const kernels::LinearImpl& impl, const kernels::LinearSpec& g, const Tensor& x,
                          const Tensor& w, const Tensor& b, const Fold& fold, Tensor& y) {
  const kernels::PreparedLinear& prepared = impl.prepared;
  Form form;
  if (prepared.run) form.impl = &impl;
  const auto prepare = [&](const float* from, const float* bias, void* to) { prepared.prepare(g, from, bias, to); };
  const Entry& e = entry(form, prepared.run ? prepared.bytes(g) : 0, prepare, w, b, &fold);
  if (e.memory) return prepared.run(g, x.data(), e.memory->data(), fold.limits, y.mutate());
  impl.forward(Workspace(Device::cpu, impl.workspace(g)).exec(), g, x.data(), e.w.data(), data_or_null(e.b),
               y.mutate());
  if (fold.limits.any()) limit(y, fold.limits);
}

PreparedFilters::Summary PreparedFilters::summary() const {
  const std::lock_guard lock(mutex_);
  Summary s{.made = made_};
  for (auto e = entries_.begin(); e != entries_.end(); ++e) {
    bool counted = false, counted_packed = false;  // the same layer, for another size
    for (auto other = entries_.begin(); other != e; ++other)
      if ((*other)->sources.same_tensors((*e)->sources)) counted = true, counted_packed |= bool((*other)->memory);
    if ((*e)->memory) s.bytes += (*e)->memory->bytes(), s.filters += !counted_packed;
    if (counted) continue;
    s.norms += bool((*e)->sources.tensors[4]);
    s.activations += (*e)->limits.any();
  }
  return s;
}

}  // namespace kern

#include "engine/tensor.h"

#include "engine/autograd.h"
#include "engine/dry_run.h"
#include "engine/gpu.h"
#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/fill.h"

namespace kern {

std::string to_string(const Shape& s) {
  std::string t = "[";
  for (int i = 0; i < s.rank(); ++i) t += (i ? "," : "") + std::to_string(s[i]);
  return t + "]";
}

Tensor::Impl::~Impl() = default;

Tensor Tensor::empty(const Shape& shape, TensorOptions options) {
  auto impl = std::make_shared<Impl>();
  impl->shape = shape;
  impl->pitch = shape.rank() ? shape[-1] : 1;
  impl->dtype = options.dtype;
  impl->storage = std::make_shared<Storage>(options.device, size_t(shape.size()) * size_of(options.dtype));
  impl->version = std::make_shared<Version>();
  return Tensor(std::move(impl));
}

Tensor Tensor::zeros(const Shape& shape, TensorOptions options) {
  Tensor t = empty(shape, options);
  if (!in_dry_run()) set_bytes(options.device, t.address(), 0, size_t(t.size()) * size_of(options.dtype));
  return t;
}

Tensor Tensor::full(const Shape& shape, float value, TensorOptions options) {
  Tensor t = empty(shape, options);
  t.fill(value);
  return t;
}

namespace {
template <class T>
Tensor from_values(const Shape& shape, std::span<const T> values) {
  check(int64_t(values.size()) == shape.size(), "Tensor::from: ", values.size(), " values given for shape ", shape);
  Tensor t = Tensor::empty(shape, {.dtype = dtype_of<T>()});
  if (!in_dry_run()) std::copy(values.begin(), values.end(), t.mutate<T>());
  return t;
}
template <class T>
std::vector<T> all_values(const Tensor& t) {
  if (t.impl().storage->is_meta()) return std::vector<T>(size_t(t.size()));
  std::vector<T> out(static_cast<size_t>(t.size()));
  const size_t row = size_t(t.channels()) * sizeof(T);
  copy_bytes(Device::cpu, out.data(), row, t.device(), t.data<T>(), size_t(t.pitch()) * sizeof(T), row,
             size_t(t.rows()));
  return out;
}
}  // namespace

Tensor Tensor::from(const Shape& shape, std::span<const float> values) { return from_values(shape, values); }
Tensor Tensor::from(const Shape& shape, std::span<const int32_t> values) { return from_values(shape, values); }

void Tensor::check_in_dry_run() const {
  check(in_dry_run(), "a tensor of shape ", shape(), " that was made in a dry run is used after it: it has no values");
}

void Tensor::check_dtype(DType t) const { check(impl().dtype == t, "a tensor of ", impl().dtype, " was used as ", t); }

float Tensor::item() const {
  check(size() == 1, "item() needs a tensor of one value, this one is ", shape());
  return values()[0];
}
std::vector<float> Tensor::values() const {
  if (dtype() != DType::bf16) return all_values<float>(*this);
  const std::vector<Bf16> kept = all_values<Bf16>(*this);
  return {kept.begin(), kept.end()};
}
std::vector<int32_t> Tensor::integers() const { return all_values<int32_t>(*this); }

void Tensor::fill(float value) {
  if (dtype() == DType::bf16) {
    const Tensor floats = full(shape(), value, {.device = device()});
    const kernels::CastSpec g{.rows = rows(), .c = channels(), .pitch = {.y = pitch()}};
    return kernels::select(kernels::cast_registry(), device(), g).narrow({}, g, floats.data(), mutate<Bf16>());
  }
  kernels::FillSpec g{.rows = rows(), .c = channels(), .pitch = {.y = pitch()}};
  kernels::select(kernels::fill_registry(), device(), g).forward({}, g, value, mutate());
}

void Tensor::copy_from(const Tensor& other) {
  check(shape() == other.shape() && dtype() == other.dtype(), "copy_from: ", other.shape(), " ", other.dtype(),
        " into ", shape(), " ", dtype());
  impl().version->bump();
  if (in_dry_run()) return;
  const size_t width = size_of(dtype()), row = size_t(channels()) * width;
  const bool whole = dense() && other.dense();
  copy_bytes(device(), address(), whole ? row : size_t(pitch()) * width, other.device(), other.address(),
             whole ? row : size_t(other.pitch()) * width, row, size_t(rows()));
}

Tensor Tensor::reshaped(const Shape& to, SourceLocation at) const {
  check({to.size() == size(), at}, "reshape: ", shape(), " has ", size(), " values, ", to, " has ", to.size());
  check({dense(), at}, "reshape: a tensor with row pitch ", pitch(), " (shape ", shape(), ") must be copied first");
  Tensor t = detach();
  t.impl().shape = to;
  t.impl().pitch = to.rank() ? to[-1] : 1;
  return t;
}

Tensor Tensor::channel_slice(int64_t begin, int64_t end, SourceLocation at) const {
  check({0 <= begin && begin <= end && end <= channels(), at}, "channel_slice: ", begin, " to ", end, " of ", shape());
  Tensor t = detach();
  t.impl().shape[-1] = end - begin;
  t.impl().offset += begin;
  return t;
}

Tensor Tensor::batch_slice(int64_t begin, int64_t end, SourceLocation at) const {
  check({rank() > 0 && 0 <= begin && begin <= end && end <= dim(0), at}, "batch_slice: ", begin, " to ", end, " of ",
        shape());
  Tensor t = detach();
  const int64_t rows_of_one = rank() > 1 && dim(0) > 0 ? rows() / dim(0) : 1;
  t.impl().shape[0] = end - begin;
  t.impl().offset += rank() > 1 ? begin * rows_of_one * pitch() : begin;
  if (rank() == 1) t.impl().pitch = end - begin;
  return t;
}

Tensor Tensor::joined_channels(std::span<const Tensor> parts) {
  if (parts.empty()) return {};
  const Impl& first = parts[0].impl();
  int64_t width = 0;
  for (const Tensor& p : parts) {
    if (p.impl().storage != first.storage || p.dtype() != first.dtype || p.pitch() != first.pitch ||
        p.impl().offset != first.offset + width || p.rank() != parts[0].rank())
      return {};
    for (int i = 0; i + 1 < p.rank(); ++i)
      if (p.dim(i) != parts[0].dim(i)) return {};
    width += p.channels();
  }
  if (width > first.pitch) return {};
  auto impl = std::make_shared<Impl>();
  impl->shape = first.shape;
  impl->shape[-1] = width;
  impl->pitch = first.pitch;
  impl->offset = first.offset;
  impl->dtype = first.dtype;
  impl->storage = first.storage;
  impl->version = std::make_shared<Version>();
  for (const Tensor& p : parts) impl->version->watch(p.impl().version);
  return Tensor(std::move(impl));
}

std::vector<Tensor> Tensor::empty_channel_slices(const Shape& leading, std::span<const int64_t> widths,
                                                 TensorOptions options) {
  int64_t width = 0;
  for (int64_t w : widths) width += w;
  Shape shape = leading;
  shape.push_back(width);
  const Tensor whole = empty(shape, options);
  std::vector<Tensor> slices;
  int64_t begin = 0;
  for (int64_t w : widths) {
    Tensor out = whole.channel_slice(begin, begin + w);
    out.impl().version = std::make_shared<Version>();  // writing one slice says nothing about its neighbour
    slices.push_back(std::move(out));
    begin += w;
  }
  return slices;
}

Tensor Tensor::clone() const {
  Tensor t = empty(shape(), options());
  t.copy_from(*this);
  return t;
}

Tensor Tensor::to(Device device) const {
  if (device == this->device()) return *this;
  Tensor t = empty(shape(), {.dtype = dtype(), .device = device});
  t.copy_from(*this);
  return t;
}

void Tensor::move_to(Device device) {
  check(is_leaf(), "move_to: only leaves can be moved, this tensor was made by an op");
  if (device == this->device()) return;
  const Tensor moved = to(device);
  impl().version->bump();
  impl().storage = moved.impl().storage;
  impl().pitch = moved.impl().pitch;
  impl().offset = 0;
  impl().has_grad = false;
  impl().grad = nullptr;
}

Tensor Tensor::detach() const {
  auto copy = std::make_shared<Impl>();
  const Impl& i = impl();
  copy->shape = i.shape;
  copy->pitch = i.pitch;
  copy->offset = i.offset;
  copy->dtype = i.dtype;
  copy->storage = i.storage;
  copy->version = i.version;
  return Tensor(std::move(copy));
}

void Tensor::clear_grad() {
  DryRun::keep_gradient(*this);
  impl().has_grad = false;
}

Tensor& Tensor::require_grad(bool on) {
  check(is_leaf(), "require_grad: only leaves can be switched, this tensor was made by an op");
  impl().leaf_requires_grad = on;
  return *this;
}

}  // namespace kern

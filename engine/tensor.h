// Tensor: a handle to an array and its place in the gradient graph. Copying a Tensor copies the handle.
//
// Layout: channels last ([N,H,W,C], [N,L,C], [rows,C], [C]). Dense except that its innermost rows may have a pitch
// above their length: row i of C values begins at data() + i * pitch(). So neighbouring channel slices of one buffer
// are tensors, and concatenating them costs nothing. Every other reordering copies.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/memory.h"
#include "engine/shape.h"
#include "kernels/common/bf16.h"

namespace kern {

struct Node;

// How often an array was written to. A slice shares its array's counter; an array made of neighbouring slices watches
// theirs.
class Version {
 public:
  uint64_t now() const {
    uint64_t v = value_;
    for (const auto& p : parts_) v += p->now();
    return v;
  }
  void bump() {
    ++value_;
    for (auto& p : parts_) p->bump();
  }
  void watch(std::shared_ptr<Version> part) { parts_.push_back(std::move(part)); }

 private:
  uint64_t value_ = 0;
  std::vector<std::shared_ptr<Version>> parts_;
};

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::f32;
  else if constexpr (std::is_same_v<T, int32_t>) return DType::i32;
  else if constexpr (std::is_same_v<T, Bf16>) return DType::bf16;
  else {
    static_assert(std::is_same_v<T, uint8_t>, "a tensor holds float, Bf16, int32_t or uint8_t");
    return DType::u8;
  }
}

class Tensor;

// How to make a tensor's values again, bit for bit: whoever saves such a tensor for a backward pass need not keep its
// memory (engine/autograd.h).
struct Recompute {
  std::function<void(Tensor& into)> make;  // into: the tensor's shape, any pitch
  uint64_t version = 0;                    // of the tensor, when it could be made so
  std::weak_ptr<Storage> made = {};        // what was made last, if somebody still holds it
};

struct TensorOptions {
  DType dtype = DType::f32;
  Device device = Device::cpu;
};

class Tensor {
 public:
  Tensor() = default;  // no tensor: false in a condition
  // Contents undefined (NaN in debug builds).
  static Tensor empty(const Shape& shape, TensorOptions options = {});
  static Tensor zeros(const Shape& shape, TensorOptions options = {});
  static Tensor full(const Shape& shape, float value, TensorOptions options = {});
  // values.size() must be shape.size().
  static Tensor from(const Shape& shape, std::span<const float> values);
  static Tensor from(const Shape& shape, std::span<const int32_t> values);

  explicit operator bool() const { return bool(impl_); }
  const Shape& shape() const { return impl().shape; }
  int rank() const { return shape().rank(); }
  int64_t dim(int i) const { return shape()[i]; }
  int64_t size() const { return shape().size(); }
  int64_t channels() const { return rank() ? dim(-1) : 1; }
  int64_t rows() const { return channels() ? size() / channels() : 0; }
  int64_t pitch() const { return impl().pitch; }
  bool dense() const { return pitch() == channels() || rows() <= 1; }
  DType dtype() const { return impl().dtype; }
  Device device() const { return impl().storage->device(); }
  TensorOptions options() const { return {dtype(), device()}; }

  // First value, an address of the tensor's device; row i begins at data() + i * pitch(). T must be the tensor's dtype.
  template <class T = float>
  const T* data() const {
    check_dtype(dtype_of<T>());
    return reinterpret_cast<const T*>(address());
  }
  // Every write goes through here: it tells whoever saved this tensor for a backward pass.
  template <class T = float>
  T* mutate() {
    check_dtype(dtype_of<T>());
    impl().version->bump();
    return reinterpret_cast<T*>(address());
  }
  uint64_t version() const { return impl().version->now(); }
  float item() const;                 // the one value of a tensor of size 1
  std::vector<float> values() const;  // all values in row order, without the pitch's gaps; bf16 as floats
  std::vector<int32_t> integers() const;
  void fill(float value);
  void copy_from(const Tensor& other);  // equal shapes; any pitches, any devices

  // Views: same storage, no graph of their own (engine/ops has the differentiable forms).
  Tensor reshaped(const Shape& shape, SourceLocation at = SourceLocation::current()) const;  // dense only
  Tensor channel_slice(int64_t begin, int64_t end, SourceLocation at = SourceLocation::current()) const;
  Tensor batch_slice(int64_t begin, int64_t end,
                     SourceLocation at = SourceLocation::current()) const;  // along the first dimension
  // The tensor whose channels are these, if they already lie side by side in one buffer; else nothing.
  static Tensor joined_channels(std::span<const Tensor> parts);
  // n tensors of `widths` channels, side by side in one new buffer: what joined_channels will join for free.
  static std::vector<Tensor> empty_channel_slices(const Shape& leading, std::span<const int64_t> widths,
                                                  TensorOptions options = {});
  Tensor to(Device device) const;  // this tensor if it is there; else a dense copy there, without a graph
  // A leaf's values on another device from now on, for everyone who holds it. Its gradient is forgotten.
  void move_to(Device device);
  Tensor clone() const;   // dense copy, no graph
  Tensor detach() const;  // same data, no graph

  // --- gradients (engine/autograd.h) ---
  bool requires_grad() const { return impl_ && (impl_->leaf_requires_grad || impl_->node); }
  Tensor& require_grad(bool on = true);  // leaves only
  bool is_leaf() const { return !impl().node; }
  void backward(SourceLocation at = SourceLocation::current()) const;  // kern::backward(*this)
  // The gradient that backward() accumulated into this leaf; no tensor if there is none since the last clear.
  Tensor grad() const { return impl().has_grad ? *impl().grad : Tensor(); }
  void clear_grad();

  struct Impl {
    Shape shape;
    int64_t pitch = 1;
    int64_t offset = 0;  // in values
    DType dtype = DType::f32;
    std::shared_ptr<Storage> storage;
    std::shared_ptr<Version> version;
    bool leaf_requires_grad = false;
    bool has_grad = false;       // grad holds a value; otherwise it is only a place for one
    std::shared_ptr<Node> node;  // the op that made this tensor
    std::shared_ptr<Recompute> recompute;
    std::shared_ptr<Tensor> grad;
    ~Impl();
  };
  Impl& impl() const {
    internal_check(bool(impl_), "an empty Tensor was used");
    return *impl_;
  }
  const std::shared_ptr<Impl>& shared_impl() const { return impl_; }

 private:
  explicit Tensor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::byte* address() const {
    const Storage& storage = *impl().storage;
    if (storage.is_meta()) check_in_dry_run();
    return storage.data() + size_t(impl().offset) * size_of(impl().dtype);
  }
  void check_in_dry_run() const;
  void check_dtype(DType t) const;
  std::shared_ptr<Impl> impl_;
};

}  // namespace kern

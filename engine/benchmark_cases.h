// How an entry of an op's implementations is tried on a case: what it is given, and where its result lies. The
// tuner and `kern bench kernels` both ask here.
//
//   for (const BenchmarkCase<Conv2dImpl>& t : BenchmarkCases<Conv2dImpl>::of(spec)) {
//     BenchmarkArrays arrays(device);
//     const BenchmarkCall<Conv2dImpl> call = t.prepare(arrays);
//     call.run(row, exec);   // the same arrays for whatever row
//   }
//
// An op that is to be tuned has its BenchmarkCases here and its line in tuned_ops() (engine/tuner.cpp).
#pragma once
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/tensor.h"
#include "kernels/common/device.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv_transpose2d.h"
#include "kernels/matmul/linear.h"

namespace kern {

// Arrays of one case on its device: inputs random, outputs poisoned with NaN. Their memory comes from the system and
// goes back to it: it is none of a training's, and not counted. Throws std::bad_alloc where there is too little.
class BenchmarkArrays {
 public:
  explicit BenchmarkArrays(Device device) : device_(device) {}

  std::byte* bytes(size_t n);  // undefined
  template <class T = float>   // or Bf16
  T* input(int64_t n, float low = -1, float high = 1);
  template <class T = float>
  T* output(int64_t n);
  int32_t* classes(int64_t n, int64_t k);
  // A number that kernels read, or add to, where they are.
  template <class T>
  T* number(T value) {
    return reinterpret_cast<T*>(copy_of(&value, sizeof(T)));
  }
  size_t taken() const { return taken_; }  // bytes

 private:
  std::byte* copy_of(const void* host, size_t bytes);
  struct Free {
    Device device;
    void operator()(std::byte* p) const;
  };
  Device device_;
  std::vector<std::unique_ptr<std::byte[], Free>> all_;
  size_t taken_ = 0;
};

struct BenchmarkOutput {  // rows of `columns` values, `pitch` apart
  BenchmarkOutput() = default;
  template <class T>
  BenchmarkOutput(const T* first, int64_t of_rows, int64_t of_columns, int64_t apart)
      : data(first), type(dtype_of<T>()), rows(of_rows), columns(of_columns), pitch(apart) {}
  const void* data = nullptr;
  DType type = DType::f32;  // or bf16
  int64_t rows = 0, columns = 0, pitch = 0;
  int64_t size() const { return rows * columns; }
};
std::vector<float> values_of(const BenchmarkOutput& out, Device device);  // dense, on the host
// A dense copy that stays when the result is computed anew.
BenchmarkOutput copy_of(const BenchmarkOutput& out, Device device, BenchmarkArrays& arrays);
// The largest difference as a share of the expected's largest value; infinite where either holds no number. Computed
// where the arrays are.
double largest_share(const BenchmarkOutput& out, const BenchmarkOutput& expected, Device device);

template <class Impl>
struct BenchmarkCall {
  std::function<void(const Impl&, const kernels::Exec&)> run;
  BenchmarkOutput out;
};
template <class Impl>
struct BenchmarkCase {
  const char* entry;
  double flops, bytes;  // the least that it must compute and move
  std::function<BenchmarkCall<Impl>(BenchmarkArrays&)> prepare;
};
template <class Impl, class Member>
struct BenchmarkEntry {
  const char* name;
  Member Impl::*member;
};
template <class Impl, class Member>
BenchmarkEntry(const char*, Member Impl::*) -> BenchmarkEntry<Impl, Member>;

// A case in words that tell it from every other: of what size, and everything else.
struct CaseName {
  std::string size, layer;
  std::string text() const { return size + " " + layer; }
};

template <class Impl>
struct BenchmarkCases;

template <class T>
struct BenchmarkCases<kernels::Conv2dImplOf<T>> {
  using Impl = kernels::Conv2dImplOf<T>;
  using Spec = kernels::Conv2dSpec;
  static const kernels::Registry<Impl>& registry() { return kernels::conv2d_registry<T>(); }
  static constexpr std::tuple entries{BenchmarkEntry{"forward", &Impl::forward},
                                      BenchmarkEntry{"backward_data", &Impl::backward_data},
                                      BenchmarkEntry{"backward_weight", &Impl::backward_weight},
                                      BenchmarkEntry{"backward_bias", &Impl::backward_bias},
                                      BenchmarkEntry{"backward_data_plus", &Impl::backward_data_plus},
                                      BenchmarkEntry{"backward_data_added", &Impl::backward_data_added}};
  static CaseName name(const Spec& g);
  static std::vector<BenchmarkCase<Impl>> of(const Spec& g);
};

template <class T>
struct BenchmarkCases<kernels::ConvTranspose2dImplOf<T>> {
  using Impl = kernels::ConvTranspose2dImplOf<T>;
  using Spec = kernels::ConvTranspose2dSpec;
  static const kernels::Registry<Impl>& registry() { return kernels::conv_transpose2d_registry<T>(); }
  static constexpr std::tuple entries{
      BenchmarkEntry{"forward", &Impl::forward}, BenchmarkEntry{"backward_data", &Impl::backward_data},
      BenchmarkEntry{"backward_weight", &Impl::backward_weight}, BenchmarkEntry{"backward_bias", &Impl::backward_bias}};
  static CaseName name(const Spec& g);
  static std::vector<BenchmarkCase<Impl>> of(const Spec& g);
};

template <>
struct BenchmarkCases<kernels::LinearImpl> {
  using Impl = kernels::LinearImpl;
  using Spec = kernels::LinearSpec;
  static const kernels::Registry<Impl>& registry() { return kernels::linear_registry(); }
  static constexpr std::tuple entries{
      BenchmarkEntry{"forward", &Impl::forward}, BenchmarkEntry{"backward_data", &Impl::backward_data},
      BenchmarkEntry{"backward_weight", &Impl::backward_weight}, BenchmarkEntry{"backward_bias", &Impl::backward_bias}};
  static CaseName name(const Spec& g);
  static std::vector<BenchmarkCase<Impl>> of(const Spec& g);
};

}  // namespace kern

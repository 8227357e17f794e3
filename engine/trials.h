// How an entry of an op's rows is tried on a case: what it is given, and where its result lies. The tuner and
// `kern bench kernels` both ask here.
//
//   for (const Trial<Conv2dRow>& t : Trials<Conv2dRow>::of(spec)) {
//     TrialArrays arrays(device);
//     const TrialCall<Conv2dRow> call = t.prepare(arrays);
//     call.run(row, exec);   // the same arrays for whatever row
//   }
//
// An op that is to be tuned has its Trials here and its line in tuned_ops() (engine/tuner.cpp).
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
class TrialArrays {
 public:
  explicit TrialArrays(Device device) : device_(device) {}

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

struct TrialOutput {  // rows of `columns` values, `pitch` apart
  TrialOutput() = default;
  template <class T>
  TrialOutput(const T* first, int64_t of_rows, int64_t of_columns, int64_t apart)
      : data(first), type(dtype_of<T>()), rows(of_rows), columns(of_columns), pitch(apart) {}
  const void* data = nullptr;
  DType type = DType::f32;  // or bf16
  int64_t rows = 0, columns = 0, pitch = 0;
  int64_t size() const { return rows * columns; }
};
std::vector<float> values_of(const TrialOutput& out, Device device);  // dense, on the host
// A dense copy that stays when the result is computed anew.
TrialOutput copy_of(const TrialOutput& out, Device device, TrialArrays& arrays);
// The largest difference as a share of the expected's largest value; infinite where either holds no number. Computed
// where the arrays are.
double largest_share(const TrialOutput& out, const TrialOutput& expected, Device device);

template <class Row>
struct TrialCall {
  std::function<void(const Row&, const kernels::Exec&)> run;
  TrialOutput out;
};
template <class Row>
struct Trial {
  const char* entry;
  double flops, bytes;  // the least that it must compute and move
  std::function<TrialCall<Row>(TrialArrays&)> prepare;
};
template <class Row, class Member>
struct TrialEntry {
  const char* name;
  Member Row::*member;
};
template <class Row, class Member>
TrialEntry(const char*, Member Row::*) -> TrialEntry<Row, Member>;

// A case in words that tell it from every other: of what size, and everything else.
struct CaseName {
  std::string size, layer;
  std::string text() const { return size + " " + layer; }
};

template <class Row>
struct Trials;

template <class T>
struct Trials<kernels::Conv2dRowOf<T>> {
  using Row = kernels::Conv2dRowOf<T>;
  using Spec = kernels::Conv2dSpec;
  static const kernels::Table<Row>& table() { return kernels::conv2d_table<T>(); }
  static constexpr std::tuple entries{TrialEntry{"forward", &Row::forward},
                                      TrialEntry{"backward_data", &Row::backward_data},
                                      TrialEntry{"backward_weight", &Row::backward_weight},
                                      TrialEntry{"backward_bias", &Row::backward_bias},
                                      TrialEntry{"backward_data_plus", &Row::backward_data_plus},
                                      TrialEntry{"backward_data_added", &Row::backward_data_added}};
  static CaseName name(const Spec& g);
  static std::vector<Trial<Row>> of(const Spec& g);
};

template <class T>
struct Trials<kernels::ConvTranspose2dRowOf<T>> {
  using Row = kernels::ConvTranspose2dRowOf<T>;
  using Spec = kernels::ConvTranspose2dSpec;
  static const kernels::Table<Row>& table() { return kernels::conv_transpose2d_table<T>(); }
  static constexpr std::tuple entries{
      TrialEntry{"forward", &Row::forward}, TrialEntry{"backward_data", &Row::backward_data},
      TrialEntry{"backward_weight", &Row::backward_weight}, TrialEntry{"backward_bias", &Row::backward_bias}};
  static CaseName name(const Spec& g);
  static std::vector<Trial<Row>> of(const Spec& g);
};

template <>
struct Trials<kernels::LinearRow> {
  using Row = kernels::LinearRow;
  using Spec = kernels::LinearSpec;
  static const kernels::Table<Row>& table() { return kernels::linear_table(); }
  static constexpr std::tuple entries{
      TrialEntry{"forward", &Row::forward}, TrialEntry{"backward_data", &Row::backward_data},
      TrialEntry{"backward_weight", &Row::backward_weight}, TrialEntry{"backward_bias", &Row::backward_bias}};
  static CaseName name(const Spec& g);
  static std::vector<Trial<Row>> of(const Spec& g);
};

}  // namespace kern

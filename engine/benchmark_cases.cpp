#include "engine/benchmark_cases.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#include "engine/gpu.h"
#include "kernels/common/difference.h"
#include "kernels/common/philox.h"

namespace kern {
using namespace kernels;

// --- arrays --------------------------------------------------------------------------------------------------------

void BenchmarkArrays::Free::operator()(std::byte* p) const {
  if (device == Device::cpu) std::free(p);
  else gpu_free(p);
}

std::byte* BenchmarkArrays::bytes(size_t n) {
  const size_t size = std::max<size_t>(64, (n + 63) / 64 * 64);
  std::byte* p = device_ == Device::cpu ? static_cast<std::byte*>(std::aligned_alloc(64, size)) : gpu_allocate(size);
  if (!p) throw std::bad_alloc();
  all_.emplace_back(p, Free{device_});
  taken_ += size;
  return p;
}
std::byte* BenchmarkArrays::copy_of(const void* host, size_t n) {
  std::byte* p = bytes(n);
  copy_bytes(device_, p, n, Device::cpu, host, n, n, 1);
  return p;
}
template <class T>
T* BenchmarkArrays::input(int64_t n, float low, float high) {
  const size_t size = size_t(std::max<int64_t>(1, n));
  std::vector<T> values(std::min<size_t>(size, 1000003));  // a prime: repeats fall on other rows
  uint32_t state = 12345 + 7919 * uint32_t(all_.size());
  for (T& v : values) {
    state = state * 1664525u + 1013904223u;
    v = low + (high - low) * to_uniform(state);
  }
  T* const p = reinterpret_cast<T*>(bytes(size * sizeof(T)));
  const auto copy = [&](size_t at, Device from, const T* source, size_t count) {
    copy_bytes(device_, p + at, count * sizeof(T), from, source, count * sizeof(T), count * sizeof(T), 1);
  };
  copy(0, Device::cpu, values.data(), values.size());
  for (size_t done = values.size(); done < size; done *= 2) copy(done, device_, p, std::min(done, size - done));
  return p;
}
template <class T>
T* BenchmarkArrays::output(int64_t n) {
  const size_t size = size_t(std::max<int64_t>(1, n)) * sizeof(T);
  std::byte* p = bytes(size);
  set_bytes(device_, p, 0xff, size);  // a number of ones alone is a NaN
  return reinterpret_cast<T*>(p);
}
template float* BenchmarkArrays::input<float>(int64_t, float, float);
template Bf16* BenchmarkArrays::input<Bf16>(int64_t, float, float);
template float* BenchmarkArrays::output<float>(int64_t);
template Bf16* BenchmarkArrays::output<Bf16>(int64_t);
int32_t* BenchmarkArrays::classes(int64_t n, int64_t k) {
  std::vector<int32_t> values(size_t(std::max<int64_t>(1, n)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = int32_t(int64_t(i) * 7919 % k);
  return reinterpret_cast<int32_t*>(copy_of(values.data(), values.size() * sizeof(int32_t)));
}

std::vector<float> values_of(const BenchmarkOutput& out, Device device) {
  const auto read = [&]<class T>(std::vector<T> host) {
    const size_t row = size_t(out.columns) * sizeof(T);
    copy_bytes(Device::cpu, host.data(), row, device, out.data, size_t(out.pitch) * sizeof(T), row, size_t(out.rows));
    return std::vector<float>(host.begin(), host.end());
  };
  const auto size = size_t(out.size());
  return out.type == DType::bf16 ? read(std::vector<Bf16>(size)) : read(std::vector<float>(size));
}

BenchmarkOutput copy_of(const BenchmarkOutput& out, Device device, BenchmarkArrays& arrays) {
  const size_t row = size_t(out.columns) * size_of(out.type);
  std::byte* const p = arrays.bytes(row * size_t(out.rows));
  copy_bytes(device, p, row, device, out.data, size_t(out.pitch) * size_of(out.type), row, size_t(out.rows));
  BenchmarkOutput copy = out;
  copy.data = p;
  copy.pitch = out.columns;
  return copy;
}

double largest_share(const BenchmarkOutput& out, const BenchmarkOutput& expected, Device device) {
  internal_check(out.type == expected.type && out.rows == expected.rows && out.columns == expected.columns,
                 "results of unequal shapes");
  const auto measured = [&]<class T>(const T*) {
    const auto rows_of = [](const BenchmarkOutput& o) {
      return RowsOfValues<T>{static_cast<const T*>(o.data), o.rows, o.columns, o.pitch};
    };
    if (device == Device::cpu) return largest_difference(rows_of(out), rows_of(expected));
    std::vector<Difference> parts(size_t(difference_parts(out.size())));
#ifdef KERN_CUDA
    const size_t bytes = parts.size() * sizeof(Difference);
    BenchmarkArrays arrays(device);
    auto* const there = reinterpret_cast<Difference*>(arrays.bytes(bytes));
    largest_differences_cuda({}, rows_of(out), rows_of(expected), there);
    copy_bytes(Device::cpu, parts.data(), bytes, device, there, bytes, bytes, 1);
#endif
    return fold(parts.data(), int(parts.size()));
  };
  const Difference d = out.type == DType::bf16 ? measured(static_cast<const Bf16*>(nullptr))
                                               : measured(static_cast<const float*>(nullptr));
  if (!std::isfinite(d.largest) || !std::isfinite(d.scale)) return HUGE_VAL;
  return d.largest > 0 ? double(d.largest) / double(d.scale) : 0;
}

// --- cases in words ------------------------------------------------------------------------------------------------

namespace {

// "h=64 w=64"; what stands at its usual value is left out.
class Words {
 public:
  Words& add(const char* name, int64_t value, int64_t usual) {
    if (value != usual) words_ += kern::text(words_.empty() ? "" : " ", name, "=", value);
    return *this;
  }
  std::string text() const { return words_; }

 private:
  std::string words_;
};
constexpr int64_t kAlways = -1;  // no value's usual one

CaseName name_of(const Conv2dSpec& g) {
  // Every member is named, or a new one would not compile.
  const auto& [n, c, h, w, k, r, s, stride_h, stride_w, dil_h, dil_w, groups, top, bottom, left, right, d, t, stride_d,
               dil_d, front, back, pitch] = g;
  return {Words().add("n", n, kAlways).add("d", d, 1).add("h", h, kAlways).add("w", w, kAlways).text(),
          Words()
              .add("c", c, kAlways)
              .add("k", k, kAlways)
              .add("t", t, 1)
              .add("r", r, kAlways)
              .add("s", s, kAlways)
              .add("stride_d", stride_d, 1)
              .add("stride_h", stride_h, 1)
              .add("stride_w", stride_w, 1)
              .add("dil_d", dil_d, 1)
              .add("dil_h", dil_h, 1)
              .add("dil_w", dil_w, 1)
              .add("groups", groups, 1)
              .add("front", front, 0)
              .add("back", back, 0)
              .add("top", top, 0)
              .add("bottom", bottom, 0)
              .add("left", left, 0)
              .add("right", right, 0)
              .add("x_pitch", pitch_or(pitch.x, c), c)
              .add("y_pitch", pitch_or(pitch.y, k), k)
              .add("dx_pitch", pitch_or(pitch.dx, c), c)
              .add("dy_pitch", pitch_or(pitch.dy, k), k)
              .text()};
}

CaseName name_of(const ConvTranspose2dSpec& g) {
  const auto& [n, c, h, w, k, r, s, stride_h, stride_w, dil_h, dil_w, groups, top, bottom, left, right, rows, columns,
               d, t, stride_d, dil_d, front, back, planes, pitch] = g;
  CaseName name = name_of(Conv2dSpec{n,   c,      h,    w,     k, r, s,        stride_h, stride_w, dil_h, dil_w, groups,
                                     top, bottom, left, right, d, t, stride_d, dil_d,    front,    back,  pitch});
  const std::string added =
      Words().add("planes_added", planes, 0).add("rows_added", rows, 0).add("columns_added", columns, 0).text();
  if (!added.empty()) name.layer += " " + added;
  return name;
}

// The same of values kept as another type is another case.
template <class T>
CaseName named(CaseName name) {
  if constexpr (std::is_same_v<T, Bf16>) name.layer += " kept=bf16";
  return name;
}

}  // namespace

template <class T>
CaseName BenchmarkCases<Conv2dImplOf<T>>::name(const Spec& g) {
  return named<T>(name_of(g));
}
template <class T>
CaseName BenchmarkCases<ConvTranspose2dImplOf<T>>::name(const Spec& g) {
  return named<T>(name_of(g));
}
CaseName BenchmarkCases<LinearImpl>::name(const Spec& g) {
  const auto& [rows, c, k, pitch] = g;
  return {Words().add("rows", rows, kAlways).text(), Words()
                                                         .add("c", c, kAlways)
                                                         .add("k", k, kAlways)
                                                         .add("x_pitch", pitch_or(pitch.x, c), c)
                                                         .add("y_pitch", pitch_or(pitch.y, k), k)
                                                         .add("dx_pitch", pitch_or(pitch.dx, c), c)
                                                         .add("dy_pitch", pitch_or(pitch.dy, k), k)
                                                         .text()};
}

// --- the entries ---------------------------------------------------------------------------------------------------

namespace {

// The three ops have the same entries with the same arguments; `x_rows` and `y_rows` are the images' and signals' rows,
// which are kept as T.
template <class T, class Impl, class Spec>
std::vector<BenchmarkCase<Impl>> product_cases(const Spec& g, int64_t x_rows, int64_t y_rows, double flops) {
  const int64_t xs = x_rows * g.x_pitch(), dxs = x_rows * g.dx_pitch(), ys = y_rows * g.y_pitch(),
                dys = y_rows * g.dy_pitch(), ws = g.w_size();
  const double moved = double(sizeof(T)) * double(x_rows * g.c + y_rows * g.k) + double(sizeof(float)) * double(ws);
  return {
      {"forward", flops, moved,
       [=](BenchmarkArrays& a) -> BenchmarkCall<Impl> {
         const T* x = a.input<T>(xs);
         const float *w = a.input(ws), *b = a.input(g.k);
         T* y = a.output<T>(ys);
         return {[=](const Impl& row, const Exec& e) { row.forward(e, g, x, w, b, y); }, {y, y_rows, g.k, g.y_pitch()}};
       }},
      {"backward_data", flops, moved,
       [=](BenchmarkArrays& a) -> BenchmarkCall<Impl> {
         const T* dy = a.input<T>(dys);
         const float* w = a.input(ws);
         T* dx = a.output<T>(dxs);
         return {[=](const Impl& row, const Exec& e) { row.backward_data(e, g, dy, w, dx); },
                 {dx, x_rows, g.c, g.dx_pitch()}};
       }},
      {"backward_weight", flops, moved,
       [=](BenchmarkArrays& a) -> BenchmarkCall<Impl> {
         const T *dy = a.input<T>(dys), *x = a.input<T>(xs);
         float* dw = a.output(ws);
         return {[=](const Impl& row, const Exec& e) { row.backward_weight(e, g, dy, x, dw); }, {dw, 1, ws, ws}};
       }},
      {"backward_bias", double(y_rows * g.k), double(sizeof(T)) * double(y_rows * g.k),
       [=](BenchmarkArrays& a) -> BenchmarkCall<Impl> {
         const T* dy = a.input<T>(dys);
         float* db = a.output(g.k);
         return {[=](const Impl& row, const Exec& e) { row.backward_bias(e, g, dy, db); }, {db, 1, g.k, g.k}};
       }}};
}

}  // namespace

template <class T>
std::vector<BenchmarkCase<Conv2dImplOf<T>>> BenchmarkCases<Conv2dImplOf<T>>::of(const Spec& g) {
  const double flops = 2 * double(g.macs());
  auto all = product_cases<T, Impl>(g, g.x_rows(), g.y_rows(), flops);
  all.push_back({"backward_data_plus", flops, all[1].bytes, [=](BenchmarkArrays& a) -> BenchmarkCall<Impl> {
                   const T* dy = a.input<T>(g.y_rows() * g.dy_pitch());
                   const float *w = a.input(g.w_size()), *b = a.input(g.c);
                   T* dx = a.output<T>(g.x_rows() * g.dx_pitch());
                   return {[=](const Impl& row, const Exec& e) { row.backward_data_plus(e, g, dy, w, b, dx); },
                           {dx, g.x_rows(), g.c, g.dx_pitch()}};
                 }});
  all.push_back({"backward_data_added", flops, all[1].bytes + double(sizeof(T)) * double(g.x_rows() * g.c),
                 [=](BenchmarkArrays& a) -> BenchmarkCall<Impl> {
                   const T *dy = a.input<T>(g.y_rows() * g.dy_pitch()), *base = a.input<T>(g.x_rows() * g.c);
                   const float* w = a.input(g.w_size());
                   T* dx = a.output<T>(g.x_rows() * g.dx_pitch());
                   return {[=](const Impl& row, const Exec& e) { row.backward_data_added(e, g, dy, w, base, g.c, dx); },
                           {dx, g.x_rows(), g.c, g.dx_pitch()}};
                 }});
  return all;
}
template <class T>
std::vector<BenchmarkCase<ConvTranspose2dImplOf<T>>> BenchmarkCases<ConvTranspose2dImplOf<T>>::of(const Spec& g) {
  return product_cases<T, Impl>(g, g.x_rows(), g.y_rows(), 2 * double(g.macs()));
}
std::vector<BenchmarkCase<LinearImpl>> BenchmarkCases<LinearImpl>::of(const Spec& g) {
  return product_cases<float, Impl>(g, g.rows, g.rows, 2 * double(g.macs()));
}

template struct BenchmarkCases<Conv2dImplOf<float>>;
template struct BenchmarkCases<Conv2dImplOf<Bf16>>;
template struct BenchmarkCases<ConvTranspose2dImplOf<float>>;
template struct BenchmarkCases<ConvTranspose2dImplOf<Bf16>>;

}  // namespace kern

#include "engine/trials.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "engine/card.h"
#include "kernels/common/philox.h"

namespace kern {
using namespace kernels;

// --- arrays --------------------------------------------------------------------------------------------------------

void TrialArrays::Free::operator()(std::byte* p) const {
  if (device == Device::cpu) std::free(p);
  else card_free(p);
}

std::byte* TrialArrays::bytes(size_t n) {
  const size_t size = std::max<size_t>(64, (n + 63) / 64 * 64);
  std::byte* p = device_ == Device::cpu ? static_cast<std::byte*>(std::aligned_alloc(64, size)) : card_allocate(size);
  if (!p) throw std::bad_alloc();
  all_.emplace_back(p, Free{device_});
  taken_ += size;
  return p;
}
std::byte* TrialArrays::copy_of(const void* host, size_t n) {
  std::byte* p = bytes(n);
  copy_bytes(device_, p, n, Device::cpu, host, n, n, 1);
  return p;
}
float* TrialArrays::input(int64_t n, float low, float high) {
  std::vector<float> values(size_t(std::max<int64_t>(1, n)));
  const size_t drawn = std::min<size_t>(values.size(), 1000003);  // a prime: repeats fall on other rows
  uint32_t state = 12345 + 7919 * uint32_t(all_.size());
  for (size_t i = 0; i < drawn; ++i) {
    state = state * 1664525u + 1013904223u;
    values[i] = low + (high - low) * to_uniform(state);
  }
  for (size_t i = drawn; i < values.size(); ++i) values[i] = values[i - drawn];
  return reinterpret_cast<float*>(copy_of(values.data(), values.size() * sizeof(float)));
}
float* TrialArrays::output(int64_t n) {
  const size_t size = size_t(std::max<int64_t>(1, n)) * sizeof(float);
  std::byte* p = bytes(size);
  set_bytes(device_, p, 0xff, size);  // a float of ones alone is a NaN
  return reinterpret_cast<float*>(p);
}
int32_t* TrialArrays::classes(int64_t n, int64_t k) {
  std::vector<int32_t> values(size_t(std::max<int64_t>(1, n)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = int32_t(int64_t(i) * 7919 % k);
  return reinterpret_cast<int32_t*>(copy_of(values.data(), values.size() * sizeof(int32_t)));
}

std::vector<float> values_of(const TrialOutput& out, Device device) {
  std::vector<float> host(size_t(out.size()));
  const size_t row = size_t(out.columns) * sizeof(float);
  copy_bytes(Device::cpu, host.data(), row, device, out.data, size_t(out.pitch) * sizeof(float), row, size_t(out.rows));
  return host;
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
double floats(int64_t n) { return 4 * double(n); }

}  // namespace

CaseName Trials<Conv2dRow>::name(const Spec& g) {
  // Every member is named, or a new one would not compile.
  const auto& [n, c, h, w, k, r, s, stride_h, stride_w, dil_h, dil_w, groups, top, bottom, left, right, pitch] = g;
  return {Words().add("n", n, kAlways).add("h", h, kAlways).add("w", w, kAlways).text(),
          Words()
              .add("c", c, kAlways)
              .add("k", k, kAlways)
              .add("r", r, kAlways)
              .add("s", s, kAlways)
              .add("stride_h", stride_h, 1)
              .add("stride_w", stride_w, 1)
              .add("dil_h", dil_h, 1)
              .add("dil_w", dil_w, 1)
              .add("groups", groups, 1)
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

CaseName Trials<ConvTranspose2dRow>::name(const Spec& g) {
  const auto& [n, c, h, w, k, r, s, stride_h, stride_w, dil_h, dil_w, groups, top, bottom, left, right, rows, columns,
               pitch] = g;
  CaseName name = Trials<Conv2dRow>::name(
      {n, c, h, w, k, r, s, stride_h, stride_w, dil_h, dil_w, groups, top, bottom, left, right, pitch});
  const std::string added = Words().add("rows_added", rows, 0).add("columns_added", columns, 0).text();
  if (!added.empty()) name.layer += " " + added;
  return name;
}

CaseName Trials<LinearRow>::name(const Spec& g) {
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

// The three ops have the same entries with the same arguments; `x_rows` and `y_rows` are the images' and signals' rows.
template <class Row, class Spec>
std::vector<Trial<Row>> product_trials(const Spec& g, int64_t x_rows, int64_t y_rows, double flops) {
  const int64_t xs = x_rows * g.x_pitch(), dxs = x_rows * g.dx_pitch(), ys = y_rows * g.y_pitch(),
                dys = y_rows * g.dy_pitch(), ws = g.w_size();
  const double moved = floats(x_rows * g.c + y_rows * g.k + ws);
  return {
      {"forward", flops, moved,
       [=](TrialArrays& a) -> TrialCall<Row> {
         const float *x = a.input(xs), *w = a.input(ws), *b = a.input(g.k);
         float* y = a.output(ys);
         return {[=](const Row& row, const Exec& e) { row.forward(e, g, x, w, b, y); }, {y, y_rows, g.k, g.y_pitch()}};
       }},
      {"backward_data", flops, moved,
       [=](TrialArrays& a) -> TrialCall<Row> {
         const float *dy = a.input(dys), *w = a.input(ws);
         float* dx = a.output(dxs);
         return {[=](const Row& row, const Exec& e) { row.backward_data(e, g, dy, w, dx); },
                 {dx, x_rows, g.c, g.dx_pitch()}};
       }},
      {"backward_weight", flops, moved,
       [=](TrialArrays& a) -> TrialCall<Row> {
         const float *dy = a.input(dys), *x = a.input(xs);
         float* dw = a.output(ws);
         return {[=](const Row& row, const Exec& e) { row.backward_weight(e, g, dy, x, dw); }, {dw, 1, ws, ws}};
       }},
      {"backward_bias", double(y_rows * g.k), floats(y_rows * g.k), [=](TrialArrays& a) -> TrialCall<Row> {
         const float* dy = a.input(dys);
         float* db = a.output(g.k);
         return {[=](const Row& row, const Exec& e) { row.backward_bias(e, g, dy, db); }, {db, 1, g.k, g.k}};
       }}};
}

}  // namespace

std::vector<Trial<Conv2dRow>> Trials<Conv2dRow>::of(const Spec& g) {
  const double flops = 2 * double(g.macs());
  auto all = product_trials<Row>(g, g.x_rows(), g.y_rows(), flops);
  all.push_back({"backward_data_plus", flops, all[1].bytes, [=](TrialArrays& a) -> TrialCall<Row> {
                   const float *dy = a.input(g.y_rows() * g.dy_pitch()), *w = a.input(g.w_size()), *b = a.input(g.c);
                   float* dx = a.output(g.x_rows() * g.dx_pitch());
                   return {[=](const Row& row, const Exec& e) { row.backward_data_plus(e, g, dy, w, b, dx); },
                           {dx, g.x_rows(), g.c, g.dx_pitch()}};
                 }});
  return all;
}
std::vector<Trial<ConvTranspose2dRow>> Trials<ConvTranspose2dRow>::of(const Spec& g) {
  return product_trials<Row>(g, g.x_rows(), g.y_rows(), 2 * double(g.macs()));
}
std::vector<Trial<LinearRow>> Trials<LinearRow>::of(const Spec& g) {
  return product_trials<Row>(g, g.rows, g.rows, 2 * double(g.macs()));
}

}  // namespace kern

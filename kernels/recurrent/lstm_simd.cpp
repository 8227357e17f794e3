// The steps of lstm through time, once per instruction set. A unit of work is a few samples with all their steps: no
// thread waits for another between steps. The recurrent weights are packed once, into panels that the micro-kernel
// (common/tile-inl.h) reads in order; each step is one small product, and one pass for the gates.
#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"
#include "kernels/recurrent/lstm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/recurrent/lstm_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/common/exponential-inl.h"
#include "kernels/common/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int64_t kSamples = 8;  // of a unit of work
constexpr int64_t kPanel = kMaxVectors * kLanes;

using Vec = hn::Vec<Vf>;

// out[i,j] = sum_r in[i,r] w(r,j) for few rows i. Packed: panels of kPanel columns, [reduce][width of the panel] each.
struct Product {
  int64_t reduce, columns;
  int64_t packed_size() const { return ceil_div(columns, kLanes) * kLanes * reduce; }

  // w(r,j) = w[r * r_step + j * j_step]
  void pack(const float* w, int64_t r_step, int64_t j_step, float* packed) const {
    parallel_for(ceil_div(columns, kPanel), 1, [&](int64_t begin, int64_t end) {
      for (int64_t first = begin * kPanel; first < end * kPanel && first < columns; first += kPanel) {
        const int64_t count = columns - first < kPanel ? columns - first : kPanel,
                      width = ceil_div(count, kLanes) * kLanes;
        float* to = packed + first * reduce;
        for (int64_t r0 = 0; r0 < reduce; r0 += 16)  // so that what is read again stays in the nearest cache
          for (int64_t j = 0; j < width; ++j)
            for (int64_t r = r0; r < reduce && r < r0 + 16; ++r)
              to[r * width + j] = j < count ? w[r * r_step + (first + j) * j_step] : 0.0f;
      }
    });
  }
  void multiply(const float* packed, int rows, const float* in, float* out) const {
    for (int64_t first = 0; first < columns; first += kPanel) {
      Tile t{};
      t.columns = int(columns - first < kPanel ? columns - first : kPanel);
      const int vectors = (t.columns + kLanes - 1) / kLanes;
      t.a_row = reduce;
      t.b = packed + first * reduce;
      t.inner = {reduce, 1, int64_t{vectors} * kLanes};
      t.c_row = columns;
      const EvenTiles tiles(rows, max_rows(vectors));
      for (int k = 0; k < tiles.count; ++k) {
        t.a = in + tiles.begin(k) * reduce;
        t.c = out + tiles.begin(k) * columns + first;
        tile_function<Operands::strided>(tiles.length(k), vectors)(t);
      }
    }
  }
};
Product state_product(const LstmSpec& g) { return {.reduce = g.h, .columns = g.gates()}; }
Product gradient_product(const LstmSpec& g) { return {.reduce = g.gates(), .columns = g.h}; }

// Scratch: the packed weights, then for every unit of work its samples' 6H values.
int64_t packed_size(const LstmSpec& g) {
  const int64_t a = state_product(g).packed_size(), b = gradient_product(g).packed_size();
  return a > b ? a : b;
}
int64_t units(const LstmSpec& g) { return ceil_div(g.n, kSamples); }
size_t workspace(const LstmSpec& g) { return size_t(packed_size(g) + units(g) * kSamples * 6 * g.h) * sizeof(float); }

// f(first sample, samples, their part of scratch, zero at first)
template <class F>
void for_each_unit(const LstmSpec& g, float* scratch, F&& f) {
  parallel_for(units(g), 1, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      float* part = scratch + packed_size(g) + u * kSamples * 6 * g.h;
      for (int64_t i = 0; i < kSamples * 6 * g.h; ++i) part[i] = 0;
      const int64_t first = u * kSamples, left = g.n - first;
      f(first, int(left < kSamples ? left : kSamples), part);
    }
  });
}
// f(j, count) for vectors of up to kLanes of the H units.
template <class F>
HWY_INLINE void for_each_vector(int64_t h, F&& f) {
  for (int64_t j = 0; j < h; j += kLanes) f(j, int(h - j < kLanes ? h - j : kLanes));
}

// One step of one sample. a: in, what the input gives; out, the gates. recurrent: what the state before gives.
void forward_step(int64_t h, const float* recurrent, float* a, float* c, float* cells, float* state, float* y) {
  for_each_vector(h, [&](int64_t j, int count) {
    const auto gate = [&](int k) {
      return hn::Add(load_first(a + k * h + j, count), load_first(recurrent + k * h + j, count));
    };
    const Vec i = vector_sigmoid(gate(0)), f = vector_sigmoid(gate(1)), z = vector_tanh(gate(2)),
              o = vector_sigmoid(gate(3));
    const Vec cell = hn::MulAdd(f, load_first(c + j, count), hn::Mul(i, z)), out = hn::Mul(o, vector_tanh(cell));
    store_first(i, a + j, count), store_first(f, a + h + j, count);
    store_first(z, a + 2 * h + j, count), store_first(o, a + 3 * h + j, count);
    store_first(cell, c + j, count), store_first(cell, cells + j, count);
    store_first(out, state + j, count), store_first(out, y + j, count);
  });
}

void forward(const LstmSpec& g, const float* w_hh, float* y, float* gates, float* cells, void* scratch) {
  float* packed = static_cast<float*>(scratch);
  const Product product = state_product(g);
  product.pack(w_hh, 1, g.h, packed);
  for_each_unit(g, packed, [&](int64_t first, int samples, float* part) {
    float *recurrent = part, *state = recurrent + samples * g.gates(), *c = state + samples * g.h;
    for (int64_t s = 0; s < g.l; ++s) {
      if (s > 0) product.multiply(packed, samples, state, recurrent);
      for (int n = 0; n < samples; ++n) {
        const int64_t at = (first + n) * g.l + g.position(s);
        forward_step(g.h, recurrent + n * g.gates(), gates + at * g.gates(), c + n * g.h, cells + at * g.h,
                     state + n * g.h, y + at * g.y_pitch());
      }
    }
  });
}

// One step of one sample, backwards. before: the cells of the step before, null at the first. dh, dc: from the step
// after; dc goes on to the step before. The gates' gradients go to da and, for the product, to `dense`.
void backward_step(int64_t h, const float* dy, const float* a, const float* cells, const float* before, const float* dh,
                   float* dc, float* da, float* dense) {
  const Vf d;
  const Vec one = hn::Set(d, 1.0f);
  for_each_vector(h, [&](int64_t j, int count) {
    const Vec i = load_first(a + j, count), f = load_first(a + h + j, count), z = load_first(a + 2 * h + j, count),
              o = load_first(a + 3 * h + j, count), squashed = vector_tanh(load_first(cells + j, count));
    const Vec dht = hn::Add(load_first(dy + j, count), load_first(dh + j, count));
    const Vec dct = hn::MulAdd(hn::Mul(dht, o), hn::NegMulAdd(squashed, squashed, one), load_first(dc + j, count));
    const Vec cell_before = before ? load_first(before + j, count) : hn::Zero(d);
    const auto store = [&](int k, Vec v) {
      store_first(v, da + k * h + j, count), store_first(v, dense + k * h + j, count);
    };
    store(0, hn::Mul(hn::Mul(dct, z), hn::Mul(i, hn::Sub(one, i))));
    store(1, hn::Mul(hn::Mul(dct, cell_before), hn::Mul(f, hn::Sub(one, f))));
    store(2, hn::Mul(hn::Mul(dct, i), hn::NegMulAdd(z, z, one)));
    store(3, hn::Mul(hn::Mul(dht, squashed), hn::Mul(o, hn::Sub(one, o))));
    store_first(hn::Mul(dct, f), dc + j, count);
  });
}

void backward(const LstmSpec& g, const float* dy, const float* w_hh, const float* gates, const float* cells, float* da,
              void* scratch) {
  float* packed = static_cast<float*>(scratch);
  const Product product = gradient_product(g);
  product.pack(w_hh, g.h, 1, packed);
  for_each_unit(g, packed, [&](int64_t first, int samples, float* part) {
    float *dense = part, *dh = dense + samples * g.gates(), *dc = dh + samples * g.h;
    for (int64_t s = g.l; s-- > 0;) {
      for (int n = 0; n < samples; ++n) {
        const int64_t at = (first + n) * g.l + g.position(s);
        backward_step(g.h, dy + at * g.dy_pitch(), gates + at * g.gates(), cells + at * g.h,
                      s > 0 ? cells + (at + g.before()) * g.h : nullptr, dh + n * g.h, dc + n * g.h,
                      da + at * g.gates(), dense + n * g.gates());
      }
      if (s > 0) product.multiply(packed, samples, dense, dh);
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

template <>
LstmSteps lstm_steps<KERN_SIMD_ISA>() {
  return {
      .workspace = HWY_NAMESPACE::workspace, .forward = HWY_NAMESPACE::forward, .backward = HWY_NAMESPACE::backward};
}

}  // namespace kern::kernels

// linear for so few rows that a copy of the weights would take longer than the products: the weights are read where
// they lie, once for every four rows, and what is small (x, dy) stays in the near caches. Bound by the bandwidth of the
// weights. The order of a sum depends on nothing but the shape. Read once per instruction set; include after
// kernels/common/tile-inl.h.
#if defined(KERN_LINEAR_FEW_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_LINEAR_FEW_ROWS_INL_H
#undef KERN_LINEAR_FEW_ROWS_INL_H
#else
#define KERN_LINEAR_FEW_ROWS_INL_H
#endif

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int kTileOfRows = 4;          // rows of x or dy that share what is read of the weights
constexpr int kTileOfOutputs = 4;       // rows of w that share what is read of x
constexpr int kTileOfVectors = 4;       // vectors of a row of w
constexpr int64_t kTermsOfBlock = 256;  // of a sum over K, whose blocks are summed by themselves

// f.template operator()<R>(i): rows i .. i + R - 1, four at a time and then what is left.
template <class F>
HWY_INLINE void for_few_rows(int64_t rows, const F& f) {
  int64_t i = 0;
  for (; i + kTileOfRows <= rows; i += kTileOfRows) f.template operator()<kTileOfRows>(i);
  if (rows - i == 3) f.template operator()<3>(i);
  if (rows - i == 2) f.template operator()<2>(i);
  if (rows - i == 1) f.template operator()<1>(i);
}
// As many units of work of so many products each as are worth a thread's waking.
int64_t units_together(int64_t products) { return products >= (1 << 15) ? 1 : (1 << 15) / (products + 1) + 1; }

// y[i,k] = b[k] + sum_c x[i,c] w[k,c] for R rows and the J outputs from k on; every lane has a sum of its own.
template <int R, int J>
void dot_tile(const LinearSpec& g, const float* x, const float* w, const float* b, float* y, int64_t k) {
  const Vf d;
  hn::Vec<Vf> sum[R][J];
  for (int i = 0; i < R; ++i)
    for (int j = 0; j < J; ++j) sum[i][j] = hn::Zero(d);
  const float* from = w + k * g.c;
  const auto add = [&](int64_t c, const auto& load) HWY_ATTR {
    hn::Vec<Vf> xs[R];
    for (int i = 0; i < R; ++i) xs[i] = load(x + i * g.x_pitch() + c);
    for (int j = 0; j < J; ++j) {
      const auto v = load(from + j * g.c + c);
      for (int i = 0; i < R; ++i) sum[i][j] = hn::MulAdd(xs[i], v, sum[i][j]);
    }
  };
  int64_t c = 0;
  for (; c + kLanes <= g.c; c += kLanes) add(c, [&](const float* p) HWY_ATTR { return hn::LoadU(d, p); });
  if (const int left = int(g.c - c); left > 0) add(c, [&](const float* p) HWY_ATTR { return load_first(p, left); });
  for (int i = 0; i < R; ++i)
    for (int j = 0; j < J; ++j)
      y[i * g.y_pitch() + k + j] = hn::GetLane(hn::SumOfLanes(d, sum[i][j])) + (b ? b[k + j] : 0.0f);
}

void forward_few_rows(const LinearSpec& g, const float* x, const float* w, const float* b, float* y) {
  const int64_t tiles = ceil_div(g.k, int64_t{kTileOfOutputs});
  parallel_for(tiles, units_together(kTileOfOutputs * g.c * g.rows), [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile)
      for_few_rows(g.rows, [&]<int R>(int64_t i) {
        const float* xs = x + i * g.x_pitch();
        float* ys = y + i * g.y_pitch();
        int64_t k = tile * kTileOfOutputs;
        if (k + kTileOfOutputs <= g.k) return dot_tile<R, kTileOfOutputs>(g, xs, w, b, ys, k);
        for (; k < g.k; ++k) dot_tile<R, 1>(g, xs, w, b, ys, k);
      });
  });
}

// dx[i,c] = sum_k dy[i,k] w[k,c] for R rows and V vectors of c; the last may have `lanes` values alone.
template <int R, int V>
void column_tile(const LinearSpec& g, const float* dy, const float* w, float* dx, int64_t c, int lanes) {
  const Vf d;
  for (int64_t block = 0; block < g.k; block += kTermsOfBlock) {
    hn::Vec<Vf> sum[R][V];
    for (int i = 0; i < R; ++i)
      for (int v = 0; v < V; ++v) sum[i][v] = hn::Zero(d);
    const int64_t last = block + kTermsOfBlock < g.k ? block + kTermsOfBlock : g.k;
    for (int64_t k = block; k < last; ++k)
      for (int v = 0; v < V; ++v) {
        const float* from = w + k * g.c + c + v * kLanes;
        const auto values = lanes == kLanes ? hn::LoadU(d, from) : load_first(from, lanes);
        for (int i = 0; i < R; ++i) sum[i][v] = hn::MulAdd(hn::Set(d, dy[i * g.dy_pitch() + k]), values, sum[i][v]);
      }
    for (int i = 0; i < R; ++i)
      for (int v = 0; v < V; ++v) {
        float* to = dx + i * g.dx_pitch() + c + v * kLanes;
        store_first(block ? hn::Add(load_first(to, lanes), sum[i][v]) : sum[i][v], to, lanes);
      }
  }
}

void backward_data_few_rows(const LinearSpec& g, const float* dy, const float* w, float* dx) {
  constexpr int64_t kStrip = kTileOfVectors * kLanes;
  parallel_for(ceil_div(g.c, kStrip), units_together(kStrip * g.k * g.rows), [&](int64_t begin, int64_t end) {
    for (int64_t strip = begin; strip < end; ++strip)
      for_few_rows(g.rows, [&]<int R>(int64_t i) {
        const float* dys = dy + i * g.dy_pitch();
        float* dxs = dx + i * g.dx_pitch();
        int64_t c = strip * kStrip;
        if (c + kStrip <= g.c) return column_tile<R, kTileOfVectors>(g, dys, w, dxs, c, kLanes);
        for (; c < g.c; c += kLanes) column_tile<R, 1>(g, dys, w, dxs, c, g.c - c < kLanes ? int(g.c - c) : kLanes);
      });
  });
}

// dw[k,c] = sum_i dy[i,k] x[i,c] for the J rows of dw from k on.
template <int J>
void outer_tile(const LinearSpec& g, const float* dy, const float* x, float* dw, int64_t k) {
  const Vf d;
  for (int64_t c = 0; c < g.c; c += kLanes) {
    const int lanes = g.c - c < kLanes ? int(g.c - c) : kLanes;
    hn::Vec<Vf> sum[J];
    for (int j = 0; j < J; ++j) sum[j] = hn::Zero(d);
    for (int64_t i = 0; i < g.rows; ++i) {
      const float* from = x + i * g.x_pitch() + c;
      const auto values = lanes == kLanes ? hn::LoadU(d, from) : load_first(from, lanes);
      for (int j = 0; j < J; ++j) sum[j] = hn::MulAdd(hn::Set(d, dy[i * g.dy_pitch() + k + j]), values, sum[j]);
    }
    for (int j = 0; j < J; ++j) store_first(sum[j], dw + (k + j) * g.c + c, lanes);
  }
}

void backward_weight_few_rows(const LinearSpec& g, const float* dy, const float* x, float* dw) {
  const int64_t tiles = ceil_div(g.k, int64_t{kTileOfOutputs});
  parallel_for(tiles, units_together(kTileOfOutputs * g.c * g.rows), [&](int64_t begin, int64_t end) {
    for (int64_t k = begin * kTileOfOutputs; k < g.k && k < end * kTileOfOutputs;) {
      if (k + kTileOfOutputs <= g.k) outer_tile<kTileOfOutputs>(g, dy, x, dw, k), k += kTileOfOutputs;
      else outer_tile<1>(g, dy, x, dw, k++);
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif

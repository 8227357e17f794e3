// Rows of C channels on the GPU where every channel has values of its own: walks with what a channel needs in
// registers, and sums per channel over all rows. A block of 256 threads takes a chunk of rows of up to 128 channels;
// a thread keeps to one pack of W = 4 (or, where 16-byte accesses do not fit, 1) channels and goes down the rows, and
// neighbouring threads read neighbouring packs of one row and then of the next: coalesced for any C, and with C = 5 a
// block reads 51 rows at once.
//
// What is done is a functor: f.of<W>(segment, column) gives what a thread holds for the channels column .. column + W
// - 1 of a segment, a struct with
//   Values read(int64_t row) const                                the loads, for several rows before the first is used
//   void write(int64_t row, const Values&) const                  channel_walk: what is done with them
//   void add(int64_t row, const Values&, float (&few)[kTerms][W]) const    channel_sums: what they add to the sums
//
// Sums are the same bits every time: a thread adds 2 W or 8 rows in float, then in double; the rows of a block are
// folded pair by pair in shared memory; blocks leave their sums in scratch, [part][term][C], and channel_totals (or a
// kernel of the op's own, by for_each_part) adds those in a fixed order.
#pragma once
#include "kernels/common/block.cuh"
#include "kernels/common/elementwise.cuh"

namespace kern::kernels {

inline constexpr int kChannelThreads = 256;

// How blocks share [segments * rows, C]. It depends on the problem alone, whatever the alignment: scratch is sized by
// it.
struct ChannelGrid {
  int64_t segments = 1, rows = 0, c = 1;
  int64_t tiles = 1, tile = 1;    // blocks across a row, channels of a block
  int64_t chunks = 1, chunk = 1;  // blocks down a segment, rows of a block
  // 8192 values a block at least, so that its fold costs little; no more than about 1024 blocks, so that folding their
  // sums does.
  constexpr ChannelGrid(int64_t segments_, int64_t rows_, int64_t c_)
      : segments(segments_), rows(rows_), c(c_), tiles(at_least_1(ceil_div(c_, 128))) {
    tile = at_least_1(tiles == 1 ? c : ceil_div(ceil_div(c, tiles), 4) * 4);
    const int64_t most = at_least_1(1024 / at_least_1(segments * tiles)), fair = ceil_div(rows, most);
    chunk = at_least_1(fair > 8192 / tile ? fair : 8192 / tile);
    chunks = at_least_1(ceil_div(rows, chunk));
  }
  constexpr int64_t parts() const { return segments * chunks; }
  constexpr int64_t rows_of_chunk(int64_t k) const { return rows - k * chunk < chunk ? rows - k * chunk : chunk; }
  constexpr size_t sums_bytes(int terms) const { return size_t(parts() * terms * c) * sizeof(double); }
  // The same with one block for all rows of a segment, and `width` channels.
  constexpr ChannelGrid in_one_block(int64_t width) const {
    ChannelGrid g = *this;
    g.tile = width, g.tiles = ceil_div(c, width), g.chunk = at_least_1(rows), g.chunks = 1;
    return g;
  }
  static constexpr int64_t at_least_1(int64_t v) { return v < 1 ? 1 : v; }
};
static_assert(ChannelGrid(1, 1 << 21, 64).parts() == 1024 && ChannelGrid(1, 0, 64).rows_of_chunk(0) == 0);
static_assert(ChannelGrid(16, 1100, 64).chunks == 9 && ChannelGrid(16, 1100, 64).rows_of_chunk(8) == 76);
static_assert(ChannelGrid(1, 100, 131).tiles == 2 && ChannelGrid(1, 100, 131).tile == 68);

// A thread's share: rows first, first + at_once, ... before end of channels column .. column + W - 1.
struct ChannelShare {
  int64_t segment, part, first, end, column;
  int lanes, at_once;  // packs across the tile, rows that the block reads at once
  bool idle;
};
template <int W>
__device__ __forceinline__ ChannelShare channel_share(const ChannelGrid& g) {
  const int lanes = int(g.tile + W - 1) / W, at_once = kChannelThreads / lanes, row = int(threadIdx.x) / lanes;
  const unsigned chunks = unsigned(g.chunks), segment = blockIdx.x / chunks;
  const int64_t begin = int64_t(blockIdx.x - segment * chunks) * g.chunk, top = int64_t(segment) * g.rows;
  const int64_t end = begin + g.chunk < g.rows ? begin + g.chunk : g.rows;
  const int64_t column = blockIdx.y * g.tile + int64_t(int(threadIdx.x) - row * lanes) * W;
  return {.segment = segment,
          .part = blockIdx.x,
          .first = top + begin + row,
          .end = top + end,
          .column = column,
          .lanes = lanes,
          .at_once = at_once,
          .idle = row >= at_once || column >= g.c};
}

// use(first implementation, values of kRows rows) for all rows of a share, `at_once` apart; all loads of a group come first.
template <int kRows, class Channels, class Use>
__device__ __forceinline__ void walk_rows(const ChannelShare& share, const Channels& channels, Use&& use) {
  using Values = decltype(channels.read(0));
  int64_t row = share.first;
  for (; row + (kRows - 1) * share.at_once < share.end; row += kRows * share.at_once) {
    Values v[kRows];
#pragma unroll
    for (int k = 0; k < kRows; ++k) v[k] = channels.read(row + k * share.at_once);
    use(row, v);
  }
  for (; row < share.end; row += share.at_once) {
    const Values v[1] = {channels.read(row)};
    use(row, v);
  }
}

// Folds v over the threads t, t + lanes, t + 2 lanes, ... (`rows` of them) into thread t < lanes: fold(v, other's v),
// always in the same pairs. Every thread of the block must call; those beyond lanes * rows only wait.
template <int V, class Fold>
__device__ __forceinline__ void fold_rows(double (&v)[V], int lanes, int rows, Fold&& fold) {
  KERN_SHARED(double[V][kChannelThreads], all);
  const int row = int(threadIdx.x) / lanes;
  int apart = 1;
  while (apart < rows) apart *= 2;
  if (row < rows) {
#pragma unroll
    for (int i = 0; i < V; ++i) all[i][threadIdx.x] = v[i];
  }
  for (apart /= 2; apart > 0; apart /= 2) {
    __syncthreads();
    if (row < apart && row + apart < rows) {
      double other[V];
#pragma unroll
      for (int i = 0; i < V; ++i) other[i] = all[i][int(threadIdx.x) + apart * lanes];
      fold(v, other);
#pragma unroll
      for (int i = 0; i < V; ++i) all[i][threadIdx.x] = v[i];
    }
  }
  __syncthreads();  // another fold may follow
}
template <int V>
__device__ __forceinline__ void sum_rows_of_block(double (&v)[V], int lanes, int rows) {
  fold_rows(v, lanes, rows, [](double(&a)[V], const double(&b)[V]) {
#pragma unroll
    for (int i = 0; i < V; ++i) a[i] += b[i];
  });
}

// What a thread holds where the values are all there is.
template <int W, class T = float>
struct ColumnsOfThread {
  const T* x;
  int64_t pitch;
  __device__ Pack<W> read(int64_t row) const { return load<W>(x + row * pitch); }
  __device__ void add(int64_t, const Pack<W>& v, float (&few)[1][W]) const {
#pragma unroll
    for (int j = 0; j < W; ++j) few[0][j] += v.v[j];
  }
};

// read and write for all rows of a share.
template <int W, class Channels>
__device__ __forceinline__ void walk_channels(const ChannelShare& share, const Channels& channels) {
  walk_rows<W == 1 ? 4 : 2>(share, channels, [&]<int n>(int64_t row, const auto(&v)[n]) {
#pragma unroll
    for (int k = 0; k < n; ++k) channels.write(row + k * share.at_once, v[k]);
  });
}
template <int W, class F>
__global__ void __launch_bounds__(kChannelThreads) channel_walk_kernel(ChannelGrid g, F f) {
  const ChannelShare share = channel_share<W>(g);
  if (!share.idle) walk_channels<W>(share, f.template of<W>(share.segment, share.column));
}

// total[term * W + j]: the sums of a block's rows for channel column + j, in the threads below share.lanes. All of the
// block must call.
template <int W, class F>
__device__ __forceinline__ void block_sums(const ChannelShare& share, const F& f, double (&total)[F::kTerms * W]) {
  constexpr int kTerms = F::kTerms;
#pragma unroll
  for (double& t : total) t = 0;
  if (!share.idle) {
    const auto channels = f.template of<W>(share.segment, share.column);
    walk_rows<W == 1 ? 8 : 2>(share, channels, [&]<int n>(int64_t row, const auto(&v)[n]) {
      float few[kTerms][W] = {};
#pragma unroll
      for (int k = 0; k < n; ++k) channels.add(row + k * share.at_once, v[k], few);
#pragma unroll
      for (int i = 0; i < kTerms * W; ++i) total[i] += double(few[i / W][i % W]);
    });
  }
  sum_rows_of_block(total, share.lanes, share.at_once);
}
template <int W, class F>
__global__ void __launch_bounds__(kChannelThreads) channel_sums_kernel(ChannelGrid g, F f, double* sums) {
  constexpr int kTerms = F::kTerms;
  const ChannelShare share = channel_share<W>(g);
  double total[kTerms * W];
  block_sums<W>(share, f, total);
  if (int(threadIdx.x) >= share.lanes || share.idle) return;
#pragma unroll
  for (int i = 0; i < kTerms * W; ++i) sums[(share.part * kTerms + i / W) * g.c + share.column + i % W] = total[i];
}

// One kernel over all rows: f's read and write. `arrays` are all that it touches with rows of C channels.
template <class F>
void channel_walk(std::string_view name, const Exec& exec, const ChannelGrid& g, std::initializer_list<RowsOf> arrays,
                  const F& f, SourceLocation at = SourceLocation::current()) {
  if (g.rows == 0 || g.c == 0) return;
  const LaunchConfig config{
      .grid = dim3(unsigned(g.parts()), unsigned(g.tiles)), .block = kChannelThreads, .stream = stream_of(exec)};
  if (packs_fit(g.c, arrays)) launch(name, at, channel_walk_kernel<4, F>, config, g, f);
  else launch(name, at, channel_walk_kernel<1, F>, config, g, f);
}
// sums[part][term][C], g.sums_bytes(kTerms) of it: zeros where there are no rows.
template <class F>
void channel_sums(std::string_view name, const Exec& exec, const ChannelGrid& g, std::initializer_list<RowsOf> arrays,
                  const F& f, double* sums, SourceLocation at = SourceLocation::current()) {
  const LaunchConfig config{
      .grid = dim3(unsigned(g.parts()), unsigned(g.tiles)), .block = kChannelThreads, .stream = stream_of(exec)};
  if (packs_fit(g.c, arrays)) launch(name, at, channel_sums_kernel<4, F>, config, g, f, sums);
  else launch(name, at, channel_sums_kernel<1, F>, config, g, f, sums);
}

// --- the second stage: few values, read from the L2 cache ---

// A block folds what is to be folded for `columns` results: 8 of them or fewer side by side, the more threads for each.
struct TotalsShare {
  int lanes, at_once, row;
  int64_t column;
  bool idle;
};
constexpr int totals_lanes(int64_t columns) { return columns < 8 ? int(columns > 0 ? columns : 1) : 8; }
constexpr int64_t totals_tiles(int64_t columns) { return ceil_div(columns, totals_lanes(columns)); }  // blocks
__device__ __forceinline__ TotalsShare totals_share(int64_t columns, int64_t tile) {
  const int lanes = totals_lanes(columns), at_once = kChannelThreads / lanes, row = int(threadIdx.x) / lanes;
  const int64_t column = tile * lanes + int(threadIdx.x) - row * lanes;
  return {
      .lanes = lanes, .at_once = at_once, .row = row, .column = column, .idle = row >= at_once || column >= columns};
}

// The sum over parts of term k for each channel; or, with one result only, over the channels too.
template <int kTerms>
struct TotalsOut {
  float* term[kTerms];  // null: nobody wants it
};
// One block for each 8 results: 8 lanes x 32 parts at once.
template <int kTerms>
__global__ void __launch_bounds__(kChannelThreads)
    channel_totals_kernel(int64_t parts, int64_t c, int64_t results, const double* sums, TotalsOut<kTerms> out) {
  const TotalsShare share = totals_share(results, blockIdx.x);
  const unsigned shared_by = results == c ? 1 : unsigned(c), all = unsigned(parts) * shared_by;
  double total[kTerms] = {};
  for (unsigned i = share.row; !share.idle && i < all; i += share.at_once) {
    const int64_t part = i / shared_by, channel = shared_by == 1 ? share.column : i - part * shared_by;
#pragma unroll
    for (int k = 0; k < kTerms; ++k) total[k] += sums[(part * kTerms + k) * c + channel];
  }
  sum_rows_of_block(total, share.lanes, share.at_once);
  if (int(threadIdx.x) >= share.lanes || share.idle) return;
#pragma unroll
  for (int k = 0; k < kTerms; ++k)
    if (out.term[k]) out.term[k][share.column] = float(total[k]);
}
template <int kTerms>
void channel_totals(std::string_view name, const Exec& exec, const ChannelGrid& g, const double* sums,
                    const TotalsOut<kTerms>& out, int64_t results, SourceLocation at = SourceLocation::current()) {
  const LaunchConfig config{
      .grid = unsigned(totals_tiles(results)), .block = kChannelThreads, .stream = stream_of(exec)};
  launch(name, at, channel_totals_kernel<kTerms>, config, g.parts(), g.c, results, sums, out);
}

}  // namespace kern::kernels

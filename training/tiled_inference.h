// A network over an image or a section of any size in bounded memory: overlapping tiles, blended so that no seam shows,
// and given away row by row.
//
//   p(y, x) = sum_t g_t(y, x) p_t(y, x) / sum_t g_t(y, x)        over the tiles t that hold the position
//   g_t(y, x) = b_h(y - y_t) b_w(x - x_t)                         tile t begins at (y_t, x_t) and is h x w
//   b_n(i) = exp(-((i - (n - 1) / 2) / (n / 8))^2 / 2) + 1e-4
//
// The Gaussian of an eighth of the side is that of nnU-Net (Isensee et al. 2021, https://doi.org/10.1038/s41592-020-01008-z):
// near its edge a tile lacks context, and counts for little there. Equal whatever the number of threads.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "layers/module.h"

namespace kern::training {

// Probabilities of rows from `row` on, [rows,W,K], in order from the top.
using RowsOfProbabilities = std::function<void(int64_t row, int64_t rows, std::span<const float> probabilities)>;

struct Tiling {
  int64_t H = 0, W = 0;  // of the whole
  int64_t h = 0, w = 0;  // of a tile, at most that
  double overlap = 0.5;  // of neighbouring tiles at least, as a share of their side: [0, 1)
};
// Blends tile(y, x), which is [h,w,K] of the tile that begins there. No more than a band of h rows is kept.
void blend_tiles(const Tiling& tiling, int64_t K, const std::function<std::vector<float>(int64_t y, int64_t x)>& tile,
                 const RowsOfProbabilities& give);
// Where tiles begin along a side: evenly spread, the first at 0, the last where it ends with the side.
std::vector<int64_t> tile_starts(int64_t length, int64_t tile, double overlap);

struct Mirrored {
  bool across = false, down = false;  // columns, rows in reverse order
};
// x [h,w,C] -> probabilities [h,w,K], in evaluation mode and without gradients: the mean over passes in which x goes
// in mirrored, and what comes out is mirrored back. Of one logit the sigmoid (K = 1), or with K = 2 those of both
// classes; of K logits the softmax. Error where the network has other outputs.
std::vector<float> probabilities_of(const AnyModule& network, std::span<const float> x, int64_t h, int64_t w, int64_t K,
                                    std::span<const Mirrored> passes);

// p [h,w,K] to rows of [H,W,K], linear between the middles of positions.
void give_scaled(std::span<const float> p, int64_t h, int64_t w, int64_t H, int64_t W, int64_t K,
                 const RowsOfProbabilities& give);

}  // namespace kern::training

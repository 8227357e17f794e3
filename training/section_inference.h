// A fault network over a section of any size in bounded memory, and at several sizes: what it takes for a fault at one size
// and not at the others is seldom one.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "layers/module.h"

namespace kern::training {

struct TileOptions {
  int64_t tile = 256;    // side of a tile; sections no larger than twice that go through whole
  double overlap = 0.5;  // of neighbouring tiles, share of the side
  bool flips = false;    // the mean with the section turned left to right
  // The mean over the section magnified and reduced by these factors, linearly.
  std::vector<double> scales{1};
};

// network: [N,H,W,C] -> one logit [N,H,W,1]. section [H,W,C] -> sigmoid [H,W], blended of tiles as
// training/tiled_inference.h says.
// Errors: a section that is not H x W x C, a tile below 16, an overlap outside [0, 0.9], no scale or one that is not above
// 0.
std::vector<float> section_probability(const AnyModule& network, std::span<const float> section, int64_t H, int64_t W,
                                       const TileOptions& options = {});

}  // namespace kern::training

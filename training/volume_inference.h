// A 3-D fault network over a cube of seismic.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/fault_surfaces.h"
#include "layers/module.h"

namespace kern::training {

struct CubeOptions {
  bool flips = false;       // the mean with inlines and crosslines in reverse order: four passes
  bool two_scales = false;  // the mean with the cube twice as large in every direction: nine times the work
};

// network: [N,D,H,W,1] -> one logit [N,D,H,W,1]. cube [D inlines, H crosslines, W samples] -> sigmoid, as large, in
// evaluation mode and without gradients. Errors: a cube that is not as large as the block.
std::vector<float> cube_probability(const AnyModule& network, std::span<const float> cube, const data::Block& block,
                                    const CubeOptions& options = {});

// Bytes that cube_probability() takes beside the network for every sample of a cube.
double bytes_per_sample(const AnyModule& network, const CubeOptions& options = {});

}  // namespace kern::training

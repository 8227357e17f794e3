#include "training/volume_inference.h"

#include <algorithm>
#include <utility>

#include "engine/autograd.h"
#include "engine/dry_run.h"
#include "engine/ops/avg_pool.h"
#include "engine/ops/unary.h"
#include "engine/ops/upsample.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

// One pass: the cube as a tensor in, the probability out.
Tensor pass(const AnyModule& network, const Tensor& cube, bool twice) {
  const Tensor logits = network(twice ? upsample_by(cube, 2, {.how = Upsampling::linear}) : cube);
  check(logits.channels() == 1, "a network that finds faults gives one logit for every sample, this one ",
        logits.channels());
  const Tensor p = sigmoid(logits);
  return twice ? avg_pool3d(p, {.window = 2, .stride = 2}) : p;
}

}  // namespace

std::vector<float> cube_probability(const AnyModule& network, std::span<const float> cube, const data::Block& b,
                                    const CubeOptions& o) {
  check(int64_t(cube.size()) == b.size() && b.size() > 0, "a cube of ", b.inlines, " x ", b.crosslines, " x ",
        b.samples, " samples needs as many values, got ", cube.size());
  const NoGrad off;
  network.set_training(false);
  std::vector<float> sum(cube.size(), 0.0f), in(cube.size());
  int passes = 0;
  for (const auto& [across, along] : {std::pair{false, false}, {true, false}, {false, true}, {true, true}}) {
    if ((across || along) && !o.flips) continue;
    // The trace that stands at (i, x) once the cube is turned; the same turns it back.
    const auto turned = [&, across = across, along = along](int64_t i, int64_t x) {
      return size_t(b.index(across ? b.inlines - 1 - i : i, along ? b.crosslines - 1 - x : x, 0));
    };
    for (int64_t i = 0; i < b.inlines; ++i)
      for (int64_t x = 0; x < b.crosslines; ++x)
        std::copy_n(cube.begin() + int64_t(turned(i, x)), b.samples, in.begin() + b.index(i, x, 0));
    const Tensor tensor = Tensor::from({1, b.inlines, b.crosslines, b.samples, 1}, in).to(network.device());
    for (const bool twice : {false, true}) {
      if (twice && !o.two_scales) continue;
      const std::vector<float> p = pass(network, tensor, twice).values();
      ++passes;
      for (int64_t i = 0; i < b.inlines; ++i)
        for (int64_t x = 0; x < b.crosslines; ++x) {
          const auto from = size_t(b.index(i, x, 0)), to = turned(i, x);
          for (size_t z = 0; z < size_t(b.samples); ++z) sum[to + z] += p[from + z];
        }
    }
  }
  for (float& v : sum) v /= float(passes);
  return sum;
}

double bytes_per_sample(const AnyModule& network, const CubeOptions& options) {
  constexpr int64_t kSide = 64;
  const NoGrad off;
  const DryRun dry;
  network.set_training(false);
  pass(network, Tensor::empty({1, kSide, kSide, kSide, 1}, {.device = network.device()}), options.two_scales);
  const double samples = double(kSide) * kSide * kSide;
  constexpr double kVectors = 4;  // the cube, turned, the probability and their sum
  return double(dry.counters(network.device()).peak) / samples + kVectors * sizeof(float);
}

}  // namespace kern::training

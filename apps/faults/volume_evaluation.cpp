#include "apps/faults/volume_evaluation.h"

#include <algorithm>
#include <cmath>

#include "data/block_tiles.h"
#include "data/interpretation.h"
#include "training/shared_scores.h"

namespace kern::apps {
namespace {

constexpr int64_t kBytesPerSample = 128;  // of a block: what is found and labelled, gradients and their products
constexpr int64_t kAround = 16;           // samples round a block that thinning looks at

void thin(std::vector<float>& p, const data::Block& block, double threshold) {
  p = data::thin_faults(p, block, data::fault_normals(p, block, 3, float(threshold) / 2), float(threshold));
}

// Labels that are one sample thin: the crest of what is drawn. Where nobody looked stays so.
void thin(std::vector<int32_t>& labels, const data::Block& block) {
  std::vector<float> drawn(labels.size());
  for (size_t k = 0; k < labels.size(); ++k) drawn[k] = labels[k] > 0 ? 1.0f : 0.0f;
  thin(drawn, block, 0.5);
  for (size_t k = 0; k < labels.size(); ++k)
    if (labels[k] > 0) labels[k] = drawn[k] > 0;
}

}  // namespace

VolumeEvaluation evaluate_volume(const std::function<void(int64_t trace, std::span<float> values)>& probability,
                                 const data::SegyFile& labels, const data::SegyGeometry& geometry,
                                 const VolumeEvaluationOptions& o) {
  VolumeEvaluation sum{.curve = {}, .agreement = training::TolerantAgreement(o.tolerance)};
  const data::Block whole{int64_t(geometry.inlines().size()), int64_t(geometry.crosslines().size()), labels.samples()};
  const int64_t margin = kAround + int64_t(std::ceil(o.tolerance));
  std::vector<float> trace(size_t(labels.samples())), truth(trace.size());
  const std::vector<data::BlockTile> tiles = data::block_tiles(whole, margin, o.memory / kBytesPerSample);
  const auto compare = [&](int64_t number) {
    const data::BlockTile& tile = tiles[size_t(number)];
    VolumeEvaluation own{.curve = {}, .agreement = training::TolerantAgreement(o.tolerance)};
    const data::Block block = tile.seen.block();
    std::vector<float> found(size_t(block.size()), 0.0f);
    std::vector<int32_t> drawn(found.size(), -1);
    for (int64_t i = 0; i < block.inlines; ++i) {
      const data::SegySection line = geometry.inline_section(geometry.inlines()[size_t(tile.seen.from[0] + i)]);
      for (int64_t x = 0; x < block.crosslines; ++x) {
        const int64_t t = line.traces[size_t(tile.seen.from[1] + x)];
        if (t < 0) continue;
        probability(t, trace);
        labels.read_trace(t, truth);
        for (int64_t z = 0; z < block.samples; ++z) {
          const auto from = size_t(tile.seen.from[2] + z), to = size_t(block.index(i, x, z));
          found[to] = trace[from];
          drawn[to] = data::fault_label(truth[from], o.fault_values);
        }
      }
    }
    data::Box core = tile.core;
    for (size_t d = 0; d < 3; ++d) core.from[d] -= tile.seen.from[d], core.to[d] -= tile.seen.from[d];
    for (int64_t i = core.from[0]; i < core.to[0]; ++i)
      for (int64_t x = core.from[1]; x < core.to[1]; ++x) {
        const auto at = size_t(block.index(i, x, core.from[2])), count = size_t(core.to[2] - core.from[2]);
        own.curve.add(std::span(found).subspan(at, count), std::span(drawn).subspan(at, count));
      }
    if (o.thin_labels) thin(drawn, block);
    if (o.thin) thin(found, block, o.threshold);
    else
      for (float& p : found) p = double(p) >= o.threshold ? p : 0.0f;
    own.agreement.add(found, drawn, block, core);
    return training::Parcel::of(own.curve.counts(), own.agreement.counts());
  };
  training::score_together(int64_t(tiles.size()), compare, [&](int64_t, training::Parcel found) {
    sum.curve.add_counts(found.many<int64_t>());
    sum.agreement.add_counts(found.many<int64_t>());
  });
  return sum;
}

}  // namespace kern::apps

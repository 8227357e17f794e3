#include "benchmarks/sections.h"

#include <algorithm>
#include <chrono>

#include "engine/random.h"
#include "kernels/common/error.h"
#include "layers/prepare.h"

namespace kern::benchmarks {

SectionResult time_sections(const std::string& network, const models::SectionConfig& config, const SectionOptions& o) {
  set_seed(uint64_t(o.seed));
  models::SectionNetwork made = models::make_section_model(network, config);
  made.module.set_training(false);
  made.module = prepare(made.module, Preparation(false));
  made.module.move_to(o.device);
  const int64_t I = o.inlines, X = o.crosslines, Z = o.samples;
  check(I >= 1 && X >= 1 && Z >= 1, "a volume has at least one inline, crossline and sample, got ", I, " x ", X, " x ",
        Z);
  SectionResult result{.parameters = made.module.parameter_count(), .traces = I * X, .voxels = I * X * Z};
  std::vector<float> volume(size_t(result.voxels)), probability(volume.size());
  RandomSequence random(1, RandomStream::synthesize, 0);
  for (float& v : volume) v = float(2 * random.uniform() - 1);

  // Sections of `width` traces that lie `step` apart; sections begin `between` apart. Adds a share of the answer.
  auto pass = [&](int64_t sections, int64_t between, int64_t width, int64_t step, float share) {
    std::vector<float> section(size_t(width * Z));
    for (int64_t s = 0; s < sections; ++s) {
      for (int64_t t = 0; t < width; ++t)
        std::copy_n(volume.data() + (s * between + t * step) * Z, Z, section.data() + t * Z);
      const std::vector<float> p = training::section_probability(made.module, section, width, Z, o.tiles);
      for (int64_t t = 0; t < width; ++t)
        for (int64_t z = 0; z < Z; ++z)
          probability[size_t((s * between + t * step) * Z + z)] += share * p[size_t(t * Z + z)];
    }
  };
  for (int repeat = 0; repeat <= o.repeats; ++repeat) {
    const auto begin = std::chrono::steady_clock::now();
    std::ranges::fill(probability, 0.0f);
    const float share = I > 1 ? 0.5f : 1.0f;
    pass(I, X, X, 1, share);
    if (I > 1) pass(X, 1, I, X, share);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    if (repeat > 0) result.milliseconds.push_back(took.count());
  }
  return result;
}

}  // namespace kern::benchmarks

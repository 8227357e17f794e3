// Fault inference as `kern faults predict` computes it, without its files and what comes after: one section, or a
// volume section by section along inlines and crosslines.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/steps.h"
#include "models/section_models.h"
#include "training/section_inference.h"

namespace kern::benchmarks {

struct SectionOptions {
  Device device = Device::cpu;
  int64_t inlines = 1, crosslines = 512, samples = 512;  // 1 inline: a section
  training::TileOptions tiles;
  int repeats = 5;  // timed, after one that is not
  int64_t seed = 0;
};
struct SectionResult {
  int64_t parameters = 0;
  std::vector<double> milliseconds;  // of the whole, every repeat in order
  int64_t traces = 0, voxels = 0;    // of the data, each counted once
};
// Errors: a side below 1, and those of models::make_section_model() and training::section_probability().
SectionResult time_sections(const std::string& network, const models::SectionConfig& config, const SectionOptions&);

}  // namespace kern::benchmarks

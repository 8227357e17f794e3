// What stands round a VolumePrediction, for `kern faults predict` and the Python package.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "apps/faults/config.h"
#include "apps/faults/volume.h"

namespace kern::apps {

// Amplitudes without a file format: a cube [inlines, crosslines, samples] or a section [traces, samples].
struct PlainCube {
  std::string name;  // for messages
  std::vector<int64_t> shape;
  std::function<void(int64_t first, std::span<float> values)> read;  // from the index on, the last dimension fastest
};
// As a SEG-Y file, so that it goes the way of one: lines are numbered from 1, a sample is a millisecond, neighbouring
// traces are a metre apart. Errors: another number of dimensions, nothing in it, more than 65535 samples.
void write_as_segy(const PlainCube& cube, const std::filesystem::path& to);

VolumeOptions volume_options(const FaultsPredictConfig& config, const FaultsModel& model);

// Notes and warnings about what is odd in a file, before faults are sought in it.
void say_findings(const data::SegyFile& file, const data::SegyGeometry& geometry);

}  // namespace kern::apps

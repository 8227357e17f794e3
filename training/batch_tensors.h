// The tasks' batches as tensors, for the loaders of a training (training/step_loaders.h).
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "data/anomaly_batches.h"
#include "data/fault_cubes.h"
#include "data/fault_sections.h"
#include "data/image_batches.h"
#include "data/wells_batches.h"
#include "training/step_loaders.h"

namespace kern::training {

// [N,H,W,C] with labels [N,H,W].
BatchTensors<data::ImageBatches> image_tensors();
// [N,H,W,1] with labels [N,H,W]: 1 on a fault.
BatchTensors<data::FaultSections> section_tensors();
// [N,D,H,W,1] with labels [N,D,H,W]; of neighbouring lines [N,H,W,lines] with labels [N,H,W], those of the middle one.
BatchTensors<data::FaultCubes> cube_tensors();
// [N,H,W,C] without labels, for auto-encoders.
BatchTensors<data::AnomalyBatches> unlabelled_image_tensors();
// [N,L,channels] with labels [N,L]; `input` makes what the network reads of N windows [N,L,C] of normalised curves.
// wells: those of a labelled batch, on whose labels a baseline may have been fitted; else empty.
using WellInput =
    std::function<Tensor(const std::vector<float>& windows, std::span<const int64_t> wells, int64_t N, int64_t L)>;
BatchTensors<data::WellBatches> well_tensors(WellInput input, int64_t channels);

}  // namespace kern::training

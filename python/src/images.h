// Images from arrays.
#pragma once
#include "data/image.h"
#include "python/src/glue.h"

namespace kern::python {

using Pixels = nb::ndarray<const uint8_t, nb::c_contig, nb::device::cpu>;
// [H,W] or [H,W,C] with C = 1 or 3, as grey (channels = 1) or in colours (3). Error for another shape.
data::Image image_of(const Pixels& pixels, int channels);

}  // namespace kern::python

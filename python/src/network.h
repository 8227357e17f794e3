// A task's network by itself: arrays in, logits out.
#pragma once
#include "engine/autograd.h"
#include "engine/gpu.h"
#include "layers/module.h"
#include "python/src/glue.h"

namespace kern::python {

// "auto", "cpu" or "cuda" as the program's key device= takes them.
Device device_named(const std::string& name);

// x [N,...,C] -> what the network gives. The result stands in the tensor's own memory: no copy.
nb::object run_network(const AnyModule& network, const nb::ndarray<const float, nb::c_contig, nb::device::cpu>& x);

}  // namespace kern::python

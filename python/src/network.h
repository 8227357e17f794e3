// A task's network by itself: arrays in, logits out.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "engine/autograd.h"
#include "engine/gpu.h"
#include "layers/module.h"
#include "python/src/glue.h"

namespace kern::python {

// "auto", "cpu" or "cuda" as the program's key device= takes them.
Device device_named(const std::string& name);

// x [N,...,C] -> what the network gives. The result stands in the tensor's own memory: no copy.
nb::object run_network(const AnyModule& network, const nb::ndarray<const float, nb::c_contig, nb::device::cpu>& x);

// The bare network of a task's model.
template <class M>
nb::object network_of(const M& model, const nb::ndarray<const float, nb::c_contig, nb::device::cpu>& x) {
  return run_network(model.module, x);
}

// A task's loader, of the function that reads its model file.
template <auto kRead>
auto* loaded(const std::filesystem::path& file, const std::string& device) {
  return computed([&] {
           auto model = std::make_unique<decltype(kRead(file))>(kRead(file));
           model->module.move_to(device_named(device));
           return model;
         })
      .release();
}

}  // namespace kern::python

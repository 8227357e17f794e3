#include "python/src/network.h"

#include <nanobind/stl/string.h>

#include <span>

namespace kern::python {

Device device_named(const std::string& name) {
  for (const auto& [word, choice] : {std::pair{"auto", DeviceChoice::automatic}, std::pair{"cpu", DeviceChoice::cpu},
                                     std::pair{"cuda", DeviceChoice::cuda}})
    if (name == word) return device_of(choice);
  throw Error("device must be one of auto, cpu, cuda, got '" + name + "'");
}

nb::object run_network(const AnyModule& network, const nb::ndarray<const float, nb::c_contig, nb::device::cpu>& x) {
  Tensor y = computed([&] {
    const NoGrad off;
    Shape shape;
    for (size_t i = 0; i < x.ndim(); ++i) shape.push_back(int64_t(x.shape(i)));
    network.set_training(false);
    const Tensor in = Tensor::from(shape, std::span(x.data(), x.size())).to(network.device());
    const Tensor out = network(in).to(Device::cpu);
    return out.dense() ? out : out.clone();
  });
  std::vector<size_t> shape;
  for (int i = 0; i < y.rank(); ++i) shape.push_back(size_t(y.dim(i)));
  auto* kept = new Tensor(std::move(y));
  nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<Tensor*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, float>(kept->mutate(), shape.size(), shape.data(), owner));
}

}  // namespace kern::python

#include "models/table1d.h"

namespace kern::models {
namespace {

AnyModule unet(const Signal1dConfig& c, std::vector<int> channels, std::vector<int> strides) {
  if (!c.channels.empty()) channels = c.channels;
  if (!c.strides.empty()) strides = c.strides;
  else if (!c.channels.empty()) strides.assign(channels.size() - 1, strides.back());
  return AnyModule(UNet1d({.in = c.in,
                           .out = c.out,
                           .channels = channels,
                           .strides = strides,
                           .kernel = c.kernel,
                           .residual_units = c.residual_units,
                           .norm = c.norm}));
}

constexpr Signal1dModel kModels[] = {
    {"unet", "residual U-Net, all strides 1 (receptive field 67 samples)",
     [](const Signal1dConfig& c) {
       return unet(c, {1, 4, 8, 16, 32, 64, 128}, std::vector<int>(6, 1));
     }},
    {"unet_strided", "residual U-Net that halves the length at every level: sees far, and is several times faster",
     [](const Signal1dConfig& c) {
       return unet(c, {16, 32, 64, 64, 128}, std::vector<int>(4, 2));
     }},
};

}  // namespace

std::span<const Signal1dModel> signal1d_models() { return kModels; }

AnyModule make_signal1d_model(const std::string& name, const Signal1dConfig& config) {
  std::string known;
  for (const Signal1dModel& m : kModels) {
    if (name == m.name) return m.make(config);
    known += (known.empty() ? "" : ", ") + std::string(m.name);
  }
  throw Error("there is no model '" + name + "'; the models are " + known);
}

}  // namespace kern::models

#include "models/table2d.h"

#include "models/unet2d.h"

namespace kern::models {
namespace {

constexpr Image2dModel kModels[] = {
    {"unet", "U-Net of double convolutions with batch norm, 32-64-128 channels",
     [](const Image2dConfig& c) {
       UNet2dConfig config{.in = c.in, .out = c.out, .dropout = float(c.dropout), .head_conv = true};
       if (!c.channels.empty()) config.channels = c.channels;
       return AnyModule(UNet2d(config));
     }},
};

}  // namespace

std::span<const Image2dModel> image2d_models() { return kModels; }

AnyModule make_image2d_model(const std::string& name, const Image2dConfig& config) {
  std::string known;
  for (const Image2dModel& m : kModels) {
    if (name == m.name) return m.make(config);
    known += (known.empty() ? "" : ", ") + std::string(m.name);
  }
  throw Error("there is no model '" + name + "'; the models are " + known);
}

}  // namespace kern::models

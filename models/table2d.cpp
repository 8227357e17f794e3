#include "models/table2d.h"

#include "models/mobilenet_fpn.h"
#include "models/mobilenet_unet.h"
#include "models/unet2d.h"
#include "models/vgg16_unet.h"

namespace kern::models {
namespace {

template <class Network, class Config>
AnyModule on_mobilenet(const Image2dConfig& c) {
  Config config{.encoder = {.in = c.in,
                            .padding = c.padding,
                            .scaling = c.chosen_scaling(c.padding),
                            .norm_eps = c.chosen_norm_eps()},
                .out = c.out,
                .dropout = float(c.dropout)};
  if (!c.channels.empty()) config.channels = c.channels;
  return AnyModule(Network(config));
}

constexpr Image2dModel kModels[] = {
    {"unet", "U-Net of double convolutions with batch norm, 32-64-128 channels",
     [](const Image2dConfig& c) {
       UNet2dConfig config{.in = c.in, .out = c.out, .dropout = float(c.dropout), .head_conv = true};
       if (!c.channels.empty()) config.channels = c.channels;
       return AnyModule(UNet2d(config));
     },
     nullptr},
    {"mobilenet_unet", "U-Net on a MobileNetV2 encoder, which may be pretrained (channels: of the decoder's 4 levels)",
     on_mobilenet<MobileNetUNet, MobileNetUNetConfig>, &kMobileNetV2},
    {"mobilenet_fpn",
     "feature pyramid (FPN) on a MobileNetV2 encoder, which may be pretrained (channels: of the pyramid, 128, and of "
     "what its levels are merged in, 64)",
     on_mobilenet<MobileNetFpn, MobileNetFpnConfig>, &kMobileNetV2},
    {"vgg16_unet", "U-Net on the first 4 blocks of VGG16, which may be pretrained: large and slow (channels: of them)",
     [](const Image2dConfig& c) {
       Vgg16UNetConfig config{.in = c.in,
                              .out = c.out,
                              .dropout = float(c.dropout),
                              .scaling = c.chosen_scaling(PaddingConvention::torch)};
       if (!c.channels.empty()) config.channels = c.channels;
       return AnyModule(Vgg16UNet(config));
     },
     &kVgg16},
};

}  // namespace

InputScaling Image2dConfig::chosen_scaling(PaddingConvention origin) const {
  const InputScaling origins = scaling_of(origin);
  return scaling.value_or(origins == InputScaling::imagenet && in != 3 ? InputScaling::none : origins);
}

std::span<const Image2dModel> image2d_models() { return kModels; }

const Image2dModel& image2d_model(const std::string& name) {
  std::string known;
  for (const Image2dModel& m : kModels) {
    if (name == m.name) return m;
    known += (known.empty() ? "" : ", ") + std::string(m.name);
  }
  throw Error("there is no model '" + name + "'; the models are " + known);
}

AnyModule make_image2d_model(const std::string& name, const Image2dConfig& config) {
  return image2d_model(name).make(config);
}

Pretrained load_encoder(const std::string& name, const Image2dConfig& config, const AnyModule& network,
                        const TensorFile& file, FoldedNorms norms) {
  const Image2dModel& model = image2d_model(name);
  std::string having;
  for (const Image2dModel& m : kModels)
    if (m.encoder) having += (having.empty() ? "" : " or ") + std::string(m.name);
  check(model.encoder, "model '", name, "' has no encoder that could be pretrained; choose ", having);
  return load_pretrained(*model.encoder, network, "encoder", file, config.chosen_norm_eps(), norms);
}

}  // namespace kern::models

#include "benchmarks/models.h"

#include "engine/dry_run.h"
#include "engine/ops/balanced_cross_entropy.h"
#include "engine/ops/dice.h"
#include "engine/ops/mse.h"
#include "engine/random.h"
#include "layers/head_loss.h"
#include "models/conv_autoencoder.h"
#include "models/section_models.h"
#include "models/table2d.h"
#include "models/table_autoencoder.h"
#include "models/unet1d.h"
#include "models/unet2d.h"

namespace kern::benchmarks {
namespace {

constexpr uint64_t kSeed = 1;

constexpr int usual(int given, int otherwise) { return given > 0 ? given : otherwise; }

Tensor random_input(const Shape& shape) {
  RandomSequence random(kSeed, RandomStream::synthesize, 0);
  Tensor x = Tensor::empty(shape);
  if (in_dry_run()) return x;
  float* to = x.mutate();
  for (int64_t i = 0; i < x.size(); ++i) to[i] = float(random.uniform());
  return x;
}
Tensor random_classes(const Shape& shape, int classes) {
  RandomSequence random(kSeed, RandomStream::synthesize, 1);
  Tensor t = Tensor::empty(shape, {.dtype = DType::i32});
  if (in_dry_run()) return t;
  int32_t* to = t.mutate<int32_t>();
  for (int64_t i = 0; i < t.size(); ++i) to[i] = int32_t(random.below(uint32_t(classes)));
  return t;
}

Case segmentation(AnyModule network, const Shape& input, int classes) {
  Shape positions;
  for (int i = 0; i + 1 < input.rank(); ++i) positions.push_back(input[i]);
  return {std::move(network), random_input(input), random_classes(positions, classes),
          [](const AnyModule& n, const Tensor& x, const Tensor& target) { return cross_entropy_of(n, x, target); }};
}

// One of the auto-encoders of the anomalies, at the size and batch of its first training.
Case autoencoder(const char* name, Size size) {
  check(size.side == 0 || size.side == 28, "model ", name, " has a side of 28, which its weights fix; got ", size.side);
  const models::AnyAutoencoder network = models::make_autoencoder(name, {});
  const Tensor x = random_input({usual(size.batch, 128), 28, 28, 3});
  return {network.module(), x, x, [network](const AnyModule&, const Tensor& in, const Tensor& target) {
            return models::reconstruction_loss(network(in), target, models::Measure::sse);
          }};
}

// The U-Net of the road images, of whatever size.
Case road(Size size, Size otherwise) {
  const int side = usual(size.side, otherwise.side);
  return segmentation(
      AnyModule(models::UNet2d({.in = 3, .out = 35, .channels = {32, 64, 128}, .dropout = 0.3f, .head_conv = true})),
      {usual(size.batch, otherwise.batch), side, side, 3}, 35);
}

Tensor balanced_cross_entropy_of(const AnyModule& network, const Tensor& x, const Tensor& target) {
  return balanced_cross_entropy(network(x), target);
}
Tensor dice_of(const AnyModule& network, const Tensor& x, const Tensor& target) { return dice(network(x), target); }

// One of the networks that find faults in volumes, on a cube.
Case faults(const char* name, Size size, Tensor (*loss)(const AnyModule&, const Tensor&, const Tensor&)) {
  const int side = usual(size.side, 64), batch = usual(size.batch, 1);
  return {models::make_section_model(name, {}).module, random_input({batch, side, side, side, 1}),
          random_classes({batch, side, side, side}, 2), loss};
}

constexpr Model kModels[] = {
    {"a", "U-Net 64-128-256-512-1024, batch norm, 1 to 2 classes, 512x512, batch 8 (for a GPU; batch=1 needs 2 GB)",
     [](Size size) {
       return segmentation(AnyModule(models::UNet2d({.in = 1, .out = 2, .channels = {64, 128, 256, 512, 1024}})),
                           {usual(size.batch, 8), usual(size.side, 512), usual(size.side, 512), 1}, 2);
     }},
    {"b", "U-Net 32-64-128, batch norm, channel dropout 0.3, 3 to 35 classes, 128x128, batch 4",
     [](Size size) {
       return road(size, {4, 128});
     }},
    {"b256", "b at 256x256, batch 6 (for a GPU)",
     [](Size size) {
       return road(size, {6, 256});
     }},
    {"c", "U-Net 16-32-64-128, batch norm, 3 to 2 classes, 128x128, batch 4",
     [](Size size) {
       return segmentation(AnyModule(models::UNet2d({.in = 3, .out = 2, .channels = {16, 32, 64, 128}})),
                           {usual(size.batch, 4), usual(size.side, 128), usual(size.side, 128), 3}, 2);
     }},
    {"C", "MobileNetV2-U-Net, 3 to 2 classes, 224x224, batch 8",
     [](Size size) {
       return segmentation(models::make_image2d_model("mobilenet_unet", {}),
                           {usual(size.batch, 8), usual(size.side, 224), usual(size.side, 224), 3}, 2);
     }},
    {"d", "1-D residual U-Net 1-4-8-16-32-64-128, instance norm, PReLU, 1 to 5 classes, length 1100, batch 16",
     [](Size size) {
       return segmentation(AnyModule(models::UNet1d(models::UNet1dConfig{})),
                           {usual(size.batch, 16), usual(size.side, 1100), 1}, 5);
     }},
    {"D", "its discriminator 1-4-8-16-32-64, 5 to 2 classes, length 1100, batch 16",
     [](Size size) {
       return segmentation(AnyModule(models::UNet1d({.in = 5,
                                                     .out = 2,
                                                     .channels = {1, 4, 8, 16, 32, 64},
                                                     .strides = {1, 1, 1, 1, 1},
                                                     .residual_units = 1})),
                           {usual(size.batch, 16), usual(size.side, 1100), 5}, 2);
     }},
    {"e", "convolutional auto-encoder 3-32-64-128, batch norm, mean squared error, 64x64, batch 32",
     [](Size size) {
       const Tensor x = random_input({usual(size.batch, 32), usual(size.side, 64), usual(size.side, 64), 3});
       return Case{
           AnyModule(models::ConvAutoencoder(models::ConvAutoencoderConfig{})), x, x,
           [](const AnyModule& network, const Tensor& in, const Tensor& target) { return mse(network(in), target); }};
     }},
    {"f", "VGG16-U-Net, its first two blocks frozen, 3 to 35 classes, 224x224, batch 4",
     [](Size size) {
       const AnyModule network = models::make_image2d_model("vgg16_unet", {.out = 35});
       models::freeze_levels(*models::image2d_model("vgg16_unet").encoder, network, "encoder", 2);
       return segmentation(network, {usual(size.batch, 4), usual(size.side, 224), usual(size.side, 224), 3}, 35);
     }},
    {"g", "3-D U-Net 16-32-64-128, batch norm, balanced cross entropy of one logit, 64x64x64, batch 1",
     [](Size size) { return faults("unet3d", size, balanced_cross_entropy_of); }},
    {"h", "high-resolution 3-D network of 8 and 16 channels, drop path, dice of one logit, 64x64x64, batch 1",
     [](Size size) { return faults("high_resolution3d", size, dice_of); }},
    {"ae", "auto-encoder 2352-512-128-16 and back, squared errors, 28x28, batch 128",
     [](Size size) { return autoencoder("ae", size); }},
    {"vae", "variational auto-encoder 2352-512-16 and 16-128-512-2352, squared errors and divergence, 28x28, batch 128",
     [](Size size) { return autoencoder("vae", size); }},
    {"conv_ae", "convolutional auto-encoder 3-16-4, pooled, squared errors, 28x28, batch 128",
     [](Size size) { return autoencoder("conv_ae", size); }},
    {"conv_ae_fc",
     "auto-encoder of a convolution and linear layers round a drawn code, squared errors, 28x28, batch 128",
     [](Size size) { return autoencoder("conv_ae_fc", size); }},
};

}  // namespace

std::span<const Model> models() { return kModels; }

const Model& model_of(const std::string& id) {
  std::string known;
  for (const Model& m : kModels) {
    if (id == m.id) return m;
    known += (known.empty() ? "" : ", ") + std::string(m.id);
  }
  throw Error("there is no benchmark model '" + id + "'; they are " + known);
}

}  // namespace kern::benchmarks

#include "models/discriminator.h"

#include <algorithm>
#include <type_traits>

#include "engine/ops/pad.h"
#include "engine/ops/unary.h"
#include "engine/ops/upsample.h"
#include "models/unet1d.h"

namespace kern::models {
namespace {

constexpr float kSlope = 0.2f;

AnyModule unet(int classes) {
  return AnyModule(UNet1d(
      {.in = classes, .out = 2, .channels = {1, 4, 8, 16, 32, 64}, .strides = {1, 1, 1, 1, 1}, .residual_units = 1}));
}

constexpr DiscriminatorModel kModels[] = {
    {"unet", "a small residual U-Net (17,870 parameters at 5 classes)", unet, nullptr},
    {"fcn", "five convolutions of stride 2, up-sampled linearly (Hung et al. 2018)",
     [](int classes) { return AnyModule(FcnDiscriminator1d(classes)); },
     [](int classes) { return AnyModule(FcnDiscriminator2d(classes)); }},
};

AnyModule make(const std::string& name, int classes, AnyModule (*DiscriminatorModel::*maker)(int)) {
  std::string known;
  for (const DiscriminatorModel& m : kModels) {
    if (!(m.*maker)) continue;
    if (name == m.name) return (m.*maker)(classes);
    known += (known.empty() ? "" : ", ") + std::string(m.name);
  }
  throw Error("there is no such discriminator as '" + name + "'; here they are " + known);
}

}  // namespace

template <class Conv>
FcnDiscriminator<Conv>::FcnDiscriminator(int classes, const std::vector<int>& channels, SourceLocation at) {
  check({classes >= 1 && std::all_of(channels.begin(), channels.end(), [](int c) { return c >= 1; }), at},
        "a discriminator needs classes and channels of at least 1");
  int in = classes;
  std::vector<int> widths = channels;
  widths.push_back(1);
  for (const int out : widths) {
    convolutions.push_back(Conv({.in = in, .out = out, .kernel = 4, .stride = 2, .padding = 1}));
    in = out;
  }
}

template <class Conv>
Tensor FcnDiscriminator<Conv>::operator()(const Tensor& input) {
  constexpr bool kSignal = std::is_same_v<Conv, Conv1d>;
  constexpr int kRank = kSignal ? 3 : 4;
  check(input.rank() == kRank && input.channels() == convolutions[0].config.in, "the discriminator takes ",
        kSignal ? "[N,L," : "[N,H,W,", convolutions[0].config.in, "], got ", input.shape());
  const int least = 1 << convolutions.size();  // each convolution halves
  auto missing = [&](int dimension) { return int(std::max<int64_t>(0, least - input.dim(dimension))); };
  Tensor x = input;
  if constexpr (kSignal) {
    if (missing(1)) x = pad1d(x, {0, missing(1)});
  } else if (missing(1) || missing(2)) {
    x = pad(x, Padding{0, missing(1), 0, missing(2)});
  }
  for (size_t i = 0; i < convolutions.size(); ++i)
    x = i == 0 ? convolutions[i](x) : convolutions[i](leaky_relu(x, kSlope));
  const UpsampleOptions linear{.how = Upsampling::linear};
  if constexpr (kSignal) return upsample1d(x, int(input.dim(1)), linear);
  else return upsample(x, {int(input.dim(1)), int(input.dim(2))}, linear);
}

template struct FcnDiscriminator<Conv1d>;
template struct FcnDiscriminator<Conv2d>;

std::span<const DiscriminatorModel> discriminator_models() { return kModels; }
AnyModule make_discriminator1d(const std::string& name, int classes) {
  return make(name, classes, &DiscriminatorModel::make1d);
}
AnyModule make_discriminator2d(const std::string& name, int classes) {
  return make(name, classes, &DiscriminatorModel::make2d);
}

}  // namespace kern::models

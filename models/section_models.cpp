#include "models/section_models.h"

#include <memory>

#include "engine/ops/unary.h"
#include "models/high_resolution3d.h"
#include "models/multiple.h"
#include "models/unet2d.h"
#include "models/unet3d.h"

namespace kern::models {
namespace {

void check_channels(const std::vector<int>& channels, SourceLocation at) {
  check({!channels.empty() && channels.size() <= 8, at}, "an auto-encoder of sections needs 1 to 8 levels, got ",
        channels.size());
  for (const int c : channels)
    check({c >= 1 && c <= 1 << 16, at}, "an auto-encoder's channels must be from 1 to 65536, got ", c);
}

void check_section(const Tensor& x) {
  check(x.rank() == 4 && x.channels() == 1, "a network for sections takes [N,H,W,1], got ", x.shape());
}

std::vector<int> or_own(const std::vector<int>& chosen, std::vector<int> own) { return chosen.empty() ? own : chosen; }

// A module that others can still look into.
template <class M>
struct Kept {
  std::shared_ptr<M> m;
  Tensor operator()(const Tensor& x) { return (*m)(x); }
  template <class V>
  void visit(V&& v) {
    m->visit(v);
  }
};

// Downwards every level adds a step of its own width, upwards two of it; the network's halves may lie one step off.
int autoencoder_reach(size_t levels) { return 4 << levels; }

int unet_reach(size_t levels) {
  int reach = 1 + 2 * (1 << (levels - 1)) + (1 << (levels - 1)) - 1;  // head, bottom, what pooling moves
  for (size_t l = 0; l + 1 < levels; ++l) reach += 4 << l;            // two convolutions down, two up
  return reach;
}

SectionNetwork unet(const SectionConfig& c, int lines) {
  const UNet2dConfig config{.in = lines,
                            .out = 1,
                            .channels = or_own(c.channels, {16, 32, 64, 128}),
                            .dropout = float(c.dropout),
                            .head_conv = true};
  return {AnyModule(UNet2d(config)), {}, unet_reach(config.channels.size())};
}

constexpr int kLinesAside = 2;  // of unet_2_5d, on either side

constexpr SectionModel kModels[] = {
    {"unet", "U-Net of double convolutions with batch norm, 16-32-64-128 channels",
     [](const SectionConfig& c) { return unet(c, 1); }},
    {"conv_ae", "convolutional auto-encoder, 32-64-128 channels: what a U-Net is without its skips",
     [](const SectionConfig& c) {
       const std::vector<int> channels = or_own(c.channels, {32, 64, 128});
       return SectionNetwork{AnyModule(SectionAutoencoder(channels, false)), {}, autoencoder_reach(channels.size())};
     }},
    {"vae", "the same with a code that is drawn in training, 32-64-128 channels",
     [](const SectionConfig& c) {
       const std::vector<int> channels = or_own(c.channels, {32, 64, 128});
       const auto network = std::make_shared<SectionAutoencoder>(channels, true);
       return SectionNetwork{AnyModule(Kept<SectionAutoencoder>{network}), [network] { return network->divergence(); },
                             autoencoder_reach(channels.size())};
     }},
    {"dense_ae", "auto-encoder of fully connected layers on patches of 32 x 32 samples, 384-96 wide",
     [](const SectionConfig& c) {
       return SectionNetwork{
           AnyModule(PatchAutoencoder(or_own(c.channels, {384, 96}))), {}, PatchAutoencoder::kPatch - 1};
     }},
    {.name = "unet_2_5d",
     .help = "the U-Net on a line with two neighbours on either side, 16-32-64-128 channels",
     .make = [](const SectionConfig& c) { return unet(c, 2 * kLinesAside + 1); },
     .lines = 2 * kLinesAside + 1},
    {.name = "unet3d",
     .help = "3-D U-Net of double convolutions with batch norm, FaultSeg3D's, 16-32-64-128 channels",
     .make =
         [](const SectionConfig& c) {
           UNet3d network({.channels = or_own(c.channels, {16, 32, 64, 128}), .dropout = float(c.dropout)});
           const int reach = network.reach();
           return SectionNetwork{AnyModule(std::move(network)), {}, reach};
         },
     .dimensions = 3},
    {.name = "high_resolution3d",
     .help = "two streams at 1/2 and 1/4 of the resolution beside features of every voxel, FaultSegV3's, 8 channels",
     .make =
         [](const SectionConfig& c) {
           check(c.channels.size() <= 1,
                 "high_resolution3d takes one number of channels, that of its finer stream; got ", c.channels.size());
           HighResolution3d network({.channels = or_own(c.channels, {8})[0], .drop_path = c.drop_path});
           const int reach = network.reach();
           return SectionNetwork{AnyModule(std::move(network)), {}, reach};
         },
     .dimensions = 3},
};

}  // namespace

SectionAutoencoder::SectionAutoencoder(const std::vector<int>& channels, bool variational, SourceLocation at) {
  check_channels(channels, at);
  int width = 1;
  for (const int c : channels) {
    down_.emplace_back(ConvNormActConfig{.conv = {.in = width, .out = c, .kernel = 3, .stride = 2, .padding = 1}});
    width = c;
  }
  if (variational) {
    mean_.emplace(Conv2dConfig{.in = width, .out = width, .kernel = 1});
    spread_.emplace(Conv2dConfig{.in = width, .out = width, .kernel = 1});
  }
  for (size_t level = channels.size(); level-- > 0;) {
    const int c = channels[level > 0 ? level - 1 : 0];
    up_.emplace_back(ConvTranspose2dConfig{.in = width, .out = c, .kernel = 4, .stride = 2, .crop = 1});
    width = c;
  }
  head_.emplace_back(Conv2dConfig{.in = width, .out = 1, .kernel = 3, .padding = 1});
}

Tensor SectionAutoencoder::operator()(const Tensor& input) {
  check_section(input);
  const Padding more = to_multiple(input, int64_t{1} << down_.size());
  Tensor x = padded(input, more);
  for (auto& block : down_) x = block(x);
  if (mean_) {
    const Tensor mean = (*mean_)(x);
    if (mode_.training) {
      const Tensor spread = (*spread_)(x);
      divergence_ = kl_normal(mean, spread);
      x = draw_code(mean, spread, Spread::log_variance);
    } else {
      x = mean;
    }
  }
  for (auto& block : up_) x = block(x);
  return cropped(head_[0](x), more);
}

PatchAutoencoder::PatchAutoencoder(const std::vector<int>& hidden, SourceLocation at) {
  check_channels(hidden, at);
  const int n = int(hidden.size());
  for (int i = 0; i < n; ++i)
    layers_.emplace_back(i == 0 ? Conv2dConfig{.in = 1, .out = hidden[0], .kernel = kPatch, .stride = kPatch}
                                : Conv2dConfig{.in = hidden[size_t(i - 1)], .out = hidden[size_t(i)], .kernel = 1});
  for (int i = n - 1; i > 0; --i)
    layers_.emplace_back(Conv2dConfig{.in = hidden[size_t(i)], .out = hidden[size_t(i - 1)], .kernel = 1});
  last_.emplace_back(ConvTranspose2dConfig{.in = hidden[0], .out = 1, .kernel = kPatch, .stride = kPatch});
}

Tensor PatchAutoencoder::operator()(const Tensor& input) {
  check_section(input);
  const Padding more = to_multiple(input, kPatch);
  Tensor x = padded(input, more);
  for (auto& layer : layers_) x = relu(layer(x));
  return cropped(last_[0](x), more);
}

std::span<const SectionModel> section_models() { return kModels; }

const SectionModel& section_model(const std::string& name) {
  std::string known;
  for (const SectionModel& m : kModels) {
    if (name == m.name) return m;
    known += (known.empty() ? "" : ", ") + std::string(m.name);
  }
  throw Error("there is no model '" + name + "'; the models are " + known);
}

SectionNetwork make_section_model(const std::string& name, const SectionConfig& config) {
  return section_model(name).make(config);
}

}  // namespace kern::models

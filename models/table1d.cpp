#include "models/table1d.h"

#include <algorithm>

#include "models/lstm_tagger.h"
#include "models/on_base.h"
#include "models/windowed_mlp.h"

namespace kern::models {
namespace {

template <UnaryModule M>
AnyModule any(const Signal1dConfig& c, M m) {
  return c.on_base ? AnyModule(OnBase<M>(std::move(m), c.out)) : AnyModule(std::move(m));
}

AnyModule unet(const Signal1dConfig& c, std::vector<int> channels, std::vector<int> strides) {
  if (!c.channels.empty()) channels = c.channels;
  if (!c.strides.empty()) strides = c.strides;
  else if (!c.channels.empty()) strides.assign(channels.size() - 1, strides.back());
  return any(c, UNet1d({.in = c.in,
                        .out = c.out,
                        .channels = channels,
                        .strides = strides,
                        .kernel = c.kernel,
                        .residual_units = c.residual_units,
                        .norm = c.norm}));
}

// The channels are the hidden states of each layer.
AnyModule lstm(const Signal1dConfig& c, bool bidirectional) {
  LstmTaggerConfig config{.in = c.in, .out = c.out, .bidirectional = bidirectional};
  if (!c.channels.empty()) {
    check(std::all_of(c.channels.begin(), c.channels.end(), [&](int n) { return n == c.channels[0]; }),
          "an LSTM's layers have equally many channels; channels=[128, 128] are two layers of 128");
    config.hidden = c.channels[0];
    config.layers = int(c.channels.size());
  }
  return any(c, LstmTagger(config));
}

// The channels are the hidden layers.
AnyModule mlp(const Signal1dConfig& c) {
  WindowedMlpConfig config{.in = c.in, .out = c.out, .radius = c.radius};
  if (!c.channels.empty()) config.hidden = c.channels;
  return any(c, WindowedMlp(config));
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
    {"lstm", "three LSTM layers of 256 that read downwards (channels: the layers)",
     [](const Signal1dConfig& c) { return lstm(c, false); }},
    {"bilstm", "the same read both ways, twice the size and time",
     [](const Signal1dConfig& c) { return lstm(c, true); }},
    {"mlp",
     "fully connected, on the window of `radius` samples to each side of the one to label (channels: the layers)", mlp},
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

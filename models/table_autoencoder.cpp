#include "models/table_autoencoder.h"

#include "models/conv_autoencoder.h"
#include "models/pooled_autoencoder.h"

namespace kern::models {
namespace {

constexpr AutoencoderModel kModels[] = {
    {"ae", "fully connected auto-encoder, 512-128-16 and back (channels: the hidden layers)", false, 1,
     [](const AutoencoderConfig& c) {
       DenseAutoencoderConfig config{.size = c.size};
       if (!c.channels.empty()) config.hidden = c.channels;
       if (c.code) config.code = c.code;
       return AnyAutoencoder(DenseAutoencoder(config));
     }},
    {"vae", "variational auto-encoder, 512-16 and back over 128-512 (channels: the hidden layers, mirrored)", true, 1,
     [](const AutoencoderConfig& c) {
       VaeConfig config{.size = c.size};
       if (!c.channels.empty()) {
         config.hidden = c.channels;
         config.back.assign(c.channels.rbegin(), c.channels.rend());
       }
       if (c.code) config.code = c.code;
       if (c.spread) config.spread = *c.spread;
       if (c.divergence) config.divergence = *c.divergence;
       return AnyAutoencoder(Vae(config));
     }},
    {"conv_ae", "convolutions and pooling, 16-4 channels: very small (sizes: multiples of 4)", false, 4,
     [](const AutoencoderConfig& c) {
       check(c.code == 0, "model 'conv_ae' has no code layer; its last channels are the code");
       PooledAutoencoderConfig config{.in = c.size.channels};
       if (!c.channels.empty()) config.channels = c.channels;
       return AnyAutoencoder(PooledAutoencoder(config));
     }},
    {"conv_ae_fc",
     "a convolution, then fully connected layers round a drawn code of 32 (channels: [convolution, hidden])", true, 1,
     [](const AutoencoderConfig& c) {
       check(c.channels.empty() || c.channels.size() == 2,
             "model 'conv_ae_fc' takes two numbers of channels, of the convolution and of the hidden layer, got ",
             c.channels.size());
       ConvVaeConfig config{.size = c.size};
       if (!c.channels.empty()) config.channels = c.channels[0], config.hidden = c.channels[1];
       if (c.code) config.code = c.code;
       if (c.spread) config.spread = *c.spread;
       if (c.divergence) config.divergence = *c.divergence;
       return AnyAutoencoder(ConvVae(config));
     }},
    {"deep_conv_ae", "strided convolutions with batch norm, 32-64-128 channels (sizes: multiples of 8)", false, 8,
     [](const AutoencoderConfig& c) {
       check(c.code == 0, "model 'deep_conv_ae' has no code layer; its last channels are the code");
       ConvAutoencoderConfig config{.in = c.size.channels};
       if (!c.channels.empty()) config.channels = c.channels;
       return AnyAutoencoder(ConvAutoencoder(config));
     }},
};

}  // namespace

std::span<const AutoencoderModel> autoencoder_models() { return kModels; }

const AutoencoderModel& autoencoder_model(const std::string& name) {
  std::string known;
  for (const AutoencoderModel& m : kModels) {
    if (name == m.name) return m;
    known += (known.empty() ? "" : ", ") + std::string(m.name);
  }
  throw Error("there is no model '" + name + "'; the models are " + known);
}

AnyAutoencoder make_autoencoder(const std::string& name, const AutoencoderConfig& config) {
  const AutoencoderModel& model = autoencoder_model(name);
  check(model.draws || (!config.spread && !config.divergence), "model '", name,
        "' draws no code: spread and divergence are for models that do");
  return model.make(config);
}

AnyAutoencoder prepare(const AnyAutoencoder& network, const Preparation& preparation) {
  AnyAutoencoder out = network;
  out.module_ = prepare(network.module_, preparation);
  out.reconstruct_ = [preparation, reconstruct = network.reconstruct_](const Tensor& x, std::optional<bool> draws) {
    return preparation([&] { return reconstruct(x, draws); });
  };
  return out;
}

}  // namespace kern::models

// The networks that label every pixel of an image: one row per model, found by name.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "layers/module.h"
#include "models/encoder.h"
#include "models/pretrained.h"

namespace kern::models {

// What a person may choose about such a network; a model uses what concerns it.
struct Image2dConfig {
  int in = 3, out = 2;        // channels in, classes out
  std::vector<int> channels;  // of the levels, the last is the bottom; empty: the model's own
  double dropout = 0;  // share dropped in training: unet: of channels after every activation; the others: of values in
                       // the decoder
  // Of models on an encoder; what is absent follows from the weights' origin, which is the padding convention.
  PaddingConvention padding = PaddingConvention::torch;
  std::optional<InputScaling> scaling;
  std::optional<double> norm_eps;

  InputScaling chosen_scaling(PaddingConvention origin) const;  // never ImageNet's by itself where in is not 3
  double chosen_norm_eps() const { return norm_eps.value_or(norm_eps_of(padding)); }
};

struct Image2dModel {
  const char* name;
  const char* help;
  AnyModule (*make)(const Image2dConfig&);
  const Encoder* encoder;  // what may be pretrained, under "encoder" in the model; null: nothing
};
std::span<const Image2dModel> image2d_models();

// Error naming the models there are when `name` is none of them.
const Image2dModel& image2d_model(const std::string& name);
// [N,H,W,in] of values in [0, 1] -> logits [N,H,W,out], any H and W.
AnyModule make_image2d_model(const std::string& name, const Image2dConfig& config);

// Puts the weights of a file into the network's encoder (models/pretrained.h). Error when the model has none that could
// be pretrained.
Pretrained load_encoder(const std::string& name, const Image2dConfig& config, const AnyModule& network,
                        const TensorFile& file, FoldedNorms norms = FoldedNorms::held);

}  // namespace kern::models

// Weights of pretrained encoders: safetensors files with torchvision's or timm's names and PyTorch's filter layouts
// ([K,C,R,S], here [K,R,S,C]) into a model, strictly: what is missing, misshapen or unknown is named on both sides.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/model_file.h"
#include "layers/module.h"
#include "models/encoder.h"

namespace kern::models {

// How the weights of one architecture are named elsewhere. Here they have torchvision's names.
struct Encoder {
  const char* name;
  std::string (*timm)(std::string_view name);  // timm's name of one of torchvision's
  const char* timm_mark;                       // a tensor that only timm's files have; null: the names are equal
  std::span<const char* const> beyond;         // where the whole network goes on after the encoder, in both namings
  std::span<const int> levels;  // the last "features.N" of every level; a level ends before the size is halved
};
extern const Encoder kMobileNetV2, kVgg16;

// What a file says about how its weights want to be used, in its metadata: "padding" ("TensorFlow SAME ..." or
// "PyTorch ..."), "input" ("RGB x/127.5-1" or "RGB ImageNet ..."), "norm_eps". PyTorch's ways where it is silent.
struct WeightsOrigin {
  PaddingConvention padding = PaddingConvention::torch;
  std::optional<InputScaling> scaling;
  std::optional<double> norm_eps;
};
WeightsOrigin origin_of(const TensorFile& file);

struct Pretrained {
  int tensors = 0;      // of the model, that the file filled
  int left = 0;         // of the file, beyond the encoder
  const char* names;    // "torchvision" or "timm"
  bool folded = false;  // the file has no batch norm of its own: it was folded into weights and biases
  std::string note;     // a sentence or two for a person
};

enum class FoldedNorms {
  held,     // in evaluation, also in training
  put_back  // the caller puts norms back (models/unfold_norms.h)
};

// Fills what lies below `path` in the network ("encoder"; "": all of it). A folded batch norm makes the norms the
// identity with the folded bias, exactly so for the eps given, and unless they are put back holds them in evaluation,
// also in training: statistics of batches would destroy what was learnt. Whoever builds the model again to go on
// training says so again: network.hold_in_evaluation(path).
// Errors: one sentence for every tensor that is missing, of another shape, or unknown.
Pretrained load_pretrained(const Encoder& encoder, const AnyModule& network, std::string_view path,
                           const TensorFile& file, double norm_eps, FoldedNorms norms = FoldedNorms::held);

// Freezes the first levels of the encoder at `path` (AnyModule::freeze); returns how many values that are.
// Error: more levels than there are.
int64_t freeze_levels(const Encoder& encoder, const AnyModule& network, std::string_view path, int levels);

// [K,C,R,S] -> [K,R,S,C] and back; other ranks as they are.
Tensor from_torch_layout(const Tensor& filter);
Tensor to_torch_layout(const Tensor& filter);

}  // namespace kern::models

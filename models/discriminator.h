// Discriminators: from a map of class probabilities to what looks like a truth at every position.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "layers/conv1d.h"
#include "layers/conv2d.h"

namespace kern::models {

// The fully convolutional discriminator of Hung et al. 2018: five convolutions of 4 with stride 2 and padding 1, to 64,
// 128, 256, 512 channels and 1, leaky ReLU of slope 0.2 between; its map is up-sampled linearly to the input's size.
//   1-D: [N,L,K] -> logits [N,L,1].  2-D: [N,H,W,K] -> logits [N,H,W,1]. Any size: below 32 it is padded with zeros.
template <class Conv>
struct FcnDiscriminator {
  std::vector<Conv> convolutions;
  // Error: fewer than one class, or than one channel.
  explicit FcnDiscriminator(int classes, const std::vector<int>& channels = {64, 128, 256, 512},
                            SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  template <class V>
  void visit(V&& v) {
    v("convolutions", convolutions);
  }
};
using FcnDiscriminator1d = FcnDiscriminator<Conv1d>;
using FcnDiscriminator2d = FcnDiscriminator<Conv2d>;

struct DiscriminatorModel {
  const char* name;
  const char* help;
  AnyModule (*make1d)(int classes);
  AnyModule (*make2d)(int classes);  // null: signals only
};
std::span<const DiscriminatorModel> discriminator_models();

// [N,L,classes] -> logits [N,L,1] of "truth", or [N,L,2] of "network" and "truth". Error naming those there are.
AnyModule make_discriminator1d(const std::string& name, int classes);
// [N,H,W,classes] -> logits [N,H,W,1]. Error naming those there are for images.
AnyModule make_discriminator2d(const std::string& name, int classes);

}  // namespace kern::models

// A network for faults that never gives up its resolution (Dou, Wu, Sun and Yu, "Less is more in seismic fault
// segmentation"; after HRNet, Wang et al. 2020): features of every voxel are handed across, the trunk works at 1/2 and
// 1/4 of the resolution in two streams that exchange what they found, and one transposed convolution leads back.
//
// Published: 562,625 parameters; the widths; SiLU, batch norm, drop path that rises from 0 to 0.1; where the one
// down-sampling of the main path lies; the kernel of the way back. So it is here, and the count is met exactly:
//   full     3x3x3 1 -> c, 3x3x3 c -> c                                          handed across
//   1/2      3x3x3 of stride 2 c -> 2c, 3x3x3 2c -> 2c                           handed across
//   1/2      3x3x3 2c -> 2c, four bottlenecks 2c -> 8c (1x1x1, 3x3x3, 1x1x1)
//   streams  3x3x3 8c -> c at 1/2, 3x3x3 of stride 2 8c -> 2c at 1/4
//   six times: four residual blocks of two 3x3x3 convolutions in each stream, then each stream takes the other's in
//            (1x1x1 and nearest up-sampling; 3x3x3 of stride 2)
//   back     both streams and what was handed across at 1/2 side by side (5c), 4x4x4 transposed of stride 2 -> c
//   full     that beside what was handed across, 3x3x3 2c -> c, c -> c, c -> 1
// with c = 8. Every convolution but the last is followed by batch norm and SiLU; a residual block's SiLU follows its
// sum. The answer is a logit here, where the published network ends in a sigmoid.
#pragma once
#include <optional>
#include <vector>

#include "layers/conv3d.h"
#include "layers/conv_transpose3d.h"
#include "layers/drop_path.h"
#include "layers/norm_act.h"

namespace kern::models {

struct HighResolution3dConfig {
  int in = 1, out = 1;
  int channels = 8;         // c: of the stream at 1/2 of the resolution
  double drop_path = 0.1;   // of the last residual branch; the first is never dropped, those between by equal steps
  int bottlenecks = 4;      // before the streams part
  int modules = 6;          // exchanges between the streams
  int blocks_a_module = 4;  // residual blocks of each stream before an exchange
};

// A convolution (Conv3d, ConvTranspose3d), batch norm, SiLU.
template <class Conv>
struct ConvNormSilu {
  Conv conv;
  BatchNorm norm;
  explicit ConvNormSilu(const decltype(Conv::config)& c) : conv(c), norm({.channels = c.out}) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {});
  // Without SiLU; with the residual added, if there is one.
  Tensor normalised(const Tensor& x, const Tensor& residual = {});
  template <class V>
  void visit(V&& v) {
    v("conv", conv), v("norm", norm);
  }
};
using ConvNormSilu3d = ConvNormSilu<Conv3d>;

// silu(x + drop_path(branch(x))), where the branch is two 3x3x3 convolutions, or with a middle three: a bottleneck. The
// shortcut is the identity, or a 1x1x1 convolution where channels change.
struct Residual3d {
  ConvNormSilu3d first;
  std::optional<ConvNormSilu3d> middle;
  ConvNormSilu3d last;
  std::optional<ConvNormSilu3d> shortcut;
  DropPath drop;
  static Residual3d basic(int channels, float drop_path);
  static Residual3d bottleneck(int in, int middle, int out, float drop_path);
  Tensor operator()(const Tensor& x);
  template <class V>
  void visit(V&& v) {
    v("first", first), v("middle", middle), v("last", last), v("shortcut", shortcut), v("drop", drop);
  }
};

// Residual blocks in each of two streams, then an exchange.
struct StreamExchange3d {
  std::vector<Residual3d> fine, coarse;
  ConvNormSilu3d up, down;
  StreamExchange3d(int channels, const std::vector<float>& drop_path);
  struct Streams {
    Tensor fine, coarse;
  };
  // out: where the fine stream's result is to lie, if anywhere.
  Streams operator()(const Streams& x, const Tensor& out = {});
  template <class V>
  void visit(V&& v) {
    v("fine", fine), v("coarse", coarse), v("up", up), v("down", down);
  }
};

// x [N,D,H,W,in] -> logits [N,D,H,W,out], any D, H and W: they are padded to multiples of 4 and cropped again.
class HighResolution3d {
 public:
  // Errors: counts below 1, drop path outside [0, 1).
  explicit HighResolution3d(const HighResolution3dConfig& config, SourceLocation at = SourceLocation::current());
  Tensor operator()(const Tensor& x);
  static constexpr int multiple() { return 4; }  // inputs are padded to multiples of this
  int reach() const;  // voxels to every side that an answer may depend on: far, but little of it matters
  template <class V>
  void visit(V&& v) {
    v("full", full_), v("half", half_), v("stem", stem_), v("bottlenecks", bottlenecks_), v("fine", fine_),
        v("coarse", coarse_), v("modules", modules_), v("back", back_), v("out", out_), v("head", head_);
  }

 private:
  HighResolution3dConfig config_;
  std::vector<ConvNormSilu3d> full_, half_;           // two each
  std::vector<ConvNormSilu3d> stem_, fine_, coarse_;  // one each
  std::vector<Residual3d> bottlenecks_;
  std::vector<StreamExchange3d> modules_;
  std::vector<ConvNormSilu<ConvTranspose3d>> back_;  // one
  std::vector<ConvNormSilu3d> out_;                  // two
  std::vector<Conv3d> head_;                         // one
};

}  // namespace kern::models

#include "training/deployment.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/fault_sections.h"
#include "data/window_features.h"
#include "engine/autograd.h"
#include "engine/dry_run.h"
#include "engine/onnx_ops.h"
#include "engine/ops/add.h"
#include "engine/ops/broadcast.h"
#include "engine/ops/concat.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/gather.h"
#include "engine/ops/matmul.h"
#include "engine/ops/mul.h"
#include "engine/ops/pad.h"
#include "engine/ops/permute.h"
#include "engine/ops/reshape.h"
#include "engine/ops/softmax.h"
#include "engine/ops/sum.h"
#include "engine/ops/unary.h"
#include "engine/ops/upsample.h"
#include "kernels/common/parallel.h"
#include "kernels/loss/ssim.h"

namespace kern::training {
namespace {

Tensor vector_of(const std::vector<float>& values) { return Tensor::from({int64_t(values.size())}, values); }

// Values of the rows that lie in x [N,H,W,C], summed image by image -> [N].
Tensor of_images(const Tensor& x) { return sum(x, {1, 2, 3}); }

// [C,R,1,1] and [C,1,S,1]: one filter for every channel.
Tensor filters(int64_t channels, const std::vector<float>& taps, bool down) {
  std::vector<float> all;
  for (int64_t c = 0; c < channels; ++c) all.insert(all.end(), taps.begin(), taps.end());
  const auto n = int64_t(taps.size());
  return Tensor::from(down ? Shape{channels, n, 1, 1} : Shape{channels, 1, n, 1}, all);
}

}  // namespace

CurveScaling::CurveScaling(const data::Normalisation& n) : zero_(Tensor::zeros({1})), mask_(n.mask) {
  std::vector<float> is_log, offset, scale;
  for (const data::CurveScale& c : n.curves) {
    is_log.push_back(c.log10 ? 1.0f : 0.0f);
    offset.push_back(float(c.offset)), scale.push_back(float(c.scale));
  }
  offset_ = vector_of(offset), scale_ = vector_of(scale);
  if (std::any_of(is_log.begin(), is_log.end(), [](float v) { return v != 0; })) is_log_ = vector_of(is_log);
}

Tensor CurveScaling::operator()(const Tensor& x) const {
  Tensor known = equal(x, x), value = x;
  if (is_log_) {
    known = where(is_log_, less(zero_, x), known);
    value = where(is_log_, affine(log(x), float(1 / std::numbers::ln10)), x);
  }
  const Tensor scaled = clamp(div(sub(value, offset_), scale_), -data::kClip, data::kClip),
               filled = where(known, scaled, zero_);
  return mask_ ? concat({filled, known}) : filled;
}

std::vector<FileTensor> CurveScaling::constants() const {
  std::vector<FileTensor> out{{"curves.offset", offset_}, {"curves.scale", scale_}, {"zero", zero_}};
  if (is_log_) out.push_back({"curves.log10", is_log_});
  return out;
}

Tensor windows_of(const Tensor& x) {
  const NoGrad off;
  const int64_t N = x.dim(0), L = x.dim(1), C = x.channels(), features = C * data::kWindowFeatures;
  Tensor y = Tensor::empty({N, L, features});
  if (!in_dry_run()) {
    const std::vector<float> values = x.values();
    float* const to = y.mutate();
    kernels::parallel_for(N * L, 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        data::window_features(std::span(values).subspan(size_t(i / L * L * C), size_t(L * C)), C, i % L,
                              {to + i * features, size_t(features)});
    });
  }
  Trace::note(WindowsSpec{{std::begin(data::kWindowOffsets), std::end(data::kWindowOffsets)},
                          {std::begin(data::kWindowRadii), std::end(data::kWindowRadii)}});
  return record("window_features", {x}, y, {});
}

AmplitudeClip::AmplitudeClip() : zero_(Tensor::zeros({1})) {}
Tensor AmplitudeClip::operator()(const Tensor& x) const {
  return where(equal(x, x), clamp(x, -data::kLoudest, data::kLoudest), zero_);
}

Tensor class_probabilities(const Tensor& logits) {
  if (logits.channels() > 1) return softmax(logits);
  const Tensor p = sigmoid(logits);
  return concat({affine(p, -1, 1), p});
}

MapSmoothing::MapSmoothing(int64_t H, int64_t W, double deviation)
    : H_(H), W_(W), reach_(deviation > 0 ? int(4 * deviation + 0.5) : 0) {
  if (deviation <= 0) return;
  std::vector<float> taps;
  double sum = 0;
  for (int k = -reach_; k <= reach_; ++k) sum += std::exp(-0.5 * std::pow(k / deviation, 2));
  for (int k = -reach_; k <= reach_; ++k) taps.push_back(float(std::exp(-0.5 * std::pow(k / deviation, 2)) / sum));
  across_ = filters(1, taps, false), down_ = filters(1, taps, true);
}

Tensor MapSmoothing::operator()(const Tensor& map) const {
  const bool same = map.dim(1) == H_ && map.dim(2) == W_;
  const Tensor large = same ? map : upsample(map, {int(H_), int(W_)}, {.how = Upsampling::linear});
  return across_ ? conv2d(conv2d(mirror_pad(large, reach_), across_), down_) : large;
}

std::vector<FileTensor> MapSmoothing::constants() const {
  if (!across_) return {};
  return {{"smoothing.across", across_}, {"smoothing.down", down_}};
}

ReconstructionError::ReconstructionError(models::Measure measure, int64_t channels) : measure_(measure) {
  if (measure != models::Measure::ssim) return;
  const kernels::SsimWeights weights;
  const std::vector<float> taps(std::begin(weights.w), std::end(weights.w));
  across_ = filters(channels, taps, false), down_ = filters(channels, taps, true);
}

// By the formula in kernels/loss/ssim.h.
Tensor ReconstructionError::dissimilarity(const Tensor& a, const Tensor& b) const {
  const int channels = int(a.channels());
  const auto local = [&](const Tensor& x) {
    return conv2d(conv2d(x, across_, {}, {.groups = channels}), down_, {}, {.groups = channels});
  };
  const kernels::SsimSpec g;
  const auto c1 = float(g.c1()), c2 = float(g.c2());
  const Tensor ma = local(a), mb = local(b), product = mul(ma, mb), squares = add(square(ma), square(mb)),
               a1 = affine(product, 2, c1), a2 = affine(sub(local(mul(a, b)), product), 2, c2),
               b1 = affine(squares, 1, c1), b2 = affine(sub(local(add(square(a), square(b))), squares), 1, c2);
  return affine(mean(div(mul(a1, a2), mul(b1, b2)), {1, 2, 3}), -1, 1);
}

Tensor ReconstructionError::score(const models::Reconstruction& r, const Tensor& x) const {
  const Tensor off = sub(r.image, x);
  const auto share = float(1.0 / double(x.size() / x.dim(0)));
  Tensor out;
  switch (measure_) {
    case models::Measure::sse:
      out = of_images(square(off));
      break;
    case models::Measure::mse:
      out = affine(of_images(square(off)), share);
      break;
    case models::Measure::l1:
      out = affine(of_images(abs(off)), share);
      break;
    case models::Measure::ssim:
      out = dissimilarity(r.image, x);
      break;
  }
  if (!r.divergence) return out;
  const Tensor v = affine(r.spread, r.kind == kern::Spread::log_sigma ? 2.0f : 1.0f),
               each = add(square(r.mean), affine(sub(exp(v), v), 1, -1));
  return add(out, affine(sum(each, {1}), 0.5f));
}

Tensor ReconstructionError::map(const Tensor& image, const Tensor& x) const {
  const Tensor off = sub(image, x);
  return sum(measure_ == models::Measure::l1 ? abs(off) : square(off), {3}, true);
}

std::vector<FileTensor> ReconstructionError::constants() const {
  if (!across_) return {};
  return {{"ssim.across", across_}, {"ssim.down", down_}};
}

PadimDistances::PadimDistances(const Padim& padim, const FeatureShape& shape)
    : shape_(shape),
      selected_(Tensor::from({int64_t(padim.selected().size())}, padim.selected())),
      mean_(padim.mean()),
      whitening_(padim.whitening()) {}

Tensor PadimDistances::operator()(const Tensor& features) const {
  const int64_t N = features.dim(0), d = mean_.dim(1), positions = shape_.positions();
  const Tensor x = sub(reshape(take(features, -1, selected_), {N, positions, d}), mean_),
               y = matmul(permute(x, {1, 0, 2}), whitening_),  // [positions,N,d]
      distance = reshape(sqrt(sum(square(y), {2}, true)), Shape{positions, N});
  return reshape(permute(distance, {1, 0}), {N, shape_.height, shape_.width, 1});
}

std::vector<FileTensor> PadimDistances::constants() const {
  return {{"padim.mean", mean_}, {"padim.whitening", whitening_}};
}

}  // namespace kern::training

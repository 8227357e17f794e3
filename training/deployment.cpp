#include "training/deployment.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

// Values of the rows that lie in x [N,H,W,C], summed image by image -> [N].
Tensor of_images(const Tensor& x) { return sum(x, {1, 2, 3}); }

// [C,R,1,1] and [C,1,S,1]: one filter for every channel.
Tensor filters(int64_t channels, const std::vector<float>& taps, bool down) {
  std::vector<float> all;
  for (int64_t c = 0; c < channels; ++c) all.insert(all.end(), taps.begin(), taps.end());
  const auto n = int64_t(taps.size());
  return Tensor::from(down ? Shape{channels, n, 1, 1} : Shape{channels, 1, n, 1}, all);
}

// data::scaled_curve() of every curve of x [N,L,C], by the curve's own scale where normalisation says so; NaN where
// missing.
Tensor scale_curves(const Tensor& x, const data::Normalisation& n, bool in_double) {
  const NoGrad off;
  const int64_t N = x.dim(0), L = x.dim(1), C = x.channels();
  internal_check(C == int64_t(n.curves.size()), "scale_curves: ", C, " curves and scales of ", n.curves.size());
  Tensor y = Tensor::empty(x.shape());
  if (!in_dry_run()) {
    const std::vector<float> values = x.values();
    float* const to = y.mutate();
    data::Curve curve;
    for (int64_t i = 0; i < N; ++i)
      for (int64_t c = 0; c < C; ++c) {
        const int64_t first = i * L * C + c;
        curve.values.clear();
        for (int64_t at = 0; at < L; ++at) curve.values.push_back(values[size_t(first + at * C)]);
        const data::CurveScale& given = n.curves[size_t(c)];
        const std::vector<float> scaled = data::scaled_curve(curve, n.per_well ? data::own_scale(curve, given) : given);
        for (int64_t at = 0; at < L; ++at) to[first + at * C] = scaled[size_t(at)];
      }
  }
  ScaleCurvesSpec spec{.in_double = in_double};
  for (const data::CurveScale& c : n.curves)
    spec.offset.push_back(c.offset), spec.scale.push_back(c.scale), spec.log10.push_back(c.log10);
  if (n.per_well)
    spec.own = {double(data::kLeastOwn), data::kOwnLow, data::kOwnHigh, data::kOwnDeviations, data::kLeastWidth};
  Trace::note(spec);
  return record("scale_curves", {x}, y, {});
}

// What is read of windows, at every sample [N,L,C] -> [N,L,C * kWindowFeatures]; of what may be missing, NaN.
Tensor window_features(const Tensor& x, bool missing) {
  const NoGrad off;
  const int64_t N = x.dim(0), L = x.dim(1), C = x.channels(), features = C * data::kWindowFeatures;
  Tensor y = Tensor::empty({N, L, features});
  if (!in_dry_run()) {
    const std::vector<float> values = x.values();
    float* const to = y.mutate();
    kernels::parallel_for(N * L, 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const auto signal = std::span(values).subspan(size_t(i / L * L * C), size_t(L * C));
        const std::span<float> row(to + i * features, size_t(features));
        if (missing) data::window_features_or_missing(signal, C, false, i % L, row);
        else data::window_features(signal, C, i % L, row);
      }
    });
  }
  Trace::note(WindowsSpec{{std::begin(data::kWindowOffsets), std::end(data::kWindowOffsets)},
                          {std::begin(data::kWindowRadii), std::end(data::kWindowRadii)},
                          missing});
  return record("window_features", {x}, y, {});
}

}  // namespace

CurveScaling::CurveScaling(const data::Normalisation& n, bool for_trees)
    : by_(n),
      for_trees_(for_trees),
      zero_(Tensor::zeros({1})),
      missing_(Tensor::full({1}, std::numeric_limits<float>::quiet_NaN())) {}

CurveScaling::Scaled CurveScaling::operator()(const Tensor& x) const {
  const Tensor scaled = scale_curves(x, by_, for_trees_), known = equal(scaled, scaled),
               clipped = clamp(scaled, -data::kClip, data::kClip), filled = where(known, clipped, zero_);
  Scaled out{by_.mask ? concat({filled, known}) : filled, {}};
  if (for_trees_) out.gaps = by_.mask ? where(known, clipped, missing_) : filled;
  return out;
}

std::vector<FileTensor> CurveScaling::constants() const { return {{"zero", zero_}, {"missing", missing_}}; }

Tensor windows_of(const Tensor& x) { return window_features(x, false); }

Tensor tree_scores(const GradientBoosting& trees, const Tensor& gaps) {
  const NoGrad off;
  const Tensor x = window_features(gaps, true);
  const int64_t rows = x.dim(0) * x.dim(1), F = x.channels(), K = trees.classes();
  Tensor y = Tensor::empty({x.dim(0), x.dim(1), K});
  if (!in_dry_run()) {
    const std::vector<float> values = x.values();
    float* const to = y.mutate();
    kernels::parallel_for(rows, 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        trees.scores(std::span(values).subspan(size_t(i * F), size_t(F)), {to + i * K, size_t(K)});
    });
  }
  Trace::note(trees.spec());
  return record("tree_scores", {x}, y, {});
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
    : H_(H), W_(W), reach_(deviation > 0 ? int(std::lround(4 * deviation)) : 0) {
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
  const int64_t values = x.size() / x.dim(0);
  const auto share = float(1.0 / double(values));
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

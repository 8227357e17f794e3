#include "models/reconstruction.h"

#include <cmath>

#include "engine/dry_run.h"
#include "engine/ops/add.h"
#include "engine/ops/l1.h"
#include "engine/ops/mse.h"
#include "engine/ops/mul.h"
#include "engine/ops/ssim.h"
#include "engine/ops/unary.h"
#include "engine/random.h"

namespace kern::models {

namespace {
Tensor measured(const Tensor& image, const Tensor& x, Measure measure) {
  switch (measure) {
    case Measure::sse:
      return affine(mse(image, x), float(x.size() / x.dim(0)));
    case Measure::mse:
      return mse(image, x);
    case Measure::l1:
      return l1(image, x);
    case Measure::ssim:
      return ssim(image, x);
  }
  throw InternalError("no such measure of a reconstruction");
}
}  // namespace

Tensor reconstruction_loss(const Reconstruction& r, const Tensor& x, Measure measure) {
  check(x.rank() == 4 && x.size() > 0, "reconstruction_loss: takes images [N,H,W,C], got ", x.shape());
  const Tensor errors = measured(r.image, x, measure);
  return r.divergence ? add(errors, kl_normal(r.mean, r.spread, {.spread = r.kind})) : errors;
}

std::vector<double> reconstruction_scores(const Reconstruction& r, const Tensor& x, Measure measure) {
  check(r.image.shape() == x.shape(), "reconstruction_scores: ", r.image.shape(), " is no reconstruction of ",
        x.shape());
  const std::vector<float> a = r.image.values(), b = x.values();
  const size_t n = size_t(x.dim(0)), values = n ? a.size() / n : 0;
  std::vector<double> scores(n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = i * values; k < (i + 1) * values; ++k) {
      const double off = double(a[k]) - b[k];
      scores[i] += measure == Measure::l1 ? std::abs(off) : off * off;
    }
    if (measure != Measure::sse) scores[i] /= double(values);
    if (measure == Measure::ssim) {
      const Shape one{1, x.dim(1), x.dim(2), x.dim(3)};
      auto image = [&](const std::vector<float>& of) {
        const auto begin = of.begin() + ptrdiff_t(i * values);
        return Tensor::from(one, std::vector<float>(begin, begin + ptrdiff_t(values)));
      };
      scores[i] = double(ssim(image(a), image(b)).item());
    }
  }
  if (!r.divergence) return scores;
  const std::vector<float> mean = r.mean.values(), spread = r.spread.values();
  const size_t code = n ? mean.size() / n : 0;
  for (size_t k = 0; k < mean.size(); ++k) {
    const double v = (r.kind == Spread::log_sigma ? 2.0 : 1.0) * spread[k];
    scores[k / code] += 0.5 * (double(mean[k]) * mean[k] + std::exp(v) - 1 - v);
  }
  return scores;
}

Tensor error_map(const Tensor& reconstruction, const Tensor& x, Measure measure) {
  check(x.rank() == 4 && reconstruction.shape() == x.shape(), "error_map: ", reconstruction.shape(),
        " is no reconstruction of images ", x.shape());
  const std::vector<float> a = reconstruction.values(), b = x.values();
  Tensor map = Tensor::zeros({x.dim(0), x.dim(1), x.dim(2), 1});
  float* to = map.mutate();
  const size_t c = size_t(x.channels());
  for (size_t i = 0; i < a.size(); ++i) {
    const float off = a[i] - b[i];
    to[i / c] += measure == Measure::l1 ? std::abs(off) : off * off;
  }
  return map;
}

Tensor draw_code(const Tensor& mean, const Tensor& spread, Spread kind) {
  Generator& generator = default_generator();
  const Generator::Draw draw = generator.draw(RandomStream::noise);
  Tensor noise = Tensor::empty(mean.shape());
  if (!in_dry_run()) {
    RandomSequence random(generator.seed(), RandomStream::noise, draw.call, uint32_t(draw.step));
    float* to = noise.mutate();
    for (int64_t i = 0; i < noise.size(); ++i) to[i] = random.normal();
  }
  return add(mean, mul(noise.to(mean.device()), exp(affine(spread, kind == Spread::log_sigma ? 1.0f : 0.5f))));
}

}  // namespace kern::models

#include "models/reconstruction.h"

#include <cmath>

#include "engine/ops/add.h"
#include "engine/ops/exp.h"
#include "engine/ops/mse.h"
#include "engine/ops/mul.h"
#include "engine/ops/scale.h"
#include "engine/random.h"
#include "engine/rehearsal.h"

namespace kern::models {

Tensor reconstruction_loss(const Reconstruction& r, const Tensor& x) {
  check(x.rank() == 4 && x.size() > 0, "reconstruction_loss: takes pictures [N,H,W,C], got ", x.shape());
  const Tensor squares = scale(mse(r.picture, x), float(x.size() / x.dim(0)));
  return r.divergence ? add(squares, kl_normal(r.mean, r.spread, {.spread = r.kind})) : squares;
}

std::vector<double> reconstruction_scores(const Reconstruction& r, const Tensor& x) {
  check(r.picture.shape() == x.shape(), "reconstruction_scores: ", r.picture.shape(), " is no reconstruction of ",
        x.shape());
  const std::vector<float> a = r.picture.values(), b = x.values();
  const size_t n = size_t(x.dim(0)), values = n ? a.size() / n : 0;
  std::vector<double> scores(n);
  for (size_t i = 0; i < n; ++i)
    for (size_t k = i * values; k < (i + 1) * values; ++k) scores[i] += (double(a[k]) - b[k]) * (double(a[k]) - b[k]);
  if (!r.divergence) return scores;
  const std::vector<float> mean = r.mean.values(), spread = r.spread.values();
  const size_t code = n ? mean.size() / n : 0;
  for (size_t k = 0; k < mean.size(); ++k) {
    const double v = (r.kind == Spread::log_sigma ? 2.0 : 1.0) * spread[k];
    scores[k / code] += 0.5 * (double(mean[k]) * mean[k] + std::exp(v) - 1 - v);
  }
  return scores;
}

Tensor error_map(const Tensor& reconstruction, const Tensor& x) {
  check(x.rank() == 4 && reconstruction.shape() == x.shape(), "error_map: ", reconstruction.shape(),
        " is no reconstruction of pictures ", x.shape());
  const std::vector<float> a = reconstruction.values(), b = x.values();
  Tensor map = Tensor::zeros({x.dim(0), x.dim(1), x.dim(2), 1});
  float* to = map.mutate();
  const size_t c = size_t(x.channels());
  for (size_t i = 0; i < a.size(); ++i) to[i / c] += (a[i] - b[i]) * (a[i] - b[i]);
  return map;
}

Tensor draw_code(const Tensor& mean, const Tensor& spread, Spread kind) {
  Generator& generator = default_generator();
  const Generator::Draw draw = generator.draw(RandomStream::noise);
  Tensor noise = Tensor::empty(mean.shape());
  if (!rehearsing()) {
    RandomSequence random(generator.seed(), RandomStream::noise, draw.call, uint32_t(draw.step));
    float* to = noise.mutate();
    for (int64_t i = 0; i < noise.size(); ++i) to[i] = random.normal();
  }
  return add(mean, mul(noise.to(mean.device()), exp(scale(spread, kind == Spread::log_sigma ? 1.0f : 0.5f))));
}

}  // namespace kern::models

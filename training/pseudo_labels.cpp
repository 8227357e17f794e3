#include "training/pseudo_labels.h"

#include <algorithm>
#include <cmath>

#include "data/postprocess.h"

namespace kern::training {
namespace {

// Calls f(to, from) for all positions, counted over the whole batch, that have an origin.
template <class F>
void for_each_origin(const Tensor& origin, F&& f) {
  const std::vector<int32_t> from = origin.integers();
  const int64_t samples = origin.dim(0), positions = samples > 0 ? origin.size() / samples : 0;
  for (int64_t i = 0; i < origin.size(); ++i) {
    check(from[size_t(i)] < positions, "a strong view shows position ", from[size_t(i)], " of samples that have ",
          positions);
    if (from[size_t(i)] >= 0) f(i, i / positions * positions + from[size_t(i)]);
  }
}

double share_of(int64_t part, int64_t whole) { return whole > 0 ? double(part) / double(whole) : 0; }

}  // namespace

double ramp(double epochs, double length) {
  if (length <= 0) return 1;
  const double left = 1 - std::clamp(epochs / length, 0.0, 1.0);
  return std::exp(-5 * left * left);
}

StepFigure PseudoLabels::share() const { return {"confident", share_of(confident, present), double(present)}; }
StepFigure PseudoLabels::accuracy() const { return {"pseudo_accuracy", share_of(right, known), double(known)}; }

PseudoLabels pseudo_labels(const Tensor& p, const Tensor& present, const Tensor& truth, double threshold,
                           const std::vector<float>& confidence) {
  const std::vector<float> values = p.values();
  const std::vector<int32_t> there = present.integers(), known = truth ? truth.integers() : std::vector<int32_t>();
  const size_t rows = size_t(p.rows()), classes = size_t(p.channels());
  internal_check(there.size() == rows && (known.empty() || known.size() == rows) &&
                     (confidence.empty() || confidence.size() == rows),
                 "pseudo_labels: one value per position");
  PseudoLabels out;
  std::vector<int32_t> labels(rows, -1);
  for (size_t i = 0; i < rows; ++i) {
    if (there[i] < 0) continue;
    ++out.present;
    const float* row = values.data() + i * classes;
    const float* most = std::max_element(row, row + classes);
    if (!(double(confidence.empty() ? *most : confidence[i]) > threshold)) continue;
    ++out.confident;
    labels[i] = int32_t(most - row);
    if (known.empty() || known[i] < 0) continue;
    ++out.known;
    out.right += known[i] == labels[i];
  }
  out.labels = Tensor::from(present.shape(), std::span<const int32_t>(labels)).to(p.device());
  return out;
}

Tensor in_order(const Tensor& p, const Tensor& present) {
  check(p.rank() == 3, "classes can be in order along signals [N,L,C], not in what has the shape ",
        to_string(p.shape()));
  const std::vector<int32_t> there = present.integers();
  std::vector<float> values = p.values(), some;
  const int64_t length = p.dim(1), c = p.channels();
  for (int64_t n = 0; n < p.dim(0); ++n) {
    const auto for_each_row = [&](auto&& f) {
      for (int64_t i = n * length; i < (n + 1) * length; ++i)
        if (there[size_t(i)] >= 0) f(values.begin() + i * c);
    };
    some.clear();
    for_each_row([&](auto row) { some.insert(some.end(), row, row + c); });
    data::posteriors_in_order(some, c, some);
    auto from = some.begin();
    for_each_row([&](auto row) { std::copy_n(from, c, row), from += c; });
  }
  return Tensor::from(p.shape(), values).to(p.device());
}

Tensor move_labels(const Tensor& labels, const Tensor& origin) {
  if (!origin) return labels;
  const std::vector<int32_t> from = labels.integers();
  std::vector<int32_t> out(from.size(), -1);
  for_each_origin(origin, [&](int64_t i, int64_t o) { out[size_t(i)] = from[size_t(o)]; });
  return Tensor::from(labels.shape(), std::span<const int32_t>(out)).to(labels.device());
}

Tensor move_rows(const Tensor& rows, const Tensor& origin) {
  if (!origin) return rows;
  const std::vector<float> from = rows.values();
  std::vector<float> out(from.size(), 0.0f);
  const int64_t c = rows.channels();
  for_each_origin(origin, [&](int64_t i, int64_t o) { std::copy_n(from.begin() + o * c, c, out.begin() + i * c); });
  return Tensor::from(rows.shape(), out).to(rows.device());
}

int64_t count_present(const Tensor& labels) {
  const std::vector<int32_t> all = labels.integers();
  return std::count_if(all.begin(), all.end(), [](int32_t label) { return label >= 0; });
}

}  // namespace kern::training

#include "data/postprocess.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "data/well.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

// A stretch without kUnlabelled samples.
void remove_short_runs(std::span<int> labels, size_t n) {
  size_t kept_from = labels.size();  // where the first run that is long enough begins
  for (size_t begin = 0, end; begin < labels.size(); begin = end) {
    end = begin + 1;
    while (end < labels.size() && labels[end] == labels[begin]) ++end;
    const bool long_enough = end - begin >= n;
    if (kept_from < labels.size()) {
      // A short run of the label above it is the rest of the run above, and stays as it is.
      if (!long_enough) std::fill(labels.begin() + begin, labels.begin() + end, labels[begin - 1]);
    } else if (long_enough) {
      kept_from = begin;
      std::fill(labels.begin(), labels.begin() + begin, labels[begin]);
    }
  }
}

constexpr double kImpossible = -std::numeric_limits<double>::infinity();

// log(exp a + exp b)
double add_logarithms(double a, double b) {
  if (a == kImpossible) return b;
  if (b == kImpossible) return a;
  return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

}  // namespace

void remove_short(std::span<int> labels, int64_t n) {
  if (n <= 1) return;
  for (auto begin = labels.begin(); begin != labels.end();) {
    begin = std::find_if(begin, labels.end(), [](int label) { return label != kUnlabelled; });
    const auto end = std::find(begin, labels.end(), kUnlabelled);
    remove_short_runs({begin, end}, size_t(n));
    begin = end;
  }
}

void label_in_order(std::span<const float> probabilities, int64_t classes, std::span<int> labels) {
  check(classes > 0 && classes <= 65535, "label_in_order takes 1 to 65535 classes, not ", classes);
  const size_t length = labels.size(), k = size_t(classes);
  if (length == 0) return;
  // score[c]: of the best labelling down to here that ends in class c; from[i][c]: its class at i - 1.
  std::vector<double> score(k, 0.0);
  std::vector<uint16_t> from(length * k, 0);
  for (size_t i = 0; i < length; ++i) {
    size_t best = 0;
    double best_before = score[0];
    for (size_t c = 0; c < k; ++c) {
      if (score[c] > best_before) best_before = score[c], best = c;
      from[i * k + c] = uint16_t(best);
      score[c] = best_before + std::max(0.0, double(probabilities[i * k + c]));
    }
  }
  size_t c = size_t(std::max_element(score.begin(), score.end()) - score.begin());
  for (size_t i = length; i-- > 0; c = from[i * k + c]) labels[i] = int(c);
}

void posteriors_in_order(std::span<const float> probabilities, int64_t classes, std::span<float> posteriors) {
  check(classes > 0 && probabilities.size() == posteriors.size() && probabilities.size() % size_t(classes) == 0,
        "posteriors_in_order takes the probabilities of whole samples of ", classes, " classes and gives as many, got ",
        probabilities.size(), " and ", posteriors.size());
  const size_t k = size_t(classes), length = probabilities.size() / k;
  if (length == 0) return;
  std::vector<double> own(length * k), down(length * k), up(k, 0.0);  // logarithms
  for (size_t i = 0; i < own.size(); ++i) own[i] = std::log(std::max(double(probabilities[i]), 1e-30));
  // down[i][c]: all labellings from the top that have class c at i.
  for (size_t i = 0; i < length; ++i) {
    double before = kImpossible;  // up to class c at i - 1
    for (size_t c = 0; c < k; ++c) {
      before = i > 0 ? add_logarithms(before, down[(i - 1) * k + c]) : 0;
      down[i * k + c] = before + own[i * k + c];
    }
  }
  double all = kImpossible;
  for (size_t c = 0; c < k; ++c) all = add_logarithms(all, down[(length - 1) * k + c]);
  // up[c]: what may follow class c at i, to the bottom.
  for (size_t i = length; i-- > 0;) {
    for (size_t c = 0; c < k; ++c) posteriors[i * k + c] = float(std::exp(down[i * k + c] + up[c] - all));
    double after = kImpossible;  // from class c at i on
    for (size_t c = k; c-- > 0;) up[c] = after = add_logarithms(after, up[c] + own[i * k + c]);
  }
}

void postprocess(const Postprocess& options, std::span<const float> probabilities, int64_t classes,
                 std::span<int> labels) {
  if (options.in_order) label_in_order(probabilities, classes, labels);
  remove_short(labels, options.remove_short);
}

}  // namespace kern::data

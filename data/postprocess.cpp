#include "data/postprocess.h"

#include <algorithm>
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

void label_monotone(std::span<const float> probabilities, int64_t classes, std::span<int> labels) {
  check(classes > 0 && classes <= 65535, "label_monotone takes 1 to 65535 classes, not ", classes);
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

void postprocess(const Postprocess& options, std::span<const float> probabilities, int64_t classes,
                 std::span<int> labels) {
  if (options.monotone) label_monotone(probabilities, classes, labels);
  remove_short(labels, options.remove_short);
}

}  // namespace kern::data

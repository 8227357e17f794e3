#include "data/postprocess.h"

#include <algorithm>

#include "data/well.h"

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

}  // namespace kern::data

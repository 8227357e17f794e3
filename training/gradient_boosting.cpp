#include "training/gradient_boosting.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/onnx_ops.h"
#include "engine/random.h"
#include "kernels/common/error.h"
#include "kernels/common/parallel.h"

namespace kern::training {
namespace {

constexpr double kUnit = 1 << 20;  // g and h are whole multiples of 1 / kUnit
constexpr int64_t kGrain = 1024;   // samples of a chunk

struct Sums {
  int64_t g = 0, h = 0, n = 0;
  void add(const Sums& s) { g += s.g, h += s.h, n += s.n; }
  Sums less(const Sums& s) const { return {g - s.g, h - s.h, n - s.n}; }
  double worth(double lambda) const {
    const double sum = double(g) / kUnit;
    return sum * sum / (double(h) / kUnit + lambda);
  }
  double leaf(double rate, double lambda) const { return -rate * (double(g) / kUnit) / (double(h) / kUnit + lambda); }
};

// A feature's bins: bin b holds values up to edge[b] and above edge[b - 1]; the last one has no edge.
using Edges = std::vector<float>;

// Between the quantiles of the values that are there, half way to the next value.
Edges edges_of(std::vector<float>& values, int bins) {
  std::sort(values.begin(), values.end());
  Edges edges;
  const size_t n = values.size();
  for (int b = 1; b < bins && n > 1; ++b) {
    const size_t at = size_t(b) * n / size_t(bins);
    if (at == 0 || at >= n) continue;
    const float low = values[at - 1];
    const auto next = std::upper_bound(values.begin(), values.end(), low);
    if (next == values.end()) break;
    const float middle = low + (*next - low) / 2, edge = middle < *next ? middle : low;
    if (edges.empty() || edge > edges.back()) edges.push_back(edge);
  }
  return edges;
}

struct Split {
  double gain = 0;
  int64_t feature = -1, bin = 0;
  bool missing_left = false;
};

}  // namespace

class BoostingFit {
 public:
  BoostingFit(std::span<const float> x, std::span<const int> labels, int64_t classes, const BoostingOptions& o)
      : o_(o),
        stride_(size_t(std::max(o.bins, 0)) + 1),
        labels_(labels),
        n_(int64_t(labels.size())),
        classes_(classes) {
    check(n_ >= 1 && classes >= 2 && x.size() % labels.size() == 0 && !x.empty(),
          "boosted trees need samples with features of two classes, got ", x.size(), " values, ", n_, " labels and ",
          classes, " classes");
    check(
        o.rounds >= 1 && o.leaves >= 2 && o.rate > 0 && o.lambda > 0 && o.least_samples >= 1 && o.rows > 0 &&
            o.rows <= 1 && o.features > 0 && o.features <= 1 && o.bins >= 2 && o.bins <= 255,
        "boosted trees: rounds from 1, leaves from 2, rate and lambda above 0, least_samples from 1, rows and features "
        "above 0 and up to 1, bins from 2 to 255");
    for (const int label : labels) check(label >= 0 && label < classes, "label ", label, " of ", classes, " classes");
    features_ = int64_t(x.size()) / n_;
    bin_all(x);
  }

  GradientBoosting fit() {
    GradientBoosting model;
    model.features_ = features_;
    std::vector<double> counts(size_t(classes_), 0.5);  // a class without samples is improbable, not impossible
    for (const int label : labels_) ++counts[size_t(label)];
    for (const double count : counts)
      model.bias_.push_back(float(std::log(count / (double(n_) + 0.5 * double(classes_)))));
    scores_.resize(size_t(n_ * classes_));
    for (int64_t i = 0; i < n_; ++i) std::copy(model.bias_.begin(), model.bias_.end(), scores_.begin() + i * classes_);
    slopes_.resize(scores_.size());
    for (int round = 0; round < o_.rounds; ++round) {
      differentiate();
      const std::vector<int32_t> rows = drawn(n_, o_.rows, round, 0);
      std::vector<std::vector<GradientBoosting::Node>> trees(static_cast<size_t>(classes_));
      kernels::parallel_for(classes_, 1, [&](int64_t begin, int64_t end) {
        for (int64_t k = begin; k < end; ++k)
          trees[size_t(k)] = grow(k, rows, drawn(features_, o_.features, round, 1 + int(k)));
      });
      for (int64_t k = 0; k < classes_; ++k) {
        const auto root = int32_t(model.nodes_.size());
        model.roots_.push_back(root);
        for (GradientBoosting::Node node : trees[size_t(k)]) {
          if (node.child) node.child += root;
          model.nodes_.push_back(node);
        }
      }
    }
    return model;
  }

 private:
  struct Slope {
    int32_t g, h;
  };
  struct Leaf {
    int64_t node, begin, end;  // samples of the order that its tree keeps
    Sums sums;
    std::vector<Sums> histogram;
    Split best;
  };

  void bin_all(std::span<const float> x) {
    edges_.resize(size_t(features_));
    bins_.resize(x.size());
    kernels::parallel_for(features_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t f = begin; f < end; ++f) {
        std::vector<float> values;
        for (int64_t i = 0; i < n_; ++i)
          if (const float v = x[size_t(i * features_ + f)]; !std::isnan(v)) values.push_back(v);
        Edges& edges = edges_[size_t(f)];
        edges = edges_of(values, o_.bins);
        for (int64_t i = 0; i < n_; ++i) {
          const float v = x[size_t(i * features_ + f)];
          const auto bin = std::lower_bound(edges.begin(), edges.end(), v) - edges.begin();
          bins_[size_t(f * n_ + i)] = std::isnan(v) ? uint8_t(missing(f)) : uint8_t(bin);
        }
      }
    });
  }
  int64_t missing(int64_t f) const { return int64_t(edges_[size_t(f)].size()) + 1; }

  void differentiate() {
    kernels::parallel_for(n_, kGrain, [&](int64_t begin, int64_t end) {
      std::vector<double> p(static_cast<size_t>(classes_));
      for (int64_t i = begin; i < end; ++i) {
        const float* s = scores_.data() + i * classes_;
        const float most = *std::max_element(s, s + classes_);
        double sum = 0;
        for (int64_t k = 0; k < classes_; ++k) sum += p[size_t(k)] = std::exp(double(s[k] - most));
        for (int64_t k = 0; k < classes_; ++k) {
          const double own = p[size_t(k)] / sum;
          slopes_[size_t(k * n_ + i)] = {int32_t(std::lround((own - (labels_[size_t(i)] == k)) * kUnit)),
                                         int32_t(std::lround(own * (1 - own) * kUnit))};
        }
      }
    });
  }

  // Which of n, rising: a share drawn by the seed, the round and a number of the drawing.
  std::vector<int32_t> drawn(int64_t n, double share, int round, int number) const {
    std::vector<int32_t> all(static_cast<size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    const auto wanted = std::clamp<int64_t>(std::llround(share * double(n)), 1, n);
    if (wanted == n) return all;
    RandomSequence random(o_.seed, RandomStream::bootstrap, uint32_t(round), uint32_t(number));
    random.shuffle(std::span(all));
    all.resize(size_t(wanted));
    std::sort(all.begin(), all.end());
    return all;
  }

  std::vector<Sums> histogram_of(int64_t k, std::span<const int32_t> rows, const std::vector<int32_t>& features) const {
    std::vector<Sums> histogram(features.size() * stride_);
    const Slope* slopes = slopes_.data() + k * n_;
    for (size_t j = 0; j < features.size(); ++j) {
      Sums* own = histogram.data() + j * stride_;
      const uint8_t* bins = bins_.data() + int64_t(features[j]) * n_;
      for (const int32_t i : rows) {
        Sums& s = own[bins[i]];
        s.g += slopes[i].g, s.h += slopes[i].h, ++s.n;
      }
    }
    return histogram;
  }

  Split best_of(const Leaf& leaf, const std::vector<int32_t>& features) const {
    Split best;
    const double own = leaf.sums.worth(o_.lambda);
    for (size_t j = 0; j < features.size(); ++j) {
      const int64_t f = features[j], edges = int64_t(edges_[size_t(f)].size());
      const Sums* bins = leaf.histogram.data() + j * stride_;
      const Sums& absent = bins[missing(f)];
      Sums left;
      for (int64_t b = 0; b < edges; ++b) {
        left.add(bins[b]);
        for (const bool missing_left : {false, true}) {
          if (missing_left && absent.n == 0) continue;
          Sums low = left;
          if (missing_left) low.add(absent);
          const Sums high = leaf.sums.less(low);
          if (low.n < o_.least_samples || high.n < o_.least_samples) continue;
          const double gain = low.worth(o_.lambda) + high.worth(o_.lambda) - own;
          if (gain > best.gain + 1e-9) best = {gain, f, b, absent.n > 0 ? missing_left : low.n >= high.n};
        }
      }
    }
    return best;
  }

  bool goes_left(const Split& s, int64_t i) const {
    const int64_t bin = bins_[size_t(s.feature * n_ + i)];
    return bin == missing(s.feature) ? s.missing_left : bin <= s.bin;
  }

  // A tree for class k, whose leaves are added to the scores of all samples.
  std::vector<GradientBoosting::Node> grow(int64_t k, std::vector<int32_t> rows, const std::vector<int32_t>& features) {
    std::vector<GradientBoosting::Node> nodes(1);
    std::vector<Split> splits(1);
    std::vector<Leaf> leaves;
    const auto part = [&](const Leaf& l) {
      return std::span<const int32_t>(rows).subspan(size_t(l.begin), size_t(l.end - l.begin));
    };
    Leaf root{0, 0, int64_t(rows.size()), {}, {}, {}};
    for (const int32_t i : rows) root.sums.add({slopes_[size_t(k * n_ + i)].g, slopes_[size_t(k * n_ + i)].h, 1});
    root.histogram = histogram_of(k, part(root), features);
    root.best = best_of(root, features);
    leaves.push_back(std::move(root));
    while (int(leaves.size()) < o_.leaves) {
      const auto most = std::max_element(leaves.begin(), leaves.end(),
                                         [](const Leaf& a, const Leaf& b) { return a.best.gain < b.best.gain; });
      if (most->best.feature < 0) break;
      Leaf parent = std::move(*most);
      const Split s = parent.best;
      const auto cut = std::stable_partition(rows.begin() + parent.begin, rows.begin() + parent.end,
                                             [&](int32_t i) { return goes_left(s, i); });
      const auto child = int64_t(nodes.size()), middle = int64_t(cut - rows.begin());
      nodes[size_t(parent.node)] = {int32_t(s.feature), int32_t(child), edges_[size_t(s.feature)][size_t(s.bin)],
                                    s.missing_left};
      splits[size_t(parent.node)] = s;
      nodes.resize(nodes.size() + 2), splits.resize(splits.size() + 2);
      Leaf left{child, parent.begin, middle, {}, {}, {}}, right{child + 1, middle, parent.end, {}, {}, {}};
      const bool left_smaller = middle - parent.begin <= parent.end - middle;
      Leaf &small = left_smaller ? left : right, &large = left_smaller ? right : left;
      small.histogram = histogram_of(k, part(small), features);  // and the other one by subtraction, which is exact
      large.histogram = std::move(parent.histogram);
      for (size_t b = 0; b < large.histogram.size(); ++b)
        large.histogram[b] = large.histogram[b].less(small.histogram[b]);
      for (int64_t b = 0; b <= missing(features[0]); ++b) small.sums.add(small.histogram[size_t(b)]);
      large.sums = parent.sums.less(small.sums);
      left.best = best_of(left, features), right.best = best_of(right, features);
      *most = std::move(left);
      leaves.push_back(std::move(right));
    }
    for (const Leaf& l : leaves) nodes[size_t(l.node)].value = float(l.sums.leaf(o_.rate, o_.lambda));
    for (int64_t i = 0; i < n_; ++i) {  // those that the round did not see as well
      size_t at = 0;
      while (nodes[at].child) at = size_t(nodes[at].child) + !goes_left(splits[at], i);
      scores_[size_t(i * classes_ + k)] += nodes[at].value;
    }
    return nodes;
  }

  const BoostingOptions o_;
  const size_t stride_;  // of a feature's histogram: its bins, and the missing
  std::span<const int> labels_;
  int64_t n_, classes_, features_ = 0;
  std::vector<Edges> edges_;
  std::vector<uint8_t> bins_;  // [F, n]
  std::vector<float> scores_;  // [n, K]
  std::vector<Slope> slopes_;  // [K, n]
};

GradientBoosting fit_gradient_boosting(std::span<const float> x, std::span<const int> labels, int64_t classes,
                                       const BoostingOptions& options) {
  return BoostingFit(x, labels, classes, options).fit();
}

void GradientBoosting::scores(std::span<const float> x, std::span<float> scores) const {
  internal_check(int64_t(x.size()) == features_ && scores.size() == bias_.size(), "GradientBoosting: ", x.size(),
                 " features and room for ", scores.size(), " scores");
  std::copy(bias_.begin(), bias_.end(), scores.begin());
  for (size_t t = 0; t < roots_.size(); ++t) {
    const Node* node = nodes_.data() + roots_[t];
    while (node->child) {
      const float v = x[size_t(node->feature)];
      const bool left = std::isnan(v) ? node->missing_left != 0 : v <= node->value;
      node = nodes_.data() + node->child + !left;
    }
    scores[t % bias_.size()] += node->value;
  }
}

int GradientBoosting::predict(std::span<const float> x) const {
  std::vector<float> s(bias_.size());
  scores(x, s);
  return int(std::max_element(s.begin(), s.end()) - s.begin());
}

TreesSpec GradientBoosting::spec() const {
  TreesSpec out{.bias = bias_, .roots = roots_};
  for (const Node& n : nodes_) {
    out.value.push_back(n.value), out.feature.push_back(n.feature), out.child.push_back(n.child);
    out.missing_left.push_back(n.missing_left);
  }
  return out;
}

std::vector<FileTensor> GradientBoosting::state(const std::string& prefix) const {
  std::vector<int32_t> whole;  // feature, child, missing_left
  std::vector<float> values;
  for (const Node& n : nodes_) {
    whole.insert(whole.end(), {n.feature, n.child, n.missing_left});
    values.push_back(n.value);
  }
  const auto nodes = int64_t(nodes_.size());
  return {{prefix + ".bias", Tensor::from({classes()}, bias_)},
          {prefix + ".nodes", Tensor::from({nodes, 3}, whole)},
          {prefix + ".roots", Tensor::from({int64_t(roots_.size())}, roots_)},
          {prefix + ".values", Tensor::from({nodes}, values)}};
}

GradientBoosting GradientBoosting::from(const TensorFile& file, const std::string& prefix, int64_t features,
                                        int64_t classes) {
  const auto find = [&](const char* name) -> const Tensor& {
    const Tensor* t = file.find(prefix + name);
    check(t != nullptr, file.shown_name, " holds no boosted trees: '", prefix, name, "' is missing");
    return *t;
  };
  const Tensor &bias = find(".bias"), &whole = find(".nodes"), &roots = find(".roots"), &values = find(".values");
  const int64_t nodes = values.size();
  check(bias.dtype() == DType::f32 && values.dtype() == DType::f32 && whole.dtype() == DType::i32 &&
            roots.dtype() == DType::i32 && bias.shape() == Shape{classes} && values.shape() == Shape{nodes} &&
            whole.shape() == Shape({nodes, 3}) && roots.rank() == 1 && roots.size() >= classes &&
            roots.size() % classes == 0,
        file.shown_name, ": the boosted trees in this model file do not fit its curves and classes; train again");
  GradientBoosting model;
  model.features_ = features;
  model.bias_ = bias.values();
  model.roots_ = roots.integers();
  const std::vector<int32_t> w = whole.integers();
  const std::vector<float> v = values.values();
  for (int64_t i = 0; i < nodes; ++i) {
    const Node n{w[size_t(3 * i)], w[size_t(3 * i + 1)], v[size_t(i)], w[size_t(3 * i + 2)]};
    // Children stand behind their parent, so that no walk is without end.
    check(n.child == 0 || (n.child > i && int64_t(n.child) + 1 < nodes && n.feature >= 0 && n.feature < features),
          file.shown_name, ": node ", i, " of the boosted trees is damaged; train again");
    model.nodes_.push_back(n);
  }
  for (const int32_t root : model.roots_)
    check(root >= 0 && root < nodes, file.shown_name, ": a boosted tree begins at node ", root, " of ", nodes);
  return model;
}

}  // namespace kern::training

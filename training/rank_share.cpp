#include "training/rank_share.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "engine/communicator.h"
#include "engine/dry_run.h"
#include "engine/ops/labels.h"
#include "engine/ops/mul.h"
#include "engine/ops/unary.h"
#include "engine/rank_sums.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

double weight_of(const Tensor& labels, const std::vector<float>& class_weights) {
  if (labels.shape().size() == 1) return double(labels.dim(0));
  double sum = 0;
  for (const int32_t label : labels.integers())
    if (label >= 0) sum += size_t(label) < class_weights.size() ? double(class_weights[size_t(label)]) : 1.0;
  return sum;
}

Tensor nowhere(const Tensor& labels) {
  const std::vector<int32_t> none(size_t(labels.size()), -1);
  return Tensor::from(labels.shape(), std::span<const int32_t>(none));
}

uint64_t hash_of(const std::vector<NamedTensor>& tensors) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const NamedTensor& t : tensors)
    for (const float v : t.tensor.values()) {
      uint32_t bits;
      static_assert(sizeof bits == sizeof v);
      std::memcpy(&bits, &v, sizeof bits);
      hash = (hash ^ bits) * 1099511628211u;
    }
  return hash;
}

}  // namespace

double share_of_loss(const LabelledBatch& batch, const std::vector<float>& class_weights) {
  Communicator& all = communicator();
  if (all.alone() || in_dry_run()) return 1;
  const double mine = batch.whole.lent ? 0 : weight_of(batch.labels, class_weights), whole = all.sum(mine);
  return whole > 0 ? mine / whole : 0;
}

void set_shares(LabelledBatch& l, UnlabelledBatch& u, const std::vector<float>& class_weights) {
  Communicator& all = communicator();
  if (all.alone()) return;
  struct Wanted {
    Tensor* share;
    double weight;
  };
  std::vector<Wanted> wanted;
  const bool dry = in_dry_run();  // whose tensors have no values
  const auto want = [&](Tensor& share, const auto& weight) { wanted.push_back({&share, dry ? 1 : weight()}); };
  if (l.x) {
    if (l.whole.lent) l.labels = nowhere(l.labels);
    want(l.share, [&] { return weight_of(l.labels, class_weights); });
    want(l.share_of_positions, [&] { return weight_of(l.labels, {}); });
  }
  if (u.x) {
    if (u.whole.lent) u.present = nowhere(u.present);
    want(u.share, [&] { return weight_of(u.present, {}); });
    want(u.strong_share, [&] { return weight_of(move_labels(u.present, u.origin), {}); });
    if (u.strong2) want(u.strong2_share, [&] { return weight_of(move_labels(u.present, u.origin2), {}); });
  }
  std::vector<double> sums;
  for (const Wanted& w : wanted) sums.push_back(w.weight);
  if (!dry) all.sum(std::span(sums));
  for (size_t i = 0; i < wanted.size(); ++i)
    *wanted[i].share = Tensor::full({1}, sums[i] > 0 ? float(wanted[i].weight / sums[i]) : 0.0f);
}

Tensor part_of(const Tensor& mean, const Tensor& share) { return share ? mul(mean, share) : mean; }

Tensor share_of_count(const Tensor& count) {
  if (communicator().alone()) return {};
  const NoGrad off;
  Tensor whole = count.clone();
  sum_over_ranks(whole);
  return mul(count, reciprocal(clamp(whole, 1, std::numeric_limits<float>::infinity())));
}

namespace {

// One sum for all: a network's hundred norms would wait a hundred times.
void mean_over_gpus(const std::vector<Tensor>& tensors, int ranks) {
  const NoGrad off;
  const Device device = tensors.front().device();
  int64_t size = 0;
  for (const Tensor& t : tensors) size += t.size();
  Tensor flat = Tensor::empty({size}, {.device = device});
  const auto each = [&](const Tensor& of, auto&& f) {
    int64_t at = 0;
    for (const Tensor& t : tensors) f(t.reshaped({t.size()}), of.channel_slice(at, at + t.size())), at += t.size();
  };
  each(flat, [](const Tensor& t, Tensor part) { part.copy_from(t); });
  sum_over_ranks(flat);
  each(mul(flat, Tensor::full({1}, 1 / float(ranks), {.device = device})),
       [](Tensor t, const Tensor& part) { t.copy_from(part); });
}

}  // namespace

void mean_over_ranks(const std::vector<Tensor>& tensors) {
  Communicator& all = communicator();
  if (all.alone() || tensors.empty() || in_dry_run()) return;
  if (tensors.front().device() != Device::cpu) return mean_over_gpus(tensors, all.size());
  std::vector<float> flat;
  for (const Tensor& t : tensors) {
    const std::vector<float> v = t.values();
    flat.insert(flat.end(), v.begin(), v.end());
  }
  all.sum(std::span(flat));
  auto from = flat.begin();
  for (Tensor t : tensors) {
    std::transform(from, from + t.size(), t.mutate(), [n = float(all.size())](float v) { return v / n; });
    from += t.size();
  }
}

void expect_equal_on_ranks(const std::vector<NamedTensor>& tensors) {
  Communicator& all = communicator();
  if (all.alone()) return;
  const std::vector<std::string> hashes = all.gather(std::to_string(hash_of(tensors)));
  std::string others;
  for (size_t r = 1; r < hashes.size(); ++r)
    if (hashes[r] != hashes[0]) others += (others.empty() ? "" : ", ") + std::to_string(r);
  check(others.empty(), "rank ", others,
        " begins with other weights than rank 0: give all ranks the same program, "
        "configuration, files and kind of processor");
}

}  // namespace kern::training

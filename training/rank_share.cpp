#include "training/rank_share.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "engine/communicator.h"
#include "engine/dry_run.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

double weight_of(const LabelledBatch& batch, const std::vector<float>& class_weights) {
  if (batch.whole.lent) return 0;
  if (batch.labels.shape().size() == 1) return double(batch.labels.dim(0));
  double sum = 0;
  for (const int32_t label : batch.labels.integers())
    if (label >= 0) sum += size_t(label) < class_weights.size() ? double(class_weights[size_t(label)]) : 1.0;
  return sum;
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
  const double mine = weight_of(batch, class_weights), whole = all.sum(mine);
  return whole > 0 ? mine / whole : 0;
}

void mean_over_ranks(const std::vector<Tensor>& tensors) {
  Communicator& all = communicator();
  if (all.alone() || tensors.empty() || in_dry_run()) return;
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

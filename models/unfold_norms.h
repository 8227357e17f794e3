// Batch norms put back into an encoder whose weights come with them folded: fine-tuning is then that of a network with
// norms, which stay in step with what the weights become.
#pragma once
#include <functional>
#include <string_view>

#include "layers/module.h"

namespace kern::models {

// The norms of a folded encoder are the identity plus a bias b (models/pretrained.h). Here each gets the mean m and the
// variance v, per channel, of what it is given over the batches, and changes nothing at first:
//   running_mean = m,  running_variance = v,  weight = sqrt(v + eps),  bias = b + m
//   (x - m) / sqrt(v + eps) weight + bias = x + b
// Ioffe and Szegedy 2015, whose normalised network computes the same.
struct UnfoldedNorms {
  int norms = 0;
  int64_t samples = 0;  // images that the statistics are of
};
// Of the norms at or below `path`, which load_pretrained made the identity for the same eps (FoldedNorms::put_back).
// batch(i), [N,H,W,C] on the network's device, is asked for i = 0 to batches - 1; each goes through the network once, in evaluation mode and
// without gradients. Equal whatever the number of threads. Error: no norm below the path that the network uses.
UnfoldedNorms unfold_norms(const AnyModule& network, std::string_view path, int batches,
                           const std::function<Tensor(int)>& batch, double eps);

}  // namespace kern::models

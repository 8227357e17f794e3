// Training by several ranks (engine/communicator.h): each computes a part of every batch, gradients are added up over ranks, and all
// make the same update. The batch is the global one, so neither the samples of a step nor the learning rate depend on how
// many ranks there are.
#pragma once
#include <span>
#include <vector>

#include "training/method.h"

namespace kern::training {

// The factor of this rank's loss in the loss of the whole batch: what its labels weigh of what all ranks' do, a label by the
// weight of its class; labels that are one a sample weigh 1. With it a sum over ranks of losses that are means over labels is the mean
// over all of them, and so are gradients. A loss that is no such mean (Dice, Tversky, balanced_bce over a batch) becomes
// the mean of the ranks' own. 1 for a single rank, without a look at the labels. All ranks, for each labelled batch in
// the same order.
double share_of_loss(const LabelledBatch& batch, const std::vector<float>& class_weights);

// The same of a step of a method that has unlabelled data too: sets the batches' shares, by one message. What is lent
// (data/share.h) loses its labels and takes no part. One rank: nothing. Either batch may be empty.
void set_shares(LabelledBatch& labelled, UnlabelledBatch& unlabelled, const std::vector<float>& class_weights);
// A mean over what of all ranks' things this rank's are, as this rank's part of the mean over all; itself where there is
// no share.
Tensor part_of(const Tensor& mean, const Tensor& share);
// What of all ranks' things `count` [1] of them are, [1], where that is found in a step only; empty for one rank. All
// ranks. No gradient.
Tensor share_of_count(const Tensor& count);

// Over all ranks, the mean of values that each rank has moved by its own samples: running statistics of norms. In place, f32.
void mean_over_ranks(const std::vector<Tensor>& tensors);

// Error naming the ranks whose tensors differ from those of the first: another model file, another build or processor.
void expect_equal_on_ranks(const std::vector<NamedTensor>& tensors);

}  // namespace kern::training

// The loss of a segmentation by configuration: a weighted sum of terms, e.g. loss: {ce: 1, dice: 1}.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "layers/module.h"
#include "training/config.h"

namespace kern::training {

struct LossOptions {
  // ce: cross entropy. bce: of one logit that tells two classes apart. balanced_bce: the same, each class weighted by
  // the other's share of the batch (engine/ops/balanced_cross_entropy.h). dice, focal, tversky: engine/ops.
  std::vector<std::pair<std::string, double>> terms{{"ce", 1.0}};
  double smoothing = 0;    // of ce
  double focal_gamma = 2;  // of focal
  double tversky_alpha = 0.3, tversky_beta = 0.7;
};
void describe_loss(Schema& keys, LossOptions& options);

inline constexpr const char* kCrossEntropy = "cross entropy";
// For a report: "cross entropy" where the loss is nothing else, or its terms: "bce + 0.5 dice, classes weighted". What
// a semi-supervised `method` adds is named too.
std::string in_words(const LossOptions& options, bool class_weights, const std::string& method);

class SegmentationLoss {
 public:
  // class_weights [classes] or empty: of ce, bce and focal. Error in a sentence: no term, an unknown one, a negative
  // weight, ce together with bce or balanced_bce, these with other than two classes.
  SegmentationLoss(const LossOptions& options, int classes, std::vector<float> class_weights, Device device);
  int outputs() const {
    return outputs_;
  }  // logits that the network must have: 1 with bce or balanced_bce, else one per class
  // logits [N,...,outputs] of x, labels i32 [N,...] with -1 for what takes no part -> [1]
  Tensor operator()(const AnyModule& network, const Tensor& x, const Tensor& labels) const;

 private:
  Tensor term(const std::string& name, const Tensor& logits, const Tensor& labels) const;
  LossOptions options_;
  int outputs_;
  std::vector<float> class_weights_;
  Tensor weights_;
};

}  // namespace kern::training

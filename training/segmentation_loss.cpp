#include "training/segmentation_loss.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/ops/add.h"
#include "engine/ops/balanced_cross_entropy.h"
#include "engine/ops/dice.h"
#include "engine/ops/focal.h"
#include "engine/ops/tversky.h"
#include "engine/ops/unary.h"
#include "layers/head_loss.h"

namespace kern::training {
namespace {
const std::vector<std::string> kTerms{"ce", "bce", "balanced_bce", "dice", "focal", "tversky"};
}

void describe_loss(Schema& keys, LossOptions& o) {
  const Allowed share{.low = 0, .high = 1, .open_high = true};
  keys.key("loss", o.terms,
           "terms and their weights, {ce: 1, dice: 1}: ce (cross entropy), bce (the same for two classes, by one "
           "output), balanced_bce (bce in which a class weighs as much as the other is frequent in the batch), dice, "
           "focal, tversky",
           at_least(0))
      .key("label_smoothing", o.smoothing, "ce: share of the loss that goes to all classes alike", share)
      .key("focal_gamma", o.focal_gamma, "focal: how much less an easy pixel counts", at_least(0))
      .key("tversky_alpha", o.tversky_alpha, "tversky: what a false positive costs", at_least(0))
      .key("tversky_beta", o.tversky_beta, "tversky: what a false negative costs", at_least(0));
}

std::string in_words(const LossOptions& o, bool class_weights, const std::string& method) {
  std::string out;
  for (const auto& [name, weight] : o.terms)
    if (weight > 0) out += (out.empty() ? "" : " + ") + (weight == 1 ? name : fmt::format("{:g} {}", weight, name));
  if (o.smoothing > 0) out += fmt::format(", labels smoothed by {:g}", o.smoothing);
  if (class_weights) out += ", classes weighted";
  if (!method.empty() && method != "supervised") out += ", and what " + method + " adds";
  return out == "ce" || out == "bce" ? kCrossEntropy : out;
}

SegmentationLoss::SegmentationLoss(const LossOptions& options, int classes, std::vector<float> class_weights,
                                   Device device)
    : options_(options), outputs_(classes), class_weights_(std::move(class_weights)) {
  std::erase_if(options_.terms, [](const auto& t) { return t.second == 0; });
  check(!options_.terms.empty(), "loss= has no term: give at least one, e.g. loss={ce: 1}");
  bool ce = false;
  std::string bce;  // the term of one output, if there is one
  for (const auto& [name, weight] : options_.terms) {
    const std::string nearest = nearest_word(name, kTerms);
    check(std::find(kTerms.begin(), kTerms.end(), name) != kTerms.end(), "loss= has the term '", name,
          "'; the terms are ce, bce, balanced_bce, dice, focal and tversky",
          nearest.empty() ? "" : ": did you mean " + nearest + "?");
    check(weight > 0, "loss.", name, "=", weight, " is negative: a term's weight is 0 or more");
    ce = ce || name == "ce";
    if (name != "bce" && name != "balanced_bce") continue;
    bce = name;
    check(classes == 2, "loss.", name, " tells two classes apart, but there are ", classes, ": use loss={ce: 1}");
  }
  check(!ce || bce.empty(), "loss= has both ce and ", bce,
        ", of an output for each class and of one for two classes: keep one of them");
  if (!bce.empty()) outputs_ = 1;
  else if (!class_weights_.empty()) weights_ = Tensor::from({classes}, class_weights_).to(device);
}

Tensor SegmentationLoss::term(const std::string& name, const Tensor& logits, const Tensor& labels) const {
  if (name == "ce") return cross_entropy(logits, labels, weights_, {.smoothing = float(options_.smoothing)});
  if (name == "balanced_bce") return balanced_cross_entropy(logits, labels);
  if (name == "dice") return dice(logits, labels);
  if (name == "tversky")
    return tversky(logits, labels, {.alpha = float(options_.tversky_alpha), .beta = float(options_.tversky_beta)});
  // focal of gamma 0 is the binary cross entropy of class numbers; alpha stands for the two classes' weights.
  FocalOptions o{.gamma = name == "bce" ? 0.0f : float(options_.focal_gamma)};
  if (outputs_ > 1) return focal(logits, labels, o, weights_);
  if (class_weights_.empty()) return focal(logits, labels, o);
  const float both = class_weights_[0] + class_weights_[1];
  o.alpha = class_weights_[1] / both;
  return affine(focal(logits, labels, o), both);
}

Tensor SegmentationLoss::operator()(const AnyModule& network, const Tensor& x, const Tensor& labels) const {
  if (options_.terms.size() == 1 && options_.terms[0].first == "ce" && options_.terms[0].second == 1)
    return cross_entropy_of(network, x, labels, weights_, {.smoothing = float(options_.smoothing)});
  const Tensor logits = network(x);
  Tensor sum;
  for (const auto& [name, weight] : options_.terms) {
    const Tensor loss = term(name, logits, labels);
    const Tensor part = weight == 1 ? loss : affine(loss, float(weight));
    sum = sum ? add(sum, part) : part;
  }
  return sum;
}

}  // namespace kern::training

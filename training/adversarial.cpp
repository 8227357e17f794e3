#include "training/adversarial.h"

#include "engine/ops/add.h"
#include "engine/ops/bce_with_logits.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/labels.h"
#include "engine/ops/log_softmax.h"
#include "engine/ops/pseudo_labels.h"
#include "engine/ops/softmax.h"
#include "engine/ops/unary.h"
#include "engine/random.h"

namespace kern::training {
namespace {

// Within its scope the module gets no gradients; they pass through it.
class Frozen {
 public:
  explicit Frozen(const AnyModule& module) : parameters_(module.parameters()) {
    for (NamedTensor& p : parameters_) p.tensor.require_grad(false);
  }
  ~Frozen() {
    for (NamedTensor& p : parameters_) p.tensor.require_grad(true);
  }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  std::vector<NamedTensor> parameters_;
};

// The binary cross entropy of D's map with one answer everywhere, over positions that are not -1 in `present`.
Tensor all_are(bool truth, const Tensor& map, const Tensor& present) {
  if (map.channels() == 2) return cross_entropy(map, relabel(present, truth));
  return bce_with_logits(map, Tensor::full(map.shape(), truth ? 1.0f : 0.0f, {.device = map.device()}),
                         one_hot(relabel(present, 0), 1), {.by_weight = true});
}

// P(truth) at every position, [N,...,1].
Tensor confidence_of(const Tensor& map) {
  return map.channels() == 2 ? softmax(map.detach()).channel_slice(1, 2) : sigmoid(map.detach());
}
// The mean confidence where `present` is not -1, and at how many positions that is.
Tensor mean_confidence(const Tensor& map, const Tensor& present) {
  return labelled_mean(confidence_of(map), present).mean_and_count;
}

Tensor mean_of(const std::vector<Tensor>& losses) {
  return losses.size() == 2 ? affine(add(losses[0], losses[1]), 0.5f) : losses.at(0);
}

}  // namespace

Adversarial::Adversarial(AnyModule network, Optimiser& optimiser, AnyModule discriminator,
                         const AdversarialOptions& options)
    : network_(std::move(network)),
      discriminator_(std::move(discriminator)),
      network_optimiser_(optimiser),
      optimiser_({{.parameters = discriminator_.parameters()}}, AdamOptions{}, options.lr),
      options_(options),
      weights_(class_weight_tensor(options.class_weights, network_.device())),
      step_(network_.device(),
            {"loss_labelled", "loss_adversarial", "loss_semi", "confident", "pseudo_accuracy", "loss_discriminator",
             "confidence_truth", "confidence_network"},
            {&network_optimiser_, &optimiser_},
            {.class_weights = options.class_weights, .sync_batch_norm = options.sync_batch_norm}) {}

Tensor Adversarial::seen_by_discriminator(const Tensor& logits) const {
  return options_.log_probabilities ? log_softmax(logits) : softmax(logits);
}

Tensor Adversarial::evaluated(const Tensor& p, const data::Whole& whole) const {
  return step_.normed(whole, [&] { return discriminator_(p); });
}

StepTerms Adversarial::network_gradients(const LabelledBatch& l, const UnlabelledBatch& u, bool semi, Said& said) {
  const Frozen discriminator(discriminator_);  // until the backward pass is done
  Tensor of_labelled, of_own, total;
  PseudoLabels own;
  std::vector<Tensor> passing;
  const auto take_part = [&](const Tensor& term) { total = total ? add(total, term) : term; };
  if (l.x) {
    const Tensor logits = step_.normed(l.whole, [&] { return network_(l.x); }), p = seen_by_discriminator(logits);
    said.labelled = p.detach();
    of_labelled = part_of(cross_entropy(logits, l.labels, weights_), l.share);
    take_part(of_labelled);
    passing.push_back(part_of(all_are(true, evaluated(p, l.whole), l.labels), l.share_of_positions));
  }
  if (u.x) {
    const Tensor logits = step_.normed(u.whole, [&] { return network_(u.x); }), p = seen_by_discriminator(logits),
                 map = evaluated(p, u.whole);
    said.unlabelled = p.detach();
    passing.push_back(part_of(all_are(true, map, u.present), u.share));
    own = pseudo_labels(said.unlabelled, u.present, u.truth, options_.threshold, confidence_of(map));
    if (semi) {
      of_own = part_of(cross_entropy(logits, own.labels), share_of_count(labelled_mean({}, own.labels).count));
      take_part(affine(of_own, float(options_.lambda_semi)));
    }
  }
  const Tensor pass = mean_of(passing);
  take_part(affine(pass, float(options_.lambda_adv)));
  backward(total);
  return {total, {of_labelled, pass, of_own, own.share, own.accuracy}};
}

StepTerms Adversarial::discriminator_gradients(const LabelledBatch& l, const UnlabelledBatch& u, const Said& said) {
  Tensor truth, on_truth, on_network;
  std::vector<Tensor> network;
  if (l.x) {
    // One-hot labels, and what the network said where there are none.
    const Tensor map = evaluated(one_hot(l.labels, said.labelled.channels(), said.labelled), l.whole);
    truth = part_of(all_are(true, map, l.labels), l.share_of_positions);
    on_truth = mean_confidence(map, l.labels);
    network.push_back(part_of(all_are(false, evaluated(said.labelled, l.whole), l.labels), l.share_of_positions));
  }
  if (u.x) {
    const Tensor map = evaluated(said.unlabelled, u.whole);
    network.push_back(part_of(all_are(false, map, u.present), u.share));
    on_network = mean_confidence(map, u.present);
  }
  const Tensor loss = truth ? mean_of({truth, mean_of(network)}) : affine(mean_of(network), 0.5f);
  backward(loss);
  return {loss, {loss, on_truth, on_network}};
}

StepResult Adversarial::step(const StepData& data) {
  const bool semi = data.epochs >= options_.wait;
  return step_.run(data, 0,
                   [&](const LabelledBatch& l, const UnlabelledBatch& u, const Tensor&) {
                     Said said;
                     StepTerms terms = network_gradients(l, u, semi, said);
                     const StepTerms evaluating = discriminator_gradients(l, u, said);
                     terms.figures.insert(terms.figures.end(), evaluating.figures.begin(), evaluating.figures.end());
                     apply_update(network_optimiser_, options_.clip);
                     apply_update(optimiser_, 0);
                     return terms;
                   },
                   {semi});
}

std::vector<bool> coin_flips(int64_t labelled, int64_t unlabelled, uint64_t seed, int64_t epoch) {
  RandomSequence coin(seed, RandomStream::shuffle, uint32_t(epoch), 2);  // b = 2: no other sequence of that stream
  std::vector<bool> order;
  while (labelled > 0 || unlabelled > 0) {
    const bool first = unlabelled == 0 || (labelled > 0 && coin.below(2) == 0);
    --(first ? labelled : unlabelled);
    order.push_back(first);
  }
  return order;
}

}  // namespace kern::training

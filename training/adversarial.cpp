#include "training/adversarial.h"

#include <cmath>

#include "engine/ops/add.h"
#include "engine/ops/bce_with_logits.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/log_softmax.h"
#include "engine/ops/scale.h"
#include "engine/ops/softmax.h"
#include "engine/random.h"
#include "training/pseudo_labels.h"

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
  const std::vector<int32_t> there = present.integers();
  if (map.channels() == 2) {
    std::vector<int32_t> answer;
    for (const int32_t p : there) answer.push_back(p < 0 ? -1 : int32_t(truth));
    return cross_entropy(map, Tensor::from(present.shape(), std::span<const int32_t>(answer)).to(map.device()));
  }
  std::vector<float> mask;
  for (const int32_t p : there) mask.push_back(p < 0 ? 0.0f : 1.0f);
  return bce_with_logits(map, Tensor::full(map.shape(), truth ? 1.0f : 0.0f, map.options()),
                         Tensor::from(map.shape(), mask).to(map.device()), {.by_weight = true});
}

// P(truth) at every position.
std::vector<float> confidence_of(const Tensor& map) {
  const std::vector<float> z = map.values();
  const bool pair = map.channels() == 2;
  std::vector<float> p(size_t(map.rows()));
  for (size_t i = 0; i < p.size(); ++i) {
    const double logit = pair ? double(z[2 * i + 1]) - double(z[2 * i]) : double(z[i]);
    p[i] = float(1 / (1 + std::exp(-logit)));
  }
  return p;
}

// The mean confidence where `present` is not -1.
StepFigure mean_confidence(const char* name, const Tensor& map, const Tensor& present) {
  const std::vector<float> p = confidence_of(map);
  const std::vector<int32_t> there = present.integers();
  double sum = 0, count = 0;
  for (size_t i = 0; i < p.size(); ++i)
    if (there[i] >= 0) sum += double(p[i]), ++count;
  return {name, count > 0 ? sum / count : 0, count};
}

// What D is shown as truth: one-hot labels, and what the network said where there are none.
Tensor truth_for_discriminator(const Tensor& labels, const Tensor& said) {
  const std::vector<int32_t> classes = labels.integers();
  std::vector<float> rows = said.values();
  const int64_t k = said.channels();
  for (size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] < 0) continue;
    float* row = rows.data() + int64_t(i) * k;
    std::fill_n(row, k, 0.0f);
    row[classes[i]] = 1;
  }
  return Tensor::from(said.shape(), rows).to(said.device());
}

Tensor mean_of(const std::vector<Tensor>& losses) {
  return losses.size() == 2 ? scale(add(losses[0], losses[1]), 0.5f) : losses.at(0);
}

}  // namespace

Adversarial::Adversarial(AnyModule network, Optimiser& optimiser, AnyModule discriminator,
                         const AdversarialOptions& options)
    : network_(std::move(network)),
      discriminator_(std::move(discriminator)),
      network_optimiser_(optimiser),
      optimiser_({{.parameters = discriminator_.parameters()}}, AdamOptions{}, options.lr),
      options_(options),
      weights_(class_weight_tensor(options.class_weights, network_.device())) {}

Tensor Adversarial::seen_by_discriminator(const Tensor& logits) const {
  return options_.log_probabilities ? log_softmax(logits) : softmax(logits);
}

double Adversarial::network_gradients(const LabelledBatch& l, const UnlabelledBatch& u, double epochs, Said& said,
                                      StepResult& result) {
  const Frozen discriminator(discriminator_);  // until the backward pass is done
  StepFigure labelled{"loss_labelled", 0, 0}, adversarial{"loss_adversarial"}, semi{"loss_semi", 0, 0};
  PseudoLabels own;
  std::vector<Tensor> passing;
  Tensor total;
  const auto take_part = [&](const Tensor& term) { total = total ? add(total, term) : term; };
  if (l.x) {
    const Tensor logits = network_(l.x), p = seen_by_discriminator(logits);
    said.labelled = p.detach();
    const Tensor term = cross_entropy(logits, l.labels, weights_);
    labelled = {labelled.name, term.item(), 1};
    take_part(term);
    passing.push_back(all_are(true, discriminator_(p), l.labels));
  }
  if (u.x) {
    const Tensor logits = network_(u.x), p = seen_by_discriminator(logits), map = discriminator_(p);
    said.unlabelled = p.detach();
    passing.push_back(all_are(true, map, u.present));
    own = pseudo_labels(p, u.present, u.truth, options_.threshold, confidence_of(map));
    if (epochs >= options_.wait) {
      const Tensor term = cross_entropy(logits, own.labels);
      semi = {semi.name, term.item(), 1};
      take_part(scale(term, float(options_.lambda_semi)));
    }
  }
  const Tensor pass = mean_of(passing);
  adversarial.value = pass.item();
  take_part(scale(pass, float(options_.lambda_adv)));
  result.figures.insert(result.figures.end(), {labelled, adversarial, semi, own.share(), own.accuracy()});
  backward(total);
  return total.item();
}

double Adversarial::discriminator_gradients(const LabelledBatch& l, const UnlabelledBatch& u, const Said& said,
                                            StepResult& result) {
  StepFigure on_truth{"confidence_truth", 0, 0}, on_network{"confidence_network", 0, 0};
  Tensor truth;
  std::vector<Tensor> network;
  if (l.x) {
    const Tensor map = discriminator_(truth_for_discriminator(l.labels, said.labelled));
    truth = all_are(true, map, l.labels);
    on_truth = mean_confidence("confidence_truth", map, l.labels);
    network.push_back(all_are(false, discriminator_(said.labelled), l.labels));
  }
  if (u.x) {
    const Tensor map = discriminator_(said.unlabelled);
    network.push_back(all_are(false, map, u.present));
    on_network = mean_confidence("confidence_network", map, u.present);
  }
  const Tensor loss = truth ? mean_of({truth, mean_of(network)}) : scale(mean_of(network), 0.5f);
  result.figures.insert(result.figures.end(), {{"loss_discriminator", loss.item()}, on_truth, on_network});
  backward(loss);
  return loss.item();
}

StepResult Adversarial::step(const StepData& data) {
  const Device device = network_.device();
  const LabelledBatch l = data.labelled ? to(data.labelled(), device) : LabelledBatch();
  const UnlabelledBatch u = data.unlabelled ? to(data.unlabelled(), device) : UnlabelledBatch();
  StepResult result{.samples = (l.x ? l.x : u.x).dim(0)};
  Said said;
  result.loss = network_gradients(l, u, data.epochs, said, result);
  discriminator_gradients(l, u, said, result);
  update(network_optimiser_, options_.clip);
  update(optimiser_, 0);
  return result;
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

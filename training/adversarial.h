// Adversarial semi-supervised segmentation (Hung et al. 2018, arXiv 1802.07934). A discriminator D looks at a map of
// class probabilities and says at every position whether it is a truth or came from the network G; G learns to pass,
// and D's confidence picks the positions of unlabelled data at which G may be its own teacher. A step has a labelled
// and an unlabelled batch, and two updates:
//   G: CE(G(x), labels) + lambda_adv mean over both batches of BCE(D(softmax G), truth)
//        + lambda_semi CE(G(u), argmax G(u)) where P(truth | D(softmax G(u))) > threshold, after the wait; D stands still
//   D: 1/2 [ BCE(D(one-hot labels), truth) + mean over both batches of BCE(D(softmax G), network) ]; G is detached
// Where a labelled sample has no label its one-hot holds G's own probabilities and takes no part: a hole there would
// tell D what is a truth.
#pragma once
#include "training/unlabelled_step.h"

namespace kern::training {

struct AdversarialOptions {
  std::vector<float> class_weights;  // [K], of the labelled term; empty: all 1
  double clip = 0;                   // of the network's gradient
  double lambda_adv = 0.01, lambda_semi = 0.1, threshold = 0.2;
  double wait = 5;   // epochs before the semi term
  double lr = 1e-4;  // of D, by Adam; it follows the schedule
  // As the original program: D sees log-softmax (and the one-hot as it is). Steps may then have one batch only.
  bool log_probabilities = false;
  bool sync_batch_norm = false;  // of several ranks
};

class Adversarial {
 public:
  // The discriminator takes [N,...,K] and gives [N,...,1], the logit of "truth", or [N,...,2], logits of "network" and
  // "truth".
  Adversarial(AnyModule network, Optimiser& optimiser, AnyModule discriminator, const AdversarialOptions& options);
  StepResult step(const StepData& data);
  Parts parts() { return {{{"discriminator", discriminator_}}, {{"discriminator_optimiser", &optimiser_}}, {}}; }

  // What the network said of a step's batches, without its graph: D's examples. Either may be missing.
  struct Said {
    Tensor labelled, unlabelled;
  };
  // The two halves of a step, their losses and figures: the gradients of the network (semi: with the term of its own
  // labels), of the discriminator. The batches are on the network's device, and either may be empty.
  StepTerms network_gradients(const LabelledBatch& labelled, const UnlabelledBatch& unlabelled, bool semi, Said& said);
  StepTerms discriminator_gradients(const LabelledBatch& labelled, const UnlabelledBatch& unlabelled, const Said& said);
  StepGraphs::Last last() const { return step_.last(); }

 private:
  Tensor seen_by_discriminator(const Tensor& logits) const;
  Tensor evaluated(const Tensor& p, const data::Whole& whole) const;  // by the discriminator
  AnyModule network_, discriminator_;
  Optimiser& network_optimiser_;
  Optimiser optimiser_;
  AdversarialOptions options_;
  Tensor weights_;
  UnlabelledStep step_;
};

// The original program's order of batches: a coin per step decides between the loader of labelled and that of
// unlabelled ones, until both have ended. True: labelled.
std::vector<bool> coin_flips(int64_t labelled, int64_t unlabelled, uint64_t seed, int64_t epoch);

}  // namespace kern::training

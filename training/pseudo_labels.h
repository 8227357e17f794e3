// What networks say of data without labels, made into targets for others. On the host, without gradients.
#pragma once
#include <cstdint>

#include "training/method.h"

namespace kern::training {

// The weight of an unlabelled term: exp(-5 (1 - t)^2) with t from 0 to 1 over the first `length` epochs, 1 afterwards
// (Laine and Aila 2017); 1 throughout when length is 0.
double ramp(double epochs, double length);

struct PseudoLabels {
  Tensor labels;                       // i32, on the probabilities' device: the most probable class, or -1
  int64_t present = 0, confident = 0;  // positions that take part; those of them that got a label
  int64_t known = 0, right = 0;        // those of them whose truth is known; that it confirms
  StepFigure share() const;            // "confident"
  StepFigure accuracy() const;         // "pseudo_accuracy"
};
// A label where a position takes part (present is 0) and its confidence exceeds the threshold; of equal classes the
// first. p [N,...,K]; present and truth (or empty) as in UnlabelledBatch; confidence: a value per position, empty: the
// largest probability.
PseudoLabels pseudo_labels(const Tensor& p, const Tensor& present, const Tensor& truth, double threshold,
                           const std::vector<float>& confidence = {});

// What probabilities [N,L,C] of signals become when it is known that classes never go back along a signal
// (data/postprocess.h): of the positions that take part, others keep theirs.
Tensor in_order(const Tensor& p, const Tensor& present);

// Targets of the weak view as the strong one shows them: out[n, i] = labels[n, origin[n, i]], -1 where the origin is.
Tensor move_labels(const Tensor& labels, const Tensor& origin);
// The same of whole rows [N,...,C], 0 where the origin is -1.
Tensor move_rows(const Tensor& rows, const Tensor& origin);

// How many are not negative.
int64_t count_present(const Tensor& labels);

}  // namespace kern::training

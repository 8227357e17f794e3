// Mean teacher (Tarvainen and Valpola 2017): an average of the network's weights over the updates, the teacher, looks
// at the weak view of what has no labels; the network itself, at the strong view, must agree with it.
//   loss = CE(f(x), labels) + weight ramp(epochs) mean (softmax f(strong) - softmax teacher(weak))^2
// The teacher is what validates and is saved. It looks as it will predict, in evaluation mode: without dropout, and
// by the network's own running statistics.
#pragma once
#include "training/unlabelled_step.h"

namespace kern::training {

struct MeanTeacherOptions {
  std::vector<float> class_weights;  // [K]; empty: all 1
  LabelledLoss loss = {};            // instead of the cross entropy
  double clip = 0;
  double weight = 10;
  double ramp = 5;               // epochs until the weight is whole
  double decay = 0.99;           // of the teacher
  bool monotone = false;         // what it teaches: probabilities given that classes never go back along a signal
  bool sync_batch_norm = false;  // of several ranks
};

class MeanTeacher {
 public:
  MeanTeacher(AnyModule network, Optimiser& optimiser, const MeanTeacherOptions& options);
  StepResult step(const StepData& data);
  Parts parts() { return {{}, {}, {{"teacher", &teacher_}}}; }
  // The loss of a step and its figures; the batches and the consistency's weight [1] are on the network's device.
  StepTerms loss(const LabelledBatch& labelled, const UnlabelledBatch& unlabelled, const Tensor& weight);
  double weight(double epochs) const { return options_.weight * ramp(epochs, options_.ramp); }
  StepGraphs::Last last() const { return step_.last(); }

 private:
  AnyModule network_;
  Optimiser& optimiser_;
  MeanTeacherOptions options_;
  Ema teacher_;
  Tensor weights_;
  UnlabelledStep step_;
};

}  // namespace kern::training

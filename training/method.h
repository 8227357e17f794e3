// What a method of training (supervised, adversarial, ...) is to the loop and to a task. Signals and images alike: a
// position is a sample of a signal or a pixel.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/share.h"
#include "training/loop.h"

namespace kern::training {

struct LabelledBatch {
  Tensor x;                // [N,L,C] or [N,H,W,C]
  Tensor labels;           // i32, [N,L] or [N,H,W]; -1 takes no part
  data::Whole whole = {};  // what N is a part of, where several ranks train
  // What of all ranks' labels these are, [1] each, by the weights of classes and by number (training/rank_share.h);
  // empty where there is one rank.
  Tensor share = {}, share_of_positions = {};
  int64_t samples() const { return whole.samples > 0 ? whole.samples : x.dim(0); }
};

// Two views of the same data. What they are is the data side's affair: a strong view may move what it shows, and says
// where everything came from, so that its targets move equally.
struct UnlabelledBatch {
  Tensor x;        // the weak view: [N,L,C] or [N,H,W,C]
  Tensor present;  // i32, [N,L] or [N,H,W]: 0, or -1 in padding, which takes no part
  Tensor strong;   // the strong view, of x's shape; empty: it is x
  Tensor origin;   // i32: the position within the sample's x (row by row) that each position of `strong` shows, -1:
                   // none; empty: each shows itself
  Tensor strong2, origin2;  // a second strong view, for methods that hold two of them against the weak one
  Tensor truth;  // i32, labels known all the same, -1 elsewhere; empty: none. For figures, never for a gradient
  data::Whole whole = {};  // what N is a part of, where several ranks train
  // What of all ranks' positions that take part these are, [1] each: of x and, as they move, of the strong views.
  Tensor share = {}, strong_share = {}, strong2_share = {};
  int64_t samples() const { return whole.samples > 0 ? whole.samples : x.dim(0); }
};

// What a step may take: each function gives the next batch. A method asks only for what it uses; an empty function
// means that this step has no such batch.
struct StepData {
  std::function<LabelledBatch()> labelled;
  std::function<UnlabelledBatch()> unlabelled;
  double epochs = 0;  // trained so far, with the part of the one under way: ramps and waits count in it
};

// A step's data without values, for a dry run (engine/dry_run.h): at most so many labelled batches of inputs of a
// shape, and unlabelled ones where there is a shape, with strong views where asked for.
struct StepShapes {
  Shape labelled;  // [N,L,C] or [N,H,W,C]
  int64_t batches = 1;
  std::optional<Shape> unlabelled;
  int strong = 0;           // strong views: 0 to 2
  bool per_sample = false;  // labels are [N], one a sample, and no position's
  double epochs = 0;
};
StepData empty_step_data(const StepShapes& of);

// What a method brings besides the network and its optimiser: goes into checkpoints, follows the schedule.
struct Parts {
  std::vector<std::pair<std::string, AnyModule>> models;
  std::vector<std::pair<std::string, Optimiser*>> optimisers;
  std::vector<std::pair<std::string, Ema*>> averages;  // validate and are saved instead of the network
};
struct Method {
  Parts parts;
  std::function<StepResult(const StepData&)> step;

  Method() = default;
  // M has parts() and step(data).
  template <class M>
  explicit Method(std::shared_ptr<M> m) : parts(m->parts()), step([m](const StepData& d) { return m->step(d); }) {}
};

// The loss of a labelled batch where it is not the cross entropy by class weights: network, x, labels -> [1].
using LabelledLoss = std::function<Tensor(const AnyModule&, const Tensor&, const Tensor&)>;
// loss(network, x, labels), or where there is none the cross entropy by the weights.
Tensor labelled_loss(const LabelledLoss& loss, const AnyModule& network, const LabelledBatch& batch,
                     const Tensor& class_weights);

// Logits of classes [...,K]. A network of one logit z [...,1] tells two classes apart, whose logits are 0 and z: their
// softmax is 1 - sigmoid(z) and sigmoid(z).
Tensor class_logits(const Tensor& logits);

// [K] on the device; nothing where there are no weights.
Tensor class_weight_tensor(const std::vector<float>& weights, Device device);

}  // namespace kern::training

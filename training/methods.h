// The methods of training by name: the keys that `train` has for them, and what they make.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "training/config.h"
#include "training/method.h"
#include "training/recipe.h"
#include "training/segmentation.h"

namespace kern::training {

enum class MethodKind { supervised, adversarial, mean_teacher, fixmatch, cps, unimatch };
const char* to_string(MethodKind kind);

// The unlabelled data of a training; `hidden`: how many of them have labels that nobody sees.
struct UnlabelledData {
  std::string things;  // "wells"
  int64_t unlabelled = 0, hidden = 0;
  std::string remedy;  // where such data come from
};

struct MethodRecipe {
  MethodKind kind = MethodKind::supervised;
  bool seed_compatible = false;  // as the original program, with its accidents
  int epoch_updates = 0;
  int unlabelled_batch = 0;
  double weight = 0, ramp = 5, threshold = 0.95, teacher_decay = 0.99;
  double feature_dropout = 0.5;  // unimatch
  bool monotone = false;         // mean_teacher, fixmatch: classes never go back along a signal
  double lambda_adv = 0.01, lambda_semi = 0.1, adversarial_threshold = 0.2, wait = 5, discriminator_lr = 1e-4;
  std::string discriminator = "unet";

  bool semi_supervised() const { return kind != MethodKind::supervised; }
  // Of every unlabelled sample, beside the weak one.
  int strong_views() const {
    if (kind == MethodKind::unimatch) return 2;
    return kind == MethodKind::mean_teacher || kind == MethodKind::fixmatch ? 1 : 0;
  }
  bool coin_flips() const { return seed_compatible && kind == MethodKind::adversarial; }
  int unlabelled_or(int batch) const { return unlabelled_batch > 0 ? unlabelled_batch : batch; }  // samples
  // Of so many ranks, whether batch norms take their statistics over all ranks' samples.
  bool syncs_batch_norm(Recipe recipe, int ranks) const;
  // Error where keys do not go together.
  void check_with(const Recipe& recipe) const;
  // Says what becomes of unlabelled data. Error where the method needs some and there are none.
  void announce(const UnlabelledData& data) const;
  // In class order; of compat=seed, as in the original program, in the order of the counts, the largest class first.
  std::vector<float> class_weights(ClassWeights kind, std::vector<int64_t> counts) const;
  // What a checkpoint must have been made with (Training::identity).
  Metadata identity() const;
};

// Sections "Method" and those of its keys; `things` is what a batch holds ("windows", "images"), `discriminators` the
// names that the task can make (models/discriminator.h), `known` the methods that it knows.
void describe_method(Schema& keys, MethodRecipe& recipe, const std::string& things,
                     std::vector<std::string> discriminators,
                     const std::vector<MethodKind>& known = {MethodKind::supervised, MethodKind::mean_teacher,
                                                             MethodKind::fixmatch, MethodKind::cps,
                                                             MethodKind::adversarial});

// Further networks that a method may need, on the network's device: one more of its kind, a discriminator by name.
struct OtherNetworks {
  std::function<AnyModule()> another;
  std::function<AnyModule(const std::string& name)> discriminator;
  std::function<std::vector<ParameterGroup>(const AnyModule&)> groups = {};  // of another; empty: all parameters alike
};
// The network's optimiser is the caller's; class_weights [K] or empty (all 1). `loss`: of labelled batches, instead of
// the cross entropy by the class weights, of the methods supervised, mean_teacher, fixmatch and
// unimatch.
Method make_method(const MethodRecipe& method, const Recipe& recipe, const AnyModule& network, Optimiser& optimiser,
                   const std::vector<float>& class_weights, const OtherNetworks& others, LabelledLoss loss = {});

}  // namespace kern::training

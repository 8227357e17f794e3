#include "training/methods.h"

#include <algorithm>

#include "engine/communicator.h"
#include "kernels/common/log.h"
#include "models/discriminator.h"
#include "training/adversarial.h"
#include "training/cross_pseudo.h"
#include "training/fixmatch.h"
#include "training/mean_teacher.h"
#include "training/supervised.h"
#include "training/unimatch.h"

namespace kern::training {

const char* to_string(MethodKind kind) {
  switch (kind) {
    case MethodKind::supervised:
      return "supervised";
    case MethodKind::adversarial:
      return "adversarial";
    case MethodKind::mean_teacher:
      return "mean_teacher";
    case MethodKind::fixmatch:
      return "fixmatch";
    case MethodKind::cps:
      return "cps";
    case MethodKind::unimatch:
      return "unimatch";
  }
  return "?";
}

bool MethodRecipe::syncs_batch_norm(Recipe recipe, int ranks) const {
  if (semi_supervised()) recipe.batch = std::min(recipe.batch, unlabelled_or(recipe.batch));
  return recipe.syncs_batch_norm(ranks);
}

void MethodRecipe::check_with(const Recipe& r) const {
  check(!semi_supervised() || r.accumulate == 1, "method=", to_string(kind),
        " updates after every pair of batches: accumulate must be 1, not ", r.accumulate, "; raise batch= instead");
  check(kind != MethodKind::mean_teacher || r.ema == 0,
        "method=mean_teacher averages the weights itself, by semi.teacher_decay: leave ema at 0, not ", r.ema);
  check(!monotone || strong_views() == 1,
        "semi.monotone is of method=mean_teacher and fixmatch: with method=", to_string(kind), " leave it out");
  check(!seed_compatible || kind == MethodKind::adversarial,
        "compat=seed repeats the original program, which is method=adversarial; with method=", to_string(kind),
        " leave compat=none");
  check(!coin_flips() || epoch_updates == 0,
        "compat=seed ends an epoch when both kinds of batches have come: leave epoch_updates at 0");
}

void MethodRecipe::announce(const UnlabelledData& d) const {
  const std::string name = to_string(kind), without = text(d.unlabelled - d.hidden),
                    one = d.things.substr(0, d.things.size() - 1),
                    these = text(d.unlabelled, " ", d.unlabelled == 1 ? one : d.things, " without labels"),
                    why = text(" (", without, " have none, the labels of ", d.hidden, " are hidden)");
  if (!semi_supervised()) {
    if (d.unlabelled > 0)
      inform("method=supervised ignores the ", these, why,
             "; method=mean_teacher, fixmatch, cps or adversarial would use them");
    return;
  }
  check(d.unlabelled > 0, "method=", name, " learns from unlabelled ", d.things, ", and there are none: ", d.remedy,
        ", or use method=supervised");
  inform("method=", name, " uses ", these, why);
}

std::vector<float> MethodRecipe::class_weights(ClassWeights weights, std::vector<int64_t> counts) const {
  if (seed_compatible) std::sort(counts.rbegin(), counts.rend());
  return training::class_weights(weights, counts);
}

Metadata MethodRecipe::identity() const {
  Metadata m{{"method", to_string(kind)}};
  if (epoch_updates > 0) m["epoch"] = text("epoch_updates=", epoch_updates);
  if (semi_supervised())
    m["unlabelled batches"] =
        text("semi.unlabelled_batch=", unlabelled_batch, " compat=", seed_compatible ? "seed" : "none");
  return m;
}

void describe_method(Schema& keys, MethodRecipe& m, const std::string& things, std::vector<std::string> discriminators,
                     const std::vector<MethodKind>& known) {
  const Allowed share = between(0, 1);
  const auto knows = [&](MethodKind kind) { return std::ranges::find(known, kind) != known.end(); };
  std::vector<std::pair<std::string, MethodKind>> choices;
  for (const MethodKind kind : known) choices.emplace_back(to_string(kind), kind);
  std::string what = "how to train. All but supervised learn from unlabelled data as well";
  for (const auto& [kind, does] :
       {std::pair{MethodKind::mean_teacher, "mean_teacher agrees with an average of itself"},
        {MethodKind::fixmatch, "fixmatch trains on what it is sure of"},
        {MethodKind::unimatch, "unimatch is fixmatch with two strong views and features of which channels are dropped"},
        {MethodKind::cps, "cps is two networks that teach each other"},
        {MethodKind::adversarial, "adversarial has a discriminator"}})
    if (knows(kind)) what += text(what.find(':') == std::string::npos ? ": " : ", ", does);
  keys.section("Method").choice("method", m.kind, what + " (docs/semi_supervised.md)", choices);
  if (knows(MethodKind::adversarial))
    keys.choice("compat", m.seed_compatible,
                "seed: method=adversarial as the original program, with its accidents; for comparison",
                {{"none", false}, {"seed", true}});
  keys.key("epoch_updates", m.epoch_updates,
           "updates of an epoch, so that runs with unlike data do the same work; 0: a pass over the labelled " +
               things + ", in semi-supervised methods over the larger of both kinds",
           between(0, 1e9))
      .key("semi.unlabelled_batch", m.unlabelled_batch, "unlabelled " + things + " in a batch; 0: as batch",
           between(0, 65536))
      .key("semi.weight", m.weight,
           knows(MethodKind::cps) ? "of the unlabelled term; 0: the method's own, mean_teacher 10, the others 1"
                                  : "of the unlabelled term; 0: the method's own, mean_teacher 10, fixmatch 1",
           at_least(0))
      .key("semi.ramp", m.ramp,
           knows(MethodKind::cps) ? "mean_teacher and cps: epochs in which that weight rises, as exp(-5 (1 - t)^2)"
                                  : "mean_teacher: epochs in which that weight rises, as exp(-5 (1 - t)^2)",
           at_least(0))
      .key("semi.threshold", m.threshold,
           knows(MethodKind::unimatch)
               ? "fixmatch and unimatch: they learn from what they give more than this probability"
               : "fixmatch: learns from what it gives more than this probability",
           share)
      .key("semi.teacher_decay", m.teacher_decay, "mean_teacher: of the average that teaches, and is saved",
           Allowed{.low = 0, .high = 1, .open_high = true});
  if (knows(MethodKind::unimatch))
    keys.key(
        "semi.feature_dropout", m.feature_dropout,
        "unimatch: share of the channels dropped of what the encoder hands over, in the view that perturbs features",
        Allowed{.low = 0, .high = 1, .open_high = true});
  if (!knows(MethodKind::adversarial)) return;
  std::string networks;
  for (const models::DiscriminatorModel& d : models::discriminator_models())
    if (std::ranges::find(discriminators, d.name) != discriminators.end())
      networks += text(networks.empty() ? "" : "; ", d.name, ": ", d.help);
  keys.key("adversarial.lambda_adv", m.lambda_adv, "weight of passing the discriminator", at_least(0))
      .key("adversarial.lambda_semi", m.lambda_semi, "weight of the network's own labels", at_least(0))
      .key("adversarial.threshold", m.adversarial_threshold,
           "those count where the discriminator takes the network's answer for a truth with more than this "
           "probability",
           share)
      .key("adversarial.wait", m.wait, "epochs before they count", at_least(0))
      .key("adversarial.lr", m.discriminator_lr, "of the discriminator's Adam; it follows the schedule", above(0))
      .key("adversarial.discriminator", m.discriminator, networks, one_of(std::move(discriminators)));
}

Method make_method(const MethodRecipe& m, const Recipe& recipe, const AnyModule& network, Optimiser& optimiser,
                   const std::vector<float>& class_weights, const OtherNetworks& others, LabelledLoss loss) {
  m.check_with(recipe);
  const bool sync = network.device() == Device::cpu && m.syncs_batch_norm(recipe, communicator().size());
  const double weight = m.weight > 0 ? m.weight : m.kind == MethodKind::mean_teacher ? 10 : 1, clip = recipe.clip;
  switch (m.kind) {
    case MethodKind::supervised:
      return Method(std::make_shared<Supervised>(network, optimiser,
                                                 SupervisedOptions{.class_weights = class_weights,
                                                                   .clip = clip,
                                                                   .accumulate = recipe.accumulate,
                                                                   .loss = std::move(loss),
                                                                   .sync_batch_norm = sync}));
    case MethodKind::mean_teacher:
      return Method(std::make_shared<MeanTeacher>(network, optimiser,
                                                  MeanTeacherOptions{.class_weights = class_weights,
                                                                     .loss = std::move(loss),
                                                                     .clip = clip,
                                                                     .weight = weight,
                                                                     .ramp = m.ramp,
                                                                     .decay = m.teacher_decay,
                                                                     .monotone = m.monotone,
                                                                     .sync_batch_norm = sync}));
    case MethodKind::fixmatch:
      return Method(std::make_shared<FixMatch>(network, optimiser,
                                               FixMatchOptions{.class_weights = class_weights,
                                                               .loss = std::move(loss),
                                                               .clip = clip,
                                                               .weight = weight,
                                                               .threshold = m.threshold,
                                                               .monotone = m.monotone,
                                                               .sync_batch_norm = sync}));
    case MethodKind::unimatch:
      return Method(std::make_shared<UniMatch>(network, optimiser,
                                               UniMatchOptions{.class_weights = class_weights,
                                                               .loss = std::move(loss),
                                                               .clip = clip,
                                                               .weight = weight,
                                                               .threshold = m.threshold,
                                                               .feature_dropout = m.feature_dropout,
                                                               .sync_batch_norm = sync}));
    case MethodKind::cps: {
      const AnyModule second = others.another();
      std::vector<ParameterGroup> groups;
      if (others.groups) groups = others.groups(second);
      else groups.push_back({.parameters = second.parameters()});
      return Method(std::make_shared<CrossPseudo>(network, optimiser, second, recipe.make_optimiser(std::move(groups)),
                                                  CrossPseudoOptions{.class_weights = class_weights,
                                                                     .clip = clip,
                                                                     .weight = weight,
                                                                     .ramp = m.ramp,
                                                                     .sync_batch_norm = sync}));
    }
    case MethodKind::adversarial:
      return Method(std::make_shared<Adversarial>(network, optimiser, others.discriminator(m.discriminator),
                                                  AdversarialOptions{.class_weights = class_weights,
                                                                     .clip = clip,
                                                                     .lambda_adv = m.lambda_adv,
                                                                     .lambda_semi = m.lambda_semi,
                                                                     .threshold = m.adversarial_threshold,
                                                                     .wait = m.wait,
                                                                     .lr = m.discriminator_lr,
                                                                     .log_probabilities = m.seed_compatible,
                                                                     .sync_batch_norm = sync}));
  }
  throw InternalError("no such method");
}

}  // namespace kern::training

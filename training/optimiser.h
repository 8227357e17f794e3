// Optimisers: SGD with momentum, Adam and AdamW, over one flat array of all their parameters
// (engine/parameter_arena.h).
//
//   Optimiser optimiser(model, AdamOptions{.weight_decay = 1e-4, .decoupled = true}, 1e-3);
//   backward(loss), backward(more);      // gradients add up
//   optimiser.clip_gradient_norm(1.0);
//   optimiser.step();                    // updates, and clears the gradients
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/device_scalar.h"
#include "engine/model_file.h"
#include "engine/ops/adam.h"
#include "engine/ops/sgd.h"
#include "engine/parameter_arena.h"
#include "layers/module.h"

namespace kern::training {

struct ParameterGroup {
  std::vector<NamedTensor> parameters;
  double lr_scale = 1;                 // this group's learning rate is lr times this
  std::optional<double> weight_decay;  // instead of the optimiser's
};

// The network's parameters with a learning rate of their own for what lies at or below certain paths ("encoder": 0.1
// times the others' rate); the first path that holds a parameter counts. Frozen parameters are left out.
// Errors: a path where nothing lies.
struct PathRate {
  std::string path;
  double lr_scale = 1;
};
std::vector<ParameterGroup> parameter_groups(const AnyModule& network, const std::vector<PathRate>& rates);

class Optimiser {
 public:
  using Rule = std::variant<SgdOptions, AdamOptions>;
  // One group of all parameters of a module. It must be where it computes already.
  template <Network M>
  Optimiser(M& network, Rule rule, double lr) : Optimiser({{.parameters = named_parameters(network)}}, rule, lr) {}
  // Takes the groups' parameters into one arena. Errors: no parameters, one given twice, options out of range.
  Optimiser(std::vector<ParameterGroup> groups, Rule rule, double lr);

  void set_lr(double lr);
  double lr() const { return lr_; }
  // Updates every parameter that has a gradient, then clears the gradients. Parameters without one (frozen, not
  // reached) and their moments stay as they are.
  void step(SourceLocation at = SourceLocation::current());
  // The same in two parts, for a step that is recorded (engine/capture.h): first the numbers that kernels read (step
  // count, learning rates) are set by the host, outside of the record; the kernels are given to the device in it.
  void prepare_step();
  void apply_step(SourceLocation at = SourceLocation::current());
  // Called once, when the next update is about to use up the gradients. On the CPU alone: a GPU's step is recorded.
  void before_next_update(std::function<void()> look) { look_ = std::move(look); }
  void clear_gradients() { arena_.clear_gradients(); }
  // Before an update that several ranks make together, all of them: gradients become their sums over ranks.
  void sum_gradients_over_ranks();
  // The next step() sees the gradients scaled so that their joint Euclidean norm is at most `limit` (0: any). The
  // device does that by itself: nobody waits.
  void clip_gradient_norm(double limit, SourceLocation at = SourceLocation::current());
  double gradient_norm() const;  // as the last clip_gradient_norm() found it; waits for it
  int64_t steps() const { return steps_.value(); }
  ParameterArena& arena() { return arena_; }

  // Moments and the number of steps, under "<prefix>.": for checkpoints.
  std::vector<FileTensor> state(const std::string& prefix) const;
  void load_state(const TensorFile& file, const std::string& prefix);

 private:
  struct Group {
    size_t first, last;  // parameters of the arena
    double lr_scale, weight_decay;
    DeviceScalar<float> lr = 0;  // lr_scale times the optimiser's
  };
  ParameterArena arena_;
  std::vector<Group> groups_;
  Rule rule_;
  double lr_;
  DeviceScalar<double> squares_ = 0;  // of the gradient's norm
  DeviceScalar<float> gradient_scale_ = 1;
  std::function<void()> look_;
  bool clipped_ = false;  // whether the next update is to be scaled
  DeviceScalar<int64_t> steps_ = 0;
  Tensor first_, second_;  // moments, [arena size]; first_ is SGD's velocity
};

}  // namespace kern::training

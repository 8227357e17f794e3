// Reverse-mode autograd. A differentiable op computes its output and calls record() once, with what its backward needs:
//
//   Tensor relu(const Tensor& x) {
//     ... y = forward(x) ...
//     return record("relu", {x}, y, [g, &impl, y = Saved(y)](const Tensor& dy, Grads& d) {
//       if (d.want(0)) impl.backward(..., dy.data(), y.get("relu").data(), d[0].mutate());
//     });
//   }
//
// Nodes are numbered as they are made, so newest-first is a topological order: no recursion, the same order every run.
#pragma once
#include <functional>
#include <initializer_list>
#include <vector>

#include "engine/tensor.h"

namespace kern {

// Data kept for the backward pass: without its graph (an op that saves its own output would keep itself alive), and
// refused by get() if someone has written to it since. A tensor that can be made again is not kept: get() makes it, if
// nobody else has it still.
class Saved {
 public:
  Saved(const Tensor& t);
  explicit operator bool() const { return bool(tensor_); }
  const Tensor& get(const char* op) const;

 private:
  Tensor tensor_;
  uint64_t version_ = 0;
  std::shared_ptr<Recompute> recompute_;
  std::weak_ptr<Storage> storage_;
  Device device_ = Device::cpu;
};

// Whether what can be made again is not kept: a quarter less memory for a few percent of time. Off unless
// KERN_RECOMPUTE=on.
bool recompute_enabled();
void set_recompute(bool on);

// What the graph knows of an op's input. Its values are not kept: an op saves what it needs.
struct NodeInput {
  Shape shape;
  TensorOptions options;
  std::shared_ptr<Node> node;  // the op that made it
  Tensor leaf;                 // or the leaf that it is
  explicit NodeInput(const Tensor& t);
  bool requires_grad() const { return node || leaf.requires_grad(); }
};

// Where a backward function puts the gradients of the op's inputs.
class Grads {
 public:
  // given(node): what was given to that node before, or empty.
  using Given = std::function<Tensor(const Node&)>;
  explicit Grads(const std::vector<NodeInput>& inputs, Given given = {})
      : inputs_(inputs), outputs_(inputs.size()), given_(std::move(given)), totals_(inputs.size(), false) {}
  // Whether anyone needs the gradient of input i. Where not, leave it alone.
  bool want(size_t i) const { return inputs_[i].requires_grad(); }
  // A dense tensor of input i's shape, contents undefined, to be overwritten whole. For a parameter it is the place
  // where its gradient will live, so nothing is copied.
  Tensor& operator[](size_t i);
  // Hands over a gradient that exists already (dy itself, a slice of it). It is not written to afterwards.
  void set(size_t i, Tensor gradient) { outputs_[i] = std::move(gradient); }
  // The gradient that other ops gave for input i before this one, or empty where none did; its rows may have a pitch.
  // An op that can add to it while it writes puts the sum into total(i) instead of (*this)[i], and spares a pass.
  Tensor given(size_t i) const;
  Tensor& total(size_t i) {
    totals_[i] = true;
    return (*this)[i];
  }
  bool is_total(size_t i) const { return totals_[i]; }
  std::vector<Tensor>& outputs() { return outputs_; }

 private:
  const std::vector<NodeInput>& inputs_;
  std::vector<Tensor> outputs_;
  Given given_;
  std::vector<bool> totals_;
};

// dy has the output's shape; its rows may have a pitch.
using BackwardFn = std::function<void(const Tensor& dy, Grads& grads)>;

struct Node {
  const char* op;
  uint64_t sequence;
  std::vector<NodeInput> inputs;
  BackwardFn backward;
  Node(const char* name, uint64_t number, const std::vector<Tensor>& in, BackwardFn fn)
      : op(name), sequence(number), inputs(in.begin(), in.end()), backward(std::move(fn)) {}
  ~Node();  // frees the graph below it with a loop: a graph of any depth fits any stack
};

// Makes y the output of an op, if gradients are on and any input needs one. Returns y.
Tensor record(const char* op, std::initializer_list<Tensor> inputs, Tensor y, BackwardFn backward);
Tensor record(const char* op, std::vector<Tensor> inputs, Tensor y, BackwardFn backward);

// Computes the gradients of a scalar with respect to every leaf that requires one, adds them to the leaves' grad(), and
// frees the graph. The first gradient of a leaf since clear_grad() overwrites. Errors: a loss that is not one value,
// that depends on no leaf, or whose graph was used before.
void backward(const Tensor& loss, SourceLocation at = SourceLocation::current());
// The same from any tensor, given dL/dy.
void backward(const Tensor& y, const Tensor& dy, SourceLocation at = SourceLocation::current());

// While it lives, backward passes of this thread tell of every leaf that has its whole gradient of the pass: the rest of
// the pass adds nothing to it.
class FinalGradients {
 public:
  explicit FinalGradients(std::function<void(const Tensor& leaf)> is_final);
  ~FinalGradients();
  FinalGradients(const FinalGradients&) = delete;
  FinalGradients& operator=(const FinalGradients&) = delete;
  static const FinalGradients* current();  // of this thread; null outside
  void tell(const Tensor& leaf) const { is_final_(leaf); }

 private:
  std::function<void(const Tensor&)> is_final_;
  const FinalGradients* outer_;
};

// Within its scope nothing is recorded.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};
bool grad_enabled();

}  // namespace kern

#include "engine/autograd.h"

#include <atomic>
#include <cstdlib>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "engine/dry_run.h"
#include "engine/interruption.h"
#include "engine/late_gradients.h"
#include "engine/profile.h"
#include "engine/trace.h"
#include "kernels/elementwise/add.h"

namespace kern {
namespace {
thread_local bool recording = true;
std::atomic<uint64_t> next_sequence{1};

// d = a + b, all of one shape and type; d may be a.
template <class T>
void add_gradients_of(const Tensor& a, const Tensor& b, Tensor& d) {
  const kernels::BinarySpec g{
      .rows = d.rows(), .c = d.channels(), .b_pitch = b.pitch(), .pitch = {.x = a.pitch(), .y = d.pitch()}};
  kernels::select(kernels::add_registry<T>(), d.device(), g).forward({}, g, a.data<T>(), b.data<T>(), d.mutate<T>());
}
void add_gradients(const Tensor& a, const Tensor& b, Tensor& d) {
  if (d.dtype() == DType::bf16) add_gradients_of<Bf16>(a, b, d);
  else add_gradients_of<float>(a, b, d);
  Profile::mark("sum of gradients", Profile::Direction::backward, d, {a, b});
}

// A gradient on its way to a node. The first one is taken as it is, perhaps an alias of another's dy; the first
// addition makes a new one, and from then on it is ours to add to. Additions happen in the order of the nodes: the same
// every run.
struct Pending {
  std::shared_ptr<Node> node;
  Tensor dy;
  bool owned = false;
  // total: g holds what was here already.
  void add(const Tensor& g, bool total) {
    if (total) {
      owned = true;
      dy = g;
    } else if (!dy) {
      dy = g;
    } else {
      Tensor sum = std::exchange(owned, true) ? dy : Tensor::empty(dy.shape(), dy.options());
      add_gradients(dy, g, sum);
      dy = std::move(sum);
    }
  }
};

void accumulate_leaf(const Tensor& leaf, const Tensor& g) {
  DryRun::keep_gradient(leaf);
  Tensor::Impl& i = leaf.impl();
  const bool in_place = !i.has_grad && i.grad && g.shared_impl() == i.grad->shared_impl();
  if (LateGradients* const late = LateGradients::current(); late && !in_place) {
    late->settle(g);
    if (i.grad) late->settle(*i.grad);
  }
  if (!i.grad) i.grad = std::make_shared<Tensor>(Tensor::empty(i.shape, leaf.options()));
  if (std::exchange(i.has_grad, true)) add_gradients(*i.grad, g, *i.grad);
  else if (g.shared_impl() != i.grad->shared_impl()) i.grad->copy_from(g);
}
}  // namespace

namespace {
thread_local const FinalGradients* watching = nullptr;

// How many gradients a backward pass from here will add to each leaf.
using LeafUses = std::unordered_map<const Tensor::Impl*, int64_t>;
LeafUses uses_of_leaves(const Node* last) {
  LeafUses uses;
  std::unordered_set<const Node*> seen{last};
  for (std::vector<const Node*> todo{last}; !todo.empty();) {
    const Node* const node = todo.back();
    todo.pop_back();
    for (const NodeInput& input : node->inputs) {
      if (input.node && seen.insert(input.node.get()).second) todo.push_back(input.node.get());
      if (!input.node && input.requires_grad()) ++uses[&input.leaf.impl()];
    }
  }
  return uses;
}

bool& recompute() {
  static bool on = [] {
    const char* value = std::getenv("KERN_RECOMPUTE");
    if (!value) return false;
    const std::string_view word = value;
    check(word == "on" || word == "off", "KERN_RECOMPUTE must be on or off, got '", word, "'");
    return word == "on";
  }();
  return on;
}
}  // namespace
FinalGradients::FinalGradients(std::function<void(const Tensor& leaf)> is_final)
    : is_final_(std::move(is_final)), outer_(std::exchange(watching, this)) {}
FinalGradients::~FinalGradients() { watching = outer_; }
const FinalGradients* FinalGradients::current() { return watching; }

bool recompute_enabled() { return recompute(); }
void set_recompute(bool on) { recompute() = on; }

Saved::Saved(const Tensor& t) {
  if (!t) return;
  tensor_ = t.detach();
  version_ = t.version();
  device_ = t.device();
  const auto& recompute = t.impl().recompute;
  if (!recompute || recompute->version != version_ || !recompute_enabled()) return;
  recompute_ = recompute;
  storage_ = std::exchange(tensor_.impl().storage, nullptr);
}

const Tensor& Saved::get(const char* op) const {
  check(tensor_.version() == version_, op, ": a tensor of shape ", tensor_.shape(),
        " that backward needs was modified in place after the forward pass (version ", tensor_.version(), ", saved at ",
        version_, "). Call backward before the optimiser's step that writes to it, or run the forward pass again");
  Tensor::Impl& impl = tensor_.impl();
  if (impl.storage) return tensor_;
  if (auto alive = storage_.lock()) {
    impl.storage = std::move(alive);
  } else if (auto made = recompute_->made.lock()) {
    impl.storage = std::move(made);
    impl.offset = 0;
  } else {
    impl.storage = std::make_shared<Storage>(device_, size_t(tensor_.rows() * impl.pitch) * size_of(impl.dtype));
    impl.offset = 0;
    Tensor into = tensor_.detach();
    into.impl().version = std::make_shared<Version>();  // making the values again is no write
    recompute_->make(into);
    recompute_->made = impl.storage;
  }
  return tensor_;
}

NodeInput::NodeInput(const Tensor& t) {
  if (!t) return;
  shape = t.shape();
  options = t.options();
  node = t.impl().node;
  if (!node && t.requires_grad()) leaf = t;
}

Tensor Grads::given(size_t i) const {
  const NodeInput& in = inputs_[i];
  if (!in.node || !given_) return {};
  Tensor t = given_(*in.node);
  return t && t.dtype() == in.options.dtype ? t : Tensor();
}

Tensor& Grads::operator[](size_t i) {
  if (outputs_[i]) return outputs_[i];
  const NodeInput& in = inputs_[i];
  if (!in.node && !in.leaf.impl().has_grad) {  // write where the leaf's gradient lives
    DryRun::keep_gradient(in.leaf);
    Tensor::Impl& leaf = in.leaf.impl();
    if (!leaf.grad) leaf.grad = std::make_shared<Tensor>(Tensor::empty(in.shape, in.options));
    bool taken = false;  // the same leaf given twice to one op: the second gets its own
    for (const Tensor& o : outputs_) taken |= o && o.shared_impl() == leaf.grad->shared_impl();
    if (!taken) return outputs_[i] = *leaf.grad;
  }
  return outputs_[i] = Tensor::empty(in.shape, in.options);
}

Node::~Node() {
  // Destroying inputs may destroy the nodes that made them: those hand their parts to the loop that is already running.
  using Parts = std::pair<std::vector<NodeInput>, BackwardFn>;
  static thread_local std::vector<Parts>* running = nullptr;
  if (running) {
    running->emplace_back(std::move(inputs), std::move(backward));
    return;
  }
  std::vector<Parts> work;
  running = &work;
  work.emplace_back(std::move(inputs), std::move(backward));
  while (!work.empty()) {
    const Parts next = std::move(work.back());
    work.pop_back();
  }
  running = nullptr;
}

Tensor record(const char* op, std::vector<Tensor> inputs, Tensor y, BackwardFn backward) {
  Profile::mark(op, Profile::Direction::forward, y, inputs);
  throw_if_interrupted();
  if (Trace* const trace = Trace::current()) trace->add(op, inputs, y);
  if (!recording) return y;
  bool any = false;
  for (const Tensor& t : inputs) any |= t && t.requires_grad();
  if (any) y.impl().node = std::make_shared<Node>(op, next_sequence++, inputs, std::move(backward));
  return y;
}
Tensor record(const char* op, std::initializer_list<Tensor> inputs, Tensor y, BackwardFn backward) {
  return record(op, std::vector<Tensor>(inputs), std::move(y), std::move(backward));
}

void backward(const Tensor& y, const Tensor& first, SourceLocation at) {
  check({y.requires_grad(), at}, "backward: this tensor depends on nothing that requires a gradient");
  check({first.shape() == y.shape(), at}, "backward: the gradient's shape ", first.shape(), " is not the tensor's ",
        y.shape());
  if (y.is_leaf()) return accumulate_leaf(y, first);
  NoGrad guard;
  LateGradients late;
  const FinalGradients* const watch = FinalGradients::current();
  LeafUses uses = watch ? uses_of_leaves(y.impl().node.get()) : LeafUses();
  std::map<uint64_t, Pending> todo;
  auto give = [&](const std::shared_ptr<Node>& node, const Tensor& g, bool total = false) {
    Pending& p = todo[node->sequence];
    p.node = node;
    p.add(g, total);
  };
  const auto given = [&](const Node& node) {
    const auto found = todo.find(node.sequence);
    return found == todo.end() ? Tensor() : found->second.dy;
  };
  give(y.impl().node, first);
  while (!todo.empty()) {
    auto last = std::prev(todo.end());
    Pending next = std::move(last->second);
    todo.erase(last);
    Node& node = *next.node;
    check({bool(node.backward), at}, node.op,
          ": backward was already run through this graph; run the forward pass again");
    throw_if_interrupted();
    Grads grads(node.inputs, given);
    node.backward(next.dy, grads);
    Profile::mark(node.op, Profile::Direction::backward, next.dy, grads.outputs());
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!grads.want(i)) continue;
      const Tensor& g = grads.outputs()[i];
      internal_check(bool(g), node.op, ": backward gave no gradient for input ", i);
      const NodeInput& input = node.inputs[i];
      internal_check(g.shape() == input.shape, node.op, ": backward gave a gradient of shape ", g.shape(),
                     " for an input of shape ", input.shape);
      internal_check(g.dtype() == input.options.dtype, node.op, ": backward gave a gradient of type ", g.dtype(),
                     " for an input of type ", input.options.dtype);
      if (input.node) late.settle(g), give(input.node, g, grads.is_total(i));
      else accumulate_leaf(input.leaf, g);
      if (watch && !input.node && --uses[&input.leaf.impl()] == 0) watch->tell(input.leaf);
    }
    // What the op saved is freed as soon as it is used; the emptied node says so when it is asked again.
    node.backward = nullptr;
    node.inputs.clear();
  }
  late.finish();
}

void Tensor::backward(SourceLocation at) const { kern::backward(*this, at); }
void backward(const Tensor& loss, SourceLocation at) {
  check({loss.size() == 1, at}, "backward: the loss must be one value, got shape ", loss.shape(),
        "; take its mean() or sum()");
  backward(loss, Tensor::full(loss.shape(), 1.0f, loss.options()), at);
}

bool grad_enabled() { return recording; }
NoGrad::NoGrad() : before_(std::exchange(recording, false)) {}
NoGrad::~NoGrad() { recording = before_; }

}  // namespace kern

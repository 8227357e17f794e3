// A layer or model is any struct with call operators and visit(v), which names its parts once:
//
//   struct Block {
//     Conv1d conv; PRelu act;
//     Tensor operator()(const Tensor& x) { return act(conv(x)); }
//     template <class V> void visit(V&& v) { v("conv", conv), v("act", act); }
//   };
//
// Parameters, buffers, checkpoints, train/eval, freezing, printing and counting are all made from visit().
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "engine/autograd.h"
#include "engine/ops/cast.h"

namespace kern {

struct Parameter : Tensor {  // trained
  Parameter() = default;
  explicit Parameter(Tensor t) : Tensor(std::move(t)) { require_grad(); }
};
struct Buffer : Tensor {  // saved with the model, not trained: a running mean
  Buffer() = default;
  explicit Buffer(Tensor t) : Tensor(std::move(t)) {}
};
struct Mode {  // what dropout and batch norm look at
  bool training = true;
  bool held = false;  // stays in evaluation, whatever the rest of the model does
  void set(bool on) { training = on && !held; }
};

namespace detail {
struct AnyVisitor {
  template <class T>
  void operator()(const char*, T&) const {}
};
}  // namespace detail
template <class M>
concept Module = requires(M& m) {
  m.visit(detail::AnyVisitor{});
};
template <class M>
concept UnaryModule = Module<M> && requires(M& m, const Tensor& x) {
  { m(x) } -> std::same_as<Tensor>;
};

// Calls f("encoder.conv1.weight", part) for every Parameter, Buffer and Mode below `part`, in the order of the visits.
// Vectors are numbered; absent optionals and empty tensors (a layer without bias) are passed over.
template <class Part, class F>
void for_each_part(Part& part, F&& f, const std::string& name = {}) {
  auto inner = [&](const auto& child) { return name.empty() ? std::string(child) : name + "." + child; };
  if constexpr (Module<Part>) {
    part.visit([&](const char* child, auto& p) { for_each_part(p, f, inner(child)); });
  } else if constexpr (std::is_base_of_v<Tensor, Part>) {
    if (part) f(name, part);
  } else if constexpr (requires { part.begin(); }) {
    int i = 0;
    for (auto& p : part) for_each_part(p, f, inner(std::to_string(i++)));
  } else if constexpr (requires {
                         *part;
                         bool(part);
                       }) {
    if (part) for_each_part(*part, f, name);
  } else {
    f(name, part);
  }
}

struct NamedTensor {
  std::string name;
  Tensor tensor;  // a handle: writing to it writes to the model
  bool trained = false;
};

// Every parameter and buffer with its path, e.g. "model.0.conv.weight".
template <Module M>
std::vector<NamedTensor> named_tensors(M& module) {
  std::vector<NamedTensor> out;
  for_each_part(module, [&](const std::string& name, auto& part) {
    using Part = std::remove_cvref_t<decltype(part)>;
    if constexpr (std::is_base_of_v<Tensor, Part>) out.push_back({name, part, std::is_same_v<Part, Parameter>});
  });
  return out;
}
template <Module M>
std::vector<NamedTensor> named_parameters(M& module) {
  auto all = named_tensors(module);
  std::erase_if(all, [](const NamedTensor& t) { return !t.trained; });
  return all;
}
template <Module M>
int64_t parameter_count(M& module) {
  int64_t n = 0;
  for (const auto& p : named_parameters(module)) n += p.tensor.size();
  return n;
}
template <Module M>
void set_training(M& module, bool training) {
  for_each_part(module, [&](const std::string&, auto& part) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(part)>, Mode>) part.set(training);
  });
}
// Frozen parameters get no gradient; what only they need is not computed.
template <Module M>
void set_frozen(M& module, bool frozen) {
  for (auto& p : named_parameters(module)) p.tensor.require_grad(!frozen);
}
// Moves parameters and buffers to a device; the module's input belongs there too. Before an optimiser takes the
// parameters.
template <Module M>
M& to(M& module, Device device) {
  for (auto& t : named_tensors(module)) t.tensor.move_to(device);
  return module;
}
// Copies parameter and buffer values from one module to another of the same structure.
template <Module M>
void copy_tensors(M& from, M& to) {
  auto a = named_tensors(from), b = named_tensors(to);
  internal_check(a.size() == b.size(), "copy_tensors: modules of different structure");
  for (size_t i = 0; i < a.size(); ++i) b[i].tensor.copy_from(a[i].tensor);
}
// Whether the name is `path` or begins with "path.": "features.1" holds "features.1.weight", but not "features.10".
bool lies_below(std::string_view name, std::string_view path);
// One line per parameter and buffer with shape and count, and the total.
std::string describe(const std::vector<NamedTensor>& tensors);

// Modules one after another; parts are named "0", "1", ...
template <UnaryModule... M>
class Sequential {
 public:
  explicit Sequential(M... m) : parts_(std::move(m)...) {}
  Tensor operator()(Tensor x) {
    std::apply([&](auto&... m) { ((x = m(x)), ...); }, parts_);
    return x;
  }
  template <class V>
  void visit(V&& v) {
    int i = 0;
    std::apply([&](auto&... m) { (v(std::to_string(i++).c_str(), m), ...); }, parts_);
  }
  template <size_t I>
  auto& part() {
    return std::get<I>(parts_);
  }

 private:
  std::tuple<M...> parts_;
};

// A module whose last layer is a 1x1 convolution to logits (or linear, which is the same) may say what comes before it:
// a loss can then do without the logits (layers/head_loss.h).
struct BeforeHead {
  Tensor features;      // [N,...,C]
  Tensor weight, bias;  // of the last layer
};
template <class M>
concept Headed = requires(M& m, const Tensor& x) {
  { m.before_head(x) } -> std::same_as<BeforeHead>;
};

// Any unary module behind one type: what a table of models or a training loop holds.
class AnyModule {
 public:
  using Call = std::function<Tensor(const Tensor&)>;
  AnyModule() = default;
  template <UnaryModule M>
  explicit AnyModule(M module) {
    auto m = std::make_shared<M>(std::move(module));
    call_ = [m](const Tensor& x) { return (*m)(x); };
    if constexpr (Headed<M>) before_head_ = [m](const Tensor& x) { return m->before_head(x); };
    tensors_ = named_tensors(*m);
    for_each_part(*m, [&](const std::string& name, auto& part) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(part)>, Mode>) modes_.push_back({name, &part});
    });
  }
  // The same network, every call of which is around(call, x).
  AnyModule wrapped(std::function<Tensor(const Call& call, const Tensor& x)> around) const {
    AnyModule out = *this;
    out.call_ = [call = call_, around = std::move(around)](const Tensor& x) { return around(call, x); };
    return out;
  }
  Tensor operator()(const Tensor& x) const { return cast(call_(x), DType::f32); }  // floats, whatever it keeps within
  bool headed() const { return bool(before_head_); }
  BeforeHead before_head(const Tensor& x) const { return before_head_(x); }  // headed() only
  const std::vector<NamedTensor>& tensors() const { return tensors_; }
  std::vector<NamedTensor> parameters() const {
    auto all = tensors_;
    std::erase_if(all, [](const NamedTensor& t) { return !t.trained; });
    return all;
  }
  int64_t parameter_count() const {
    int64_t n = 0;
    for (const auto& t : tensors_) n += t.trained ? t.tensor.size() : 0;
    return n;
  }
  void set_training(bool on) const {
    for (const auto& [name, mode] : modes_) mode->set(on);
  }
  // What lies at or below `path` ("encoder.features.0") is trained no more: its parameters get no gradient, its norms
  // and dropout stay in evaluation. Returns how many values that are: 0 when no parameter lies there.
  int64_t freeze(std::string_view path) const;
  // The second half of that alone: norms there use their running statistics and leave them as they are.
  void hold_in_evaluation(std::string_view path) const;
  // Where its parameters and buffers are; its input belongs there too.
  Device device() const { return tensors_.empty() ? Device::cpu : tensors_.front().tensor.device(); }
  // Before an optimiser takes the parameters.
  void move_to(Device device) const {
    for (NamedTensor t : tensors_) t.tensor.move_to(device);
  }

 private:
  Call call_;
  std::function<BeforeHead(const Tensor&)> before_head_;
  std::vector<NamedTensor> tensors_;
  std::vector<std::pair<std::string, Mode*>> modes_;  // inside what call_ holds
};

inline std::vector<NamedTensor> named_tensors(const AnyModule& module) { return module.tensors(); }
inline std::vector<NamedTensor> named_parameters(const AnyModule& module) { return module.parameters(); }
inline const AnyModule& to(const AnyModule& module, Device device) {
  module.move_to(device);
  return module;
}
// What has named tensors: a module, or any of them behind one type.
template <class M>
concept Network = Module<M> || std::same_as<std::remove_const_t<M>, AnyModule>;

}  // namespace kern

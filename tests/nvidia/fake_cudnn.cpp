// A strict stand-in for cuDNN on the emulated GPU: libkern_fake_cudnn.so, opened through KERN_CUDNN. It knows the
// functions and descriptors of kernels/common/nvidia/cudnn_api.h and no others, keeps every attribute with its type and
// count, refuses what the library refuses, and carries out a convolution by the reference's loops when its stream gets
// there. Where the library's behaviour is known without a GPU (tests/kernels/cudnn_test.cpp asks it where it is
// installed), the two agree; in warning this one refuses.
//
// Its engines are chosen so that a wrong choice shows: those that Kern must pass over give results that are off.
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "kernels/common/emulator/library.h"
#include "kernels/common/nvidia/cudnn_api.h"
#include "kernels/conv/conv2d.h"

namespace {

using namespace kern::cudnn;
using kern::kernels::Conv2dSpec;

const kern::emulator::EmulatedGpu* gpu = nullptr;
thread_local std::string last_error;

constexpr Status kNull{2002}, kMisaligned{2003}, kNotFinalized{2004};
Status fail(Status status, std::string why) {
  last_error = std::move(why);
  return status;
}
Status bad(std::string why) { return fail(Status::bad_param, std::move(why)); }

// --- descriptors ---

struct Node;
using Ref = std::shared_ptr<Node>;
struct Value {
  AttributeType type;
  int64_t count;
  std::vector<std::byte> bytes;
  std::vector<Ref> refs;
};
struct Node {
  DescriptorType type;
  bool finalized = false;
  std::map<Attribute, Value> values;
  int64_t engine = -1;

  bool has(Attribute name) const { return values.contains(name); }
  template <class T>
  std::vector<T> all(Attribute name) const {
    const Value& v = values.at(name);
    std::vector<T> out(v.bytes.size() / sizeof(T));
    std::memcpy(out.data(), v.bytes.data(), out.size() * sizeof(T));
    return out;
  }
  template <class T>
  T one(Attribute name) const {
    return all<T>(name).at(0);
  }
  const Ref& ref(Attribute name) const { return values.at(name).refs.at(0); }
};
std::mutex mutex;  // of the map below: descriptors are made in any thread
std::map<RawDescriptor, Ref>& live() {
  static auto& all = *new std::map<RawDescriptor, Ref>;
  return all;
}
Ref find(RawDescriptor d) {
  std::lock_guard lock(mutex);
  const auto it = live().find(d);
  return it == live().end() ? nullptr : it->second;
}

using T = DescriptorType;
using A = Attribute;
using V = AttributeType;
struct Rule {
  T of;
  A name;
  V type;
  int64_t least, most;  // values
  bool required;
  T refers = T::tensor;  // where the value is a descriptor
};
constexpr int64_t kDims = 8;
const Rule kRules[] = {
    {T::tensor, A::tensor_id, V::int64, 1, 1, true},
    {T::tensor, A::tensor_data_type, V::data_type, 1, 1, true},
    {T::tensor, A::tensor_dimensions, V::int64, 1, kDims, true},
    {T::tensor, A::tensor_strides, V::int64, 1, kDims, true},
    {T::tensor, A::tensor_alignment, V::int64, 1, 1, true},
    {T::convolution, A::convolution_compute_type, V::data_type, 1, 1, true},
    {T::convolution, A::convolution_mode, V::convolution_mode, 1, 1, true},
    {T::convolution, A::convolution_spatial_dims, V::int64, 1, 1, true},
    {T::convolution, A::convolution_strides, V::int64, 1, kDims, true},
    {T::convolution, A::convolution_dilations, V::int64, 1, kDims, true},
    {T::convolution, A::convolution_pre_paddings, V::int64, 1, kDims, true},
    {T::convolution, A::convolution_post_paddings, V::int64, 1, kDims, true},
    {T::operation_forward, A::forward_x, V::descriptor, 1, 1, true, T::tensor},
    {T::operation_forward, A::forward_w, V::descriptor, 1, 1, true, T::tensor},
    {T::operation_forward, A::forward_y, V::descriptor, 1, 1, true, T::tensor},
    {T::operation_forward, A::forward_convolution, V::descriptor, 1, 1, true, T::convolution},
    {T::operation_forward, A::forward_alpha, V::float32, 1, 1, true},
    {T::operation_forward, A::forward_beta, V::float32, 1, 1, true},
    {T::operation_backward_data, A::backward_data_dx, V::descriptor, 1, 1, true, T::tensor},
    {T::operation_backward_data, A::backward_data_w, V::descriptor, 1, 1, true, T::tensor},
    {T::operation_backward_data, A::backward_data_dy, V::descriptor, 1, 1, true, T::tensor},
    {T::operation_backward_data, A::backward_data_convolution, V::descriptor, 1, 1, true, T::convolution},
    {T::operation_backward_data, A::backward_data_alpha, V::float32, 1, 1, true},
    {T::operation_backward_data, A::backward_data_beta, V::float32, 1, 1, true},
    {T::operation_backward_filter, A::backward_filter_x, V::descriptor, 1, 1, true, T::tensor},
    {T::operation_backward_filter, A::backward_filter_dw, V::descriptor, 1, 1, true, T::tensor},
    {T::operation_backward_filter, A::backward_filter_dy, V::descriptor, 1, 1, true, T::tensor},
    {T::operation_backward_filter, A::backward_filter_convolution, V::descriptor, 1, 1, true, T::convolution},
    {T::operation_backward_filter, A::backward_filter_alpha, V::float32, 1, 1, true},
    {T::operation_backward_filter, A::backward_filter_beta, V::float32, 1, 1, true},
    {T::operation_graph, A::graph_operations, V::descriptor, 1, 1, true},  // one of the three above
    {T::operation_graph, A::graph_handle, V::handle, 1, 1, true},
    {T::engine_heuristic, A::heuristic_operation_graph, V::descriptor, 1, 1, true, T::operation_graph},
    {T::engine_heuristic, A::heuristic_mode, V::heuristic_mode, 1, 1, true},
    {T::execution_plan, A::plan_engine_config, V::descriptor, 1, 1, true, T::engine_config},
    {T::execution_plan, A::plan_handle, V::handle, 1, 1, true},
    {T::variant_pack, A::pack_ids, V::int64, 1, 64, true},
    {T::variant_pack, A::pack_pointers, V::pointer, 1, 64, true},
    {T::variant_pack, A::pack_workspace, V::pointer, 1, 1, true},
};
const Rule* rule_of(T type, A name) {
  for (const Rule& r : kRules)
    if (r.of == type && r.name == name) return &r;
  return nullptr;
}
size_t size_of(V type) {
  switch (type) {
    case V::handle:
    case V::pointer:
    case V::int64:
    case V::descriptor:
      return 8;
    case V::characters:
      return 1;
    default:
      return 4;
  }
}

// --- what finalizing looks at ---

Status check_tensor(const Node& n) {
  const auto type = n.one<DataType>(A::tensor_data_type);
  if (type != DataType::float32 && type != DataType::bf16) return bad("a tensor of another type of numbers");
  const auto dims = n.all<int64_t>(A::tensor_dimensions), strides = n.all<int64_t>(A::tensor_strides);
  if (dims.size() != strides.size()) return bad("a tensor has as many strides as dimensions");
  const auto alignment = n.one<int64_t>(A::tensor_alignment);
  if (alignment < 1 || (alignment & (alignment - 1))) return bad("a tensor's alignment is a power of two");
  std::vector<size_t> order;  // by stride: each must reach beyond all that lies within
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < 1 || strides[i] < 1) return bad("a tensor's dimensions and strides are positive");
    if (dims[i] > 1) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return strides[a] < strides[b]; });
  int64_t reach = 1;
  for (const size_t i : order) {
    if (strides[i] < reach) return bad("a tensor's elements lie on one another");
    reach += (dims[i] - 1) * strides[i];
  }
  return Status::success;
}
Status check_convolution(const Node& n) {
  const auto spatial = n.one<int64_t>(A::convolution_spatial_dims);
  for (const A name :
       {A::convolution_strides, A::convolution_dilations, A::convolution_pre_paddings, A::convolution_post_paddings}) {
    const auto values = n.all<int64_t>(name);
    if (int64_t(values.size()) != spatial) return bad("a convolution has one value for each spatial dimension");
    const bool padding = name == A::convolution_pre_paddings || name == A::convolution_post_paddings;
    for (const int64_t v : values)
      if (v < (padding ? 0 : 1)) return bad("strides and dilations are positive, paddings not negative");
  }
  return Status::success;
}

struct Operation {  // of any direction
  const Node *x, *w, *y, *convolution;
  float alpha, beta;
  Conv2dSpec spec() const {
    const auto xd = x->all<int64_t>(A::tensor_dimensions), wd = w->all<int64_t>(A::tensor_dimensions);
    const size_t deep = xd.size() - 4;  // 1 of a volume
    const auto axis = [&](A name, size_t i) { return int(convolution->all<int64_t>(name).at(i)); };
    const auto of = [&](A name, size_t i) { return axis(name, i + deep); };
    const auto of_depth = [&](A name, int otherwise) { return deep ? axis(name, 0) : otherwise; };
    return {.n = int(xd[0]),
            .c = int(xd[1]),
            .h = int(xd[2 + deep]),
            .w = int(xd[3 + deep]),
            .k = int(wd[0]),
            .r = int(wd[2 + deep]),
            .s = int(wd[3 + deep]),
            .stride_h = of(A::convolution_strides, 0),
            .stride_w = of(A::convolution_strides, 1),
            .dil_h = of(A::convolution_dilations, 0),
            .dil_w = of(A::convolution_dilations, 1),
            .groups = int(xd[1] / wd[1]),
            .pad_top = of(A::convolution_pre_paddings, 0),
            .pad_bottom = of(A::convolution_post_paddings, 0),
            .pad_left = of(A::convolution_pre_paddings, 1),
            .pad_right = of(A::convolution_post_paddings, 1),
            .d = deep ? int(xd[2]) : 1,
            .t = deep ? int(wd[2]) : 1,
            .stride_d = of_depth(A::convolution_strides, 1),
            .dil_d = of_depth(A::convolution_dilations, 1),
            .pad_front = of_depth(A::convolution_pre_paddings, 0),
            .pad_back = of_depth(A::convolution_post_paddings, 0)};
  }
};
Operation operation_of(const Node& n) {
  const auto of = [&](A x, A w, A y, A convolution, A alpha, A beta) {
    return Operation{n.ref(x).get(),           n.ref(w).get(),      n.ref(y).get(),
                     n.ref(convolution).get(), n.one<float>(alpha), n.one<float>(beta)};
  };
  if (n.type == T::operation_forward)
    return of(A::forward_x, A::forward_w, A::forward_y, A::forward_convolution, A::forward_alpha, A::forward_beta);
  if (n.type == T::operation_backward_data)
    return of(A::backward_data_dx, A::backward_data_w, A::backward_data_dy, A::backward_data_convolution,
              A::backward_data_alpha, A::backward_data_beta);
  return of(A::backward_filter_x, A::backward_filter_dw, A::backward_filter_dy, A::backward_filter_convolution,
            A::backward_filter_alpha, A::backward_filter_beta);
}
Status check_operation(const Node& n) {
  const Operation o = operation_of(n);
  std::set<int64_t> ids;
  for (const Node* t : {o.x, o.w, o.y}) {
    const size_t axes = t->all<int64_t>(A::tensor_dimensions).size();
    if (axes != 4 && axes != 5) return bad("a convolution of images has tensors of 4 axes, of volumes of 5");
    if (int64_t(axes) != o.convolution->one<int64_t>(A::convolution_spatial_dims) + 2)
      return bad("images have 2 spatial dimensions, volumes 3");
    ids.insert(t->one<int64_t>(A::tensor_id));
  }
  if (ids.size() != 3) return bad("two tensors have the same number");
  const auto xd = o.x->all<int64_t>(A::tensor_dimensions), wd = o.w->all<int64_t>(A::tensor_dimensions);
  if (xd[1] % wd[1] || wd[0] % (xd[1] / wd[1])) return bad("the channels do not fall into groups");
  const Conv2dSpec g = o.spec();
  std::vector<int64_t> expected{g.n, g.k, g.o(), g.p(), g.q()};
  if (xd.size() == 4) expected.erase(expected.begin() + 2);
  if (o.y->all<int64_t>(A::tensor_dimensions) != expected) return bad("y's dimensions are not the convolution's");
  return Status::success;
}
const Node& operation_in(const Node& graph) { return *graph.ref(A::graph_operations); }

// --- engines ---

DataType type_of(const Node& tensor) { return tensor.one<DataType>(A::tensor_data_type); }

enum Engine : int64_t { kTensorCores, kUnsteady, kWinograd, kRefuses, kGreedy, kGood, kLast };
std::vector<Engine> engines(const Node& graph, HeuristicMode mode) {
  const Operation o = operation_of(operation_in(graph));
  if (type_of(*o.w) != type_of(*o.x) || type_of(*o.w) != type_of(*o.y)) return {};
  if (mode == HeuristicMode::fallback) return {kUnsteady, kLast};
  if (o.spec().groups > 1) return {kTensorCores, kUnsteady, kGreedy};
  return {kUnsteady, kWinograd, kTensorCores, kRefuses, kGreedy, kGood};
}
std::vector<NumericalNote> notes(int64_t engine) {
  if (engine == kTensorCores) return {NumericalNote::tensor_core};
  if (engine == kUnsteady) return {NumericalNote::nondeterministic};
  if (engine == kWinograd) return {NumericalNote::winograd, NumericalNote::winograd_4x4};
  return {};
}
int64_t workspace_of(int64_t engine) {
  return engine == kGreedy ? int64_t{1} << 40 : engine == kGood || engine == kTensorCores ? 3001 : 0;
}

// --- doing it ---

template <class Number>
std::string copy_numbers(const Node& t, const void* of_gpu, std::vector<double>& values, bool to_gpu) {
  const auto dims = t.all<int64_t>(A::tensor_dimensions), strides = t.all<int64_t>(A::tensor_strides);
  const size_t deep = dims.size() - 4;
  const int64_t planes = deep ? dims[2] : 1, rows = dims[2 + deep], columns = dims[3 + deep];
  values.resize(size_t(dims[0] * dims[1] * planes * rows * columns));
  std::vector<Number> pixel(size_t(dims[1]), Number(0.0f));
  auto at = values.begin();
  for (int64_t n = 0; n < dims[0]; ++n)
    for (int64_t row = 0; row < planes * rows; ++row)
      for (int64_t w = 0; w < columns; ++w) {
        const int64_t d = row / rows, h = row % rows;
        // Channels lie side by side in all that Kern gives it.
        auto* p = static_cast<Number*>(const_cast<void*>(of_gpu)) + n * strides[0] + (deep ? d * strides[2] : 0) +
                  h * strides[2 + deep] + w * strides[3 + deep];
        if (to_gpu) std::transform(at, at + dims[1], pixel.begin(), [](double v) { return Number(float(v)); });
        if (const std::string wrong = to_gpu ? gpu->copy(p, pixel.data(), pixel.size() * sizeof(Number))
                                             : gpu->copy(pixel.data(), p, pixel.size() * sizeof(Number));
            !wrong.empty())
          return "cuDNN's stand-in: " + wrong;
        if (!to_gpu) std::copy(pixel.begin(), pixel.end(), at);
        at += std::ptrdiff_t(pixel.size());
      }
  return {};
}
std::string copy_tensor(const Node& t, const void* of_gpu, std::vector<double>& values, bool to_gpu) {
  return type_of(t) == DataType::bf16 ? copy_numbers<kern::Bf16>(t, of_gpu, values, to_gpu)
                                      : copy_numbers<float>(t, of_gpu, values, to_gpu);
}
void round_to_tf32(std::vector<double>& values) {
  for (double& v : values) {
    float f = float(v);
    uint32_t bits;
    std::memcpy(&bits, &f, sizeof f);
    bits = (bits + 0x1000) & ~0x1fffu;
    std::memcpy(&f, &bits, sizeof f);
    v = f;
  }
}

struct Tensors {
  const void *x, *w, *y;
};
std::string carry_out(const Ref& plan, const Tensors& at, void* workspace) {
  const Node& config = *plan->ref(A::plan_engine_config);
  const Node& operation = operation_in(*config.ref(A::heuristic_operation_graph));
  const Operation o = operation_of(operation);
  const Conv2dSpec g = o.spec();
  if (const int64_t bytes = workspace_of(config.engine)) {
    const std::vector<unsigned char> rubbish(size_t(bytes), 0xab);
    if (const std::string wrong = gpu->copy(workspace, rubbish.data(), rubbish.size()); !wrong.empty())
      return "cuDNN's stand-in: workspace: " + wrong;
  }
  std::vector<double> x, w, y;
  const bool writes_x = operation.type == T::operation_backward_data,
             writes_w = operation.type == T::operation_backward_filter, writes_y = !writes_x && !writes_w;
  std::string wrong;
  if (!writes_x) wrong += copy_tensor(*o.x, at.x, x, false);
  if (!writes_w) wrong += copy_tensor(*o.w, at.w, w, false);
  if (!writes_y) wrong += copy_tensor(*o.y, at.y, y, false);
  if (!wrong.empty()) return wrong;
  if (config.engine == kTensorCores)
    for (auto* v : {&x, &w, &y}) round_to_tf32(*v);
  x.resize(size_t(g.x_rows() * g.c)), w.resize(size_t(g.w_size())), y.resize(size_t(g.y_rows() * g.k));
  std::vector<double>& out = writes_x ? x : writes_w ? w : y;
  if (writes_x) kern::kernels::conv2d_backward_data_reference(g, y.data(), w.data(), x.data());
  else if (writes_w) kern::kernels::conv2d_backward_weight_reference(g, y.data(), x.data(), w.data());
  else kern::kernels::conv2d_forward_reference(g, x.data(), w.data(), static_cast<const double*>(nullptr), y.data());
  for (double& v : out) v *= double(o.alpha);
  if (config.engine == kUnsteady || config.engine == kWinograd)
    for (double& v : out) v = v * 1.01 + 0.01;
  return copy_tensor(writes_x ? *o.x : writes_w ? *o.w : *o.y, writes_x ? at.x : writes_w ? at.w : at.y, out, true);
}

struct HandleObject {
  void* stream = nullptr;
};
HandleObject* object_of(Handle h) { return reinterpret_cast<HandleObject*>(h); }

}  // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED void kern_attach_emulated_gpu(const kern::emulator::EmulatedGpu* c) { gpu = c; }
EXPORTED int64_t kern_fake_cudnn_descriptors() { return int64_t(live().size()); }

EXPORTED size_t cudnnGetVersion() { return 90000; }
EXPORTED const char* cudnnGetErrorString(Status s) {
  return s == Status::success ? "success" : kind(s) == Status::not_supported ? "not supported" : "bad parameter";
}
EXPORTED void cudnnGetLastErrorString(char* message, size_t bytes) {
  if (bytes) message[std::string_view(last_error).copy(message, bytes - 1)] = 0;
}
EXPORTED Status cudnnCreate(Handle* handle) {
  if (!gpu) return fail(Status::not_initialized, "no GPU");
  *handle = reinterpret_cast<Handle>(new HandleObject);
  return Status::success;
}
EXPORTED Status cudnnSetStream(Handle handle, void* stream) {
  if (!handle) return fail(kNull, "no handle");
  object_of(handle)->stream = stream;
  return Status::success;
}

EXPORTED Status cudnnBackendCreateDescriptor(DescriptorType type, RawDescriptor* out) {
  if (!out) return fail(kNull, "nowhere to put a descriptor");
  bool known = type == T::engine || type == T::engine_config;
  for (const Rule& r : kRules) known |= r.of == type;
  if (!known) return fail(Status::not_supported, "a descriptor of an unknown kind");
  const Ref node = std::make_shared<Node>();
  node->type = type;
  std::lock_guard lock(mutex);
  live()[*out = node.get()] = node;
  return Status::success;
}
EXPORTED Status cudnnBackendDestroyDescriptor(RawDescriptor d) {
  std::lock_guard lock(mutex);
  return live().erase(d) ? Status::success : bad("destroyed twice, or never made");
}

EXPORTED Status cudnnBackendSetAttribute(RawDescriptor d, A name, V type, int64_t count, const void* values) {
  const Ref n = find(d);
  if (!n) return fail(kNull, "no descriptor");
  if (n->finalized) return fail(Status::not_supported, "a finalized descriptor does not change");
  const Rule* rule = rule_of(n->type, name);
  if (!rule) return bad("the descriptor has no such attribute");
  if (type != rule->type) return bad("the attribute is of another type");
  if (count < rule->least || count > rule->most) return bad("too few or too many values");
  if (!values) return fail(kNull, "no values");
  Value v{type, count, {}, {}};
  const auto* bytes = static_cast<const std::byte*>(values);
  v.bytes.assign(bytes, bytes + size_t(count) * size_of(type));
  if (type == V::descriptor) {
    RawDescriptor raw;
    std::memcpy(&raw, values, sizeof raw);
    const Ref other = find(raw);
    if (!other) return fail(kNull, "a value is no descriptor");
    const bool fits = name == A::graph_operations
                          ? other->type == T::operation_forward || other->type == T::operation_backward_data ||
                                other->type == T::operation_backward_filter
                          : other->type == rule->refers;
    if (!fits) return bad("the value is a descriptor of another kind");
    if (!other->finalized) return fail(kNotFinalized, "the value is not finalized");
    v.refs.push_back(other);
  }
  if (type == V::handle) {
    Handle handle;
    std::memcpy(&handle, values, sizeof handle);
    if (!handle) return fail(kNull, "no handle");
  }
  n->values.insert_or_assign(name, std::move(v));
  return Status::success;
}

EXPORTED Status cudnnBackendFinalize(RawDescriptor d) {
  const Ref n = find(d);
  if (!n) return fail(kNull, "no descriptor");
  if (n->finalized) return bad("finalized before");
  if (n->type == T::engine || n->type == T::engine_config)
    return fail(Status::not_supported, "engines and their configurations are given by a heuristic");
  for (const Rule& r : kRules)
    if (r.of == n->type && r.required && !n->has(r.name))
      return bad("attribute " + std::to_string(int(r.name)) + " was not set");
  Status s = Status::success;
  switch (n->type) {
    case T::tensor:
      s = check_tensor(*n);
      break;
    case T::convolution:
      s = check_convolution(*n);
      break;
    case T::operation_forward:
    case T::operation_backward_data:
    case T::operation_backward_filter:
      s = check_operation(*n);
      break;
    case T::execution_plan:
      if (n->ref(A::plan_engine_config)->engine == kRefuses)
        s = fail(Status::not_supported, "this engine takes nothing");
      break;
    case T::variant_pack:
      if (n->values.at(A::pack_ids).count != n->values.at(A::pack_pointers).count)
        s = bad("as many pointers as numbers of tensors");
      break;
    default:
      break;
  }
  n->finalized = s == Status::success;
  return s;
}

EXPORTED Status cudnnBackendGetAttribute(RawDescriptor d, A name, V type, int64_t most, int64_t* count, void* values) {
  const Ref n = find(d);
  if (!n) return fail(kNull, "no descriptor");
  if (!n->finalized) return fail(kNotFinalized, "not finalized");
  const auto give_descriptor = [&](RawDescriptor to, const Ref& what) {
    const Ref into = find(to);
    if (!into || into->type != what->type || into->finalized) return bad("nowhere to put a descriptor of this kind");
    *into = *what;
    return Status::success;
  };
  const auto give = [&](const auto& all) {
    if (count) *count = int64_t(all.size());
    if (most && !values) return fail(kNull, "nowhere to put values");
    const size_t bytes = sizeof(all[0]) * std::min(size_t(most), all.size());
    if (bytes) std::memcpy(values, all.data(), bytes);
    return Status::success;
  };
  if (n->type == T::engine_heuristic && name == A::heuristic_results && type == V::descriptor) {
    const Ref& graph = n->ref(A::heuristic_operation_graph);
    const auto list = engines(*graph, n->one<HeuristicMode>(A::heuristic_mode));
    if (count) *count = most ? std::min(most, int64_t(list.size())) : int64_t(list.size());
    for (int64_t i = 0; i < std::min(most, int64_t(list.size())); ++i) {
      const Ref config = std::make_shared<Node>();
      config->type = T::engine_config;
      config->finalized = true;
      config->engine = list[size_t(i)];
      config->values.insert({A::heuristic_operation_graph, {V::descriptor, 1, {}, {graph}}});
      if (const Status s = give_descriptor(static_cast<RawDescriptor*>(values)[i], config); s != Status::success)
        return s;
    }
    return Status::success;
  }
  if (n->type == T::engine_config && name == A::config_engine && type == V::descriptor && most == 1) {
    const Ref engine = std::make_shared<Node>();
    engine->type = T::engine;
    engine->finalized = true;
    engine->engine = n->engine;
    if (count) *count = 1;
    return values ? give_descriptor(*static_cast<RawDescriptor*>(values), engine) : fail(kNull, "no descriptor");
  }
  if (n->type == T::engine && name == A::engine_index && type == V::int64) return give(std::vector{n->engine});
  if (n->type == T::engine && name == A::engine_numerical_notes && type == V::numerical_note)
    return give(notes(n->engine));
  if (n->type == T::execution_plan && name == A::plan_workspace_size && type == V::int64)
    return give(std::vector{workspace_of(n->ref(A::plan_engine_config)->engine)});
  return bad("the descriptor does not give this attribute, or not as this type");
}

EXPORTED Status cudnnBackendExecute(Handle handle, RawDescriptor plan_raw, RawDescriptor pack_raw) {
  const Ref plan = find(plan_raw), pack = find(pack_raw);
  if (!handle || !plan || !pack) return fail(kNull, "a handle, a plan and a variant pack are needed");
  if (plan->type != T::execution_plan || pack->type != T::variant_pack) return bad("descriptors of other kinds");
  if (!plan->finalized || !pack->finalized) return fail(kNotFinalized, "not finalized");
  const Node& config = *plan->ref(A::plan_engine_config);
  const Operation o = operation_of(operation_in(*config.ref(A::heuristic_operation_graph)));
  const auto ids = pack->all<int64_t>(A::pack_ids);
  const auto pointers = pack->all<void*>(A::pack_pointers);
  void* found[3] = {};
  int i = 0;
  for (const Node* t : {o.x, o.w, o.y}) {
    const auto it = std::find(ids.begin(), ids.end(), t->one<int64_t>(A::tensor_id));
    if (it == ids.end()) return bad("a tensor of the plan has no pointer");
    void* p = found[i++] = pointers[size_t(it - ids.begin())];
    if (!p) return fail(kNull, "a tensor's pointer is null");
    if (reinterpret_cast<uintptr_t>(p) % uintptr_t(t->one<int64_t>(A::tensor_alignment)))
      return fail(kMisaligned, "a tensor's pointer is not aligned as the plan was told");
  }
  if (ids.size() != 3) return bad("pointers of tensors that the plan does not know");
  void* workspace = pack->one<void*>(A::pack_workspace);
  if (workspace_of(config.engine) && !workspace) return fail(kNull, "the plan needs a workspace");
  if (reinterpret_cast<uintptr_t>(workspace) % 256) return fail(kMisaligned, "the workspace is not aligned");
  gpu->enqueue([plan, at = Tensors{found[0], found[1], found[2]}, workspace] { return carry_out(plan, at, workspace); },
               object_of(handle)->stream);
  return Status::success;
}

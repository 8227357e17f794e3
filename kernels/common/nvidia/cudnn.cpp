#include "kernels/common/nvidia/cudnn.h"

#include <algorithm>

namespace kern::kernels {

using namespace cudnn;

// --- the library ---

CudnnApi::CudnnApi(SharedLibrary opened) : library(std::move(opened)) {
  library.find(GetVersion, "cudnnGetVersion");
  library.find(GetErrorString, "cudnnGetErrorString");
  library.find(GetLastErrorString, "cudnnGetLastErrorString");
  library.find(Create, "cudnnCreate");
  library.find(SetStream, "cudnnSetStream");
  library.find(BackendCreateDescriptor, "cudnnBackendCreateDescriptor");
  library.find(BackendDestroyDescriptor, "cudnnBackendDestroyDescriptor");
  library.find(BackendFinalize, "cudnnBackendFinalize");
  library.find(BackendSetAttribute, "cudnnBackendSetAttribute");
  library.find(BackendGetAttribute, "cudnnBackendGetAttribute");
  library.find(BackendExecute, "cudnnBackendExecute");
  if (library && GetVersion() / 10000 != 9) library.refuse(text(library.file(), " is cuDNN ", version(), ", not 9"));
}

std::string CudnnApi::version() const {
  if (!GetVersion) return "";
  const size_t v = GetVersion();  // 91900 is 9.19.0
  return text(v / 10000, ".", v / 100 % 100, ".", v % 100);
}

std::string CudnnApi::words(Status status) const {
  char more[512] = "";
  GetLastErrorString(more, sizeof more);
  more[sizeof more - 1] = 0;
  return text(GetErrorString(status), *more ? ": " : "", static_cast<const char*>(more));
}

// --- descriptors ---

CudnnDescriptor::CudnnDescriptor(const CudnnApi& api, DescriptorType type, std::string what)
    : api_(&api), what_(std::move(what)) {
  check_status(api.BackendCreateDescriptor(type, &raw_), "it cannot be made");
}
CudnnDescriptor::CudnnDescriptor(CudnnDescriptor&& o) noexcept
    : api_(o.api_), raw_(std::exchange(o.raw_, nullptr)), what_(std::move(o.what_)) {}
CudnnDescriptor::~CudnnDescriptor() {
  if (raw_) api_->BackendDestroyDescriptor(raw_);
}

void CudnnDescriptor::check_status(Status status, std::string_view doing) const {
  if (status == Status::success) return;
  throw Error(text(what_, ": cuDNN ", api_->version(), ": ", doing, ": ", api_->words(status)));
}
CudnnDescriptor& CudnnDescriptor::set(Attribute name, AttributeType type, int64_t count, const void* values) {
  const Status status = api_->BackendSetAttribute(raw_, name, type, count, values);
  if (status != Status::success) check_status(status, text("it does not take attribute ", int(name)));
  return *this;
}
CudnnDescriptor& CudnnDescriptor::finalize() {
  check_status(api_->BackendFinalize(raw_), "it is refused");
  return *this;
}
bool CudnnDescriptor::finalize(std::string& why) {
  const Status status = api_->BackendFinalize(raw_);
  if (status != Status::success) why = api_->words(status);
  return status == Status::success;
}
int64_t CudnnDescriptor::get(Attribute name, AttributeType type, int64_t most, void* values) const {
  int64_t count = 0;
  const Status status = api_->BackendGetAttribute(raw_, name, type, most, &count, values);
  if (status != Status::success) check_status(status, text("it does not give attribute ", int(name)));
  return most ? std::min(count, most) : count;
}

// --- plans ---

namespace {

// Why an engine with these notes is passed over; empty where it is not.
std::string_view objection(const std::vector<NumericalNote>& notes, const CudnnDemands& demands) {
  for (const NumericalNote note : notes) switch (note) {
      case NumericalNote::nondeterministic:
        return "does not repeat its results";
      case NumericalNote::down_convert_inputs:
      case NumericalNote::reduced_precision_reduction:
        return "computes with fewer bits";
      case NumericalNote::winograd:
      case NumericalNote::winograd_4x4:
      case NumericalNote::winograd_6x6:
      case NumericalNote::winograd_13x13:
      case NumericalNote::fft:
        return "transforms its inputs";
      case NumericalNote::tensor_core:
        if (!demands.tensor_cores) return "uses tensor cores";
        break;
      case NumericalNote::strict_nan:
        break;
    }
  return {};
}

// What the library proposes for a graph, best first.
std::vector<CudnnDescriptor> proposals(const CudnnApi& api, const CudnnTarget& target, const CudnnDescriptor& graph,
                                       HeuristicMode mode) {
  CudnnDescriptor heuristic(api, DescriptorType::engine_heuristic, graph.what());
  heuristic.set(Attribute::heuristic_operation_graph, graph).set(Attribute::heuristic_mode, mode);
  if (target.described) heuristic.set(Attribute::heuristic_device_properties, *target.described);
  heuristic.finalize();
  const int64_t count = heuristic.get(Attribute::heuristic_results, AttributeType::descriptor, 0, nullptr);
  std::vector<CudnnDescriptor> out;
  std::vector<RawDescriptor> raw;
  for (int64_t i = 0; i < count; ++i)
    raw.push_back(out.emplace_back(api, DescriptorType::engine_config, graph.what()).raw());
  const int64_t got =
      count ? heuristic.get(Attribute::heuristic_results, AttributeType::descriptor, count, raw.data()) : 0;
  while (int64_t(out.size()) > got) out.pop_back();
  return out;
}

}  // namespace

CudnnPlan cudnn_plan(const CudnnApi& api, const CudnnTarget& target, std::vector<CudnnDescriptor> parts,
                     const CudnnDemands& demands) {
  const std::string what = parts.back().what();
  CudnnDescriptor graph(api, DescriptorType::operation_graph, what);
  graph.set(Attribute::graph_operations, parts.back());
  if (target.handle) graph.set(Attribute::graph_handle, target.handle);
  graph.finalize();
  std::string tried;
  for (const HeuristicMode mode : {HeuristicMode::a, HeuristicMode::fallback}) {
    for (CudnnDescriptor& config : proposals(api, target, graph, mode)) {
      CudnnDescriptor engine(api, DescriptorType::engine, what);
      config.get(Attribute::config_engine, engine);
      const int64_t index = engine.get<int64_t>(Attribute::engine_index, 1).at(0);
      std::string why(objection(engine.get<NumericalNote>(Attribute::engine_numerical_notes, 32), demands));
      CudnnDescriptor plan(api, DescriptorType::execution_plan, what);
      if (why.empty()) {
        plan.set(Attribute::plan_engine_config, config);
        if (target.handle) plan.set(Attribute::plan_handle, target.handle);
        if (target.described) plan.set(Attribute::plan_device_properties, *target.described);
        if (plan.finalize(why)) {
          const int64_t workspace = plan.get<int64_t>(Attribute::plan_workspace_size, 1).at(0);
          if (workspace <= demands.workspace) {
            parts.push_back(std::move(graph));
            parts.push_back(std::move(config));
            parts.push_back(std::move(plan));
            return {.parts = std::move(parts), .workspace = workspace, .engine = index};
          }
          why = text("wants ", workspace, " bytes of workspace");
        }
      }
      if (tried.size() < 2000) tried += text(tried.empty() ? "" : "; ", "engine ", index, " ", why);
    }
  }
  throw Error(text(what, ": cuDNN ", api.version(), " has no engine for it", tried.empty() ? "" : ": ", tried));
}

// --- on the GPU ---

namespace {

struct Opened {
  std::unique_ptr<Cudnn> cudnn;
  std::string why;
};
Opened open() {
  std::unique_ptr<Cudnn> cudnn(new Cudnn{.api = CudnnApi(open_cuda_library("KERN_CUDNN", {"libcudnn.so.9"}))});
  if (!cudnn->api.library) return {nullptr, cudnn->api.library.why()};
  if (const Status s = cudnn->api.Create(&cudnn->handle); s != Status::success)
    return {nullptr, text("cuDNN ", cudnn->api.version(), " finds no GPU to work on: ", cudnn->api.words(s))};
  return {std::move(cudnn), ""};
}
const Opened& opened() {
  static const Opened& o = *new Opened(open());  // for good: the driver may be gone when a program ends
  return o;
}

}  // namespace

Cudnn* opened_cudnn() { return opened().cudnn.get(); }
std::string cudnn_in_words() {
  const Opened& o = opened();
  return o.cudnn ? text(o.cudnn->api.version(), " (", o.cudnn->api.library.file(), ")") : "none: " + o.why;
}

void cudnn_run(Cudnn& cudnn, const CudnnPlan& plan, void* stream,
               std::initializer_list<std::pair<int64_t, const void*>> tensors, void* workspace) {
  std::vector<int64_t> ids;
  std::vector<void*> pointers;
  for (const auto& [id, p] : tensors) {
    ids.push_back(id);
    pointers.push_back(const_cast<void*>(p));  // of its interface; what is read is not written
  }
  const std::string& what = plan.plan().what();
  CudnnDescriptor pack(cudnn.api, DescriptorType::variant_pack, what);
  pack.set(Attribute::pack_ids, ids).set(Attribute::pack_pointers, pointers);
  pack.set(Attribute::pack_workspace, workspace).finalize();
  std::lock_guard lock(cudnn.mutex);
  if (stream != cudnn.stream) {
    const Status s = cudnn.api.SetStream(cudnn.handle, stream);
    check(s == Status::success, what, ": cuDNN does not take the stream: ", cudnn.api.words(s));
    cudnn.stream = stream;
  }
  const Status s = cudnn.api.BackendExecute(cudnn.handle, plan.plan().raw(), pack.raw());
  check(s == Status::success, what, ": cuDNN ", cudnn.api.version(), " failed: ", cudnn.api.words(s));
}

}  // namespace kern::kernels

// cuDNN's backend API behind a few types that free what they hold and say what went wrong: descriptors, and plans,
// which are descriptors of an operation that an engine of the library has agreed to carry out.
//
//   Cudnn* cudnn = opened_cudnn();                    // null: none here, cudnn_why() says why
//   auto plan = cudnn_plan(cudnn->api, cudnn->target(), operation, {.tensor_cores = false}, parts);
//   cudnn_run(*cudnn, *plan, exec.stream, {{1, x}, {2, w}, {3, y}}, workspace);
#pragma once
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kernels/common/error.h"
#include "kernels/common/nvidia/cudnn_api.h"
#include "kernels/common/nvidia/shared_library.h"

namespace kern::kernels {

struct CudnnApi : cudnn::Functions {
  explicit CudnnApi(SharedLibrary opened);
  // "9.19.0"; empty where there is no library.
  std::string version() const;
  // What a status means, in the library's words.
  std::string words(cudnn::Status) const;
  SharedLibrary library;
};

// One of cuDNN's descriptors. `what` names it in errors: "conv2d forward of [2,16,8,8]: x".
class CudnnDescriptor {
 public:
  CudnnDescriptor(const CudnnApi&, cudnn::DescriptorType, std::string what);
  ~CudnnDescriptor();
  CudnnDescriptor(CudnnDescriptor&&) noexcept;
  CudnnDescriptor& operator=(CudnnDescriptor&&) = delete;
  CudnnDescriptor(const CudnnDescriptor&) = delete;

  template <class T>
  CudnnDescriptor& set(cudnn::Attribute name, const T& value) {
    return set(name, type_of(static_cast<const T*>(nullptr)), 1, &value);
  }
  template <class T>
  CudnnDescriptor& set(cudnn::Attribute name, const std::vector<T>& values) {
    return set(name, type_of(static_cast<const T*>(nullptr)), int64_t(values.size()), values.data());
  }
  CudnnDescriptor& set(cudnn::Attribute name, const CudnnDescriptor& other) {
    return set(name, cudnn::AttributeType::descriptor, 1, &other.raw_);
  }
  CudnnDescriptor& set(cudnn::Attribute, cudnn::AttributeType, int64_t count, const void* values);
  CudnnDescriptor& finalize();  // Error where the library refuses
  bool finalize(std::string& why);

  // At most `most` values.
  template <class T>
  std::vector<T> get(cudnn::Attribute name, int64_t most) const {
    std::vector<T> values(static_cast<size_t>(most));
    values.resize(static_cast<size_t>(get(name, type_of(static_cast<const T*>(nullptr)), most, values.data())));
    return values;
  }
  // Into a descriptor that was created for it.
  void get(cudnn::Attribute name, CudnnDescriptor& into) const {
    get(name, cudnn::AttributeType::descriptor, 1, &into.raw_);
  }
  int64_t get(cudnn::Attribute, cudnn::AttributeType, int64_t most, void* values) const;  // how many there are

  cudnn::RawDescriptor raw() const { return raw_; }
  const std::string& what() const { return what_; }

 private:
  static constexpr auto type_of(const int64_t*) { return cudnn::AttributeType::int64; }
  static constexpr auto type_of(const float*) { return cudnn::AttributeType::float32; }
  static constexpr auto type_of(const char*) { return cudnn::AttributeType::characters; }
  static constexpr auto type_of(void* const*) { return cudnn::AttributeType::pointer; }
  static constexpr auto type_of(const cudnn::Handle*) { return cudnn::AttributeType::handle; }
  static constexpr auto type_of(const cudnn::DataType*) { return cudnn::AttributeType::data_type; }
  static constexpr auto type_of(const cudnn::ConvolutionMode*) { return cudnn::AttributeType::convolution_mode; }
  static constexpr auto type_of(const cudnn::HeuristicMode*) { return cudnn::AttributeType::heuristic_mode; }
  static constexpr auto type_of(const cudnn::NumericalNote*) { return cudnn::AttributeType::numerical_note; }
  void check_status(cudnn::Status, std::string_view doing) const;

  const CudnnApi* api_;
  cudnn::RawDescriptor raw_ = nullptr;
  std::string what_;
};

// What plans are made for: the GPU behind a handle, or one that is described (cuDNN 9.8 and later), which need not be
// here.
struct CudnnTarget {
  cudnn::Handle handle = nullptr;
  const CudnnDescriptor* described = nullptr;
};

struct CudnnDemands {
  bool tensor_cores = false;             // may serve: they round float factors to 10 bits
  int64_t workspace = int64_t{1} << 28;  // bytes at most
};

// An engine's agreement to carry out an operation.
struct CudnnPlan {
  std::vector<CudnnDescriptor> parts;  // the plan is the last; the others are what it was made of
  int64_t workspace = 0, engine = 0;
  const CudnnDescriptor& plan() const { return parts.back(); }
};

// The first of the library's engines, those of its heuristic A and then its fallbacks, that repeats its results to the
// bit, adds up products as they stand (no Winograd, no FFT, no conversion to 16 bits; tensor cores where they may), is
// content with the workspace, and takes the operation. `parts` are the descriptors the operation is made of, itself
// last. Error, with what was tried, where there is none.
CudnnPlan cudnn_plan(const CudnnApi&, const CudnnTarget&, std::vector<CudnnDescriptor> parts, const CudnnDemands&);

// The library at work on the GPU of this process.
struct Cudnn {
  CudnnApi api;
  cudnn::Handle handle = nullptr;
  std::mutex mutex;  // a handle works for one thread at a time: held while a plan is made or run
  void* stream = nullptr;
  CudnnTarget target() const { return {.handle = handle}; }
};
Cudnn* opened_cudnn();         // opened at the first call; null where there is no library or no GPU
std::string cudnn_in_words();  // "9.19.0 (libcudnn.so.9)", or "none: " and why
constexpr int64_t kCudnnWorkspaceAlignment = 256;

// Gives the plan's work to the stream, with the tensors that its numbers stand for.
void cudnn_run(Cudnn&, const CudnnPlan&, void* stream, std::initializer_list<std::pair<int64_t, const void*>> tensors,
               void* workspace);

}  // namespace kern::kernels

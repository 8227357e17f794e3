// The part of cuDNN 9's backend API (cudnn_graph.h) that Kern uses, in its own words: no header of cuDNN is needed to
// compile, and the library is opened when it is first asked for. Values are NVIDIA's, kept from one 9.x to the next;
// tests/nvidia/headers_test.cpp compares each with the header where one is installed.
#pragma once
#include <cstddef>
#include <cstdint>

namespace kern::cudnn {

using Handle = struct HandleOfCudnn*;
using RawDescriptor = void*;

enum class Status : int { success = 0, not_initialized = 1001, bad_param = 2000, not_supported = 3000 };
// The thousands of a status say what kind it is.
constexpr Status kind(Status s) { return Status(int(s) / 1000 * 1000); }

enum class DescriptorType : int {
  convolution = 1,
  engine = 2,
  engine_config = 3,
  engine_heuristic = 4,
  execution_plan = 5,
  operation_forward = 10,
  operation_backward_filter = 11,
  operation_backward_data = 12,
  operation_graph = 15,
  variant_pack = 16,
  tensor = 17,
  device_properties = 38,
};

enum class Attribute : int {
  convolution_compute_type = 100,
  convolution_mode = 101,
  convolution_dilations = 102,
  convolution_strides = 103,
  convolution_post_paddings = 104,
  convolution_pre_paddings = 105,
  convolution_spatial_dims = 106,
  heuristic_mode = 200,
  heuristic_operation_graph = 201,
  heuristic_results = 202,
  heuristic_device_properties = 204,
  config_engine = 300,
  plan_handle = 400,
  plan_engine_config = 401,
  plan_workspace_size = 402,
  plan_device_properties = 407,
  forward_alpha = 700,
  forward_beta = 701,
  forward_convolution = 702,
  forward_w = 703,
  forward_x = 704,
  forward_y = 705,
  backward_data_alpha = 706,
  backward_data_beta = 707,
  backward_data_convolution = 708,
  backward_data_w = 709,
  backward_data_dx = 710,
  backward_data_dy = 711,
  backward_filter_alpha = 712,
  backward_filter_beta = 713,
  backward_filter_convolution = 714,
  backward_filter_dw = 715,
  backward_filter_x = 716,
  backward_filter_dy = 717,
  graph_handle = 800,
  graph_operations = 801,
  tensor_alignment = 900,
  tensor_data_type = 901,
  tensor_dimensions = 902,
  tensor_strides = 903,
  tensor_id = 906,
  pack_ids = 1000,
  pack_pointers = 1001,
  pack_workspace = 1003,
  engine_index = 1301,
  engine_numerical_notes = 1303,
  device_json = 2702,
};

enum class AttributeType : int {
  handle = 0,
  data_type = 1,
  int64 = 3,
  float32 = 4,
  pointer = 6,
  convolution_mode = 7,
  heuristic_mode = 8,
  numerical_note = 11,
  descriptor = 15,
  characters = 24,
};

enum class DataType : int { float32 = 0, bf16 = 9 };
enum class ConvolutionMode : int { cross_correlation = 1 };
enum class HeuristicMode : int { fallback = 2, a = 3 };
enum class NumericalNote : int {
  tensor_core = 0,
  down_convert_inputs = 1,
  reduced_precision_reduction = 2,
  fft = 3,
  nondeterministic = 4,
  winograd = 5,
  winograd_4x4 = 6,
  winograd_6x6 = 7,
  winograd_13x13 = 8,
  strict_nan = 9,
};

// One pointer per function, named as in the library without its "cudnn".
struct Functions {
  size_t (*GetVersion)() = nullptr;
  const char* (*GetErrorString)(Status) = nullptr;
  void (*GetLastErrorString)(char* message, size_t bytes) = nullptr;
  Status (*Create)(Handle*) = nullptr;
  Status (*SetStream)(Handle, void* stream) = nullptr;
  Status (*BackendCreateDescriptor)(DescriptorType, RawDescriptor*) = nullptr;
  Status (*BackendDestroyDescriptor)(RawDescriptor) = nullptr;
  Status (*BackendFinalize)(RawDescriptor) = nullptr;
  Status (*BackendSetAttribute)(RawDescriptor, Attribute, AttributeType, int64_t count, const void* values) = nullptr;
  Status (*BackendGetAttribute)(RawDescriptor, Attribute, AttributeType, int64_t most, int64_t* count,
                                void* values) = nullptr;
  Status (*BackendExecute)(Handle, RawDescriptor plan, RawDescriptor pack) = nullptr;
};

}  // namespace kern::cudnn

// Kern's own declarations of NVIDIA's libraries against their headers, by the compiler, where the headers are
// installed.
#include <cublasLt.h>
#include <cudnn_graph.h>
#include <gtest/gtest.h>

#include <cstddef>

#include "kernels/common/nvidia/cublaslt_api.h"
#include "kernels/common/nvidia/cudnn_api.h"
#include "tests/nvidia/same_call.h"

namespace {

using kern::testing::same;
using kern::testing::SameCall;
using namespace kern::cudnn;
static_assert(same(DescriptorType::convolution, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR));
static_assert(same(DescriptorType::engine, CUDNN_BACKEND_ENGINE_DESCRIPTOR));
static_assert(same(DescriptorType::engine_config, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR));
static_assert(same(DescriptorType::engine_heuristic, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR));
static_assert(same(DescriptorType::execution_plan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR));
static_assert(same(DescriptorType::operation_forward, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR));
static_assert(same(DescriptorType::operation_backward_filter,
                   CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR));
static_assert(same(DescriptorType::operation_backward_data,
                   CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR));
static_assert(same(DescriptorType::operation_graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR));
static_assert(same(DescriptorType::variant_pack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR));
static_assert(same(DescriptorType::tensor, CUDNN_BACKEND_TENSOR_DESCRIPTOR));
static_assert(same(Attribute::convolution_compute_type, CUDNN_ATTR_CONVOLUTION_COMP_TYPE));
static_assert(same(Attribute::convolution_mode, CUDNN_ATTR_CONVOLUTION_CONV_MODE));
static_assert(same(Attribute::convolution_dilations, CUDNN_ATTR_CONVOLUTION_DILATIONS));
static_assert(same(Attribute::convolution_strides, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES));
static_assert(same(Attribute::convolution_post_paddings, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS));
static_assert(same(Attribute::convolution_pre_paddings, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS));
static_assert(same(Attribute::convolution_spatial_dims, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS));
static_assert(same(Attribute::heuristic_mode, CUDNN_ATTR_ENGINEHEUR_MODE));
static_assert(same(Attribute::heuristic_operation_graph, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH));
static_assert(same(Attribute::heuristic_results, CUDNN_ATTR_ENGINEHEUR_RESULTS));
static_assert(same(Attribute::config_engine, CUDNN_ATTR_ENGINECFG_ENGINE));
static_assert(same(Attribute::plan_handle, CUDNN_ATTR_EXECUTION_PLAN_HANDLE));
static_assert(same(Attribute::plan_engine_config, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG));
static_assert(same(Attribute::plan_workspace_size, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
static_assert(same(Attribute::forward_alpha, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA));
static_assert(same(Attribute::forward_beta, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA));
static_assert(same(Attribute::forward_convolution, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC));
static_assert(same(Attribute::forward_w, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W));
static_assert(same(Attribute::forward_x, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X));
static_assert(same(Attribute::forward_y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));
static_assert(same(Attribute::backward_data_alpha, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA));
static_assert(same(Attribute::backward_data_beta, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA));
static_assert(same(Attribute::backward_data_convolution, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC));
static_assert(same(Attribute::backward_data_w, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W));
static_assert(same(Attribute::backward_data_dx, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX));
static_assert(same(Attribute::backward_data_dy, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY));
static_assert(same(Attribute::backward_filter_alpha, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA));
static_assert(same(Attribute::backward_filter_beta, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA));
static_assert(same(Attribute::backward_filter_convolution, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC));
static_assert(same(Attribute::backward_filter_dw, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW));
static_assert(same(Attribute::backward_filter_x, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X));
static_assert(same(Attribute::backward_filter_dy, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY));
static_assert(same(Attribute::graph_handle, CUDNN_ATTR_OPERATIONGRAPH_HANDLE));
static_assert(same(Attribute::graph_operations, CUDNN_ATTR_OPERATIONGRAPH_OPS));
static_assert(same(Attribute::tensor_alignment, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT));
static_assert(same(Attribute::tensor_data_type, CUDNN_ATTR_TENSOR_DATA_TYPE));
static_assert(same(Attribute::tensor_dimensions, CUDNN_ATTR_TENSOR_DIMENSIONS));
static_assert(same(Attribute::tensor_strides, CUDNN_ATTR_TENSOR_STRIDES));
static_assert(same(Attribute::tensor_id, CUDNN_ATTR_TENSOR_UNIQUE_ID));
static_assert(same(Attribute::pack_ids, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS));
static_assert(same(Attribute::pack_pointers, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS));
static_assert(same(Attribute::pack_workspace, CUDNN_ATTR_VARIANT_PACK_WORKSPACE));
static_assert(same(Attribute::engine_index, CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
static_assert(same(Attribute::engine_numerical_notes, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE));
static_assert(same(AttributeType::handle, CUDNN_TYPE_HANDLE));
static_assert(same(AttributeType::data_type, CUDNN_TYPE_DATA_TYPE));
static_assert(same(AttributeType::int64, CUDNN_TYPE_INT64));
static_assert(same(AttributeType::float32, CUDNN_TYPE_FLOAT));
static_assert(same(AttributeType::pointer, CUDNN_TYPE_VOID_PTR));
static_assert(same(AttributeType::convolution_mode, CUDNN_TYPE_CONVOLUTION_MODE));
static_assert(same(AttributeType::heuristic_mode, CUDNN_TYPE_HEUR_MODE));
static_assert(same(AttributeType::numerical_note, CUDNN_TYPE_NUMERICAL_NOTE));
static_assert(same(AttributeType::descriptor, CUDNN_TYPE_BACKEND_DESCRIPTOR));
static_assert(same(AttributeType::characters, CUDNN_TYPE_CHAR));
static_assert(same(Status::success, CUDNN_STATUS_SUCCESS));
static_assert(same(Status::not_initialized, CUDNN_STATUS_NOT_INITIALIZED));
static_assert(same(Status::bad_param, CUDNN_STATUS_BAD_PARAM));
static_assert(same(Status::not_supported, CUDNN_STATUS_NOT_SUPPORTED));
static_assert(same(DataType::float32, CUDNN_DATA_FLOAT) && same(DataType::bf16, CUDNN_DATA_BFLOAT16));
static_assert(same(ConvolutionMode::cross_correlation, CUDNN_CROSS_CORRELATION));
static_assert(same(HeuristicMode::fallback, CUDNN_HEUR_MODE_FALLBACK));
static_assert(same(HeuristicMode::a, CUDNN_HEUR_MODE_A));
static_assert(same(NumericalNote::tensor_core, CUDNN_NUMERICAL_NOTE_TENSOR_CORE));
static_assert(same(NumericalNote::down_convert_inputs, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS));
static_assert(same(NumericalNote::reduced_precision_reduction, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION));
static_assert(same(NumericalNote::fft, CUDNN_NUMERICAL_NOTE_FFT));
static_assert(same(NumericalNote::nondeterministic, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC));
static_assert(same(NumericalNote::winograd, CUDNN_NUMERICAL_NOTE_WINOGRAD));
static_assert(same(NumericalNote::winograd_4x4, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4));
static_assert(same(NumericalNote::winograd_6x6, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6));
static_assert(same(NumericalNote::winograd_13x13, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13));
static_assert(same(NumericalNote::strict_nan, CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP));
#if CUDNN_VERSION >= 90800
static_assert(same(DescriptorType::device_properties, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR));
static_assert(same(Attribute::heuristic_device_properties, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP));
static_assert(same(Attribute::plan_device_properties, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP));
static_assert(same(Attribute::device_json, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION));
#endif
static_assert(SameCall<decltype(Functions::GetVersion), decltype(cudnnGetVersion)>::value);
static_assert(SameCall<decltype(Functions::GetErrorString), decltype(cudnnGetErrorString)>::value);
static_assert(SameCall<decltype(Functions::GetLastErrorString), decltype(cudnnGetLastErrorString)>::value);
static_assert(SameCall<decltype(Functions::Create), decltype(cudnnCreate)>::value);
static_assert(SameCall<decltype(Functions::SetStream), decltype(cudnnSetStream)>::value);
static_assert(SameCall<decltype(Functions::BackendCreateDescriptor), decltype(cudnnBackendCreateDescriptor)>::value);
static_assert(SameCall<decltype(Functions::BackendDestroyDescriptor), decltype(cudnnBackendDestroyDescriptor)>::value);
static_assert(SameCall<decltype(Functions::BackendFinalize), decltype(cudnnBackendFinalize)>::value);
static_assert(SameCall<decltype(Functions::BackendSetAttribute), decltype(cudnnBackendSetAttribute)>::value);
static_assert(SameCall<decltype(Functions::BackendGetAttribute), decltype(cudnnBackendGetAttribute)>::value);
static_assert(SameCall<decltype(Functions::BackendExecute), decltype(cudnnBackendExecute)>::value);

namespace lt = kern::cublaslt;
static_assert(same(lt::LtStatus::success, CUBLAS_STATUS_SUCCESS));
static_assert(same(lt::LtStatus::not_initialized, CUBLAS_STATUS_NOT_INITIALIZED));
static_assert(same(lt::LtStatus::invalid_value, CUBLAS_STATUS_INVALID_VALUE));
static_assert(same(lt::LtStatus::not_supported, CUBLAS_STATUS_NOT_SUPPORTED));
static_assert(same(lt::ComputeType::float32, CUBLAS_COMPUTE_32F));
static_assert(same(lt::ComputeType::fast_tf32, CUBLAS_COMPUTE_32F_FAST_TF32));
static_assert(same(lt::LtDataType::float32, CUDA_R_32F));
static_assert(same(lt::Operation::as_it_stands, CUBLAS_OP_N));
static_assert(same(lt::Operation::transposed, CUBLAS_OP_T));
static_assert(same(lt::Epilogue::none, CUBLASLT_EPILOGUE_DEFAULT));
static_assert(same(lt::Epilogue::bias, CUBLASLT_EPILOGUE_BIAS));
static_assert(same(lt::DescAttribute::transpose_a, CUBLASLT_MATMUL_DESC_TRANSA));
static_assert(same(lt::DescAttribute::transpose_b, CUBLASLT_MATMUL_DESC_TRANSB));
static_assert(same(lt::DescAttribute::epilogue, CUBLASLT_MATMUL_DESC_EPILOGUE));
static_assert(same(lt::DescAttribute::bias_pointer, CUBLASLT_MATMUL_DESC_BIAS_POINTER));
static_assert(same(lt::PreferenceAttribute::most_workspace, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES));
static_assert(same(lt::PreferenceAttribute::reduction_schemes, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK));
static_assert(same(lt::PreferenceAttribute::alignment_a, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES));
static_assert(same(lt::PreferenceAttribute::alignment_b, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES));
static_assert(same(lt::PreferenceAttribute::alignment_c, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES));
static_assert(same(lt::PreferenceAttribute::alignment_d, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES));
static_assert(same(lt::in_place, CUBLASLT_REDUCTION_SCHEME_INPLACE));
static_assert(same(lt::in_compute_type, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
static_assert(same(lt::in_output_type, CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE));
static_assert(sizeof(lt::Algorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(lt::HeuristicResult) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(lt::HeuristicResult, workspace) == offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(lt::HeuristicResult, state) == offsetof(cublasLtMatmulHeuristicResult_t, state));
static_assert(SameCall<decltype(lt::LtFunctions::GetVersion), decltype(cublasLtGetVersion)>::value);
static_assert(SameCall<decltype(lt::LtFunctions::GetStatusString), decltype(cublasLtGetStatusString)>::value);
static_assert(SameCall<decltype(lt::LtFunctions::Create), decltype(cublasLtCreate)>::value);
static_assert(SameCall<decltype(lt::LtFunctions::MatmulDescCreate), decltype(cublasLtMatmulDescCreate)>::value);
static_assert(SameCall<decltype(lt::LtFunctions::MatmulDescDestroy), decltype(cublasLtMatmulDescDestroy)>::value);
static_assert(
    SameCall<decltype(lt::LtFunctions::MatmulDescSetAttribute), decltype(cublasLtMatmulDescSetAttribute)>::value);
static_assert(SameCall<decltype(lt::LtFunctions::MatrixLayoutCreate), decltype(cublasLtMatrixLayoutCreate)>::value);
static_assert(SameCall<decltype(lt::LtFunctions::MatrixLayoutDestroy), decltype(cublasLtMatrixLayoutDestroy)>::value);
static_assert(
    SameCall<decltype(lt::LtFunctions::MatmulPreferenceCreate), decltype(cublasLtMatmulPreferenceCreate)>::value);
static_assert(
    SameCall<decltype(lt::LtFunctions::MatmulPreferenceDestroy), decltype(cublasLtMatmulPreferenceDestroy)>::value);
static_assert(SameCall<decltype(lt::LtFunctions::MatmulPreferenceSetAttribute),
                       decltype(cublasLtMatmulPreferenceSetAttribute)>::value);
static_assert(
    SameCall<decltype(lt::LtFunctions::MatmulAlgoGetHeuristic), decltype(cublasLtMatmulAlgoGetHeuristic)>::value);
static_assert(SameCall<decltype(lt::LtFunctions::Matmul), decltype(cublasLtMatmul)>::value);

TEST(NvidiaHeaders, agree_with_our_declarations) {
  RecordProperty("cudnn", CUDNN_VERSION);  // of the header; the compiler has compared
}

}  // namespace

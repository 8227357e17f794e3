// Weights out of ONNX files: the graph's initialisers by name. Nothing of the graph itself is looked at.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/model_file.h"

namespace kern {

// The initialisers of floating point (f32, f16, bf16, f64) as f32, in the file's own layouts; integers, which are
// shapes and indices, are passed over. Metadata: the file's metadata_props. Errors name the file: no ONNX file, cut
// short, damaged, values of another number than its shape has, two of one name, weights that are kept in another file.
TensorFile parse_onnx(std::string_view bytes, const std::string& shown_name);

// Weights by name from an .onnx file, or a safetensors file, which is told by the file's ending.
TensorFile load_weights(const std::filesystem::path& path);

}  // namespace kern

// A module as a safetensors file, and back: its parameters and buffers under the names that visit() gives them.
//
//   save(net, "net.safetensors");
//   load(net, "net.safetensors");  // into a module of the same structure, on any device
#pragma once
#include <filesystem>
#include <vector>

#include "engine/model_file.h"
#include "layers/module.h"

namespace kern {

// Written whole or not at all. `metadata`: whatever the program wants to find again (load_metadata).
void save(const std::vector<NamedTensor>& tensors, const std::filesystem::path& file, const Metadata& metadata = {});
template <Network M>
void save(M& module, const std::filesystem::path& file, const Metadata& metadata = {}) {
  save(named_tensors(module), file, metadata);
}

// Error: names that are missing, too many or of another shape, all of them in one sentence; nothing is changed then.
void load(const std::vector<NamedTensor>& tensors, const std::filesystem::path& file);
template <Network M>
void load(M& module, const std::filesystem::path& file) {
  load(named_tensors(module), file);
}

}  // namespace kern

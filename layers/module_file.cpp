#include "layers/module_file.h"

namespace kern {
namespace {
std::vector<FileTensor> file_tensors(const std::vector<NamedTensor>& tensors) {
  std::vector<FileTensor> out;
  for (const NamedTensor& t : tensors) out.push_back({t.name, t.tensor});
  return out;
}
}  // namespace

void save(const std::vector<NamedTensor>& tensors, const std::filesystem::path& file, const Metadata& metadata) {
  save_tensors(file, file_tensors(tensors), metadata);
}
void load(const std::vector<NamedTensor>& tensors, const std::filesystem::path& file) {
  load_into(file_tensors(tensors), load_tensors(file));
}

}  // namespace kern

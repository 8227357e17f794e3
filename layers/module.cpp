#include "layers/module.h"

namespace kern {

bool lies_below(std::string_view name, std::string_view path) {
  return name.starts_with(path) && (path.empty() || name.size() == path.size() || name[path.size()] == '.');
}

int64_t AnyModule::freeze(std::string_view path) const {
  int64_t values = 0;
  for (NamedTensor t : tensors_)
    if (t.trained && lies_below(t.name, path)) t.tensor.require_grad(false), values += t.tensor.size();
  hold_in_evaluation(path);
  return values;
}

void AnyModule::hold_in_evaluation(std::string_view path) const {
  for (const auto& [name, mode] : modes_)
    if (lies_below(name, path)) *mode = {.training = false, .held = true};
}

std::string describe(const std::vector<NamedTensor>& tensors) {
  size_t width = 4;
  int64_t total = 0;
  for (const auto& t : tensors) width = std::max(width, t.name.size());
  std::string out;
  for (const auto& t : tensors) {
    out += text(t.name, std::string(width - t.name.size() + 2, ' '), t.tensor.shape(), "  ", t.tensor.size(),
                t.trained ? "\n" : "  (buffer)\n");
    if (t.trained) total += t.tensor.size();
  }
  return out + text(total, " parameters\n");
}

}  // namespace kern

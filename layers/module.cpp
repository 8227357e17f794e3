#include "layers/module.h"

namespace kern {

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

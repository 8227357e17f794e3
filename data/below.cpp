#include "data/below.h"

namespace kern::data {
namespace fs = std::filesystem;

fs::path name_below(const fs::path& file, const fs::path& folder) {
  return fs::absolute(file).lexically_normal().lexically_relative(fs::absolute(folder).lexically_normal());
}

bool lies_below(const fs::path& file, const fs::path& folder) {
  const fs::path holder = fs::weakly_canonical(fs::absolute(file).parent_path());
  const fs::path below = holder.lexically_relative(fs::weakly_canonical(folder));
  return !below.empty() && *below.begin() != "..";
}

}  // namespace kern::data

#include "data/image_groups.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "kernels/common/error.h"

namespace kern::data {
namespace {

struct Name {
  std::string folder, stem;
};
Name name_of(const std::string& id) {
  const size_t slash = id.rfind('/'), begin = slash == id.npos ? 0 : slash + 1, dot = id.rfind('.');
  const size_t end = dot != id.npos && dot > begin ? dot : id.size();
  return {id.substr(0, begin), id.substr(begin, end - begin)};
}

std::string without_last_part(const std::string& stem) {
  const size_t cut = stem.find_last_of("_-. ");
  return cut == stem.npos || cut == 0 ? stem : stem.substr(0, cut);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The last run of digits; of a longer one the last 18, which fit.
std::optional<int64_t> last_number(const std::string& stem) {
  const auto last = std::find_if(stem.rbegin(), stem.rend(), is_digit);
  if (last == stem.rend()) return {};
  auto first = std::find_if_not(last, stem.rend(), is_digit);
  if (first - last > 18) first = last + 18;
  return std::stoll(std::string(first.base(), last.base()));
}

}  // namespace

std::vector<int64_t> group_images(const std::vector<std::string>& ids, const GroupOptions& o) {
  check(o.gap >= 0, "the gap between numbers of one group must not be negative, got ", o.gap);
  std::vector<std::string> keys(ids.size());                                // equal for those of a group
  std::map<std::string, std::vector<std::pair<int64_t, size_t>>> numbered;  // by folder
  for (size_t i = 0; i < ids.size(); ++i) {
    const Name name = name_of(ids[i]);
    keys[i] = "/" + ids[i];
    if (o.by == Grouping::name) keys[i] = name.folder + without_last_part(name.stem);
    if (o.by == Grouping::number)
      if (const auto number = last_number(name.stem)) numbered[name.folder].emplace_back(*number, i);
  }
  for (auto& [folder, images] : numbered) {
    std::sort(images.begin(), images.end());
    for (size_t k = 1; k < images.size(); ++k)
      if (images[k].first - images[k - 1].first <= o.gap) keys[images[k].second] = keys[images[k - 1].second];
  }
  std::vector<int64_t> groups;
  std::map<std::string, int64_t> known;
  for (const std::string& key : keys) groups.push_back(known.emplace(key, int64_t(known.size())).first->second);
  return groups;
}

}  // namespace kern::data

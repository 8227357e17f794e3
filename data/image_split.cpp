#include "data/image_split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "data/groups.h"
#include "data/names.h"
#include "engine/atomic_file.h"
#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

// The groups that a list of names chooses.
std::set<int64_t> listed(const std::vector<ImageFile>& images, std::span<const int64_t> group,
                         const std::filesystem::path& file) {
  std::map<std::string, int64_t> by_name;
  std::vector<std::string> ids;
  for (size_t i = 0; i < images.size(); ++i) {
    by_name.emplace(images[i].id, int64_t(i));
    by_name.emplace(images[i].id + images[i].image.extension().string(), int64_t(i));
    ids.push_back(images[i].id);
  }
  std::set<int64_t> chosen;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty()) continue;
    const auto it = by_name.find(line);
    const std::string nearest(it == by_name.end() ? nearest_name(line, ids) : "");
    check(it != by_name.end(), file.string(), " names '", line, "', which is no image of the data",
          nearest.empty() ? "" : "; did you mean '" + nearest + "'?");
    check(!images[size_t(it->second)].mask.empty(), file.string(), " names '", line,
          "', which has no mask to compare a prediction with");
    chosen.insert(group[size_t(it->second)]);
  }
  check(!chosen.empty(), file.string(), " names no image: write one a line");
  return chosen;
}

}  // namespace

ImageSplit split_images(const std::vector<ImageFile>& images, const ImageSplitOptions& o,
                        std::span<const int64_t> groups) {
  std::vector<int64_t> group(groups.begin(), groups.end());
  if (group.empty()) group.resize(images.size()), std::iota(group.begin(), group.end(), 0);
  std::set<int64_t> validates, tests;
  const bool given = !o.validation_list.empty() || !o.validating.empty();  // what validates
  if (!o.validation_list.empty()) validates = listed(images, group, o.validation_list);
  for (const int64_t i : o.validating) validates.insert(group[size_t(i)]);
  if (!o.test_list.empty()) {
    check(o.test == 0, "test= and test_list= both say what is kept for the test: give one of them");
    tests = listed(images, group, o.test_list);
    for (const int64_t g : tests)
      check(!validates.contains(g), o.test_list.string(), " names an image that validates, or is of a group with one");
  }
  std::vector<int64_t> free;  // images with a mask of which no list says what they are for
  for (size_t i = 0; i < images.size(); ++i)
    if (!images[i].mask.empty() && !validates.contains(group[i]) && !tests.contains(group[i]))
      free.push_back(int64_t(i));
  check(!free.empty() || !validates.empty(), "none of the ", images.size(),
        " images has a mask of the same name to learn from: set mask_dir= or mask_suffix=");
  for (const int64_t i : kept_for_test(free, o.test, group, o.seed, "images")) tests.insert(group[size_t(i)]);
  if (!given) {
    std::vector<int64_t> labelled;  // the groups with a mask, by first image
    std::set<int64_t> seen;
    for (const int64_t i : free)
      if (!tests.contains(group[size_t(i)]) && seen.insert(group[size_t(i)]).second)
        labelled.push_back(group[size_t(i)]);
    RandomSequence random(o.seed, RandomStream::shuffle, 0xFFFFFFFF);  // no epoch's order
    random.shuffle(std::span<int64_t>(labelled));
    if (o.folds != 0) {
      check(o.folds >= 2 && o.folds <= int(labelled.size()), "folds=", o.folds, " of ", labelled.size(),
            " different labelled images: 2 to as many are possible");
      check(o.fold >= 0 && o.fold < o.folds, "fold=", o.fold, ": the folds are 0 to ", o.folds - 1);
      for (size_t i = 0; i < labelled.size(); ++i)
        if (int(i % size_t(o.folds)) == o.fold) validates.insert(labelled[i]);
    } else {
      check(o.validation > 0 && o.validation < 1, "validation=", o.validation, " is no share between 0 and 1");
      const auto n = std::clamp<int64_t>(std::llround(o.validation * double(labelled.size())), 1,
                                         std::max<int64_t>(1, int64_t(labelled.size()) - 1));
      validates.insert(labelled.begin(), labelled.begin() + n);
    }
  }
  ImageSplit split;
  for (size_t i = 0; i < images.size(); ++i) {
    const bool validation = validates.contains(group[i]), test = tests.contains(group[i]);
    if (!images[i].mask.empty())
      (validation ? split.validation : test ? split.test : split.training).push_back(int64_t(i));
    else if (!validation && !test) split.unlabelled.push_back(int64_t(i));
  }
  check(!split.training.empty() && !split.validation.empty(), "of ", images.size(), " images ", split.training.size(),
        " with a mask are left for training and ", split.validation.size(),
        " for validation: at least one on each side is needed");
  return split;
}

std::vector<int64_t> spread(const std::vector<int64_t>& which, int64_t count) {
  std::vector<int64_t> chosen;
  const size_t n = std::min(which.size(), size_t(std::max<int64_t>(0, count)));
  for (size_t i = 0; i < n; ++i) chosen.push_back(which[i * which.size() / n]);
  return chosen;
}

}  // namespace kern::data

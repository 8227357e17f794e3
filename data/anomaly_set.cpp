#include "data/anomaly_set.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "data/below.h"
#include "data/encoding.h"
#include "data/groups.h"
#include "data/image.h"
#include "data/image_folder.h"
#include "data/names.h"
#include "engine/atomic_file.h"
#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {
namespace fs = std::filesystem;

constexpr const char* kMaskFolders[] = {"ground_truth", "masks", "mask"};
constexpr std::pair<const char*, const char*> kParts[] = {
    {"train", "train"}, {"training", "train"}, {"validation", "validation"}, {"val", "validation"}, {"test", "test"}};

bool is_png(const fs::path& path) { return same_name(path.extension().string(), ".png"); }

fs::path folder_of(const fs::path& image) { return file_of(image).parent_path(); }
// The file's name without its ending, and the page where the image is one.
std::string stem_of(const fs::path& image, const std::string& suffix = {}) {
  const fs::path file = file_of(image);
  return file.stem().string() + suffix + (file == image ? "" : "/" + image.filename().string());
}

bool in_mask_folder(const fs::path& file, const fs::path& root, const std::string& mask_dir) {
  if (!mask_dir.empty()) return lies_below(file_of(file), root / mask_dir);
  const fs::path folder = name_below(file_of(file), root).parent_path();
  return std::any_of(folder.begin(), folder.end(), [](const fs::path& name) {
    return std::any_of(std::begin(kMaskFolders), std::end(kMaskFolders),
                       [&](const char* m) { return same_name(name.string(), m); });
  });
}

class Loader {
 public:
  explicit Loader(const AnomalySetOptions& o) : o_(o) {}

  AnomalySet load() {
    check(!o_.path.empty(), "data= names nothing: give the folder of the images");
    check(fs::is_directory(o_.path), o_.path.string(),
          fs::exists(o_.path) ? " is a file: data= names the folder of the images"
                              : " does not exist: data= names the folder of the images");
    check(o_.mask_dir.empty() || fs::is_directory(o_.path / o_.mask_dir), "mask_dir=", o_.mask_dir,
          ": there is no folder ", (o_.path / o_.mask_dir).string());
    sort_files();
    if (o_.list.empty())
      for (const fs::path& file : images_) take(file, {});
    else take_listed();
    check(!set_.images.empty(), "no image in ", o_.path.string(), " can be used",
          set_.skipped.empty() ? ": it holds no JPEG, PNG, TIFF, BMP or GIF file"
                               : "; the first reason: " + set_.skipped.front().sentence);
    std::sort(set_.images.begin(), set_.images.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    tell_of_masks_without_image();
    return std::move(set_);
  }

 private:
  // Images, and masks by the stem of what they belong to.
  void sort_files() {
    const std::vector<fs::path> all = images_below(o_.path);
    images_ = without_masks(all, o_.path, o_.mask_dir);
    for (size_t i = 0, image = 0; i < all.size(); ++i)
      if (image < images_.size() && all[i] == images_[image]) ++image;
      else masks_[stem_of(all[i])].push_back(all[i]);
  }

  bool is_good(const std::string& word) const {
    return std::any_of(o_.good.begin(), o_.good.end(), [&](const std::string& g) { return same_name(g, word); });
  }

  void leave_out(const fs::path& file, const std::string& sentence, const std::string& remedy) {
    const Problem p{file.string(), sentence, remedy};
    if (o_.strict) throw Error(to_string(p));
    set_.skipped.push_back(p);
  }
  std::optional<ImageInfo> header_of(const fs::path& file) {
    try {
      return image_info(file);
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {
      leave_out(file, e.sentence(), "");
      return {};
    }
  }

  // The mask of an image: of several with its stem the one whose folder is named like the image's.
  fs::path mask_of(const fs::path& image, const std::string& kind) const {
    std::vector<std::string> stems{stem_of(image), stem_of(image, "_mask")};
    if (!o_.mask_from.empty())
      if (const size_t at = stems[0].find(o_.mask_from); at != std::string::npos)
        stems.push_back(std::string(stems[0]).replace(at, o_.mask_from.size(), o_.mask_to));
    for (const std::string& stem : stems) {
      const auto it = masks_.find(stem);
      if (it == masks_.end()) continue;
      for (const fs::path& mask : it->second)
        if (folder_of(mask) == folder_of(image) || same_name(folder_of(mask).filename().string(), kind)) return mask;
      if (it->second.size() == 1) return it->second.front();
    }
    return {};
  }

  void take(const fs::path& file, const std::optional<std::string>& word) {
    const fs::path id = name_below(file, o_.path), folder = name_below(file_of(file), o_.path).parent_path();
    AnomalyImage p{.id = escaped_utf8(id.generic_string()), .image = file, .mask = {}, .kind = {}, .part = {}};
    if (!folder.empty())
      for (const auto& [name, part] : kParts)
        if (same_name(folder.begin()->string(), name)) p.part = part;
    const bool flat = folder.empty() || (!p.part.empty() && !folder.has_parent_path());
    p.kind = word ? *word : flat ? "good" : folder.filename().string();
    p.truth = word || !flat ? (is_good(p.kind) ? Truth::normal : Truth::anomalous) : Truth::normal;
    if (!word && flat && !noted_flat_) {
      noted_flat_ = true;
      set_.notes.push_back(text("the images that lie directly in ", folder_of(file).string(),
                                " count as normal: put defective ones into a folder of their own, or give list="));
    }
    const auto info = header_of(file);
    if (!info) return;
    p.H = info->H, p.W = info->W;
    p.mask = mask_of(file, p.kind);
    if (!p.mask.empty()) paired_.insert(p.mask);
    if (p.truth != Truth::anomalous) p.mask.clear();
    if (!p.mask.empty()) {
      const auto of_mask = header_of(p.mask);
      if (!of_mask) p.mask.clear();
      else if (of_mask->H != p.H || of_mask->W != p.W) {
        leave_out(p.mask,
                  text("mask ", p.mask.string(), " is ", of_mask->W, " x ", of_mask->H, ", its image ", file.string(),
                       " ", p.W, " x ", p.H),
                  "the image is used without it");
        p.mask.clear();
      }
    }
    set_.images.push_back(std::move(p));
  }

  // What of an image's name stands otherwise in its mask's: _D_ and _GT_ of a_D_1 and a_GT_1.
  struct Renaming {
    std::string from, to;
  };
  static Renaming renaming(const std::string& image, const std::string& mask) {
    const size_t least = std::min(image.size(), mask.size());
    size_t begin = 0, end = 0;
    while (begin < least && image[begin] == mask[begin]) ++begin;
    while (end < least - begin && image[image.size() - 1 - end] == mask[mask.size() - 1 - end]) ++end;
    if (begin > 0) --begin;  // the separators on both sides, which make it stand once
    if (end > 0) --end;
    return {image.substr(begin, image.size() - begin - end), mask.substr(begin, mask.size() - begin - end)};
  }
  void tell_of_masks_without_image() {
    std::vector<std::string> masks, images;  // stems
    fs::path first;
    for (const auto& [stem, files] : masks_)
      for (const fs::path& file : files)
        if (!paired_.contains(file)) {
          if (masks.empty()) first = file;
          masks.push_back(stem);
        }
    for (const AnomalyImage& p : set_.images)
      if (p.truth == Truth::anomalous && p.mask.empty()) images.push_back(stem_of(p.image));
    if (masks.empty() || images.empty() || !o_.list.empty()) return;
    Renaming best;
    size_t most = 0;
    const std::set<std::string> named(masks.begin(), masks.end());
    for (const std::string& image : images) {
      const Renaming r = renaming(image, masks.front());
      if (r.from.empty() || r.from.size() > image.size() / 2) continue;
      const auto paired = size_t(std::count_if(images.begin(), images.end(), [&](const std::string& p) {
        const size_t at = p.find(r.from);
        return at != p.npos && named.contains(std::string(p).replace(at, r.from.size(), r.to));
      }));
      if (paired > most) most = paired, best = r;
    }
    set_.skipped.push_back({first.string(),
                            text(masks.size(), " masks belong to no image, and ", images.size(),
                                 " images of defects have none; the first is ", first.filename().string()),
                            most > 0 ? text("set mask_from=", best.from, " mask_to=", best.to, ", which pairs ", most)
                                     : std::string("name a mask as its image, or set mask_from= and mask_to=")});
  }

  void take_listed() {
    std::istringstream lines(read_file(o_.list));
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
      while (!line.empty() && (std::isspace(static_cast<unsigned char>(line.back())) || line.back() == ','))
        line.pop_back();
      if (line.empty() || line[0] == '#') continue;
      const size_t gap = line.find_last_of(" \t,;");
      check(gap != std::string::npos, o_.list.string(), " line ", number, ": '", line,
            "' is not a file and its label, e.g. 'belt_17.jpg good'");
      std::string name = line.substr(0, gap);
      while (!name.empty() && std::string_view(" \t,;").find(name.back()) != std::string_view::npos) name.pop_back();
      const std::string word = line.substr(gap + 1);
      fs::path file = o_.path / name;
      if (!fs::is_regular_file(file_of(file))) file = o_.list.parent_path() / name;
      if (!fs::is_regular_file(file_of(file))) {
        leave_out(o_.path / name,
                  text(o_.list.string(), " line ", number, " names ", name, ", which is not in ", o_.path.string()),
                  "correct the list, or add the image");
        continue;
      }
      for (const fs::path& image : pages_of(file)) take(image, word);
    }
    check(!set_.images.empty() || !set_.skipped.empty(), o_.list.string(), " names no image");
  }

  const AnomalySetOptions& o_;
  AnomalySet set_;
  std::vector<fs::path> images_;
  std::map<std::string, std::vector<fs::path>> masks_;
  std::set<fs::path> paired_;
  bool noted_flat_ = false;
};

}  // namespace

const char* to_string(Truth truth) {
  switch (truth) {
    case Truth::normal:
      return "normal";
    case Truth::anomalous:
      return "anomalous";
    case Truth::unknown:
      return "unknown";
  }
  return "?";
}

int64_t AnomalySet::count(Truth truth) const {
  return std::count_if(images.begin(), images.end(), [=](const AnomalyImage& p) { return p.truth == truth; });
}

std::vector<fs::path> without_masks(std::vector<fs::path> files, const fs::path& folder, const std::string& mask_dir) {
  std::set<fs::path> other_kind;  // stems of JPEG and BMP files: a PNG beside one is its mask
  for (const fs::path& file : files)
    if (!is_png(file)) other_kind.insert(fs::path(file).replace_extension());
  std::erase_if(files, [&](const fs::path& file) {
    return in_mask_folder(file, folder, mask_dir) ||
           (is_png(file) && other_kind.contains(fs::path(file).replace_extension()));
  });
  return files;
}

AnomalySet load_anomaly_set(const AnomalySetOptions& options) { return Loader(options).load(); }

AnomalySplit split_anomalies(const AnomalySet& set, const AnomalySplitOptions& o) {
  check(o.validation >= 0 && o.test >= 0 && o.validation + o.test < 1,
        "validation= and test= are shares of the normal images and must leave some to train on, got ", o.validation,
        " and ", o.test);
  RandomSequence random(o.seed, RandomStream::shuffle, 0, 2);
  AnomalySplit split;
  std::vector<std::string> ids;
  for (const AnomalyImage& p : set.images) ids.push_back(p.id);
  split.group = group_images(ids, o.groups);
  auto add = [](std::vector<int64_t>& to, const std::vector<int64_t>& more) {
    to.insert(to.end(), more.begin(), more.end());
  };
  auto of = [&](Truth truth, auto&& wanted) {
    std::vector<int64_t> all;
    for (size_t i = 0; i < set.images.size(); ++i)
      if (set.images[i].truth == truth && wanted(set.images[i])) all.push_back(int64_t(i));
    return all;
  };
  auto in = [](const char* part) { return [part](const AnomalyImage& p) { return p.part == part; }; };
  const bool by_folder = !of(Truth::normal, in("train")).empty();
  std::set<std::string> kinds;
  for (const AnomalyImage& p : set.images)
    if (p.truth == Truth::anomalous) kinds.insert(p.kind);
  auto halve = [&](auto&& wanted) {  // of every kind half validate, half test
    for (const std::string& kind : kinds) {
      const auto [first, second] =
          parted(of(Truth::anomalous, [&](const AnomalyImage& p) { return p.kind == kind && wanted(p); }), 0.5,
                 split.group, random);
      add(split.validation, first);
      add(split.test, second);
    }
  };
  if (by_folder) {
    split.training = of(Truth::normal, [](const AnomalyImage& p) { return p.part == "train" || p.part.empty(); });
    split.test = of(Truth::normal, in("test"));
    split.validation = of(Truth::normal, in("validation"));
    const bool own = !split.validation.empty() || !of(Truth::anomalous, in("validation")).empty();
    if (own) {
      add(split.validation, of(Truth::anomalous, in("validation")));
      add(split.test, of(Truth::anomalous, [](const AnomalyImage& p) { return p.part != "validation"; }));
    } else {
      auto [first, second] = parted(split.training, o.validation, split.group, random);
      if (!o.validation_trains) {
        split.validation = std::move(first);
        split.training = std::move(second);
      }
      halve([](const AnomalyImage&) { return true; });
    }
  } else {
    auto [evaluated, training] =
        parted(of(Truth::normal, [](const AnomalyImage&) { return true; }), o.validation + o.test, split.group, random);
    const double of_evaluated = o.validation + o.test > 0 ? o.validation / (o.validation + o.test) : 0;
    auto [validation, test] = parted(evaluated, of_evaluated, split.group, random);
    split.training = std::move(training);
    if (o.validation_trains) add(split.training, validation);
    else split.validation = std::move(validation);
    split.test = std::move(test);
    halve([](const AnomalyImage&) { return true; });
  }
  for (auto* part : {&split.training, &split.validation, &split.test}) std::sort(part->begin(), part->end());
  check(!split.training.empty(),
        "there is no normal image to train on: put good ones into a folder named good, or name theirs with good=");
  return split;
}

}  // namespace kern::data

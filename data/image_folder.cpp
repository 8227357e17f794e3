#include "data/image_folder.h"

#include <algorithm>
#include <map>
#include <optional>

#include "data/below.h"
#include "data/encoding.h"
#include "data/image.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {
namespace fs = std::filesystem;

constexpr const char* kImageFolders[] = {"images", "image", "img", "imgs", "pictures", "photos", "JPEGImages"};
constexpr const char* kMaskFolders[] = {"masks", "mask", "labels", "label", "annotations", "SegmentationClass"};

template <class Names>
fs::path first_there(const fs::path& path, const Names& names) {
  for (const char* name : names)
    if (fs::is_directory(path / name)) return path / name;
  return {};
}

// The path below the folder, without the file's ending and a mask's suffix; in UTF-8, for model files and reports name
// it. Of a page: stack/page_01.
std::string id_of(const fs::path& image, const fs::path& folder, const std::string& suffix = {}) {
  const fs::path file = file_of(image);
  std::string id = escaped_utf8(name_below(file, folder).replace_extension().generic_string());
  if (id.ends_with(suffix)) id.resize(id.size() - suffix.size());
  return file == image ? id : id + "/" + image.filename().string();
}

fs::path folder_below(const fs::path& path, const std::string& name, const char* key) {
  const fs::path folder = path / name;  // an absolute name stands for itself
  check(fs::is_directory(folder), key, "=", name, ": there is no folder ", folder.string());
  return folder;
}

// The header's size, or why there is none.
std::optional<ImageInfo> size_of(const fs::path& file, ImageSet& set, bool strict) {
  try {
    return image_info(file);
  } catch (const InternalError&) {
    throw;
  } catch (const Error& e) {
    if (strict) throw;
    set.skipped.push_back({file.string(), e.sentence(), ""});
    return {};
  }
}

}  // namespace

std::vector<fs::path> images_below(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failed;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, failed), end;
  check(!failed, folder.string(), " cannot be read: ", failed.message());
  for (; it != end; it.increment(failed)) {
    check(!failed, folder.string(), " cannot be read: ", failed.message());
    if (it->is_regular_file(failed) && is_image_name(it->path()))
      for (fs::path& image : pages_of(it->path())) files.push_back(std::move(image));
  }
  std::sort(files.begin(), files.end());
  return files;
}

int64_t ImageSet::labelled() const {
  return std::count_if(images.begin(), images.end(), [](const ImageFile& p) { return !p.mask.empty(); });
}

ImageSet load_image_folder(const ImageFolderOptions& o) {
  check(!o.path.empty(), "data= names nothing: give the folder of the images and masks");
  check(fs::exists(o.path), o.path.string(), " does not exist: data= names the folder of the images and masks");
  check(fs::is_directory(o.path), o.path.string(), " is a file: data= names the folder of the images and masks");
  ImageSet set;
  set.image_dir =
      o.image_dir.empty() ? first_there(o.path, kImageFolders) : folder_below(o.path, o.image_dir, "image_dir");
  if (set.image_dir.empty()) set.image_dir = o.path;
  set.mask_dir = o.mask_dir.empty() ? first_there(o.path, kMaskFolders) : folder_below(o.path, o.mask_dir, "mask_dir");
  if (set.mask_dir.empty() && !o.mask_suffix.empty()) set.mask_dir = set.image_dir;

  auto leave_out = [&](const fs::path& file, const std::string& sentence, const std::string& remedy) {
    const Problem p{file.string(), sentence, remedy};
    if (o.strict) throw Error(to_string(p));
    set.skipped.push_back(p);
  };
  const bool together = set.mask_dir == set.image_dir;
  auto is_mask = [&](const fs::path& image) {
    return !o.mask_suffix.empty() && file_of(image).stem().string().ends_with(o.mask_suffix);
  };

  std::map<std::string, fs::path> masks;
  if (!set.mask_dir.empty())
    for (const fs::path& file : images_below(set.mask_dir)) {
      if (together && !is_mask(file)) continue;
      const std::string id = id_of(file, set.mask_dir, o.mask_suffix);
      const auto [it, fresh] = masks.emplace(id, file);
      if (!fresh)
        leave_out(file, text(file.string(), " is a second mask for ", id, " beside ", it->second.string()), "keep one");
    }
  std::map<std::string, fs::path> images;
  for (const fs::path& file : images_below(set.image_dir)) {
    const bool inside_masks = !together && !set.mask_dir.empty() && lies_below(file_of(file), set.mask_dir);
    const std::string id = id_of(file, set.image_dir);
    if (inside_masks || (together && is_mask(file))) continue;
    const auto [it, fresh] = images.emplace(id, file);
    if (!fresh)
      leave_out(file, text(file.string(), " has the same name as ", it->second.string()), "rename one of them");
  }
  check(!images.empty(), set.image_dir.string(),
        " holds no JPEG, PNG, TIFF, BMP or GIF file: put images there, or set image_dir=");

  for (const auto& [id, file] : images) {
    ImageFile p{.id = id, .image = file, .mask = {}};
    const auto info = size_of(file, set, o.strict);
    const auto mask = masks.find(id);
    if (mask != masks.end()) p.mask = mask->second;
    if (mask != masks.end()) masks.erase(mask);
    if (!info) continue;
    p.H = info->H, p.W = info->W;
    if (!p.mask.empty()) {
      const auto of_mask = size_of(p.mask, set, o.strict);
      if (!of_mask) continue;
      if (of_mask->H != p.H || of_mask->W != p.W) {
        leave_out(p.mask,
                  text("mask ", p.mask.string(), " is ", of_mask->W, " x ", of_mask->H, ", its image ",
                       p.image.string(), " ", p.W, " x ", p.H),
                  "they must show the same; make one of them again");
        continue;
      }
    }
    set.images.push_back(std::move(p));
  }
  for (const auto& [id, file] : masks)
    leave_out(file, text("mask ", file.string(), " has no image ", id, " in ", set.image_dir.string()),
              "rename it, or add the image");
  check(!set.images.empty(), "none of the ", images.size(), " images in ", set.image_dir.string(), " can be used",
        set.skipped.empty() ? "" : "; the first reason: " + set.skipped.front().sentence);
  return set;
}

namespace {
// * stands for any run of letters, ? for one.
bool matches(std::string_view name, std::string_view pattern) {
  size_t n = 0, p = 0, star = pattern.npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') ++n, ++p;
    else if (p < pattern.size() && pattern[p] == '*') star = p++, resume = n;
    else if (star != pattern.npos) p = star + 1, n = ++resume;
    else return false;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}
}  // namespace

FoundImages find_images(const std::string& path) {
  check(!path.empty(), "data= names nothing: give an image, a folder of images, or a pattern such as 'scans/*.png'");
  const fs::path p = path;
  if (fs::is_directory(p)) {
    FoundImages found{p, images_below(p)};
    check(!found.files.empty(), path, " holds no JPEG, PNG, TIFF, BMP or GIF file");
    return found;
  }
  std::error_code none;
  if (fs::exists(p, none)) return {p.parent_path(), pages_of(p)};
  if (fs::exists(file_of(p), none)) return {p.parent_path(), {p}};
  const std::string pattern = p.filename().string();
  check(pattern.find_first_of("*?") != pattern.npos, path,
        " does not exist; data= names an image, a folder or a pattern");
  const fs::path folder = p.has_parent_path() ? p.parent_path() : fs::path(".");
  check(fs::is_directory(folder), "there is no folder ", folder.string(), " to look for ", pattern, " in");
  FoundImages found{folder, {}};
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file(none) && is_image_name(entry.path()) &&
        matches(entry.path().filename().string(), pattern))
      for (fs::path& image : pages_of(entry.path())) found.files.push_back(std::move(image));
  std::sort(found.files.begin(), found.files.end());
  check(!found.files.empty(), "no image in ", folder.string(), " has a name like ", pattern);
  return found;
}

}  // namespace kern::data

// Images and their masks as people keep them: folders, paired by name.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "data/finding.h"

namespace kern::data {

struct ImageFolderOptions {
  std::filesystem::path path;
  // Below `path`, searched recursively. Empty: images/ and masks/ (or what image_folder.cpp lists beside them) where
  // they are there, otherwise `path` itself, where mask_suffix tells masks from images.
  std::string image_dir, mask_dir;
  std::string mask_suffix;  // of a mask's stem: "_mask" pairs dog.jpg with dog_mask.png
  bool strict = false;      // what cannot be used is an error; otherwise it is left out and listed
};

struct ImageFile {
  std::string id;                     // path below the image folder, without its ending, "/" between folders
  std::filesystem::path image, mask;  // mask is empty where there is none
  int64_t H = 0, W = 0;
};

struct ImageSet {
  std::vector<ImageFile> images;  // by id
  std::vector<Problem> skipped;   // files that are not in the set
  std::filesystem::path image_dir, mask_dir;
  int64_t labelled() const;
};

// Reads names and headers, no pixels. Left out (or thrown when strict): unreadable headers, a mask whose size is not
// its image's, masks without an image, two images of one name. Thrown: no such folder, no image in it.
ImageSet load_image_folder(const ImageFolderOptions& options);

// Every file below the folder whose name is an image's, sorted. Error when the folder cannot be read.
std::vector<std::filesystem::path> images_below(const std::filesystem::path& folder);

// The images of a file, a folder (recursively) or a glob ("scans/*.png"; * and ? in the last part of the path),
// sorted; `root` is the folder that their names are relative to. Error when there is none.
struct FoundImages {
  std::filesystem::path root;
  std::vector<std::filesystem::path> files;
};
FoundImages find_images(const std::string& path);

}  // namespace kern::data

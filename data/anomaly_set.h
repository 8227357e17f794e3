// Images of good and of defective things, as people keep them, and which of them train, validate and test.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/finding.h"
#include "data/image_groups.h"

namespace kern::data {

enum class Truth { normal, anomalous, unknown };
const char* to_string(Truth truth);

struct AnomalyImage {
  std::string id;                     // path below the data's folder, with its ending, "/" between folders
  std::filesystem::path image, mask;  // mask: where the defect is (not 0); empty where there is none
  int64_t H = 0, W = 0;
  Truth truth = Truth::unknown;
  std::string kind;  // the folder's or list's word: "good", "crack"
  std::string part;  // "train", "validation" or "test" where the folders say so; else empty
};

struct AnomalySetOptions {
  std::filesystem::path path;
  // Folders (or words of the list) of this name hold normal images; case does not matter.
  std::vector<std::string> good{"good", "normal", "ok", "free", "mt_free", "0"};
  // A text file of lines "file label", names relative to `path` or to the list: then only those images are taken.
  std::filesystem::path list;
  // Where masks are; empty: ground_truth, masks or mask below `path` (any depth), and PNG files beside a JPEG of the
  // same name. An image's mask has its stem, or that with "_mask", or with mask_from replaced by mask_to.
  std::string mask_dir, mask_from, mask_to;
  bool strict = false;  // what cannot be used is an error; otherwise it is left out and listed
};

struct AnomalySet {
  std::vector<AnomalyImage> images;  // by id
  std::vector<Problem> skipped;
  std::vector<std::string> notes;  // what was assumed
  int64_t count(Truth truth) const;
};

// Reads names and headers, no pixels. The folder nearest to an image is its kind; a folder of images without
// sub-folders holds normal ones, and a note says so. Errors: no such folder or list, no image; with strict also what
// would be left out: unreadable images, listed files that are not there, masks of another size.
AnomalySet load_anomaly_set(const AnomalySetOptions& options);

// Of the files below a folder those that are images: without the PNG files beside a JPEG or BMP of the same name and what
// lies in folders named ground_truth, masks or mask (or below `mask_dir` alone), which are masks.
std::vector<std::filesystem::path> without_masks(std::vector<std::filesystem::path> files,
                                                 const std::filesystem::path& folder, const std::string& mask_dir = {});

struct AnomalySplitOptions {
  double validation = 0.15, test = 0.15;  // shares of the normal images that train nothing
  // Anomalies train nothing: of every kind half validate, half test.
  uint64_t seed = 0;
  GroupOptions groups;  // images of a group are never parted, so that shares are as near as groups allow
  // The normal images that the seed would let validate train too: for a model whose threshold is found by scores of
  // training images that it is made to forget. A split by folders that names a validation is kept as it is.
  bool validation_trains = false;
};
struct AnomalySplit {
  std::vector<int64_t> group;                       // of every image of the set, from 0
  std::vector<int64_t> training, validation, test;  // indices, rising; training holds normal images only
};
// By the folders train, validation and test where there is a train folder (without one for validation, as many normal
// images as `validation` says leave the training, and half of the test's anomalies its test); else by seed. Images
// of unknown truth take no part. Errors: shares out of range, no normal image left to train on.
AnomalySplit split_anomalies(const AnomalySet& set, const AnomalySplitOptions& options);

}  // namespace kern::data

// From a configuration to images: what train, inspect, preview and evaluate read.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "apps/images/config.h"
#include "data/image_batches.h"

namespace kern::apps {

struct ImagesSource {
  std::shared_ptr<const data::ImageStore> store;  // every image that could be listed, good or not
  std::vector<data::ImageClass> classes;
  std::vector<data::Problem> skipped;   // by name or header
  std::vector<int64_t> usable;          // of the store's images, those that could be read
  std::vector<int64_t> own_validation;  // of the folder that validates, if there is one
};
// Reads the folders and decodes everything once.
ImagesSource read_source(const ImagesData& data, const ImagesSplit& split);

// Warns of what was left out, and refuses masks with values of no class, naming the first and the remedy.
void warn_and_check(const ImagesSource& source, const ImagesData& data);

// Of the usable images, as indices into the store.
data::ImageSplit split_source(const ImagesSource& source, const ImagesSplit& split);

data::ImageBatchOptions batch_options(const ImagesTrainConfig& c);
std::vector<std::string> ids_of(const data::ImageStore& store, const std::vector<int64_t>& which);
std::string hash_text(uint64_t hash);

}  // namespace kern::apps

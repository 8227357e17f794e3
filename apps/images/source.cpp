#include "apps/images/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/groups.h"
#include "kernels/common/log.h"

namespace kern::apps {

ImagesSource read_source(const ImagesData& d, const ImagesSplit& s) {
  check(s.validation_image_dir.empty() == s.validation_mask_dir.empty(),
        "validation_image_dir= and validation_mask_dir= belong together: give both or none");
  ImagesSource source;
  const data::MaskOptions masks = d.mask_options();
  source.classes = masks.classes;
  data::ImageSet set = data::load_image_folder(d.folder());
  source.skipped = set.skipped;
  const size_t first = set.images.size();
  if (!s.validation_image_dir.empty()) {
    data::ImageFolderOptions folder = d.folder();
    folder.image_dir = s.validation_image_dir;
    folder.mask_dir = s.validation_mask_dir;
    const data::ImageSet more = data::load_image_folder(folder);
    source.skipped.insert(source.skipped.end(), more.skipped.begin(), more.skipped.end());
    for (data::ImageFile p : more.images) {
      p.id = s.validation_image_dir + "/" + p.id;
      set.images.push_back(std::move(p));
    }
  }
  if (!d.unlabelled.empty()) {
    check(std::filesystem::is_directory(d.unlabelled), "unlabelled=", d.unlabelled, " is no folder of images");
    const data::ImageSet more =
        data::load_image_folder({.path = d.unlabelled, .mask_suffix = d.mask_suffix, .strict = d.strict});
    source.skipped.insert(source.skipped.end(), more.skipped.begin(), more.skipped.end());
    for (data::ImageFile p : more.images) {
      p.id = "unlabelled/" + p.id;
      p.mask.clear();
      set.images.push_back(std::move(p));
    }
  }
  source.store = std::make_shared<data::ImageStore>(std::move(set.images), data::MaskReader(masks), d.grey ? 1 : 3,
                                                    size_t(d.cache) << 20);
  for (size_t i = 0; i < source.store->facts().size(); ++i) {
    if (!source.store->facts()[i].failure.empty()) continue;
    source.usable.push_back(int64_t(i));
    if (i >= first && !source.store->images()[i].mask.empty()) source.own_validation.push_back(int64_t(i));
  }
  check(!source.usable.empty(), "none of the ", source.store->images().size(), " images in ", d.path,
        " can be read; the first: ", source.store->facts().front().failure);
  return source;
}

void warn_and_check(const ImagesSource& source, const ImagesData& d) {
  for (const data::Problem& p : source.skipped) warn("skipped: ", to_string(p));
  const auto& images = source.store->images();
  int64_t held = 0;
  std::string first;
  for (size_t i = 0; i < images.size(); ++i) {
    const data::ImageFacts& facts = source.store->facts()[i];
    if (!facts.failure.empty()) {
      check(!d.strict, facts.failure);
      warn("skipped: ", facts.failure);
    }
    if (facts.unmapped.empty()) continue;
    ++held;
    const auto& [value, pixels] = *facts.unmapped.begin();
    if (first.empty())
      first = text("mask ", images[i].mask.string(), " holds ", value, " on ", pixels, " pixels, but ",
                   int64_t(source.classes.size()),
                   " classes are declared and none has it: ", data::MaskReader(d.mask_options()).remedy(value));
  }
  check(held == 0 || d.ignore_unmapped, first,
        held > 1 ? text(" (", held - 1, " more masks hold such values; kern images inspect lists them)") : "");
}

data::ImageSplit split_source(const ImagesSource& source, const ImagesSplit& s) {
  const data::ImageStore& store = *source.store;
  std::vector<data::ImageFile> images;  // the usable ones
  std::vector<data::ImageFacts> facts;
  std::vector<std::string> ids;
  std::vector<int64_t> validating;
  for (const int64_t i : source.usable) {
    if (std::binary_search(source.own_validation.begin(), source.own_validation.end(), i))
      validating.push_back(int64_t(images.size()));
    images.push_back(store.images()[size_t(i)]);
    facts.push_back(store.facts()[size_t(i)]);
    ids.push_back(images.back().id);
  }
  const std::vector<int64_t> group = data::joined_groups(data::group_equal(facts), data::group_images(ids, s.groups));
  check(s.validation_image_dir.empty() || !source.own_validation.empty(),
        "no image of validation_image_dir=", s.validation_image_dir,
        " has a mask in validation_mask_dir=", s.validation_mask_dir, ": nothing would validate");
  data::ImageSplit split = data::split_images(images,
                                              {.validation = s.validation,
                                               .folds = s.folds,
                                               .fold = s.fold,
                                               .validation_list = s.validation_list,
                                               .test_list = s.test_list,
                                               .validating = validating,
                                               .test = s.test,
                                               .seed = uint64_t(s.seed)},
                                              group);
  for (auto* side : {&split.training, &split.validation, &split.test, &split.unlabelled})
    for (int64_t& i : *side) i = source.usable[size_t(i)];
  return split;
}

data::ImageBatchOptions batch_options(const ImagesTrainConfig& c) {
  check(c.size.empty() || c.size.size() == 2, "size= takes height and width, e.g. size=224,224; got ", c.size.size(),
        c.size.size() == 1 ? " number" : " numbers");
  check(c.fit == data::Fit::scale || !c.size.empty(), "fit=crop needs size=HEIGHT,WIDTH: how large the parts are");
  return {.batch = c.recipe.batch,
          .H = c.size.empty() ? 0 : c.size[0],
          .W = c.size.empty() ? 0 : c.size[1],
          .fit = c.fit,
          .shuffle = true,
          .seed = uint64_t(c.recipe.seed),
          .augmentation = c.augmentation};
}

std::vector<std::string> ids_of(const data::ImageStore& store, const std::vector<int64_t>& which) {
  std::vector<std::string> ids;
  for (const int64_t i : which) ids.push_back(store.images()[size_t(i)].id);
  return ids;
}

std::string hash_text(uint64_t hash) { return fmt::format("{:016x}", hash); }

}  // namespace kern::apps

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/images/verbs.h"
#include "apps/new_config.h"
#include "data/mask_survey.h"
#include "engine/statistics.h"
#include "kernels/common/log.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;

constexpr int64_t kLong = 320, kCrop = 256, kMultiple = 32;  // of what a network sees
constexpr double kRare = 0.02;     // a class of fewer of all pixels is lost beside the others without weights
constexpr double kLeastWidth = 4;  // of an object there, in pixels

// Folders that come in two, as CamVid has them: images and masks of the training, and of the validation.
struct Layout {
  std::string images, masks, validation_images, validation_masks, suffix;
};
std::string beside(const fs::path& data, const std::string& images) {
  for (const char* ending : {"annot", "_annot", "_labels", "_masks", "_mask", "_gt", "_label", "labels", "masks"})
    if (fs::is_directory(data / (images + ending))) return images + ending;
  return {};
}
Layout layout_of(const fs::path& data) {
  Layout l;
  if (fs::is_directory(data / "train")) l.masks = beside(data, "train");
  if (!l.masks.empty()) {
    l.images = "train";
    for (const char* name : {"val", "valid", "validation"})
      if (const std::string masks = beside(data, name); fs::is_directory(data / name) && !masks.empty()) {
        l.validation_images = name, l.validation_masks = masks;
        break;
      }
    return l;
  }
  if (data::load_image_folder({.path = data}).labelled() == 0) l.suffix = data::guess_mask_suffix(data);
  return l;
}

int64_t to_multiple(double n) { return std::max<int64_t>(kMultiple, std::llround(n / double(kMultiple)) * kMultiple); }

bool all_grey(const std::vector<data::ImageFile>& images) {
  for (size_t i = 0; i < images.size(); i += std::max<size_t>(1, images.size() / 12)) {
    const data::Image image = data::read_image(images[i].image, 3);
    for (int64_t p = 0; p < image.H * image.W; ++p) {
      const uint8_t* at = image.pixels.data() + p * 3;
      if (at[0] != at[1] || at[1] != at[2]) return false;
    }
  }
  return true;
}

void write_classes(NewConfig& out, const data::MaskSurvey& masks) {
  out.comment(fmt::format("{} masks were looked at: {}.{}", masks.masks, masks.why,
                          is_binary(masks.kind) ? ""
                                                : " Give the classes their names; a value that means that nobody knows "
                                                  "belongs into ignore: [...] instead."));
  const char* const words[] = {"index", "colour", "nonzero", "zero", "alpha"};
  out.key("masks", std::string(words[int(masks.kind)]));
  const auto share = [&](int64_t n) {
    return fmt::format("{:.2f} % of the pixels", 100 * double(n) / double(masks.pixels));
  };
  if (masks.kind == data::MaskKind::nonzero) {
    out.comment(fmt::format("{:.1f} % of the pixels are object. If the object is where masks are 0: masks: zero",
                            100 * masks.object_share));
    return;
  }
  out.line("classes:");
  int i = 0;
  for (const auto& [value, n] : masks.values) {
    if (std::find(masks.ignore.begin(), masks.ignore.end(), int(value)) != masks.ignore.end()) continue;
    if (masks.kind == data::MaskKind::colour)
      out.line(fmt::format("  - {{name: class {}, colour: \"#{:06x}\"}}", i, value), share(n));
    else out.line(fmt::format("  - {{name: class {}, values: [{}]}}", value, value), share(n));
    ++i;
  }
  if (!masks.ignore.empty()) out.key("ignore", masks.ignore);
}

}  // namespace

void run_images_init(const ImagesInitConfig& c, Call& call) {
  NewConfig out(c.out, c.overwrite);
  check(fs::is_directory(c.data), c.data, " is no folder: data= names the folder of the images and masks");
  check(c.weights.empty() || fs::exists(c.weights), "encoder.weights=", c.weights, " does not exist");
  const Layout layout = layout_of(c.data);
  const data::ImageSet set = data::load_image_folder(
      {.path = c.data, .image_dir = layout.images, .mask_dir = layout.masks, .mask_suffix = layout.suffix});
  const int64_t labelled = set.labelled();
  check(labelled >= 2, labelled == 0 ? "no image of " : "one image alone of ", c.data,
        labelled == 0 ? " has a mask: put masks of the images' names into masks/ beside images/, or name them like the "
                        "images with _mask at the end"
                      : " has a mask: a training needs at least two, one of them to validate");
  const data::MaskSurvey masks = data::survey_masks(set.images);
  std::vector<int64_t> heights, widths;
  for (const data::ImageFile& p : set.images) heights.push_back(p.H), widths.push_back(p.W);
  const auto [h_least, h_most] = std::minmax_element(heights.begin(), heights.end());
  const auto [w_least, w_most] = std::minmax_element(widths.begin(), widths.end());
  const int64_t H = median_high(heights), W = median_high(widths);

  out.comment(
      fmt::format("Made by kern images init from {}: {} images, {} with masks, {} x {} to {} x {} pixels (median {} x "
                  "{}).",
                  c.data, set.images.size(), labelled, *w_least, *h_least, *w_most, *h_most, W, H));
  for (size_t i = 0; i < std::min<size_t>(5, set.skipped.size()); ++i)
    out.comment("Left out: " + set.skipped[i].sentence);
  out.key("data", c.data);
  if (!layout.images.empty()) {
    out.key("image_dir", layout.images);
    out.key("mask_dir", layout.masks);
  }
  if (!layout.suffix.empty()) out.key("mask_suffix", layout.suffix, "what a mask's name has more than its image's");
  if (!layout.validation_images.empty()) {
    out.key("validation_image_dir", layout.validation_images, "images of their own validate");
    out.key("validation_mask_dir", layout.validation_masks);
  }
  out.blank();
  write_classes(out, masks);
  if (all_grey(set.images)) out.key("grey", true, "no image has colours");
  out.blank();

  // As a whole where objects stay wide enough when it is scaled to what a network sees; otherwise in parts.
  const double scale = std::min(1.0, double(kLong) / double(std::max(H, W))), width = masks.object_width * scale;
  const bool crop = scale < 1 && width < kLeastWidth;
  std::vector<int> size{int(to_multiple(double(H) * scale)), int(to_multiple(double(W) * scale))};
  if (crop) {
    const int64_t side = std::min<int64_t>(kCrop, std::max<int64_t>(kMultiple, std::min(H, W) / kMultiple * kMultiple));
    size = {int(side), int(side)};
  }
  out.comment(fmt::format(
      "Half of {} pixels lie where it is {:.0f} pixels wide or less; scaled to {} x {} that would be "
      "{:.1f}{}.",
      masks.kind == data::MaskKind::nonzero || masks.values.size() <= 2 ? "the object's" : "the narrowest class's",
      masks.object_width, to_multiple(double(W) * scale), to_multiple(double(H) * scale), width,
      crop ? fmt::format(", less than {:.0f}: the network sees parts at full size", kLeastWidth)
           : ": enough to be seen whole"));
  out.key("size", size, "height, width");
  out.key("fit", std::string(crop ? "crop" : "scale"));
  out.line("augment: {flip_horizontal: true, brightness: 0.2, contrast: 0.2}",
           "take out the flip where left is not right");
  out.blank();
  const bool own_validation = !layout.validation_images.empty();
  if (!own_validation)
    out.key("validation", labelled < 10 ? 1.0 / double(std::min<int64_t>(labelled, 4)) : 0.2,
            "share of the images with masks");
  const int64_t training =
      own_validation ? labelled : std::max<int64_t>(1, labelled - std::max<int64_t>(1, labelled / 5));
  const int batch = training >= 64 ? 8 : training >= 16 ? 4 : 2;
  const int64_t updates = std::max<int64_t>(1, training / batch),
                wanted = masks.kind == data::MaskKind::nonzero ? 1000 : 3000;
  if (c.weights.empty()) {
    out.key("model", std::string("unet"));
  } else {
    out.key("model", std::string("mobilenet_fpn"), "a feature pyramid on a pretrained encoder");
    out.key("encoder.weights", c.weights);
    out.key("encoder.lr", 0.1, "of lr: it knows much already");
  }
  out.key("batch", batch);
  out.key("epochs", std::clamp<int64_t>((wanted + updates - 1) / updates, 10, 300),
          fmt::format("of about {} updates; fewer than 300 in all learn little", updates));
  out.key("lr", 0.001);
  if (masks.kind == data::MaskKind::nonzero) {
    out.line("loss: {bce: 1, dice: 1}", "dice: an object of few pixels counts as much as the ground");
    out.key("monitor", std::string("binary_iou"));
  } else {
    out.key("optimiser", std::string("adamw"));
    out.key("weight_decay", 1e-4);
    out.key("clip", 1.0);
    if (masks.rarest_share < kRare)
      out.key("class_weights", std::string("inverse_root"),
              fmt::format("the rarest class has {:.2f} % of the pixels", 100 * masks.rarest_share));
    out.key("monitor", std::string("mean_iou"));
  }
  out.key("run", std::string("runs/") + fs::path(c.out).stem().string());

  ImagesTrainConfig check_it;
  training::Schema keys("kern images train");
  describe_images_train(keys, check_it);
  out.write(keys, "kern images train " + c.out);
  call.figures.add("out", c.out);
  call.figures.add("images", int64_t(set.images.size()));
  call.figures.add("labelled", labelled);
  call.figures.add("object_width", masks.object_width);
  call.figures.add("object_share", masks.object_share);
}

}  // namespace kern::apps

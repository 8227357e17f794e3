#include "apps/images/config.h"

#include "models/discriminator.h"

namespace kern::apps {
namespace {
using training::at_least;
using training::between;
using training::Monitor;
using training::one_of;
using training::required;
using training::Schema;

void describe_class(Schema& keys, data::ImageClass& c) {
  keys.key("name", c.name, "what reports call it", required())
      .key("colour", c.colour, "#rrggbb; empty: from a palette that every eye can tell apart")
      .key("values", c.values, "the masks' values for it; empty: its place in the list, from 0", between(0, 65535));
}

void describe_folders(Schema& keys, ImagesData& d) {
  keys.section("Data")
      .key("data", d.path,
           "folder of the data: images (JPEG, PNG, TIFF, BMP, GIF) in images/, masks of the same names in masks/")
      .key("image_dir", d.image_dir,
           "folder of the images inside data=, searched recursively; empty: images/, or data= itself")
      .key("mask_dir", d.mask_dir,
           "folder of the masks inside data=; empty: masks/, or among the images by mask_suffix=")
      .key("mask_suffix", d.mask_suffix,
           "what a mask's name has more than its image's: _mask pairs dog.jpg with dog_mask.png")
      .choice("masks", d.masks,
              "what a mask's values are: index: class numbers, grey or palette; colour: the classes' colours; nonzero: "
              "anything but 0 is the second class; zero: 0 is; alpha: anything that is not transparent",
              {{"index", data::MaskKind::index},
               {"colour", data::MaskKind::colour},
               {"nonzero", data::MaskKind::nonzero},
               {"zero", data::MaskKind::zero},
               {"alpha", data::MaskKind::alpha}})
      .list("classes", d.classes, "classes in index order; empty: classes_file, or background and object",
            describe_class)
      .key("classes_file", d.classes_file, "text file with a class a line: name, and #rrggbb or three values after it")
      .key("ignore", d.ignore, "mask values that take no part, e.g. 255", between(0, 65535))
      .key("ignore_unmapped", d.ignore_unmapped, "so do values and colours of no class; otherwise they are an error")
      .key("strict", d.strict, "a file that cannot be used ends the command instead of being named and skipped")
      .key("grey", d.grey, "images as one grey channel; false: three colours, whatever the files hold")
      .key("cache", d.cache, "MiB of decoded images kept in memory; what is beyond is decoded anew every epoch",
           at_least(0))
      .key("unlabelled", d.unlabelled,
           "folder of further images, from which the semi-supervised methods learn (method=); masks in it are not "
           "looked at. Images of data= without a mask are used likewise");
}

void describe_split(Schema& keys, ImagesSplit& s) {
  keys.section("Split (equal images stay on one side)")
      .key("validation", s.validation, "share of the images with masks that validate",
           training::Allowed{.low = 0, .high = 1, .open_low = true, .open_high = true})
      .key("folds", s.folds, "k-fold cross-validation: this many folds; 0: by share", at_least(0))
      .key("fold", s.fold, "the fold that validates, from 0", at_least(0))
      .key("split_seed", s.seed, "draws the images of the share or the folds; another seed= leaves them as they are",
           at_least(0))
      .key("validation_list", s.validation_list, "text file of names, one a line: exactly these validate")
      .key("validation_image_dir", s.validation_image_dir,
           "folder inside data= of the images that validate, if they have one of their own")
      .key("validation_mask_dir", s.validation_mask_dir, "and the one of their masks")
      .key("test", s.test,
           "share of the images with masks that no training looks at, for one last figure: kern images evaluate "
           "images=test",
           training::Allowed{.low = 0, .high = 1, .open_high = true})
      .key("test_list", s.test_list, "text file of names, one a line: exactly these are kept for that figure");
  describe_groups(keys, s.groups, "a split");
}

// Of the images in training, and of their strong views.
void describe_changes(Schema& keys, const std::string& prefix, data::ImageAugmentation& a, const std::string& whose) {
  keys.key(prefix + "flip_horizontal", a.flip_horizontal, "mirrors half of the " + whose + ", left and right")
      .key(prefix + "flip_vertical", a.flip_vertical, "and top and bottom")
      .key(prefix + "rot90", a.rot90, "quarter turns (half turns where height and width differ)")
      .key(prefix + "rotate", a.rotate, "turned by up to so many degrees", between(0, 180))
      .key(prefix + "zoom", a.zoom, "magnified or reduced by up to this share", between(0, 0.9))
      .key(prefix + "shift", a.shift, "moved by up to this share of height and width", between(0, 0.9))
      .key(prefix + "brightness", a.brightness, "times 1 +- up to this", between(0, 1))
      .key(prefix + "contrast", a.contrast, "about the image's mean", between(0, 1))
      .key(prefix + "saturation", a.saturation, "of colours, about their grey", between(0, 1))
      .key(prefix + "hue", a.hue, "turned by up to this part of the colour circle", between(0, 0.5))
      .key(prefix + "noise", a.noise, "normal, of a deviation up to this; white is 1", between(0, 1))
      .key(prefix + "blur", a.blur, "Gaussian, of a deviation up to this many pixels", between(0, 20))
      .key(prefix + "cutout", a.cutout, "a grey rectangle of up to this share of height and width", between(0, 0.9));
}

void describe_inputs(Schema& keys, ImagesTrainConfig& c) {
  keys.section("Inputs")
      .key("size", c.size, "height and width that the network sees, 224,224; empty: the images' own, then all equal",
           between(1, 16384))
      .choice("fit", c.fit,
              "how an image comes to that size: scale: as a whole; crop: a part of it, at random in training, tiles "
              "in prediction",
              {{"scale", data::Fit::scale}, {"crop", data::Fit::crop}});
  describe_changes(keys, "augment.", c.augmentation, "training images");
  keys.key("augment.crop", c.augmentation.crop, "a part without up to this share of the area, scaled up",
           between(0, 0.99));
}

// What learns from images without masks.
void describe_semi_supervision(Schema& keys, ImagesTrainConfig& c) {
  std::vector<std::string> discriminators;
  for (const auto& m : models::discriminator_models())
    if (m.make2d) discriminators.push_back(m.name);
  using training::MethodKind;
  describe_method(keys, c.method, "images", discriminators,
                  {MethodKind::supervised, MethodKind::mean_teacher, MethodKind::fixmatch, MethodKind::unimatch,
                   MethodKind::cps, MethodKind::adversarial});
  keys.key("labelled_fraction", c.labelled_fraction,
           "share of the training images whose masks are seen, the images of 1/8 among those of 1/4; the others "
           "count as unlabelled",
           training::Allowed{.low = 0, .high = 1, .open_low = true});
  describe_changes(keys, "semi.strong.", c.strong,
                   "strong views (of mean_teacher, fixmatch and unimatch; augment makes the weak ones)");
}

std::string model_words() {
  std::string words;
  for (const auto& m : models::image2d_models())
    words += (words.empty() ? "" : "; ") + std::string(m.name) + ": " + m.help;
  return words;
}
std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& m : models::image2d_models()) names.push_back(m.name);
  return names;
}

void describe_inference(Schema& keys, InferenceOptions& p) {
  keys.choice("window", p.window,
              "whole: an image goes through the network at once; tiles: in overlapping parts of the training's size, "
              "blended; auto: as it was trained, and what is too large, or more than twice as large as what was "
              "trained on, in "
              "tiles",
              {{"auto", Window::automatic}, {"whole", Window::whole}, {"tiles", Window::tiles}})
      .key("overlap", p.overlap, "share of a tile that the next one covers too", between(0, 0.9))
      .choice("flips", p.flips, "mean over mirrored images too: horizontal: 2 passes; both: 4",
              {{"none", TestTimeFlips::none}, {"horizontal", TestTimeFlips::horizontal}, {"both", TestTimeFlips::both}})
      .key("scales", p.scales,
           "mean over an image (or tile) magnified and reduced by these factors, 0.75,1,1.25; times the passes of "
           "flips=",
           between(0.1, 8));
}
}  // namespace

data::ImageFolderOptions ImagesData::folder() const {
  return {.path = path, .image_dir = image_dir, .mask_dir = mask_dir, .mask_suffix = mask_suffix, .strict = strict};
}

data::MaskOptions ImagesData::mask_options() const {
  check(classes.empty() || classes_file.empty(), "classes= and classes_file= both name the classes: keep one of them");
  data::MaskOptions o{.kind = masks, .classes = classes, .ignore = ignore, .ignore_unmapped = ignore_unmapped};
  if (!classes_file.empty()) o.classes = data::read_class_list(classes_file);
  const bool binary = data::is_binary(masks);
  if (o.classes.empty() && binary) o.classes = {{"background", "#30363d", {}}, {"object", "#e69f00", {}}};
  return o;
}

training::ClassList class_list(const std::vector<data::ImageClass>& classes) {
  training::ClassList list;
  for (const data::ImageClass& c : classes)
    list.push_back({c.name, c.colour.empty() ? training::default_colour(int64_t(list.size())) : c.colour});
  training::check_classes(list);
  return list;
}

std::vector<data::Rgb> palette_of(const training::ClassList& classes) {
  std::vector<data::Rgb> palette;
  for (const auto& c : classes) palette.push_back(data::parse_colour(c.colour));
  return palette;
}

void describe_images_init(Schema& keys, ImagesInitConfig& c) {
  keys.section("Data")
      .key("data", c.data, "folder of images and masks", training::required())
      .key("encoder.weights", c.weights,
           "safetensors or ONNX file of a pretrained MobileNetV2, on which the network is then built: worth much more "
           "than any other setting where there are few images");
  keys.section("Output")
      .key("out", c.out, "configuration to write")
      .key("overwrite", c.overwrite, "replace it if it is there");
}

void describe_images_train(Schema& keys, ImagesTrainConfig& c) {
  describe_folders(keys, c.data);
  describe_split(keys, c.split);
  describe_inputs(keys, c);
  keys.section("Model")
      .key("model", c.model, model_words(), one_of(model_names()))
      .key("channels", c.channels, "channels of the levels, the last is the bottom; empty: the model's own",
           between(1, 4096))
      .key("dropout", c.dropout, "share dropped in training", training::Allowed{.low = 0, .high = 1, .open_high = true})
      .key(
          "encoder.weights", c.encoder_weights,
          "safetensors or ONNX file of a pretrained encoder, with torchvision's or timm's names; empty: random weights")
      .key("encoder.frozen", c.encoder_frozen, "so many of the encoder's first levels are not trained", at_least(0))
      .key("encoder.lr", c.encoder_lr, "the encoder's learning rate is lr times this", training::above(0))
      .key("encoder.unfold", c.encoder_unfold,
           "weights whose batch norm is folded get norms again, by the statistics of training images, so that nothing "
           "changes at first and the encoder is trained with norms; false: it is trained without any");
  describe_semi_supervision(keys, c);
  describe_training(keys, c.recipe, "images");
  keys.key("min_updates", c.min_updates,
           "where epochs= passes over few images make fewer updates than this, there are more epochs; 0: epochs= alone",
           at_least(0));
  describe_loss(keys, c.loss);
  keys.choice("class_weights", c.class_weights,
              "in the loss: complement is 1 - share, inverse 1 / share, inverse_root the square root of that",
              {{"none", training::ClassWeights::none},
               {"complement", training::ClassWeights::complement},
               {"inverse", training::ClassWeights::inverse},
               {"inverse_root", training::ClassWeights::inverse_root}});
  describe_stopping(keys, c.recipe);
  keys.choice("monitor", c.monitor, "what makes an epoch the best; binary_iou is the second class's",
              {{"mean_iou", Monitor::mean_iou},
               {"binary_iou", Monitor::binary_iou},
               {"macro_f1", Monitor::macro_f1},
               {"accuracy", Monitor::accuracy}});
  describe_epochs_to(keys, c.reach, "val_loss, accuracy, macro_f1, mean_iou, and binary_iou of two classes");
  keys.section("Output")
      .key("run", c.run, "the run folder", required())
      .key("resume", c.resume, "go on with this run folder, by its own configuration")
      .key("panels", c.panels, "validation images drawn after every epoch", between(0, 16))
      .key("report_images", c.report_images, "images drawn in the report, the worst first", between(0, 200))
      .formerly("report_pictures")
      .key("quiet", c.quiet, "no progress bar");
  describe_machine(keys, c.machine);
}

void describe_images_inspect(Schema& keys, ImagesTrainConfig& c) {
  describe_images_train(keys, c);
  keys.section("Inspection").key("sheet", c.sheet, "write a contact sheet of the images and masks to this PNG");
}

void describe_images_preview(Schema& keys, ImagesTrainConfig& c) {
  describe_images_train(keys, c);
  keys.section("Preview").key("out", c.out,
                              "PNG to write: an image a row, first as it is, then as the epochs change it", required());
}

void describe_images_evaluate(Schema& keys, ImagesEvaluateConfig& c) {
  keys.section("Evaluation")
      .key("model", c.model, "model file that 'kern images train' made, or the run folder that holds it", required())
      .key("data", c.data, "folder with images and masks", required())
      .key("image_dir", c.image_dir, "folder of the images inside data=")
      .key("mask_dir", c.mask_dir, "folder of the masks inside data=")
      .key("mask_suffix", c.mask_suffix, "what a mask's name has more than its image's");
  describe_part(keys, "images", c.images);
  keys.key("ignore_unmapped", c.ignore_unmapped, "mask values of no class take no part; otherwise they are an error")
      .key("strict", c.strict, "a file that cannot be used ends the command");
  describe_inference(keys, c.inference);
  keys.key("report_images", c.report_images, "images drawn in the report, the worst first", between(0, 200))
      .formerly("report_pictures")
      .key("run", c.run, "folder for report.html and result.json", required())
      .key("overwrite", c.overwrite, "write over an earlier evaluation that stands there");
  describe_machine(keys, c.machine);
}

void describe_images_predict(Schema& keys, ImagesPredictConfig& c) {
  keys.section("Prediction")
      .key("model", c.model, "model file that 'kern images train' made, or the run folder that holds it", required())
      .key("data", c.data, "an image, a folder of images (searched recursively) or a pattern such as 'scans/*.png'",
           required())
      .key("out", c.out, "folder for the masks: NAME.png of class numbers with the classes' colours as palette",
           required());
  describe_inference(keys, c.inference);
  keys.key("threshold", c.threshold, "with two classes: the second one from this probability on", between(0, 1))
      .key("overlay", c.overlay, "write NAME_overlay.png too: the image with the classes' colours over it")
      .key("probabilities", c.probabilities,
           "write NAME_probability.png: of the second class, or with more than two classes of the chosen one")
      .key("overwrite", c.overwrite, "write over files that are there")
      .key("strict", c.strict, "a file that cannot be used ends the command instead of being named and skipped");
  describe_machine(keys, c.machine);
}

}  // namespace kern::apps

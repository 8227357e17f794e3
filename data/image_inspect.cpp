#include "data/image_inspect.h"

#include <algorithm>
#include <bit>
#include <map>

#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr int kLikeBits = 3;  // of 64, by which near images may differ

class Inspection {
 public:
  Inspection(const ImageStore& store, const std::vector<ImageClass>& classes, const MaskReader& masks)
      : store_(store), classes_(classes), masks_(masks) {}

  void look_at_files(const std::vector<Problem>& skipped) {
    for (const Problem& p : skipped) add(Severity::warning, p.file, "left out: " + p.sentence, p.remedy);
    for (size_t i = 0; i < store_.facts().size(); ++i)
      if (!store_.facts()[i].failure.empty())
        add(Severity::warning, id(i), "left out: " + store_.facts()[i].failure, "mend or remove the file");
  }

  void look_at_values(bool allowed) {
    const Severity severity = allowed ? Severity::note : Severity::error;
    struct Seen {
      int64_t pixels = 0, masks = 0;
      std::string first;
    };
    std::map<std::string, Seen> seen;
    for (size_t i = 0; i < store_.facts().size(); ++i)
      for (const auto& [value, pixels] : store_.facts()[i].unmapped) {
        Seen& s = seen[value];
        if (s.masks++ == 0) s.first = store_.images()[i].mask.string();
        s.pixels += pixels;
      }
    size_t told = 0;
    for (const auto& [value, s] : seen) {
      if (++told > 20) {
        add(severity, "", text(seen.size() - 20, " more mask values belong to no class"),
            "look at masks=: are these colours or soft edges?");
        break;
      }
      add(severity, s.first,
          text("the mask value ", value, " belongs to none of the ", classes_.size(), " classes: ", s.pixels,
               " pixels in ", s.masks, s.masks == 1 ? " mask, " : " masks, the first is ", s.first),
          masks_.remedy(value));
    }
  }

  void look_at_classes(const ImageSplit* split) {
    const size_t K = classes_.size();
    auto counts = [&](const std::vector<int64_t>& which) {
      std::vector<int64_t> n(K, 0);
      for (const int64_t i : which)
        for (size_t k = 0; k < store_.facts()[size_t(i)].class_pixels.size() && k < K; ++k)
          n[k] += store_.facts()[size_t(i)].class_pixels[k];
      return n;
    };
    if (!split) return;
    const std::vector<int64_t> train = counts(split->training), held_out = counts(split->validation);
    for (size_t k = 0; k < K; ++k) {
      const std::string& name = classes_[k].name;
      if (train[k] + held_out[k] == 0)
        add(Severity::warning, "", text("no mask holds a pixel of the class '", name, "'"),
            "check its values or colour, or leave it out");
      else if (train[k] == 0)
        add(Severity::error, "", text("the class '", name, "' is in the validation images alone: it cannot be learnt"),
            "choose another seed= or split");
      else if (held_out[k] == 0)
        add(Severity::warning, "",
            text("the class '", name, "' is in the training images alone: it cannot be evaluated"),
            "choose another seed= or split");
    }
  }

  void look_at_masks() {
    size_t without = 0, empty = 0;
    for (size_t i = 0; i < store_.images().size(); ++i) {
      const ImageFacts& f = store_.facts()[i];
      if (!f.failure.empty()) continue;
      if (store_.images()[i].mask.empty()) ++without;
      else if (std::all_of(f.class_pixels.begin(), f.class_pixels.end(), [](int64_t n) { return n == 0; }) &&
               f.unmapped.empty()) {
        if (++empty <= 5)
          add(Severity::warning, id(i), text("every pixel of the mask of ", id(i), " is ignored"), "leave it out");
      }
    }
    if (without == store_.images().size())
      add(Severity::error, "", "no image has a mask", "set mask_dir= or mask_suffix=");
    else if (without > 0)
      add(Severity::note, "",
          text(without, without == 1 ? " image has no mask of its name" : " images have no mask of their name"), "");
  }

  void look_at_likeness(const ImageSplit* split) {
    const std::vector<int64_t> group = group_equal(store_.facts());
    std::map<int64_t, size_t> first;
    for (size_t i = 0; i < group.size(); ++i) {
      if (!store_.facts()[i].failure.empty()) continue;
      const auto [it, fresh] = first.emplace(group[i], i);
      if (fresh) continue;
      const bool other = store_.facts()[i].class_pixels != store_.facts()[it->second].class_pixels;
      add(other ? Severity::warning : Severity::note, id(i),
          text(id(i), " is the same image as ", id(it->second), other ? ", but its mask is another" : ""),
          other ? "keep the right one" : "they stay on one side of the split");
    }
    if (!split) return;
    size_t pairs = 0;
    std::string example;
    for (const int64_t v : split->validation)
      for (const int64_t t : split->training) {
        const size_t a = size_t(v), b = size_t(t);
        if (group[a] == group[b] || std::popcount(store_.facts()[a].likeness ^ store_.facts()[b].likeness) > kLikeBits)
          continue;
        if (pairs++ == 0) example = text(id(a), " and ", id(b));
      }
    if (pairs > 0)
      add(Severity::warning, "",
          text(pairs, pairs == 1 ? " pair of images looks" : " pairs of images look", " alike across the split, e.g. ",
               example),
          "where they show the same scene the validation flatters: keep scenes together by group=, or split by "
          "validation_list=");
  }

  void look_at_sizes() {
    std::map<std::pair<int64_t, int64_t>, int64_t> sizes;
    for (const ImageFile& p : store_.images()) ++sizes[{p.H, p.W}];
    if (sizes.size() <= 1) return;
    const auto& [small, n] = *sizes.begin();
    const auto& [large, m] = *sizes.rbegin();
    add(Severity::note, "",
        text("the images have ", sizes.size(), " sizes, from ", small.second, " x ", small.first, " to ", large.second,
             " x ", large.first),
        "set size=HEIGHT,WIDTH");
  }

  std::vector<Finding> sorted() {
    std::stable_sort(out_.begin(), out_.end(),
                     [](const Finding& a, const Finding& b) { return int(a.severity) > int(b.severity); });
    return std::move(out_);
  }

 private:
  void add(Severity severity, std::string where, std::string sentence, std::string remedy) {
    out_.push_back({severity, std::move(where), std::move(sentence), std::move(remedy)});
  }
  const std::string& id(size_t i) const { return store_.images()[i].id; }
  const ImageStore& store_;
  const std::vector<ImageClass>& classes_;
  const MaskReader& masks_;
  std::vector<Finding> out_;
};

}  // namespace

std::vector<Finding> inspect_images(const ImageStore& store, const std::vector<ImageClass>& classes,
                                    const std::vector<Problem>& skipped, const MaskReader& masks,
                                    const ImageSplit* split, bool unmapped_allowed) {
  Inspection look(store, classes, masks);
  look.look_at_files(skipped);
  look.look_at_values(unmapped_allowed);
  look.look_at_classes(split);
  look.look_at_masks();
  look.look_at_likeness(split);
  look.look_at_sizes();
  return look.sorted();
}

}  // namespace kern::data

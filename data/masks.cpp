#include "data/masks.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

uint32_t packed(Rgb c) { return uint32_t(c[0]) << 16 | uint32_t(c[1]) << 8 | c[2]; }

// The single channel of an index mask: grey saved as RGB serves too.
Raster<uint16_t> one_channel(const StoredImage& m, const std::string& name) {
  Raster<uint16_t> out = make_raster<uint16_t>(m.H, m.W, 1);
  for (int64_t i = 0; i < m.H * m.W; ++i) {
    const uint16_t* p = m.pixels.data() + i * m.C;
    check(m.C < 3 || (p[0] == p[1] && p[1] == p[2]), "mask ", name,
          " holds colours, not class numbers: set masks=colour and give every class its colour");
    out.pixels[size_t(i)] = p[0];
  }
  return out;
}

uint32_t colour_of(const StoredImage& m, int64_t i, const std::string& name) {
  const uint16_t* p = m.pixels.data() + i * m.C;
  if (m.info.palette && m.info.format == ImageInfo::Format::png) {
    check(p[0] < m.palette.size(), "mask ", name, " holds the palette index ", p[0], ", but its palette has ",
          m.palette.size(), " colours; save it again");
    return packed(m.palette[p[0]]);
  }
  const int shift = m.info.bits == 16 ? 8 : 0;
  auto value = [&](int c) { return uint8_t(p[m.C < 3 ? 0 : c] >> shift); };
  return packed({value(0), value(1), value(2)});
}

}  // namespace

std::vector<ImageClass> read_class_list(const std::filesystem::path& path) {
  std::istringstream lines(read_file(path));
  std::vector<ImageClass> classes;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::istringstream words(line);
    std::vector<std::string> parts;
    for (std::string w; words >> w;) parts.push_back(w);
    if (parts.empty() || parts[0] == "#") continue;
    ImageClass c{parts[0], "", {}};
    if (parts.size() == 2) {
      c.colour = parts[1];
      parse_colour(c.colour);
    } else if (parts.size() == 4) {
      int rgb[3] = {};
      for (int k = 0; k < 3; ++k) {
        std::istringstream value(parts[size_t(k) + 1]);
        check(bool(value >> rgb[k]) && value.eof() && rgb[k] >= 0 && rgb[k] <= 255, path.string(), ":", number, ": '",
              parts[size_t(k) + 1], "' is no colour value from 0 to 255");
      }
      c.colour = fmt::format("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
    } else {
      check(parts.size() == 1, path.string(), ":", number,
            ": a line holds a class's name, and after it #rrggbb or three values from 0 to 255, or nothing");
    }
    classes.push_back(std::move(c));
  }
  check(!classes.empty(), path.string(), " names no class: write one a line");
  return classes;
}

MaskReader::MaskReader(MaskOptions options) : options_(std::move(options)) {
  const auto& classes = options_.classes;
  check(int(classes.size()) <= kMaxImageClasses, classes.size(), " classes are declared, a mask holds at most ",
        kMaxImageClasses);
  const bool binary = is_binary(options_.kind);
  check(!binary || classes.empty() || classes.size() == 2, classes.size(),
        " classes are declared, but masks=nonzero, zero and alpha tell two apart: background and object");
  classes_ = binary ? 2 : int(classes.size());
  of_value_.assign(65536, -1);
  for (size_t k = 0; k < classes.size(); ++k) {
    const std::vector<int> values = classes[k].values.empty() ? std::vector<int>{int(k)} : classes[k].values;
    for (const int v : values) {
      check(v >= 0 && v < 65536, "class '", classes[k].name, "' has the value ", v, "; masks hold 0 to 65535");
      int16_t& of = of_value_[size_t(v)];
      check(of < 0, "the mask value ", v, " belongs to two classes, '", classes[size_t(std::max<int>(of, 0))].name,
            "' and '", classes[k].name, "': give every class values= of its own");
      of = int16_t(k);
    }
    if (options_.kind != MaskKind::colour) continue;
    check(!classes[k].colour.empty(), "masks=colour finds classes by their colour, but '", classes[k].name,
          "' has none: give it colour: \"#rrggbb\"");
    const auto [it, fresh] = of_colour_.emplace(packed(parse_colour(classes[k].colour)), uint8_t(k));
    check(fresh, "the classes '", classes[it->second].name, "' and '", classes[k].name, "' have the same colour ",
          classes[k].colour, ": masks=colour cannot tell them apart");
  }
  for (const int v : options_.ignore) {
    check(v >= 0 && v < 65536, "ignore=", v, ": masks hold values from 0 to 65535");
    check(of_value_[size_t(v)] < 0, "the mask value ", v, " is to be ignored, but belongs to the class '",
          classes[size_t(std::max<int>(0, of_value_[size_t(v)]))].name, "'; leave it out of one of the two");
    of_value_[size_t(v)] = kIgnoredPixel;
  }
}

std::string MaskReader::remedy(const std::string& unmapped) const {
  if (options_.kind == MaskKind::colour)
    return fmt::format("give {} to a class, or set ignore_unmapped=true", unmapped);
  if (classes_ == 2 && unmapped == "255" && of_value_[255] == -1)
    return "set masks=nonzero where 255 is the object: it makes every value but 0 the second class (ignore=255 leaves "
           "such pixels out, which is for masks that hold 1 as well)";
  std::string also = classes_ == 2 ? "masks=nonzero makes every value but 0 the second class, " : "";
  return fmt::format("{}add it to a class's values, or set ignore={}", also, unmapped);
}

Labels MaskReader::decode(const StoredImage& m, const std::string& name, Unmapped* unmapped) const {
  check(m.info.format != ImageInfo::Format::jpeg, "mask ", name,
        " is a JPEG, whose compression changes values round every edge; save masks as PNG");
  Labels out = make_raster(m.H, m.W, 1, kIgnoredPixel);
  const int64_t n = m.H * m.W;
  std::map<uint32_t, int64_t> missing;
  switch (options_.kind) {
    case MaskKind::index: {
      const Raster<uint16_t> values = one_channel(m, name);
      for (int64_t i = 0; i < n; ++i) {
        const int16_t k = of_value_[values.pixels[size_t(i)]];
        if (k >= 0) out.pixels[size_t(i)] = uint8_t(k);
        else ++missing[values.pixels[size_t(i)]];
      }
      break;
    }
    case MaskKind::colour:
      for (int64_t i = 0; i < n; ++i) {
        const uint32_t colour = colour_of(m, i, name);
        const auto it = of_colour_.find(colour);
        if (it != of_colour_.end()) out.pixels[size_t(i)] = it->second;
        else ++missing[colour];
      }
      break;
    case MaskKind::nonzero:
    case MaskKind::zero:
      for (int64_t i = 0; i < n; ++i) {
        const uint16_t* p = m.pixels.data() + i * m.C;
        const bool any = m.C >= 3 ? p[0] || p[1] || p[2] : p[0] != 0;
        out.pixels[size_t(i)] = any == (options_.kind == MaskKind::nonzero);
      }
      break;
    case MaskKind::alpha:
      check(m.C == 2 || m.C == 4, "mask ", name, " has no alpha channel, which masks=alpha reads");
      for (int64_t i = 0; i < n; ++i) out.pixels[size_t(i)] = m.pixels[size_t((i + 1) * m.C - 1)] ? 1 : 0;
      break;
  }
  for (const auto& [value, pixels] : missing) {
    const std::string word =
        options_.kind == MaskKind::colour ? fmt::format("#{:06x}", value) : fmt::format("{}", value);
    check(unmapped || options_.ignore_unmapped, "mask ", name, " holds ", word, " (", pixels, " pixels), but ",
          classes_, " classes are declared and none has it: ", remedy(word));
    if (unmapped) (*unmapped)[word] += pixels;
  }
  return out;
}

Labels MaskReader::read(const std::filesystem::path& path, Unmapped* unmapped) const {
  return decode(read_stored(path), path.string(), unmapped);
}

}  // namespace kern::data

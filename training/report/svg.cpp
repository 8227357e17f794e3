#include "training/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/image.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// Length of the UTF-8 sequence at `at`, 0 when it is none that XML allows.
size_t sequence_length(std::string_view s, size_t at) {
  const auto byte = [&](size_t i) { return at + i < s.size() ? static_cast<unsigned char>(s[at + i]) : 0u; };
  const auto follows = [&](size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const unsigned b = byte(0);
  if (b < 0x80) return b >= 0x20 || b == '\n' || b == '\t' || b == '\r' ? 1 : 0;
  if (b >= 0xc2 && b < 0xe0) return follows(1) ? 2 : 0;
  if (b >= 0xe0 && b < 0xf0) {
    if (!follows(1) || !follows(2)) return 0;
    const unsigned code = ((b & 0xfu) << 12) | ((byte(1) & 0x3fu) << 6) | (byte(2) & 0x3fu);
    return code >= 0x800 && !(code >= 0xd800 && code < 0xe000) && code < 0xfffe ? 3 : 0;
  }
  if (b >= 0xf0 && b < 0xf5) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    const unsigned code = ((b & 7u) << 18) | ((byte(1) & 0x3fu) << 12) | ((byte(2) & 0x3fu) << 6) | (byte(3) & 0x3fu);
    return code >= 0x10000 && code <= 0x10ffff ? 4 : 0;
  }
  return 0;
}

std::string title_of(std::string_view title) {
  return title.empty() ? std::string("/>") : "><title>" + escape(title) + "</title></";
}

// Closes a shape: "/>" or its tooltip and "</name>".
void close_shape(std::string& out, std::string_view name, std::string_view title) {
  out += title_of(title);
  if (!title.empty()) {
    out += name;
    out += '>';
  }
  out += '\n';
}

std::string opacity_of(double opacity) {
  return opacity < 1 ? " opacity=\"" + coordinate(opacity) + "\"" : std::string();
}

std::string stroke_of(const Svg::Stroke& s) {
  std::string out = " stroke=\"" + escape(s.colour) + "\"";
  if (s.width != 1) out += " stroke-width=\"" + coordinate(s.width) + "\"";
  if (!s.dash.empty()) out += " stroke-dasharray=\"" + escape(s.dash) + "\"";
  return out + opacity_of(s.opacity);
}

}  // namespace

std::string escape(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (size_t i = 0; i < s.size();) {
    const size_t length = sequence_length(s, i);
    if (length == 0) {
      out += kReplacement;
      ++i;
      continue;
    }
    switch (s[i]) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += s.substr(i, length);
    }
    i += length;
  }
  return out;
}

std::string coordinate(double v) {
  if (!std::isfinite(v)) return "0";
  std::string s = fmt::format("{:.2f}", v);
  while (s.back() == '0') s.pop_back();
  if (s.back() == '.') s.pop_back();
  return s == "-0" ? "0" : s;
}

std::string readable(double v, int digits) {
  if (std::isnan(v)) return "–";
  if (std::isinf(v)) return v > 0 ? "∞" : "−∞";
  return fmt::format("{:.{}g}", v == 0 ? 0.0 : v, digits);
}

std::string grouped(int64_t n) {
  const std::string digits = std::to_string(n);
  const size_t sign = n < 0 ? 1 : 0;
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > sign && (digits.size() - i) % 3 == 0) out += "\u202f";
    out += digits[i];
  }
  return out;
}

Svg::Svg(double width, double height) : width_(std::max(1.0, width)), height_(std::max(1.0, height)) {}

void Svg::line(double x0, double y0, double x1, double y1, const Stroke& s) {
  body_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"{}/>\n", coordinate(x0), coordinate(y0),
                       coordinate(x1), coordinate(y1), stroke_of(s));
}

void Svg::polyline(const std::vector<std::pair<double, double>>& points, const Stroke& s) {
  std::string data;
  const auto is_gap = [&](size_t i) {
    return i >= points.size() || !std::isfinite(points[i].first) || !std::isfinite(points[i].second);
  };
  bool down = false;
  for (size_t i = 0; i < points.size(); ++i) {
    if (is_gap(i)) {
      down = false;
      continue;
    }
    data += (down ? 'L' : 'M') + coordinate(points[i].first) + ' ' + coordinate(points[i].second);
    if (!down && is_gap(i + 1)) data += "h0";  // with round caps a dot
    down = true;
  }
  if (data.empty()) return;
  body_ += "<path d=\"" + data + "\" fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\"" + stroke_of(s) +
           "/>\n";
}

void Svg::rect(double x, double y, double w, double h, std::string_view colour, std::string_view title,
               double opacity) {
  body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"{}", coordinate(x), coordinate(y),
                       coordinate(std::max(0.0, w)), coordinate(std::max(0.0, h)), escape(colour), opacity_of(opacity));
  close_shape(body_, "rect", title);
}

void Svg::image(double x, double y, double w, double h, std::string_view png, std::string_view title) {
  body_ += fmt::format("<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" href=\"data:image/png;base64,{}\"",
                       coordinate(x), coordinate(y), coordinate(std::max(0.0, w)), coordinate(std::max(0.0, h)),
                       base64(png));
  close_shape(body_, "image", title);
}

void Svg::frame(double x, double y, double w, double h, const Stroke& s) {
  body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\"{}/>\n", coordinate(x),
                       coordinate(y), coordinate(std::max(0.0, w)), coordinate(std::max(0.0, h)), stroke_of(s));
}

void Svg::circle(double x, double y, double r, std::string_view colour, std::string_view title, double opacity) {
  body_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"{}", coordinate(x), coordinate(y),
                       coordinate(r), escape(colour), opacity_of(opacity));
  close_shape(body_, "circle", title);
}

void Svg::path(std::string_view data, std::string_view colour, std::string_view title, double opacity) {
  body_ += fmt::format("<path d=\"{}\" fill=\"{}\"{}", escape(data), escape(colour), opacity_of(opacity));
  close_shape(body_, "path", title);
}

void Svg::text(double x, double y, std::string_view content, const TextStyle& style) {
  body_ += fmt::format("<text x=\"{}\" y=\"{}\"", coordinate(x), coordinate(y));
  if (style.size != 12) body_ += " font-size=\"" + coordinate(style.size) + "\"";
  if (style.anchor != Anchor::start)
    body_ += style.anchor == Anchor::middle ? " text-anchor=\"middle\"" : " text-anchor=\"end\"";
  if (style.bold) body_ += " font-weight=\"600\"";
  if (style.colour != "currentColor") body_ += " fill=\"" + escape(style.colour) + "\"";
  if (style.turn != 0)
    body_ += fmt::format(" transform=\"rotate({} {} {})\"", coordinate(style.turn), coordinate(x), coordinate(y));
  body_ += opacity_of(style.opacity) + ">" + escape(content) + "</text>\n";
}

std::string Svg::markup(std::string_view label, std::string_view style, bool ground) const {
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
      "aria-label=\"{2}\" font-family=\"system-ui,'Segoe UI','DejaVu Sans',sans-serif\" font-size=\"12\" "
      "fill=\"currentColor\"{3}>\n",
      coordinate(width_), coordinate(height_), escape(label), style);
  if (ground) out += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  return out + body_ + "</svg>\n";
}

std::string Svg::inline_markup(std::string_view label) const { return markup(label, "", false); }

std::string Svg::file_markup(std::string_view label) const {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + markup(label, " color=\"#1c2733\"", true);
}

Axis::Axis(double low, double high, double pixel_low, double pixel_high, int wanted, bool tight)
    : low_(low), high_(high), pixel_low_(pixel_low), pixel_high_(pixel_high) {
  // Beyond this a span overflows; such a value is a fault of the data, which the figure's text names elsewhere.
  constexpr double kLargest = 1e150;
  if (!std::isfinite(low_) || !std::isfinite(high_)) low_ = 0, high_ = 1;
  low_ = std::clamp(low_, -kLargest, kLargest);
  high_ = std::clamp(high_, -kLargest, kLargest);
  if (high_ < low_) std::swap(low_, high_);
  if (high_ - low_ <= 1e-9 * std::max(std::abs(low_), std::abs(high_))) {
    const double margin = low_ == 0 ? 0.5 : 0.05 * std::abs(low_);
    low_ -= margin;
    high_ += margin;
  }
  const double rough = (high_ - low_) / std::max(1, wanted);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double lead = rough / power;
  const double step = power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
  const double first = tight ? std::ceil(low_ / step - 1e-9) : std::floor(low_ / step + 1e-9);
  const double last = tight ? std::floor(high_ / step + 1e-9) : std::ceil(high_ / step - 1e-9);
  if (!tight) {
    low_ = first * step;
    high_ = last * step;
  }
  const int decimals = std::max(0, int(-std::floor(std::log10(step) + 1e-9)));
  const bool plain = std::max(std::abs(low_), std::abs(high_)) < 1e6 && decimals <= 4;
  for (double i = first; i <= last; ++i) {
    const double value = i == 0 ? 0.0 : i * step;
    ticks_.push_back(
        {value, pixel(value), plain ? fmt::format("{:.{}f}", value, decimals) : fmt::format("{:.4g}", value)});
  }
}

double Axis::pixel(double value) const {
  return pixel_low_ + (value - low_) / (high_ - low_) * (pixel_high_ - pixel_low_);
}

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    const size_t there = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k) three = three << 8 | (k < there ? uint8_t(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) out += k <= there ? kDigits[three >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string_view ink_on(std::string_view colour) {
  if (colour.size() != 7 || colour[0] != '#') return "#000000";
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  const auto linear = [&](size_t at) {  // sRGB to linear light (WCAG 2)
    const double v = (digit(colour[at]) * 16 + digit(colour[at + 1])) / 255.0;
    return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  const double luminance = 0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5);
  return luminance > 0.179 ? "#000000" : "#ffffff";
}

double text_width(std::string_view s, double size) {
  double width = 0;
  for (char c : s) {
    if ((static_cast<unsigned char>(c) & 0xc0u) == 0x80u) continue;  // only the first byte of a character counts
    width += std::string_view("iljtfr.,:;'|!()[] ").find(c) != std::string_view::npos ? 0.34
             : (c >= 'A' && c <= 'Z') || c == 'm' || c == 'w' || c == '@'             ? 0.72
                                                                                      : 0.58;
  }
  return width * size;
}

std::string cut_to_width(std::string_view s, double pixels, double size) {
  if (text_width(s, size) <= pixels) return std::string(s);
  while (!s.empty() && text_width(s, size) + 0.7 * size > pixels) {
    while (s.size() > 1 && (static_cast<unsigned char>(s.back()) & 0xc0u) == 0x80u) s.remove_suffix(1);
    s.remove_suffix(1);  // the first byte of the last character
  }
  return std::string(s) + "…";
}

Svg image_of(const std::string& png, const std::string& name) {
  const data::ImageInfo info = data::image_info(png, name);
  Svg svg{double(info.W), double(info.H)};
  svg.image(0, 0, double(info.W), double(info.H), png, name);
  return svg;
}

}  // namespace kern::training

// A small writer of static SVG images, and the arithmetic of axes. Everything written is well-formed XML whatever the
// input: text is escaped, numbers that are not finite are written as 0, coordinates have at most two decimals.
//
// An image is drawn on a transparent ground with "currentColor" for its text, axes and (faint) grid, and colours of
// middle lightness for its data, so one SVG serves a light and a dark page, print, and a file of its own.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kern::training {

// Text as XML and HTML content or attribute value: & < > " ' are escaped, control characters and what is not UTF-8
// become U+FFFD.
std::string escape(std::string_view text);
// A coordinate: at most two decimals, no "-0", 0 when not finite.
std::string coordinate(double v);
// A number for people: `digits` significant digits, "–" when it is NaN, "∞" when infinite.
std::string readable(double v, int digits = 4);
// 12345678 as "12 345 678" (thin spaces).
std::string grouped(int64_t n);

enum class Anchor { start, middle, end };

class Svg {
 public:
  Svg(double width, double height);
  double width() const { return width_; }
  double height() const { return height_; }

  struct Stroke {
    std::string colour = "currentColor";
    double width = 1;
    double opacity = 1;
    std::string dash = {};  // "4 3"
  };
  void line(double x0, double y0, double x1, double y1, const Stroke& stroke);
  // Points with a NaN coordinate break the line into pieces; a piece of one point is drawn as a dot.
  void polyline(const std::vector<std::pair<double, double>>& points, const Stroke& stroke);
  // `title` is the tooltip of a shape; empty: none. `colour` is "#rrggbb" or "currentColor".
  void rect(double x, double y, double w, double h, std::string_view colour, std::string_view title = {},
            double opacity = 1);
  void frame(double x, double y, double w, double h, const Stroke& stroke);
  void circle(double x, double y, double radius, std::string_view colour, std::string_view title = {},
              double opacity = 1);
  // Raw path data ("M0 0H5V1Z"), filled.
  void path(std::string_view data, std::string_view colour, std::string_view title = {}, double opacity = 1);
  // A PNG file's bytes, held inside the image; as many pixels of it as there are stay sharp where it is magnified.
  void image(double x, double y, double w, double h, std::string_view png, std::string_view title = {});
  struct TextStyle {
    Anchor anchor = Anchor::start;
    double size = 12;
    bool bold = false;
    double turn = 0;  // degrees, clockwise about the point
    std::string colour = "currentColor";
    double opacity = 1;
  };
  void text(double x, double y, std::string_view content, const TextStyle& style);
  void text(double x, double y, std::string_view content) { text(x, y, content, TextStyle{}); }

  // As part of an HTML page; `label` names the image for screen readers.
  std::string inline_markup(std::string_view label) const;
  // As a file: XML declaration, white ground, dark text.
  std::string file_markup(std::string_view label) const;

 private:
  std::string markup(std::string_view label, std::string_view style, bool ground) const;
  double width_, height_;
  std::string body_;
};

// An axis over [low, high]: round ticks, and the map from values to pixels. A range that is empty, reversed or not
// finite is mended ([0, 1] round nothing, ±5 % or ±0.5 round one value), so that any data can be drawn.
class Axis {
 public:
  // About `wanted` ticks at steps of 1, 2, 5 times a power of ten; `tight` keeps the range, otherwise it grows to whole
  // ticks.
  Axis(double low, double high, double pixel_low, double pixel_high, int wanted = 5, bool tight = false);
  double pixel(double value) const;  // NaN stays NaN
  double low() const { return low_; }
  double high() const { return high_; }
  struct Tick {
    double value, pixel;
    std::string label;
  };
  const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  double low_, high_, pixel_low_, pixel_high_;
  std::vector<Tick> ticks_;
};

// RFC 4648, with padding.
std::string base64(std::string_view bytes);
// Black or white, whichever reads better on the colour "#rrggbb".
std::string_view ink_on(std::string_view colour);
// Width in pixels of a text of that size, near enough to lay out labels. Long texts are cut to a width with "…".
double text_width(std::string_view text, double size = 12);
std::string cut_to_width(std::string_view text, double pixels, double size = 12);

// A PNG by itself, pixel by pixel; `name` is its tooltip.
Svg image_of(const std::string& png, const std::string& name);

}  // namespace kern::training

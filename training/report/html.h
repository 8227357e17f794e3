// One HTML file that opens offline: no link leaves it, its style and few lines of script are inside, everything a
// caller hands in is escaped. Readable in a light and a dark window, on paper, and without script.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "training/report/svg.h"

namespace kern::training {

struct HtmlTable {
  enum class Best { none, highest, lowest };
  struct Column {
    std::string name;
    bool numeric = false;    // aligned to the right, figures of equal width
    Best best = Best::none;  // which of the column's values is marked
  };
  struct Cell {
    std::string text;
    std::optional<double> value = {};  // what Best compares
    std::string colour = {};           // a swatch before the text
  };
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  std::string caption;
};
// A cell of a figure with so many decimals ("–" when NaN), and of a count.
HtmlTable::Cell figure_cell(double value, int decimals = 3);
HtmlTable::Cell count_cell(int64_t count);

class HtmlDocument {
 public:
  explicit HtmlDocument(std::string title, std::string subtitle = {});

  void section(std::string_view title);  // a heading with an anchor, and an entry of the navigation
  void subsection(std::string_view title);
  void paragraph(std::string_view text);
  void note(std::string_view text);  // a remark that must not be overlooked
  // The handful of numbers people look for first, as tiles.
  void key_figures(const std::vector<std::pair<std::string, std::string>>& label_and_value);
  // Name and value in two columns (device, seeds, hashes).
  void facts(const std::vector<std::pair<std::string, std::string>>& name_and_value);
  // Files that lie beside the page, as links, and what they hold.
  void files(const std::vector<std::pair<std::string, std::string>>& name_and_content);
  void table(const HtmlTable& table);
  void figure(const Svg& image, std::string_view caption);
  // Images side by side where the window is wide enough.
  void begin_row();
  void end_row();
  // Text as it is (a configuration), folded behind its title.
  void raw_block(std::string_view title, std::string_view text, bool open = false);
  struct Panel {
    std::string name;
    Svg image;
    std::string caption;
  };
  // One of several images at a time, at first the one of that number, chosen from a list, and with a slider where
  // they follow each other; all of them, one below the other, without script.
  enum class Choice { list, slider };
  void panels(std::string_view label, const std::vector<Panel>& panels, Choice choice = Choice::list, size_t first = 0);

  // For parts with controls of their own: well-formed markup as it stands, everything in it escaped by who made it, and
  // a script at the end of the page (equal ones once).
  void insert(std::string_view markup) { body_ += markup; }
  void script(std::string_view script) {
    if (scripts_.find(script) == scripts_.npos) scripts_ += script;
  }

  std::string markup() const;

 private:
  std::string title_, subtitle_, navigation_, body_, scripts_;
  int sections_ = 0, panel_groups_ = 0;
  bool in_section_ = false;
};

}  // namespace kern::training

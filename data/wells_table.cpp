// Wells from a long table: one row a sample, one column telling the well.
#include <algorithm>
#include <limits>
#include <unordered_map>

#include "data/csv.h"
#include "data/encoding.h"
#include "data/names.h"
#include "data/wells_reading.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr int kNoColumn = -1;

// The column of the first alias that the table has.
int find_column(const CsvTable& table, const std::string& names) {
  for (const std::string& name : aliases_of(names))
    if (table.has(name)) return table.column(name);
  return kNoColumn;
}

// Like find_column, but a name that the user chose has to be there; the default one need not.
int find_column(const CsvTable& table, const std::string& names, const std::string& default_names, const char* option) {
  const int column = find_column(table, names);
  if (column != kNoColumn || names == default_names) return column;
  std::string list;
  for (const std::string& name : table.names()) list += text(list.empty() ? "" : ", ", name);
  throw Error(text(table.file(), ": there is no column ", names, " (", option, "). The columns are: ", list));
}

struct RowsOfWell {
  std::string_view id;
  std::vector<int64_t> rows;
};

// In the order of first rows; the rows of a well need not stand together.
std::vector<RowsOfWell> rows_by_well(const CsvTable& table, int column) {
  std::vector<RowsOfWell> wells;
  std::unordered_map<std::string_view, size_t> index;
  size_t current = 0;
  for (int64_t row = 0; row < table.rows(); ++row) {
    const std::string_view id = column == kNoColumn ? std::string_view() : table.cell(row, column);
    if (wells.empty() || wells[current].id != id) {
      const auto [entry, added] = index.emplace(id, wells.size());
      if (added) wells.push_back({id, {}});
      current = entry->second;
    }
    wells[current].rows.push_back(row);
  }
  return wells;
}

bool ends_with(const std::string& name, std::string_view ending) {
  return name.size() > ending.size() && same_name(std::string_view(name).substr(name.size() - ending.size()), ending);
}

}  // namespace

void wells_from_table(const std::filesystem::path& path, Reading& reading, std::vector<Well>& wells) {
  const WellsOptions& o = reading.options;
  const WellsOptions defaults;
  const CsvTable table = read_csv(path);
  const std::string file = path.string();
  check(table.rows() > 0, file, ": the table has no rows");
  const int well_column = find_column(table, o.well_column, defaults.well_column, "well_column");
  const int depth_column = find_column(table, o.depth_column, defaults.depth_column, "depth_column");
  const int uwi_column = find_column(table, "uwi"),
            label_column = o.label.empty() ? kNoColumn : find_column(table, o.label);
  std::vector<int> curve_columns;
  for (const std::string& names : o.curves) {
    const bool depth = same_name(names, kDepthCurve);
    check(!depth || depth_column != kNoColumn, file, ": curves= names the depth, and there is no column ",
          o.depth_column, " (depth_column=)");
    curve_columns.push_back(depth ? kNoColumn : find_column(table, names));
  }
  for (const std::string& name : table.names()) reading.seen_curves.insert(name);
  if (well_column == kNoColumn)
    reading.notes.push_back({file, text(file, ": there is no column ", o.well_column, ", so the table is one well"),
                             "set well_column to tell its wells apart"});

  for (const RowsOfWell& of : rows_by_well(table, well_column)) {
    Well well{.id = well_column == kNoColumn ? escaped_utf8(path.stem().string()) : std::string(of.id), .source = file};
    well.name = well.id;
    const std::string shown = text(file, ", well ", well.id);
    try {
      check(well_column == kNoColumn || !of.id.empty(), file, ": ", of.rows.size(),
            of.rows.size() == 1 ? " row names" : " rows name", " no well (column ", o.well_column, ")");
      if (uwi_column != kNoColumn) well.uwi = std::string(table.cell(of.rows[0], uwi_column));
      for (size_t i = 0; i < of.rows.size(); ++i)
        well.depth.push_back(depth_column == kNoColumn ? double(i) : table.number(of.rows[i], depth_column));
      if (depth_column != kNoColumn) {
        const std::string& name = table.names()[size_t(depth_column)];
        well.depth_unit = std::string(ends_with(name, "_m") ? "m" : ends_with(name, "_ft") ? "ft" : "");
      }
      for (size_t c = 0; c < o.curves.size(); ++c) {
        Curve curve{.name = aliases_of(o.curves[c]).at(0)};
        curve.values.assign(of.rows.size(), std::numeric_limits<float>::quiet_NaN());
        for (size_t i = 0; curve_columns[c] != kNoColumn && i < of.rows.size(); ++i) {
          const double v = table.number(of.rows[i], curve_columns[c]);
          if (std::find(o.null_values.begin(), o.null_values.end(), v) == o.null_values.end())
            curve.values[i] = float(v);
        }
        well.curves.push_back(std::move(curve));
      }
      if (label_column != kNoColumn) {
        for (const int64_t row : of.rows) well.labels.push_back(reading.labels.of_text(table.cell(row, label_column)));
        reading.labels.end_of_well(file);
        // A column that is empty throughout this well says that nobody labelled it.
        if (std::all_of(of.rows.begin(), of.rows.end(),
                        [&](int64_t row) { return table.cell(row, label_column).empty(); }))
          well.labels.clear();
      }
      drop_absurd_values(well, shown, reading.notes);
      settle_depth(well, shown, reading.notes, std::numeric_limits<double>::quiet_NaN());
      set_depth_curve(well, {});
      wells.push_back(std::move(well));
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {
      if (o.strict) throw;
      reading.skipped.push_back({file, e.sentence(), ""});
    }
  }
}

}  // namespace kern::data

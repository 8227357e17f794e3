#include "training/csv_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

std::string number(double v) { return std::isnan(v) ? "nan" : fmt::format("{}", v); }

std::string joined(std::span<const std::string> fields) {
  std::string line;
  for (const auto& field : fields) {
    if (!line.empty()) line += ',';
    line += field;
  }
  return line;
}

std::string line_of(std::span<const double> values) {
  std::vector<std::string> fields;
  for (double v : values) fields.push_back(number(v));
  return joined(fields) + "\n";
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (size_t at = 0;;) {
    const size_t comma = line.find(',', at);
    fields.push_back(line.substr(at, comma == line.npos ? line.npos : comma - at));
    if (comma == line.npos) return fields;
    at = comma + 1;
  }
}

void check_columns(const std::vector<std::string>& columns) {
  internal_check(!columns.empty(), "a table of figures needs at least one column");
  for (const auto& c : columns)
    internal_check(!c.empty() && c.find_first_of(",\"\r\n") == c.npos, "'", c, "' cannot be a column name of a table");
}

}  // namespace

CsvTable read_csv_table(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  CsvTable table;
  int64_t line_number = 0;
  for (size_t at = 0; at < content.size();) {
    const size_t end = content.find('\n', at);
    if (end == content.npos) break;  // killed inside this line
    const auto fields = split(std::string_view(content).substr(at, end - at));
    at = end + 1;
    if (++line_number == 1) {
      for (auto f : fields) table.columns.emplace_back(f);
      continue;
    }
    check(fields.size() == table.columns.size(), path.string(), " line ", line_number, ": ", fields.size(),
          " values where the header names ", table.columns.size(), " columns");
    std::vector<double> row;
    for (auto f : fields) {
      double v = 0;
      const auto [stop, error] = std::from_chars(f.data(), f.data() + f.size(), v);
      check(error == std::errc() && stop == f.data() + f.size(), path.string(), " line ", line_number, ": '", f,
            "' is not a number");
      row.push_back(v);
    }
    table.rows.push_back(std::move(row));
  }
  check(line_number > 0, path.string(), " is empty: a header line with the names of the columns was expected");
  return table;
}

CsvLog CsvLog::create(const std::filesystem::path& path, std::vector<std::string> columns) {
  check_columns(columns);
  return CsvLog(path, {.columns = std::move(columns)});
}

CsvLog CsvLog::resume(const std::filesystem::path& path, std::vector<std::string> columns, double keep_up_to) {
  check_columns(columns);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return CsvLog(path, {.columns = std::move(columns)});
  CsvTable table = read_csv_table(path);
  check(table.columns == columns, path.string(), " has the columns ", joined(table.columns), " but this run writes ",
        joined(columns), ": it was written by another task or version, so start a new run folder");
  std::erase_if(table.rows, [&](const auto& row) { return !(row[0] <= keep_up_to); });
  return CsvLog(path, std::move(table));
}

CsvLog::CsvLog(std::filesystem::path path, CsvTable table) : path_(std::move(path)), table_(std::move(table)) {
  std::string content = joined(table_.columns) + "\n";
  for (const auto& row : table_.rows) content += line_of(row);
  write_file(path_, content);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  check(descriptor_ >= 0, "cannot write ", path_.string(), ": ", std::strerror(errno));
}

CsvLog::CsvLog(CsvLog&& other) noexcept
    : path_(std::move(other.path_)),
      table_(std::move(other.table_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

CsvLog::~CsvLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void CsvLog::append(std::span<const double> values) {
  internal_check(values.size() == table_.columns.size(), path_.string(), ": ", values.size(), " values for ",
                 table_.columns.size(), " columns");
  internal_check(table_.rows.empty() || values[0] > table_.rows.back()[0], path_.string(), ": ", table_.columns[0], " ",
                 values[0], " comes after ", table_.rows.empty() ? 0.0 : table_.rows.back()[0]);
  const std::string line = line_of(values);
  const off_t before = ::lseek(descriptor_, 0, SEEK_END);
  const ssize_t written = ::write(descriptor_, line.data(), line.size());
  if (written != ssize_t(line.size()) || ::fsync(descriptor_) != 0) {
    const int code = written >= 0 && written < ssize_t(line.size()) ? ENOSPC : errno;
    const bool taken_back = before >= 0 && ::ftruncate(descriptor_, before) == 0;
    throw Error(text("cannot add a line to ", path_.string(), ": ",
                     code == ENOSPC ? "the disk is full; free some space and resume the run" : std::strerror(code),
                     taken_back ? "" : " (its last line is incomplete; resuming the run mends it)"));
  }
  table_.rows.emplace_back(values.begin(), values.end());
}

}  // namespace kern::training

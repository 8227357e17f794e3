// A table of figures that grows line by line on the disk: metrics.csv of a run.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace kern::training {

struct CsvTable {
  std::vector<std::string> columns;
  std::vector<std::vector<double>> rows;
};

// Reads a table of numbers with a header line, as CsvLog writes it ("nan", "inf", "-inf" included). A last line without
// its line break (the writer was killed in it) is left out. Error naming file and line otherwise.
CsvTable read_csv_table(const std::filesystem::path& path);

// Every appended line is complete on the disk before append() returns. The first column is the key (epoch or step),
// ascending. Numbers are written in the shortest form that reads back as the same double, so equal runs make equal
// files.
class CsvLog {
 public:
  // Starts a new table, or continues one: rows whose key is above `keep_up_to` are dropped, so that a run resumed from
  // there leaves the same file as an unbroken one. Error when the file to continue has other columns.
  static CsvLog create(const std::filesystem::path& path, std::vector<std::string> columns);
  static CsvLog resume(const std::filesystem::path& path, std::vector<std::string> columns, double keep_up_to);
  ~CsvLog();
  CsvLog(CsvLog&& other) noexcept;
  CsvLog& operator=(CsvLog&&) = delete;

  // Error when there is not one value per column, the key does not ascend, or the disk is full (the line is then taken
  // back).
  void append(std::span<const double> values);
  void append(std::initializer_list<double> values) { append(std::span(values.begin(), values.size())); }
  const CsvTable& table() const { return table_; }  // all rows, those kept on resume first

 private:
  CsvLog(std::filesystem::path path, CsvTable table);
  std::filesystem::path path_;
  CsvTable table_;
  int descriptor_ = -1;
};

}  // namespace kern::training

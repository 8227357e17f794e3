// How one file's rows become wells: names, labels and depth in order. Used by load_wells alone.
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/wells.h"

namespace kern::data {

// The LAS and CSV files of a folder, sorted, or one file. Error: no such path, none in it.
std::vector<std::filesystem::path> well_files(const std::filesystem::path& path);

// "GR|GAMMA" -> {"GR", "GAMMA"}
std::vector<std::string> aliases_of(std::string_view names);

// The table of codes at work, and the count of what is not in it.
class LabelTable {
 public:
  explicit LabelTable(const WellsOptions& options);  // throws an Error for a table that contradicts itself
  int of_number(double code);                        // NaN is kUnlabelled
  int of_text(std::string_view code);  // empty, and words such as NaN or null that the table does not name: kUnlabelled
  // Codes counted since the last call belong to this file (or well of a table).
  void end_of_well(const std::string& file);
  int classes() const;
  const std::map<std::string, UnmappedCode>& unmapped() const { return unmapped_; }
  // Throws the Error that lists what unmapped() holds, unless they are to be ignored or there are none.
  void refuse_unmapped() const;

 private:
  int find(const std::string& canonical, bool& known) const;
  int note_unmapped(const std::string& code);
  const WellsOptions& options_;
  std::map<std::string, int> table_;
  std::map<std::string, int64_t> in_this_well_;
  std::map<std::string, UnmappedCode> unmapped_;
  int largest_ = -1;
  double last_number_ = 0;  // labels come in long runs: the last answer serves the next sample
  int last_class_ = kUnlabelled;
  bool last_known_ = false;
};

struct Reading {
  const WellsOptions& options;
  LabelTable labels;
  std::vector<Problem> skipped, notes;
  std::set<std::string> seen_curves;  // every name any file had, for error texts
  explicit Reading(const WellsOptions& o) : options(o), labels(o) {}
};

// Depth ascending, step known; drops rows without a depth. Throws an Error when the depths make no sense.
void settle_depth(Well& well, const std::string& shown, std::vector<Problem>& notes, double null_value);
// Values beyond 1e20 are no measurements of anything: missing, and said.
void drop_absurd_values(Well& well, const std::string& shown, std::vector<Problem>& notes);

Well well_from_las(const LasFile& file, Reading& reading);
// Appends the wells of a table; wells that cannot be used go to reading.skipped, or are thrown when strict.
void wells_from_table(const std::filesystem::path& path, Reading& reading, std::vector<Well>& wells);

}  // namespace kern::data

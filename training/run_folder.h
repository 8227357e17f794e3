// The folder of one training: `run=` on the command line.
//
//   RunFolder run = RunFolder::create("runs/wells", expected_bytes);     // or RunFolder::resume("runs/wells", …)
//   run.write("config.yaml", effective_configuration);
//   CsvLog metrics = run.csv("metrics.csv", {"epoch", "train_loss"});     // on resume: (…, last_finished_epoch)
//   …  if (run.stop_requested()) …  save and leave
//   run.write_result(json);  run.finish();
//
// Of several ranks (engine/communicator.h) the first writes; the others have the same folder, and what they would write there
// goes nowhere.
//
// run.json marks the folder as a run and says whether it is finished. While a RunFolder lives it holds the folder's
// lock, which the kernel frees whenever the process ends, however it ends.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "training/csv_log.h"

namespace kern::training {

class RunFolder {
 public:
  // A new run. The folder may be missing, empty, or hold a run that stopped before it saved a model (nothing is lost by
  // starting over). A folder that was made here goes again if an exception ends the run before it wrote anything into
  // it. Error in a sentence when it holds anything else, another process writes it, it cannot be written, or less than
  // `expected_bytes` are free on its disk.
  static RunFolder create(const std::filesystem::path& path, int64_t expected_bytes = 1 << 20);
  // A run that stands there, finished or not; an old stop file is removed, and what a killed process was just writing.
  static RunFolder resume(const std::filesystem::path& path, int64_t expected_bytes = 1 << 20);
  ~RunFolder();
  RunFolder(RunFolder&& other) noexcept;
  RunFolder& operator=(RunFolder&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(std::string_view name) const { return path_ / name; }
  bool resumed() const { return resumed_; }
  bool was_finished() const { return was_finished_; }  // the run resumed had reached its end

  // Writes a file whole or not at all; `name` may name a sub-folder ("figures/loss.svg"), which is made.
  void write(std::string_view name, std::string_view content) const;
  // result.json. InternalError when the text is not JSON.
  void write_result(std::string_view json) const;
  // A table of this run: fresh in a new run, continued after the key `last_key` in a resumed one (CsvLog::resume).
  CsvLog csv(std::string_view name, std::vector<std::string> columns, double last_key = 0) const;

  // Somebody made a file named "stop" in the folder: the training saves and ends.
  bool stop_requested() const;
  // The run came to its own end (all epochs, patience, time budget): a later create() refuses the folder.
  void finish() const;

 private:
  void remove_if_unused() const;
  RunFolder(std::filesystem::path path, int lock, bool resumed, bool was_finished, bool writes = true);
  // Of a rank that is not the first, when that has done make().
  template <class Make>
  static RunFolder of_ranks(const std::filesystem::path& path, bool resumed, const Make& make);
  void write_state(bool finished) const;
  std::filesystem::path path_;
  int lock_ = -1;
  int created_ = 0;  // how many of the path's last folders this run had to make
  bool resumed_ = false, was_finished_ = false;
  bool writes_ = true;
};

enum class RunState { none, unfinished, finished, foreign };
// What stands in a folder, which need not exist; `foreign`: files that are no run.
RunState run_state(const std::filesystem::path& folder);

// "3.1 MB", "512 B": for people.
std::string format_bytes(double bytes);

}  // namespace kern::training

#include "training/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <exception>
#include <utility>

#include "engine/atomic_file.h"
#include "engine/communicator.h"
#include "engine/json.h"
#include "kernels/common/error.h"
#include "kernels/common/log.h"

namespace kern::training {
namespace {
namespace fs = std::filesystem;

constexpr const char *kState = "run.json", *kLock = ".lock", *kStop = "stop";

enum class Standing { empty, running, finished, foreign };

// What stands in the folder, which need not exist.
Standing standing_of(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder / kState, error)) {
    const auto state = nlohmann::json::parse(read_file(folder / kState), nullptr, false);
    if (!state.is_object() || !state.contains("state") || !state.contains("kern_run")) return Standing::foreign;
    return state["state"] == "finished" ? Standing::finished : Standing::running;
  }
  if (!fs::exists(folder, error)) return Standing::empty;
  check(fs::is_directory(folder, error), "run=", folder.string(), " is a file, a folder was expected");
  fs::directory_iterator entries(folder, error);
  check(!error, "cannot read the run folder ", folder.string(), ": ", error.message());
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    const bool ours = name == kLock || name.rfind("run.json.tmp", 0) == 0;  // killed while the run began
    if (!ours) return Standing::foreign;
  }
  return Standing::empty;
}

// A saved model is what a new run must never overwrite.
bool holds_model(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".safetensors") return true;
  return false;
}

void check_fresh(const fs::path& folder) {
  switch (standing_of(folder)) {
    case Standing::empty:
      return;
    case Standing::foreign:
      throw Error(text("the folder ", folder.string(),
                       " holds files that are not a run of Kern: choose a new or an empty folder with run="));
    case Standing::finished:
      throw Error(text("the folder ", folder.string(),
                       " holds a finished run: choose another folder with run=, or continue that run with resume=",
                       folder.string()));
    case Standing::running:
      check(!holds_model(folder), "the folder ", folder.string(),
            " holds an unfinished run with a saved model: continue it with resume=", folder.string(),
            ", or choose another folder with run=");
  }
}

void check_run(const fs::path& folder) {
  const Standing standing = standing_of(folder);
  check(standing != Standing::empty, "there is no run to resume in ", folder.string(),
        ": give the folder of an earlier training");
  check(standing != Standing::foreign, "the folder ", folder.string(),
        " is not a run of Kern (it has no sound run.json): there is nothing to resume");
}

// Without "." and a slash at its end, so that what is before the last part is the folder above.
fs::path plain(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// How many of the path's last folders are not there.
int missing_folders(const fs::path& path) {
  int missing = 0;
  std::error_code ignored;
  for (fs::path p = plain(path); !p.empty() && !fs::exists(p, ignored); p = p.parent_path()) ++missing;
  return missing;
}

// The lock's descriptor, or -1 where the file system knows no locks.
int lock_folder(const fs::path& folder) {
  const auto name = folder / kLock;
  const int lock = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  check(lock >= 0, "cannot write in the run folder ", folder.string(), ": ",
        errno == EACCES || errno == EROFS
            ? "no permission to write there; choose another folder with run="
            : (errno == ENOSPC ? "the disk is full; free some space or choose another folder with run="
                               : std::strerror(errno)));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    ::close(lock);
    check(code != EWOULDBLOCK, "another process is writing the run ", folder.string(),
          ": wait for it, stop it, or choose another folder with run=");
    warn("the file system of ", folder.string(), " has no locks (", std::strerror(code),
         "): make sure that no other process writes this run");
    return -1;
  }
  return lock;
}

void check_space(const fs::path& folder, int64_t expected_bytes) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0 || info.f_blocks == 0) return;  // some network file systems do not tell
  const double available = double(info.f_bavail) * double(info.f_frsize);
  check(available >= double(expected_bytes), "the disk of the run folder ", folder.string(), " has ",
        format_bytes(available), " free, this run needs about ", format_bytes(double(expected_bytes)),
        ": free some space or choose another folder with run=");
}

// What an unfinished run without a model left behind; only files that a run writes are touched.
void clear_leftovers(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const auto& p = entry.path();
    if (p.extension() == ".csv" || p.filename() == kStop || p.filename() == "result.json" ||
        p.filename() == "report.html")
      fs::remove(p, ignored);
  }
}

// A process that was killed while it wrote may leave "panels/3.png.tmp4711". Under the lock nobody writes them.
void remove_temporaries(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
    const std::string ending = entry.path().extension().string();
    if (ending.size() > 4 && ending.starts_with(".tmp") && ending.find_first_not_of("0123456789", 4) == ending.npos)
      fs::remove(entry.path(), ignored);
  }
}

}  // namespace

std::string format_bytes(double bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  size_t u = 0;
  while (bytes >= 999.5 && u < 4) {
    bytes /= 1000;
    ++u;
  }
  return u == 0 || bytes >= 99.95 ? fmt::format("{:.0f} {}", bytes, units[u])
                                  : fmt::format("{:.1f} {}", bytes, units[u]);
}

RunState run_state(const fs::path& folder) {
  switch (standing_of(folder)) {
    case Standing::empty:
      return RunState::none;
    case Standing::running:
      return RunState::unfinished;
    case Standing::finished:
      return RunState::finished;
    case Standing::foreign:
      break;
  }
  return RunState::foreign;
}

template <class Make>
RunFolder RunFolder::of_ranks(const fs::path& path, bool resumed, const Make& make) {
  Communicator& all = communicator();
  if (all.root()) {
    RunFolder run = make();
    if (!all.alone()) all.gather(run.was_finished_ ? "finished" : "");
    return run;
  }
  return {path, -1, resumed, !all.gather("")[0].empty(), false};
}

RunFolder RunFolder::create(const fs::path& path, int64_t expected_bytes) {
  return of_ranks(path, false, [&] {
    check(!path.empty(), "the run folder has no name: give one with run=");
    check_fresh(path);
    const int created = missing_folders(path);
    make_folder(path);
    RunFolder run(path, lock_folder(path), false, false);
    run.created_ = created;
    check_fresh(path);  // again, now that nobody else can write here
    remove_temporaries(path);
    check_space(path, expected_bytes);
    clear_leftovers(path);
    run.write_state(false);
    return run;
  });
}

RunFolder RunFolder::resume(const fs::path& path, int64_t expected_bytes) {
  return of_ranks(path, true, [&] {
    check(!path.empty(), "the run to resume has no name: give its folder with resume=");
    check_run(path);
    const int lock = lock_folder(path);
    RunFolder run(path, lock, true, standing_of(path) == Standing::finished);
    remove_temporaries(path);
    check_space(path, expected_bytes);
    std::error_code ignored;
    fs::remove(path / kStop, ignored);
    return run;
  });
}

RunFolder::RunFolder(fs::path path, int lock, bool resumed, bool was_finished, bool writes)
    : path_(std::move(path)), lock_(lock), resumed_(resumed), was_finished_(was_finished), writes_(writes) {}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      created_(std::exchange(other.created_, 0)),
      resumed_(other.resumed_),
      was_finished_(other.was_finished_),
      writes_(other.writes_) {}

RunFolder::~RunFolder() {
  if (created_ > 0 && std::uncaught_exceptions() > 0) remove_if_unused();
  if (lock_ >= 0)
    ::close(lock_);  // frees the lock; the file stays, for removing it would race with a process that waits on it
}

// A run that failed before it had begun (data that cannot be read, memory that lacks) leaves no folder, its own or one
// above that it made.
void RunFolder::remove_if_unused() const {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path_, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name != kLock && name != kState && name != "config.yaml") return;
  }
  if (!ignored) fs::remove_all(path_, ignored);
  fs::path above = plain(path_);
  for (int n = 1; n < created_ && !ignored; ++n) fs::remove(above = above.parent_path(), ignored);
}

void RunFolder::write(std::string_view name, std::string_view content) const {
  if (!writes_) return;
  const fs::path target = file(name);
  if (target.parent_path() != path_) make_folder(target.parent_path());
  write_file(target, content);
}

void RunFolder::write_result(std::string_view json) const {
  internal_check(nlohmann::json::accept(json), "result.json: the text to write is not JSON");
  write("result.json", json);
}

CsvLog RunFolder::csv(std::string_view name, std::vector<std::string> columns, double last_key) const {
  return resumed_ ? CsvLog::resume(file(name), std::move(columns), last_key)
                  : CsvLog::create(file(name), std::move(columns));
}

bool RunFolder::stop_requested() const {
  std::error_code ignored;
  return writes_ && fs::exists(path_ / kStop, ignored);
}

void RunFolder::finish() const { write_state(true); }

void RunFolder::write_state(bool finished) const {
  write(kState, fmt::format("{{\"kern_run\": 1, \"state\": \"{}\"}}\n", finished ? "finished" : "running"));
}

}  // namespace kern::training

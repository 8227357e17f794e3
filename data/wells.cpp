#include "data/wells.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <system_error>

#include "data/las.h"
#include "data/names.h"
#include "data/wells_reading.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

namespace fs = std::filesystem;

bool ends_with(const fs::path& path, std::string_view ending) {
  const std::string name = path.filename().string();
  return name.size() > ending.size() && same_name(std::string_view(name).substr(name.size() - ending.size()), ending);
}

bool is_table(const fs::path& path) {
  for (const char* ending : {".csv", ".csv.gz", ".tsv", ".tsv.gz"})
    if (ends_with(path, ending)) return true;
  return false;
}

std::string join(const std::vector<std::string>& names, size_t most) {
  std::string out;
  for (size_t i = 0; i < std::min(most, names.size()); ++i) out += text(i ? ", " : "", names[i]);
  return names.size() > most ? text(out, " and ", names.size() - most, " more") : out;
}

bool missing_throughout(const Curve& curve) {
  return std::all_of(curve.values.begin(), curve.values.end(), [](float v) { return std::isnan(v); });
}

std::string guess(const std::string& names, const std::vector<std::string>& seen) {
  const auto aliases = aliases_of(names);
  const auto near = aliases.empty() ? std::string_view() : nearest_name(aliases[0], seen);
  return near.empty() ? std::string() : text(" (did you mean ", near, "?)");
}

// Wells that lack a curve are left out or noted; a curve or label that no well has is an error.
void settle_curves(WellSet& set, const Reading& reading) {
  const WellsOptions& o = reading.options;
  const std::vector<std::string> seen(reading.seen_curves.begin(), reading.seen_curves.end());
  const auto measured = [](const Curve& c) { return !is_depth(c) && !missing_throughout(c); };
  const bool some_curve =
      std::ranges::any_of(set.wells, [&](const Well& w) { return std::ranges::any_of(w.curves, measured); });
  for (size_t c = 0; c < set.curve_names.size(); ++c) {
    std::vector<std::string> lacking;
    for (const Well& w : set.wells)
      if (missing_throughout(w.curves[c])) lacking.push_back(w.id);
    if (lacking.size() == set.wells.size() && o.absent_curves && some_curve) {
      set.notes.push_back({o.path.string(),
                           text("no well has the curve ", set.curve_names[c], guess(o.curves[c], seen),
                                ", and it counts as not measured"),
                           text("rename it in the files if they call it otherwise: they have ", join(seen, 40))});
      continue;
    }
    const auto named = aliases_of(o.curves[c]);
    check(lacking.size() < set.wells.size() || std::none_of(seen.begin(), seen.end(),
                                                            [&](const std::string& s) {
                                                              return std::any_of(
                                                                  named.begin(), named.end(),
                                                                  [&](const auto& a) { return same_name(a, s); });
                                                            }),
          "wells: the curve ", o.curves[c], " is in the files of ", o.path.string(),
          ", but none of its values is a measurement: all are missing, null values or beyond 1e20. Take it out of "
          "curves, "
          "or look at the files' NULL");
    check(lacking.size() < set.wells.size(), "wells: no well of ", o.path.string(), " holds a value of the curve ",
          o.curves[c], guess(o.curves[c], seen), ". The files have: ", join(seen, 40),
          ". Correct curves, or add an alias as in \"GR|GAMMA\"");
    if (lacking.empty()) continue;
    if (o.require_curves) continue;
    set.notes.push_back({o.path.string(),
                         text("the curve ", set.curve_names[c], " is missing in ", lacking.size(), " of ",
                              set.wells.size(), " wells (", join(lacking, 8), ") and counts as not measured there"),
                         "set require_curves=true to leave such wells out, or take the curve out of curves"});
  }
  if (o.require_curves)
    std::erase_if(set.wells, [&](const Well& w) {
      for (const Curve& c : w.curves)
        if (missing_throughout(c)) {
          set.skipped.push_back({w.source, text(w.source, ": the well ", w.id, " has no curve ", c.name),
                                 "set require_curves=false to keep it"});
          return true;
        }
      return false;
    });
  check(!set.wells.empty(), "wells: no well of ", o.path.string(), " has all the curves, and require_curves=true");
  const bool labelled =
      std::any_of(set.wells.begin(), set.wells.end(), [](const Well& w) { return !w.labels.empty(); });
  check(o.label.empty() || labelled, "wells: no well of ", o.path.string(), " has the label ", o.label,
        guess(o.label, seen), ". The files have: ", join(seen, 40));
}

// The unit of depth that most wells have, of those that are known; of equally frequent ones metres.
std::string usual_depth_unit(const std::vector<Well>& wells) {
  int64_t metres = 0, feet = 0;
  for (const Well& w : wells) {
    const std::string unit = depth_unit_of(w.depth_unit);
    metres += unit == "m", feet += unit == "ft";
  }
  return metres + feet == 0 ? "" : metres >= feet ? "m" : "ft";
}

// The step that most wells have, in `unit`; of equally frequent ones the smallest.
double usual_step(const std::vector<Well>& wells, const std::string& unit) {
  std::vector<double> steps;
  for (const Well& w : wells) steps.push_back(in_depth_unit(w.step, w.depth_unit, unit));
  std::sort(steps.begin(), steps.end());
  double best = 0;
  size_t most = 0;
  for (size_t begin = 0, end; begin < steps.size(); begin = end) {
    for (end = begin; end < steps.size() && same_step(steps[end], steps[begin]);) ++end;
    if (end - begin > most) most = end - begin, best = steps[begin + (end - begin - 1) / 2];
  }
  return best;
}

void settle_steps(WellSet& set, const WellsOptions& o) {
  set.step_unit = o.step_unit.empty() ? usual_depth_unit(set.wells) : o.step_unit;
  set.step = o.step > 0 ? o.step : usual_step(set.wells, set.step_unit);
  const auto with_unit = [](double step, const std::string& unit) {
    return unit.empty() ? text(step) : text(step, " ", unit);
  };
  std::vector<Well> kept;
  for (Well& w : set.wells) {
    const double own = w.step, wanted = in_depth_unit(set.step, set.step_unit, w.depth_unit);  // in the well's unit
    if (o.step == 0 && !same_step(own, wanted)) {
      Problem p{w.source,
                text(w.source, ": the well ", w.id, " is sampled every ", with_unit(own, w.depth_unit),
                     ", most others every ", with_unit(set.step, set.step_unit)),
                text("set step=", set.step, " to have all wells resampled to one step")};
      check(!o.strict, to_string(p));
      set.skipped.push_back(std::move(p));
      continue;
    }
    if (o.step > 0 && !(same_step(own, wanted) && evenly_sampled(w))) {
      try {
        resample(w, wanted);
      } catch (const Error& e) {
        if (o.strict) throw;
        set.skipped.push_back({w.source, e.sentence(), ""});
        continue;
      }
      if (!same_step(own, wanted))
        set.notes.push_back({w.source,
                             text(w.source, ": the well ", w.id, " is resampled from step ",
                                  with_unit(own, w.depth_unit), " to ", with_unit(o.step, set.step_unit)),
                             ""});
    }
    kept.push_back(std::move(w));
  }
  set.wells = std::move(kept);
}

// Two files may call their well the same: the second is shown with its file's name, then with a number.
void make_ids_unique(WellSet& set) {
  std::map<std::string, int> taken;
  for (Well& w : set.wells) {
    if (taken[w.id]++ == 0) continue;
    const std::string base = text(w.id, " (", fs::path(w.source).stem().string(), ")");
    std::string id = base;
    for (int n = 2; taken.count(id); ++n) id = text(base, " ", n);
    set.notes.push_back(
        {w.source, text(w.source, ": the name of the well ", w.id, " is taken; it is shown as ", id), ""});
    w.id = id;
    ++taken[id];
  }
}

}  // namespace

std::vector<fs::path> well_files(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  check(fs::exists(status), "wells: ", path.string(),
        " does not exist: give a folder of LAS or CSV files, or one such file");
  if (!fs::is_directory(status)) {
    check(ends_with(path, ".las") || is_table(path), "wells: ", path.string(),
          " is neither .las nor .csv, .csv.gz or .tsv: rename it after what it is");
    return {path};
  }
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code no_file;
    if ((ends_with(entry->path(), ".las") || is_table(entry->path())) && entry->is_regular_file(no_file))
      files.push_back(entry->path());
  }
  check(!error, "wells: the folder ", path.string(), " cannot be read: ", error.message());
  check(!files.empty(), "wells: the folder ", path.string(), " holds no .las, .csv, .csv.gz or .tsv file");
  std::sort(files.begin(), files.end());
  return files;
}

WellSet load_wells(const WellsOptions& o) {
  check(!o.curves.empty(), "wells: curves is empty: name at least one curve, such as GR");
  check(o.step >= 0 && std::isfinite(o.step), "wells: step=", o.step,
        " is not a distance: give a number above 0, or 0 for the files' own");
  WellSet set;
  for (const std::string& names : o.curves) {
    const auto aliases = aliases_of(names);
    check(!aliases.empty(), "wells: curves holds an empty name");
    for (const std::string& other : set.curve_names)
      check(!same_name(other, aliases[0]), "wells: curves names ", aliases[0], " twice");
    set.curve_names.push_back(aliases[0]);
  }
  check(set.curve_names.size() > 1 || !same_name(set.curve_names[0], kDepthCurve),
        "wells: curves names the depth alone: name at least one curve that was measured, such as GR");
  set.label_name = o.label;

  Reading reading(o);
  const std::vector<fs::path> files = well_files(o.path);
  for (const fs::path& file : files) {
    try {
      if (ends_with(file, ".las")) set.wells.push_back(well_from_las(read_las(file), reading));
      else wells_from_table(file, reading, set.wells);
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {
      if (o.strict) throw;
      reading.skipped.push_back({file.string(), e.sentence(), ""});
    }
  }
  set.skipped = reading.skipped;
  set.notes = reading.notes;
  if (set.wells.empty())
    throw Error(text("wells: nothing in ", o.path.string(), " can be used. ", set.skipped.at(0).sentence,
                     set.skipped.size() > 1 ? text(" (and ", set.skipped.size() - 1, " more)") : ""));
  reading.labels.refuse_unmapped();
  for (const auto& [code, entry] : reading.labels.unmapped()) set.unmapped.push_back(entry);
  set.classes = o.label.empty() ? 0 : reading.labels.classes();
  settle_curves(set, reading);
  settle_steps(set, o);
  for (Well& w : set.wells) set_depth_curve(w, set.step_unit);
  check(!set.wells.empty(), "wells: nothing in ", o.path.string(), " is left after resampling to step=", o.step);
  make_ids_unique(set);
  return set;
}

}  // namespace kern::data

// kern info: what this build is and what this machine offers.
#pragma once
#include <string>

namespace kern::apps {

struct InfoOptions {
  bool ops = false, keys = false, tuned = false;  // print that page instead
  std::string model;                              // show what this model says of itself instead
  std::string json;
};
class Figures;
// What `kern info` and `kern doctor` begin with: version, build, processor, threads, devices.
void add_build_and_machine(Figures& figures);
void show_info(const InfoOptions& options);
std::string version();
// op, device, implementations in order of preference, as a Markdown table.
std::string ops_table();

}  // namespace kern::apps

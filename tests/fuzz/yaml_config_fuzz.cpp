// Any bytes as a configuration: read, refused in a sentence, or read back equal from what was written.
#include <string>
#include <string_view>

#include "tests/fuzz/entry.h"
#include "training/config.h"

namespace {
using namespace kern::training;

struct Class {
  std::string name, colour = "#808080";
  std::vector<int> codes;
};
struct Config {
  bool strict = false;
  int epochs = 25;
  int64_t seed = 1;
  double lr = 1e-3;
  std::string data = "here", method = "supervised";
  Duration time_budget;
  std::optional<double> missing;
  std::vector<std::string> curves;
  std::vector<double> weights;
  std::map<std::string, double> labels;
  std::vector<std::pair<std::string, std::string>> rename;
  std::vector<Class> classes;
  int kernel = 3;
};

void describe_class(Schema& keys, Class& c) {
  keys.key("name", c.name, "", required()).key("colour", c.colour, "").key("codes", c.codes, "", at_least(0));
}
Schema describe(Config& c) {
  Schema keys("fuzz");
  keys.key("strict", c.strict, "").key("epochs", c.epochs, "", at_least(1)).key("seed", c.seed, "");
  keys.key("lr", c.lr, "", above(0)).key("data", c.data, "", required());
  keys.key("method", c.method, "", one_of({"supervised", "mean_teacher"})).key("time_budget", c.time_budget, "");
  keys.key("missing", c.missing, "").key("curves", c.curves, "").key("weights", c.weights, "", between(0, 10));
  keys.key("labels", c.labels, "").key("rename", c.rename, "").key("unet.kernel", c.kernel, "");
  keys.list("classes", c.classes, "", describe_class);
  return keys;
}
}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = kern::fuzz::text_of(data, size);
  Config config;
  Schema keys = describe(config);
  const bool good = kern::fuzz::accepted([&] {
    if (text.starts_with('!')) keys.set(text.substr(1));  // as on the command line
    else keys.load_text(text, "fuzz.yaml");
    keys.check();
  });
  if (!good) return 0;
  Config again;
  Schema same = describe(again);
  const std::string written = keys.to_yaml();
  same.load_text(written, "written.yaml");  // what was written must be readable: an Error here ends the program
  same.check();
  kern::fuzz::expect(same.to_yaml() == written, "a configuration reads back equal");
  return 0;
}

// Between Python and Kern: values, arrays, messages, errors, and the lock under which Kern computes.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <string>
#include <utility>
#include <vector>

#include "training/config.h"

namespace kern::python {
namespace nb = nanobind;

// A configuration value of True, 0.5, "word", [1, 2] or None. TypeError for anything else.
training::Value value_of(nb::handle object);
// The other way; a scalar without quotes becomes a bool, number or None where it reads as one.
nb::object object_of(const training::Value& value);

// The configuration of a predict verb with the keys that were given; checked as on the command line.
template <class Config>
Config configured(const char* command, void (*describe)(training::Schema&, Config&), const nb::dict& keys) {
  Config config;
  config.data = "the data";  // the verbs read it from there; here it is an argument
  config.model = "the model";
  training::Schema schema(command);
  describe(schema, config);
  for (const auto& [name, value] : keys) schema.set(nb::cast<std::string>(nb::str(name)), value_of(value), "predict()");
  schema.check();
  return config;
}

// An array that takes over the values of a vector, without a copy.
template <class T>
nb::object array_of(std::vector<T> values, const std::vector<size_t>& shape) {
  auto* kept = new std::vector<T>(std::move(values));
  nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, T>(kept->data(), shape.size(), shape.data(), owner));
}

// Sends Kern's warnings and notes to Python, its errors too.
void set_up_messages(nb::module_& m);
void give_messages();  // what was said since: warnings.warn and logging.getLogger("kern").info

// While it lives Python's other threads run, and this one alone has Kern.
class Computing {
 public:
  Computing();
  ~Computing();
  Computing(const Computing&) = delete;
  Computing& operator=(const Computing&) = delete;

 private:
  nb::gil_scoped_release released_;
};

// What f returns, computed without the interpreter; then what Kern had to say about it.
template <class F>
auto computed(const F& f) {
  auto result = [&] {
    try {
      const Computing now;
      return f();
    } catch (...) {
      give_messages();
      throw;
    }
  }();
  give_messages();
  return result;
}

void bind_wells(nb::module_& m);
void bind_images(nb::module_& m);
void bind_faults(nb::module_& m);
void bind_anomalies(nb::module_& m);

}  // namespace kern::python

#include "python/src/glue.h"

#include <nanobind/stl/string.h>

#include <exception>
#include <mutex>

#include "kernels/common/error.h"
#include "kernels/common/log.h"

namespace kern::python {
namespace {

using training::Value;

std::mutex computing;  // one prediction at a time has the thread pool; others wait their turn
std::mutex said_mutex;
std::vector<std::pair<LogLevel, std::string>> said;

// For the life of the interpreter.
PyObject *error_type = nullptr, *internal_error_type = nullptr, *warning_type = nullptr;

PyObject* new_type(nb::module_& m, const char* name, PyObject* base, const char* doc) {
  PyObject* type = PyErr_NewExceptionWithDoc((std::string("kern.") + name).c_str(), doc, base, nullptr);
  if (!type) throw nb::python_error();
  m.attr(name) = nb::handle(type);
  return type;
}

}  // namespace

Value value_of(nb::handle object) {
  if (object.is_none()) return {};
  if (PyBool_Check(object.ptr())) return Value::scalar(object.ptr() == Py_True ? "true" : "false");
  if (nb::isinstance<nb::str>(object)) return Value::scalar(nb::cast<std::string>(object), true);
  if (PyIndex_Check(object.ptr()))  // int, and NumPy's integers
    return Value::scalar(nb::cast<std::string>(nb::str(nb::steal(PyNumber_Index(object.ptr())))));
  if (PySequence_Check(object.ptr())) {
    Value list = Value::list();
    const auto n = nb::len(object);
    for (size_t i = 0; i < n; ++i) list.items.push_back(value_of(object[i]));
    return list;
  }
  if (PyNumber_Check(object.ptr())) return Value::scalar(nb::cast<std::string>(nb::repr(nb::float_(object))));
  if (nb::hasattr(object, "__fspath__"))
    return Value::scalar(nb::cast<std::string>(nb::str(object.attr("__fspath__")())), true);
  throw nb::type_error("a key takes True, False, a number, a text, a list of these, or None");
}

nb::object object_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return nb::none();
    case Value::Kind::scalar: {
      bool truth = false;
      int64_t whole = 0;
      double number = 0;
      if (!value.quoted) {
        if (value.text == "none" || value.text == "null" || value.text == "~") return nb::none();
        if (training::field::read_value(value, truth).empty()) return nb::bool_(truth);
        if (training::field::read_value(value, whole).empty()) return nb::int_(whole);
        if (training::field::read_value(value, number).empty()) return nb::float_(number);
      }
      return nb::str(value.text.c_str(), value.text.size());
    }
    case Value::Kind::list: {
      nb::list list;
      for (const Value& item : value.items) list.append(object_of(item));
      return list;
    }
    case Value::Kind::map: {
      nb::dict map;
      for (size_t i = 0; i < value.items.size(); ++i) map[value.keys[i].c_str()] = object_of(value.items[i]);
      return map;
    }
  }
  return nb::none();
}

void set_up_messages(nb::module_& m) {
  error_type = new_type(m, "Error", PyExc_ValueError,
                        "What the caller can mend: a file that is no model, data that does not fit, a key out of range."
                        "\nThe message is Kern's sentence.");
  internal_error_type =
      new_type(m, "InternalError", PyExc_RuntimeError, "A fault of Kern itself: please report it with its message.");
  warning_type = new_type(m, "KernWarning", PyExc_UserWarning, "What can go on, but should be known.");
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const InternalError& e) {
      PyErr_SetString(internal_error_type, e.what());
    } catch (const Error& e) {
      PyErr_SetString(error_type, e.sentence().c_str());
    }
  });
  set_log_sink([](LogLevel level, const std::string& message) {
    const std::lock_guard lock(said_mutex);
    said.emplace_back(level, message);
  });
}

void give_messages() {
  std::vector<std::pair<LogLevel, std::string>> now;
  {
    const std::lock_guard lock(said_mutex);
    now.swap(said);
  }
  for (const auto& [level, message] : now) {
    if (level == LogLevel::info) nb::module_::import_("logging").attr("getLogger")("kern").attr("info")("%s", message);
    else if (PyErr_WarnEx(warning_type, message.c_str(), 3) < 0)  // the line that called the package
      throw nb::python_error();
  }
}

Computing::Computing() { computing.lock(); }
Computing::~Computing() { computing.unlock(); }

}  // namespace kern::python

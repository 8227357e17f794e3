#pragma once
#include "engine/atomic_file.h"
#include "engine/json.h"

namespace kern::testing {

// The document in a file.
inline nlohmann::json json_of(const std::string& path) { return nlohmann::json::parse(read_file(path)); }

}  // namespace kern::testing

// Names of curves and columns: compared without regard to case, and guessed at when one is not found.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace kern::data {

// Equal but for the case of ASCII letters.
bool same_name(std::string_view a, std::string_view b);

// The nearest of the candidates by edits (insert, delete, replace; case costs nothing), the first of equals. Empty when
// none is near enough to be what was meant: more than a third of the letters would have to change.
std::string_view nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace kern::data

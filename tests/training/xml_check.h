// Whether a text is well-formed XML, as far as the images and pages of a report use it.
#pragma once
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace kern::testing {

// Empty when it is well-formed, otherwise what is wrong. The content of <style> and <script> is not looked at (HTML).
inline std::string xml_fault(std::string_view s) {
  const auto near = [&](size_t at) { return " near '" + std::string(s.substr(at, 60)) + "'"; };
  const auto is_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == ':';
  };
  const auto entity_fault = [&](std::string_view text) -> bool {
    for (size_t i = text.find('&'); i != text.npos; i = text.find('&', i + 1)) {
      const auto end = text.find(';', i);
      if (end == text.npos) return true;
      const auto name = text.substr(i + 1, end - i - 1);
      if (name != "amp" && name != "lt" && name != "gt" && name != "quot" && name != "#39") return true;
    }
    return false;
  };
  for (unsigned char c : s)
    if (c < 0x20 && c != '\n' && c != '\t' && c != '\r') return "a control character";
  std::vector<std::string> open;
  bool any = false;
  for (size_t i = 0; i < s.size();) {
    if (s[i] != '<') {
      const size_t end = std::min(s.find('<', i), s.size());
      if (entity_fault(s.substr(i, end - i))) return "a bare &" + near(i);
      if (open.empty() && s.substr(i, end - i).find_first_not_of(" \n\t") != s.npos) return "text outside" + near(i);
      i = end;
      continue;
    }
    if (s.substr(i, 2) == "<?" || s.substr(i, 9) == "<!DOCTYPE") {
      i = s.find('>', i) + 1;
      continue;
    }
    const bool closing = s.substr(i, 2) == "</";
    size_t p = i + (closing ? 2 : 1);
    const size_t name_at = p;
    while (p < s.size() && is_name(s[p])) ++p;
    const std::string name(s.substr(name_at, p - name_at));
    if (name.empty()) return "a tag without name" + near(i);
    if (closing) {
      if (open.empty() || open.back() != name) return "</" + name + "> closes nothing" + near(i);
      open.pop_back();
      if (s[p] != '>') return "a broken closing tag" + near(i);
      i = p + 1;
      continue;
    }
    if (open.empty() && any) return "a second root" + near(i);
    any = true;
    std::vector<std::string_view> attributes;
    for (;;) {
      while (p < s.size() && std::isspace(static_cast<unsigned char>(s[p]))) ++p;
      if (p >= s.size()) return "an open tag at the end";
      if (s[p] == '>' || s.substr(p, 2) == "/>") break;
      const size_t key_at = p;
      while (p < s.size() && is_name(s[p])) ++p;
      const auto key = s.substr(key_at, p - key_at);
      if (key.empty() || s.substr(p, 2) != "=\"") return "a broken attribute" + near(i);
      for (auto other : attributes)
        if (other == key) return "an attribute twice" + near(i);
      attributes.push_back(key);
      const size_t value_at = p + 2, end = s.find('"', value_at);
      if (end == s.npos) return "an open quote" + near(i);
      const auto value = s.substr(value_at, end - value_at);
      if (value.find('<') != value.npos || entity_fault(value)) return "a broken value" + near(i);
      p = end + 1;
    }
    if (s[p] == '/') {
      i = p + 2;
      continue;
    }
    i = p + 1;
    open.push_back(name);
    if (name == "style" || name == "script") {
      i = s.find("</" + name, i);
      if (i == s.npos) return "<" + name + "> is not closed";
    }
  }
  if (!open.empty()) return "<" + open.back() + "> is not closed";
  return any ? "" : "no element";
}

}  // namespace kern::testing

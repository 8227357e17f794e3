// nlohmann's JSON, whose reading and writing are compiled once (json.cpp) instead of in every file that has a document.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

extern template std::string nlohmann::json::dump(int, char, bool, nlohmann::json::error_handler_t) const;
extern template nlohmann::json nlohmann::json::parse(const std::string&, nlohmann::json::parser_callback_t, bool, bool);
extern template nlohmann::json nlohmann::json::parse(std::string&&, nlohmann::json::parser_callback_t, bool, bool);
extern template std::string nlohmann::ordered_json::dump(int, char, bool,
                                                         nlohmann::ordered_json::error_handler_t) const;
extern template nlohmann::ordered_json nlohmann::ordered_json::parse(const std::string&,
                                                                     nlohmann::ordered_json::parser_callback_t, bool,
                                                                     bool);
extern template nlohmann::ordered_json nlohmann::ordered_json::parse(std::string&&,
                                                                     nlohmann::ordered_json::parser_callback_t, bool,
                                                                     bool);

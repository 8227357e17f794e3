#include "engine/json.h"

template std::string nlohmann::json::dump(int, char, bool, nlohmann::json::error_handler_t) const;
template nlohmann::json nlohmann::json::parse(const std::string&, nlohmann::json::parser_callback_t, bool, bool);
template nlohmann::json nlohmann::json::parse(std::string&&, nlohmann::json::parser_callback_t, bool, bool);
template std::string nlohmann::ordered_json::dump(int, char, bool, nlohmann::ordered_json::error_handler_t) const;
template nlohmann::ordered_json nlohmann::ordered_json::parse(const std::string&,
                                                              nlohmann::ordered_json::parser_callback_t, bool, bool);
template nlohmann::ordered_json nlohmann::ordered_json::parse(std::string&&, nlohmann::ordered_json::parser_callback_t,
                                                              bool, bool);

// A run in one line of text, from which it is reproduced to the very event: a scenario and which notification
// of it is lost. Three forms:
//   scenarios/drift/x.json           the file with its own seed
//   scenarios/drift/x.json@42#17     with seed 42, and the 17th notification lost
//   eyJuYW1lIjo...#17                the whole scenario (base64url of its JSON), independent of any file
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "fixpoint/sim/scenario.hpp"
#include "sim/scenario/scenario_error.hpp"

namespace fixpoint::sim {

struct Token {
    Scenario scenario;
    std::uint64_t lose_notification = 0;
};

// Self-contained: the base64url form.
std::string print_token(const Scenario& scenario, std::uint64_t lose_notification = 0);

// The shortest form that does it: the file's, where the scenario comes from one.
std::string print_short_token(const Scenario& scenario, std::uint64_t lose_notification = 0);

// Reads files where the token names one.
std::expected<Token, ScenarioError> parse_token(std::string_view text);

std::string base64url(std::string_view bytes);
std::expected<std::string, std::string> from_base64url(std::string_view text);

}  // namespace fixpoint::sim

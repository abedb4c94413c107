// See token.hpp.
#include "sim/scenario/token.hpp"

#include <charconv>
#include <optional>

#include "sim/scenario/scenario_files.hpp"
#include "sim/scenario/scenario_json.hpp"

namespace fixpoint::sim {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Takes the number behind the last `mark` off the end of the text, if there is one.
std::expected<std::optional<std::uint64_t>, ScenarioError> take_number(std::string_view& text, char mark) {
    const std::size_t at = text.rfind(mark);
    if (at == std::string_view::npos) return std::nullopt;
    const auto value = number(text.substr(at + 1));
    if (!value) {
        return std::unexpected(
            ScenarioError{std::string(text), "", std::string("no number after ") + mark, "FILE@seed#n"});
    }
    text = text.substr(0, at);
    return value;
}

}  // namespace

std::string base64url(std::string_view bytes) {
    std::string text;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : bytes) {
        bits = (bits << 8) | static_cast<unsigned char>(c);
        for (count += 8; count >= 6; count -= 6) text += alphabet[(bits >> (count - 6)) & 63];
        bits &= (1u << count) - 1;
    }
    if (count > 0) text += alphabet[(bits << (6 - count)) & 63];
    return text;
}

std::expected<std::string, std::string> from_base64url(std::string_view text) {
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const std::size_t value = alphabet.find(c);
        if (value == std::string_view::npos)
            return std::unexpected("'" + std::string(1, c) + "' is not base64url");
        bits = (bits << 6) | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>((bits >> count) & 255);
            bits &= (1u << count) - 1;
        }
    }
    if (bits != 0 || count == 6) return std::unexpected("it is cut off");
    return bytes;
}

std::string print_token(const Scenario& scenario, std::uint64_t lose_notification) {
    std::string token = base64url(print_scenario_compact(scenario));
    if (lose_notification != 0) token += "#" + std::to_string(lose_notification);
    return token;
}

std::string print_short_token(const Scenario& scenario, std::uint64_t lose_notification) {
    if (scenario.file.empty()) return print_token(scenario, lose_notification);
    std::string token = scenario.file + "@" + std::to_string(scenario.seed);
    if (lose_notification != 0) token += "#" + std::to_string(lose_notification);
    return token;
}

std::expected<Token, ScenarioError> parse_token(std::string_view text) {
    std::string_view rest = text;
    const auto lost = take_number(rest, '#');
    if (!lost) return std::unexpected(lost.error());
    Token token;
    token.lose_notification = lost->value_or(0);
    if (rest.find(".json") == std::string_view::npos) {
        const auto json = from_base64url(rest);
        if (!json) {
            return std::unexpected(
                ScenarioError{"", "", "neither a scenario file nor a token: " + json.error(),
                              "FILE.json[@seed][#n], or the line that was printed with the run"});
        }
        auto scenario = read_scenario(*json, "");
        if (!scenario) return std::unexpected(scenario.error());
        token.scenario = std::move(*scenario);
        return token;
    }
    const auto seed = take_number(rest, '@');
    if (!seed) return std::unexpected(seed.error());
    const auto json = read_text_file(std::string(rest));
    if (!json) return std::unexpected(json.error());
    auto scenario = read_scenario(*json, std::string(rest));
    if (!scenario) return std::unexpected(scenario.error());
    token.scenario = std::move(*scenario);
    token.scenario.seed = seed->value_or(token.scenario.seed);
    return token;
}

}  // namespace fixpoint::sim

// One JSON object under strict reading: each key that is asked for becomes known, and what was never asked
// for is an error at the end. It carries its place, so every complaint names where. Included by the reader's
// .cpp only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "fixpoint/model/tablet.hpp"
#include "fixpoint/model/time.hpp"
#include "sim/scenario/scenario_error.hpp"

namespace fixpoint::sim {

// Thrown inside of the reader only; read_scenario turns it into a value. `file` is filled in there.
struct BadScenario {
    ScenarioError error;
};

[[noreturn]] void complain(const std::string& place, const std::string& what, const std::string& remedy = "");

class JsonObject {
  public:
    // Complains if the value is no object.
    JsonObject(const nlohmann::json& value, std::string place);

    const std::string& place() const { return place_; }
    std::string place_of(std::string_view key) const { return place_ + "/" + std::string(key); }

    // nullptr where the key is absent.
    const nlohmann::json* find(std::string_view key);
    const nlohmann::json& need(std::string_view key, std::string_view for_what = {});

    std::optional<std::string> text(std::string_view key);
    std::string need_text(std::string_view key, std::string_view for_what = {});
    std::optional<std::int64_t> integer(std::string_view key, std::int64_t lo, std::int64_t hi);
    std::optional<std::uint64_t> natural(std::string_view key);
    std::optional<double> number(std::string_view key, double lo, double hi);
    std::optional<bool> boolean(std::string_view key);
    std::optional<Duration> milliseconds(std::string_view key);  // never negative
    std::optional<TabletAlias> alias(std::string_view key);

    // Calls with each element and its place; absent: false. Complains if it is no array.
    bool each(std::string_view key,
              const std::function<void(const nlohmann::json&, const std::string&)>& element);

    // Complains about the first key that nobody asked for.
    void finish() const;

  private:
    const nlohmann::json& value_;
    std::string place_;
    std::vector<std::string> known_;
};

std::string text_of(const nlohmann::json& value, const std::string& place);
TabletAlias alias_of(const nlohmann::json& value, const std::string& place);

}  // namespace fixpoint::sim

// See output.hpp.
#include "real_adapters/daemon/output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/daemon/clock.hpp"
#include "real_adapters/daemon/pause_note.hpp"
#include "real_adapters/daemon/text.hpp"
#include "real_adapters/daemon/words.hpp"

namespace fixpoint::real {

namespace {

using nlohmann::json;

std::string channel_state(const sql::ReplicaRow& c) {
    const char* const receiver = c.receiver == sql::ThreadState::yes          ? "receives"
                                 : c.receiver == sql::ThreadState::connecting ? "connecting"
                                                                              : "receiver stopped";
    std::string text = fmt::format("{} from {}", receiver, c.source.to_string());
    if (c.receiver_errno != 0) text += fmt::format(" (error {})", c.receiver_errno);
    if (!c.applier_running)
        text += c.applier_errno != 0 ? fmt::format(", applier stands on error {}", c.applier_errno)
                                     : std::string(", applier stopped");
    if (c.seconds_behind.value_or(0) > 0) text += fmt::format(", {} s behind", *c.seconds_behind);
    return text;
}

std::string lock_text(const std::optional<topo::LockHolder>& lock) {
    if (!lock) return "nobody";
    const auto content = decode_lock_content(lock->content);
    if (!content) return lock->content;
    return fmt::format("{} ({}, {})", content->host_name, content->action, content->user_name);
}

json settings_json(const TabletReport& t) {
    json settings = json::object();
    for (const auto& [variable, value] : t.settings_to_persist)
        settings[std::string(to_string(variable))] = value;
    return settings;
}

json tablet_json(const TabletReport& t) {
    json object = {{"alias", t.tablet.alias.to_string()},
                   {"type", to_string(t.tablet.type)},
                   {"address", t.tablet.mysql.to_string()},
                   {"declared", t.declared},
                   {"forgotten", t.forgotten},
                   {"primary", t.is_primary},
                   {"acker", t.in_ackers},
                   {"vouching", t.vouching},
                   {"answers", t.answer.has_value()},
                   {"state", state_of(t)},
                   {"missing_privileges", t.missing_privileges},
                   {"settings_to_persist", settings_json(t)}};
    if (t.age) object["age_ms"] = to_ms(*t.age);
    if (!t.errant.empty()) object["errant"] = t.errant.to_string();
    if (!t.answer) return object;
    object["version"] = t.answer->server.version;
    object["server_uuid"] = t.answer->server.server_uuid.to_string();
    object["server_id"] = t.answer->server.server_id;
    object["gtid_executed"] = t.answer->server.gtid_executed.to_string();
    return object;
}

json problem_json(const ProblemReport& p) {
    json object = {{"problem", to_string(p.key.problem)}, {"priority", p.priority}, {"meaning", p.meaning}};
    if (p.key.tablet) object["tablet"] = p.key.tablet.to_string();
    if (!p.detail.empty()) object["detail"] = p.detail;
    if (p.recovery != Recovery::none) {
        object["recovery"] = to_string(p.recovery);
        object["next"] = p.next;
    }
    if (p.refusal != Reason::none)
        object["refused"] = {{"reason", to_string(p.refusal)}, {"text", p.refusal_text}};
    if (const std::string remedy = remedy_of(p); !remedy.empty()) object["remedy"] = remedy;
    return object;
}

}  // namespace

std::string state_of(const TabletReport& t) {
    if (t.forgotten) return "forgotten";
    if (!t.answer) {
        std::string why = t.error.text;
        if (t.error.number != 0) why += fmt::format(" ({})", t.error.number);
        return (t.refused ? "lets us not in: " : "no answer: ") + why;
    }
    if (!t.not_manageable.empty()) return "not managed: " + t.not_manageable;
    const sql::ServerRow& s = t.answer->server;
    std::string text = s.offline_mode                     ? "offline mode"
                       : s.read_only || s.super_read_only ? "read-only"
                                                          : "open";
    if (t.is_primary && s.semi_sync_plugins && s.semi_sync_source_enabled)
        text += fmt::format(", semi-sync {}", s.semi_sync_source_wait_for_replica_count);
    for (const sql::ReplicaRow& channel : t.answer->channels) text += ", " + channel_state(channel);
    if (t.in_ackers) text += t.vouching ? ", acknowledges" : ", to be qualified";
    if (!t.errant.empty()) text += ", errant " + t.errant.to_string();
    return text;
}

std::string summary_line(const Shown& shown) {
    const ShardReport& r = shown.report;
    const std::string name = r.shard.to_string();
    if (!r.store_error.empty())
        return fmt::format("{}: the topology store does not answer: {}\n", name, r.store_error);
    if (!r.damage.empty()) return fmt::format("{}: a record cannot be read: {}\n", name, r.damage);
    std::string text = name + ": ";
    if (r.in_force) {
        text += fmt::format("primary {}, term {}, {} in force", r.in_force->primary.alias.to_string(),
                            r.in_force->term, r.in_force->policy.to_string());
    } else {
        text += "nothing is in force yet";
    }
    if (r.goal.paused) {
        const auto note = pause_note(r.goal);
        text += note ? ", " + to_string(*note) : std::string(", paused");
    }
    return text + ", lock: " + lock_text(shown.lock) + '\n';
}

std::string tablets_text(const ShardReport& report) {
    std::vector<std::vector<std::string>> rows{{"TABLET", "TYPE", "ADDRESS", "AGE", "STATE"}};
    for (const TabletReport& t : report.tablets) {
        rows.push_back({t.tablet.alias.to_string(), std::string(to_string(t.tablet.type)),
                        t.tablet.mysql.to_string(), t.age ? age_text(*t.age) : "-", state_of(t)});
    }
    return table(rows, "  ");
}

std::string problems_text(const ShardReport& report, bool with_steps) {
    std::string text;
    for (const ProblemReport& p : report.problems) {
        text += fmt::format("  {}{}: {}", to_string(p.key.problem),
                            p.key.tablet ? ' ' + p.key.tablet.to_string() : "", p.meaning);
        if (!p.detail.empty()) text += fmt::format(" ({})", p.detail);
        text += '\n';
        if (p.refusal != Reason::none) {
            text += fmt::format("      {} would be refused: {}{}\n", to_string(p.recovery),
                                to_string(p.refusal), p.refusal_text.empty() ? "" : ", " + p.refusal_text);
        } else if (p.recovery != Recovery::none) {
            text += fmt::format("      {}{}\n", p.next ? "next: " : "later: ", to_string(p.recovery));
            if (with_steps && p.next) {
                for (const std::string_view step : steps_of(p.recovery))
                    text += fmt::format("        - {}\n", step);
            }
        }
        if (const std::string remedy = remedy_of(p); !remedy.empty())
            text += fmt::format("      remedy: {}\n", remedy);
    }
    return text;
}

std::string settings_text(const ShardReport& report) {
    using Settings = std::vector<std::pair<sql::Variable, std::int64_t>>;
    std::vector<std::pair<Settings, std::vector<std::string>>>
        groups;  // tablets with the same ones, together
    for (const TabletReport& t : report.tablets) {
        if (t.settings_to_persist.empty()) continue;
        auto it = std::ranges::find(groups, t.settings_to_persist, &decltype(groups)::value_type::first);
        if (it == groups.end()) it = groups.insert(it, {t.settings_to_persist, {}});
        it->second.push_back(t.tablet.alias.to_string());
    }
    std::string text;
    for (const auto& [settings, tablets] : groups) {
        text += fmt::format("  on {} (SET PERSIST_ONLY)\n", joined(tablets));
        for (const auto& [variable, value] : settings)
            text += fmt::format("      {} = {}\n", to_string(variable), value);
    }
    return text;
}

json to_json(const Shown& shown) {
    const ShardReport& r = shown.report;
    json object = {{"shard", r.shard.to_string()}, {"settled", is_settled(r)}, {"paused", r.goal.paused}};
    if (!r.store_error.empty()) object["store_error"] = r.store_error;
    if (!r.damage.empty()) object["damage"] = r.damage;
    if (r.in_force) {
        json ackers = json::array();
        for (const RecordedServer& a : r.in_force->ackers) ackers.push_back(a.alias.to_string());
        object["in_force"] = {{"primary", r.in_force->primary.alias.to_string()},
                              {"term", r.in_force->term},
                              {"revision", r.in_force->revision},
                              {"policy", r.in_force->policy.to_string()},
                              {"ackers", ackers}};
    }
    if (r.keyspace) object["declared_policy"] = r.keyspace->durability_policy.to_string();
    if (shown.lock) object["lock"] = lock_text(shown.lock);
    object["tablets"] = json::array();
    for (const TabletReport& t : r.tablets) object["tablets"].push_back(tablet_json(t));
    object["problems"] = json::array();
    for (const ProblemReport& p : r.problems) object["problems"].push_back(problem_json(p));
    return object;
}

}  // namespace fixpoint::real

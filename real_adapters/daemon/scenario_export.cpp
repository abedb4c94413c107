// See scenario_export.hpp. Faults are spelled as scenarios/README.md has them.
#include "real_adapters/daemon/scenario_export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace fixpoint::real {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t first_fault_ms = 5'000;
constexpr std::int64_t longest_quiet_ms = 15'000;  // long enough for whatever one fault makes necessary
constexpr std::int64_t restarted_after_ms = 7'000;
constexpr std::int64_t follows_within_ms = 1'500;

std::int64_t ms_of(const std::string& rfc3339) {
    std::tm utc{};
    int ms = 0;
    char dot = 0;
    std::istringstream in(rfc3339);
    in >> std::get_time(&utc, "%Y-%m-%dT%H:%M:%S") >> dot >> ms;
    return std::int64_t{::timegm(&utc)} * 1'000 + ms;
}

// Drift of one tablet, by the problem that it was found as.
const std::map<std::string, std::string>& drifts() {
    static const std::map<std::string, std::string> table{
        {"replica_is_writable", "set_writable"},
        {"stale_primary", "second_primary"},
        {"replica_not_replicating", "reset_replication"},
        {"receiver_stopped", "stop_receiver"},
        {"applier_stopped", "stop_applier"},
        {"offline_mode_left_on", "set_offline_mode"},
        {"errant_transactions", "errant_transaction"},
        {"not_vouching", "restart"},
        {"not_restart_safe", "unpersist_settings"},
    };
    return table;
}

class Exporter {
  public:
    Exporter(const ExportedShard& shard, const std::vector<HistoryEntry>& entries, const std::string& from)
        : shard_(shard), entries_(entries), from_(from) {}

    std::string text() {
        for (const HistoryEntry& entry : entries_) read(entry);
        Json root;
        root["name"] = "exported";
        root["why"] = why();
        root["shard"] = shard_json();
        root["managers"] = Json::array({Json{{"name", "m1"}, {"cell", shard_.tablets.front().alias.cell}}});
        root["workload"] = {{"writes_per_second", 20}};
        root["faults"] = faults_;
        root["expect"] = {{"verdict", "converged"}, {"recoveries", acted_}};
        return root.dump(2) + '\n';
    }

  private:
    void read(const HistoryEntry& entry) {
        if (!began_ && (from_.empty() || entry.operation == from_)) {
            began_ = true;
            primary_at_boot_ = primary_;
        }
        // "zone1-101 term 3"
        const std::string recorded =
            entry.kind == "commit_point" ? entry.text.substr(0, entry.text.find(' ')) : "";
        if (began_ && entry.kind == "recovery_began") operation(entry);
        if (!faults_.empty() && entry.kind == "recovery_succeeded") acted_.insert(entry.recovery);
        if (began_ && !recorded.empty() && wished_.contains(entry.operation))
            add(wished_[entry.operation], Json{{"fault", "declare_primary"}, {"tablet", recorded}});
        if (recorded.empty()) return;
        if (began_ && primary_at_boot_.empty()) primary_at_boot_ = recorded;
        primary_ = recorded;
        changed_ = entry.time;
    }

    void operation(const HistoryEntry& e) {
        if (primary_.empty()) return;  // its first contact is where a scenario begins
        if (e.problem == "dead_primary") {
            add(e.time, Json{{"fault", "crash"}, {"tablet", primary_}});
            add_later(restarted_after_ms, Json{{"fault", "restart"}, {"tablet", primary_}});
        } else if (e.problem == "wrong_primary") {
            wished_[e.operation] = e.time;
        } else if (e.problem == "primary_is_read_only") {
            if (!in_between(e)) add(e.time, Json{{"fault", "set_read_only"}, {"tablet", primary_}});
        } else if (in_between(e)) {
            return;
        } else if (const auto drift = drifts().find(e.problem); drift != drifts().end()) {
            add(e.time, Json{{"fault", drift->second}, {"tablet", e.tablet}});
        } else {
            ++left_out_[e.problem];
        }
    }

    // What follows upon another primary, one thing after the other, the simulator makes by itself.
    bool in_between(const HistoryEntry& e) {
        if (changed_.empty() || ms_of(e.time) - ms_of(changed_) > follows_within_ms) return false;
        changed_ = e.time;
        return true;
    }

    void add(const std::string& time, Json fault) {
        if (!last_.empty())
            at_ms_ += std::clamp<std::int64_t>(ms_of(time) - ms_of(last_), 0, longest_quiet_ms);
        last_ = time;
        add_later(0, std::move(fault));
    }
    void add_later(std::int64_t ms, Json fault) {
        Json one{{"at_ms", at_ms_ + ms}};
        one.update(fault);
        faults_.push_back(std::move(one));
    }

    std::string why() const {
        std::string text =
            fmt::format("Exported from the history of {}: {} faults that ask for what was done.",
                        shard_.name.to_string(), faults_.size());
        for (const auto& [problem, count] : left_out_) {
            text += fmt::format("{}{} ({})", text.ends_with('.') ? " Left out: " : ", ", problem, count);
        }
        return text;
    }

    Json shard_json() const {
        Json tablets = Json::array();
        for (const Tablet& t : shard_.tablets) {
            const bool primary = t.alias.to_string() == primary_at_boot_;
            const TabletType type = t.declared_type();
            Json one{{"alias", t.alias.to_string()},
                     {"type", primary                       ? "primary"
                              : type == TabletType::primary ? "replica"
                                                            : to_string(type)}};
            if (const auto rule = shard_.goal.promotion_rules.find(t.alias);
                rule != shard_.goal.promotion_rules.end())
                one["promotion_rule"] = to_string(rule->second);
            tablets.push_back(std::move(one));
        }
        return Json{{"keyspace", shard_.name.keyspace},
                    {"shard", shard_.name.shard},
                    {"durability_policy", shard_.policy.to_string()},
                    {"tablets", std::move(tablets)}};
    }

    const ExportedShard& shard_;
    const std::vector<HistoryEntry>& entries_;
    std::string from_;
    bool began_ = false;
    std::string primary_, primary_at_boot_;
    std::string changed_;  // when another primary was recorded
    std::string last_;     // when the newest fault was
    std::int64_t at_ms_ = first_fault_ms;
    std::map<std::string, std::string> wished_;  // by operation: when
    std::map<std::string, int> left_out_;
    std::set<std::string> acted_;  // from the first fault on: the same is expected of the simulator
    Json faults_ = Json::array();
};

}  // namespace

std::string scenario_of(const ExportedShard& shard, const std::vector<HistoryEntry>& entries,
                        const std::string& from) {
    return Exporter(shard, entries, from).text();
}

}  // namespace fixpoint::real

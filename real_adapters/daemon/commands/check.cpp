// check: the configuration (it was read, or we would not be here), the store, every server's privileges and
// settings, and the replication account as each server knows it. Changes nothing; all that is wrong is said,
// not only the first.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "real_adapters/daemon/commands/common.hpp"
#include "real_adapters/daemon/output.hpp"
#include "real_adapters/daemon/words.hpp"

namespace fixpoint::real {

namespace {

struct Finding {
    std::string shard, tablet, text;
};

std::string_view remedy_of_receiver(int number) {
    constexpr int of_tls = 2026;
    if (number == sql::error_number::access_denied)
        return "; see to the replication account there (`fixpoint grants`)";
    if (number == of_tls)
        return "; see that replication.tls_ca is the authority that signed the source's certificate; then "
               "`fixpoint reparent`, or STOP REPLICA and RESET REPLICA ALL here: it is pointed anew";
    return {};
}

void look_at(const Site& site, const ShardReport& report, std::vector<Finding>& findings) {
    const std::string shard = report.shard.to_string();
    if (!report.damage.empty()) findings.push_back({shard, "", "a record cannot be read: " + report.damage});
    for (const std::string& cell : report.silent_cells)
        findings.push_back({shard, "", "cell " + cell + ": its store does not answer"});
    for (const TabletReport& t : report.tablets) {
        const std::string alias = t.tablet.alias.to_string();
        if (t.forgotten) continue;
        for (const std::string& privilege : t.missing_privileges)
            findings.push_back(
                {shard, alias,
                 fmt::format("the manager's account lacks {}; GRANT it (`fixpoint grants`)", privilege)});
        if (!t.answer) {
            if (t.missing_privileges.empty())
                findings.push_back({shard, alias, state_of(t) + "; " + remedy_of(t)});
            continue;
        }
        if (t.missing_privileges.empty() && !t.not_manageable.empty())
            findings.push_back({shard, alias, t.not_manageable + "; " + remedy_of(t)});
        // The replication account as this tablet's receiver finds it.
        for (const sql::ReplicaRow& c : t.answer->channels) {
            if (c.receiver_errno != 0)
                findings.push_back(
                    {shard, alias,
                     fmt::format("its receiver, from {}: error {} {}{}", c.source.to_string(),
                                 c.receiver_errno, c.receiver_error, remedy_of_receiver(c.receiver_errno))});
        }
        for (const auto& [variable, value] : t.settings_to_persist)
            findings.push_back({shard, alias,
                                fmt::format("{} is not persisted as {}; `fixpoint run` does it",
                                            to_string(variable), value)});
        if (const std::string wrong = site.judge_replication_account(t.tablet.mysql); !wrong.empty())
            findings.push_back({shard, alias, wrong});
        if (t.is_primary) continue;
        if (const std::string kept = site.judge_channel(t.tablet.mysql); !kept.empty())
            findings.push_back({shard, alias, kept});
    }
    // Settings that the problem table knows of.
    for (const ProblemReport& p : report.problems) {
        if (p.key.problem == Problem::not_durable || p.key.problem == Problem::semi_sync_plugin_missing ||
            p.key.problem == Problem::invalid_tablet || p.key.problem == Problem::settings_not_loaded)
            findings.push_back(
                {shard, p.key.tablet.to_string(), fmt::format("{}; {}", p.meaning, remedy_of(p))});
    }
}

}  // namespace

awaitable<ExitCode> check(const Site& site, ShowOptions options) {
    const std::vector<ShardName> shards = shards_or_complain(site, options.shards);
    if (shards.empty()) co_return ExitCode::refused;
    const std::unique_ptr<topo::Store> store = open_store_or_complain(site);
    if (!store) co_return ExitCode::own_fault;
    std::vector<Finding> findings;
    for (const ShardName& shard : shards) {
        const Shown shown = co_await look_on(site, *store, shard);
        if (!shown.report.store_error.empty()) {
            site.complain(shown.report.store_error);
            co_return ExitCode::own_fault;
        }
        if (shown.report.tablets.empty())
            findings.push_back({shard.to_string(), "", "it is not declared; `fixpoint init` does it"});
        look_at(site, shown.report, findings);
    }
    if (options.json) {
        nlohmann::json list = nlohmann::json::array();
        for (const Finding& f : findings)
            list.push_back({{"shard", f.shard}, {"tablet", f.tablet}, {"text", f.text}});
        site.print(list.dump(2) + '\n');
    } else {
        for (const Finding& f : findings)
            site.print(fmt::format("{}{}{}: {}\n", f.shard, f.tablet.empty() ? "" : " ", f.tablet, f.text));
        if (findings.empty()) site.print("nothing is wrong\n");
    }
    co_return findings.empty() ? ExitCode::done : ExitCode::not_converged;
}

}  // namespace fixpoint::real

// init: from a list of addresses to a shard that converges. It reads the servers, lets the core look at what
// it would declare, shows all of it, and asks; with --yes it writes the declaration, nothing else, and runs
// the core, which persists, records and opens. What the core would refuse is refused here, before anything is
// written.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/daemon/commands/common.hpp"
#include "real_adapters/daemon/text.hpp"
#include "real_adapters/daemon/words.hpp"

namespace fixpoint::real {

namespace {

std::expected<std::vector<ListedServer>, std::string> parse_servers(const InitOptions& options) {
    std::vector<ListedServer> servers;
    std::set<TabletAlias> aliases;
    std::set<MysqlAddress> addresses;
    TabletAlias next{options.cell, 100};
    for (const std::string& text : options.servers) {
        while (aliases.contains(next)) ++next.uid;
        auto server = parse_listed_server(text, next);
        if (!server) return std::unexpected(server.error());
        if (!aliases.insert(server->alias).second)
            return std::unexpected(server->alias.to_string() +
                                   " is there twice; give each server an alias of its own");
        if (!addresses.insert(server->address).second)
            return std::unexpected(server->address.to_string() + " is there twice; remove one of the two");
        servers.push_back(*std::move(server));
    }
    if (servers.empty()) return std::unexpected("no server is named; write HOST:PORT of each");
    return servers;
}

bool serves(const TabletReport& t) {
    return t.answer && !t.answer->server.read_only && !t.answer->server.super_read_only &&
           !t.answer->server.offline_mode;
}

// The one that is in service, if there is exactly one and somebody follows it or it has data: it is declared
// as what it is. Of several, or of none, the core decides.
std::optional<TabletAlias> who_serves(const ShardReport& report) {
    std::vector<const TabletReport*> open;
    for (const TabletReport& t : report.tablets) {
        if (serves(t)) open.push_back(&t);
    }
    if (open.size() != 1) return std::nullopt;
    const TabletReport& p = *open.front();
    const bool followed = std::ranges::any_of(report.tablets, [&](const TabletReport& t) {
        return t.answer && std::ranges::any_of(t.answer->channels, [&](const sql::ReplicaRow& c) {
                   return c.source_uuid == p.answer->server.server_uuid;
               });
    });
    return followed || !p.answer->server.gtid_executed.empty() ? std::optional(p.tablet.alias) : std::nullopt;
}

// What stands in the way, server by server, with its remedy.
std::vector<std::string> obstacles(const ShardReport& report) {
    std::vector<std::string> found;
    for (const TabletReport& t : report.tablets) {
        const std::string name =
            fmt::format("{} ({})", t.tablet.alias.to_string(), t.tablet.mysql.to_string());
        if (!t.answer && t.missing_privileges.empty()) {
            const bool password = t.error.number == sql::error_number::access_denied;
            found.push_back(fmt::format("{}: {}; {}", name, state_of(t),
                                        password ? "create the manager's account there (`fixpoint grants`)"
                                                 : "start it, or correct its address"));
        } else if (!t.missing_privileges.empty()) {
            for (const std::string& privilege : t.missing_privileges)
                found.push_back(fmt::format(
                    "{}: the manager's account lacks {}; GRANT it (`fixpoint grants`)", name, privilege));
        } else if (!t.not_manageable.empty()) {
            found.push_back(
                fmt::format("{}: {}; Fixpoint does not touch such a server", name, t.not_manageable));
        }
    }
    return found;
}

// The row of first contact, if one holds.
const ProblemReport* first_contact(const ShardReport& report) {
    const auto it = std::ranges::find_if(report.problems, [](const ProblemReport& p) {
        return p.key.problem == Problem::shard_never_had_a_primary ||
               p.key.problem == Problem::shard_to_adopt || p.key.problem == Problem::primary_record_lost;
    });
    return it == report.problems.end() ? nullptr : &*it;
}

// Which servers have transactions that others lack: what usually makes an election impossible at first
// contact.
std::string who_has_what(const ShardReport& report) {
    std::string text;
    for (const TabletReport& t : report.tablets) {
        if (!t.answer) continue;
        GtidSet others;
        for (const TabletReport& o : report.tablets) {
            if (o.answer && o.tablet.alias != t.tablet.alias) others.add(o.answer->server.gtid_executed);
        }
        const GtidSet alone = t.answer->server.gtid_executed - others;
        if (!alone.empty())
            text += fmt::format("  {} alone has {}\n", t.tablet.alias.to_string(), alone.to_string());
    }
    if (!text.empty())
        text +=
            "  (accounts that were created with the binary log on make every server differ: on one that "
            "holds no "
            "data yet, RESET BINARY LOGS AND GTIDS; `fixpoint grants` prints statements that do not)\n";
    return text;
}

struct Proposal {
    ShardDeclaration declaration;
    std::vector<ProposedRecord> records;  // what is to be written still
    Shown shown;                          // what the core sees with it
};

awaitable<std::expected<Proposal, std::string>> propose(const Site& site, const InitOptions& options,
                                                        topo::Store& store,
                                                        std::vector<ListedServer> servers) {
    Proposal p;
    p.declaration = {options.shard,
                     options.policy.value_or(site.configuration.defaults.policy),
                     std::move(servers),
                     {},
                     site.configuration.defaults.limits_json,
                     site.clock.wall_now()};
    const auto there = co_await read_declared(store, options.shard);
    if (!there) co_return std::unexpected(there.error());
    if (there->shard_version != 0)
        co_return std::unexpected(
            options.shard.to_string() +
            " is declared already; `fixpoint declare` changes it, `fixpoint run` leads it there");
    if (there->keyspace_version != 0) {
        if (options.policy && *options.policy != there->keyspace.durability_policy)
            co_return std::unexpected(
                fmt::format("keyspace {} is declared with durability {}; `fixpoint declare` changes it",
                            options.shard.keyspace, there->keyspace.durability_policy.to_string()));
        p.declaration.policy = there->keyspace.durability_policy;
    }
    auto records = co_await without_existing(store, records_of(p.declaration), store_limit);
    if (!records) co_return std::unexpected(records.error());
    p.records = *std::move(records);
    p.shown = co_await look_on(site, store, options.shard, p.records);
    p.declaration.primary = who_serves(p.shown.report);
    if (p.declaration.primary) {
        auto with_primary = co_await without_existing(store, records_of(p.declaration), store_limit);
        if (!with_primary) co_return std::unexpected(with_primary.error());
        p.records = *std::move(with_primary);
        p.shown = co_await look_on(site, store, options.shard, p.records);
    }
    co_return p;
}

void show_proposal(const Site& site, const Proposal& p) {
    std::string text = "servers:\n" + tablets_text(p.shown.report) + "would be declared:\n";
    for (const ProposedRecord& record : p.records) text += "  " + record.words + '\n';
    if (const std::string settings = settings_text(p.shown.report); !settings.empty())
        text += "settings that the core would persist:\n" + settings;
    if (const ProblemReport* row = first_contact(p.shown.report)) {
        text += fmt::format("then: {} ({})\n", to_string(row->recovery), row->meaning);
        for (const std::string_view step : steps_of(row->recovery)) text += fmt::format("  - {}\n", step);
    }
    site.print(text);
}

// Said, and true, where the core would refuse.
bool refuses(const Site& site, const Proposal& p) {
    const std::vector<std::string> in_the_way = obstacles(p.shown.report);
    for (const std::string& obstacle : in_the_way) site.complain(obstacle);
    if (!in_the_way.empty()) return true;
    for (const TabletReport& t : p.shown.report.tablets) {
        const std::string wrong = site.judge_replication_account(t.tablet.mysql);
        if (wrong.empty()) continue;
        site.complain(
            fmt::format("{} ({}): {}", t.tablet.alias.to_string(), t.tablet.mysql.to_string(), wrong));
        return true;
    }
    const ProblemReport* row = first_contact(p.shown.report);
    if (row == nullptr) {
        site.complain("the core sees no shard in these servers: " + problems_text(p.shown.report, false));
        return true;
    }
    if (row->refusal == Reason::none) return false;
    site.complain(fmt::format("{} would be refused: {}, {}\n{}  {}", to_string(row->recovery),
                              to_string(row->refusal), row->refusal_text, who_has_what(p.shown.report),
                              remedy_of(*row)));
    return true;
}

awaitable<ExitCode> lead(const Site& site, const InitOptions& options, std::unique_ptr<topo::Store> store) {
    Manager manager(site, options.shard, std::move(store));
    const Driven driven =
        co_await drive(site, manager, options.wait, [](const Manager& m) { return is_settled(m.seen()); });
    switch (driven) {
        case Driven::died:
            co_return ExitCode::own_fault;
        case Driven::stopped:
            site.complain("stopped before the shard had converged; `fixpoint run` goes on where this ended");
            co_return ExitCode::not_converged;
        case Driven::not_in_time:
            site.complain(fmt::format("not converged within {}:\n{}", age_text(options.wait),
                                      problems_text(manager.seen(), false)));
            co_return ExitCode::not_converged;
        case Driven::reached:
            break;
    }
    site.print(summary_line({manager.seen(), {}}) + tablets_text(manager.seen()) +
               problems_text(manager.seen(), false) + "converged\n");
    co_return ExitCode::done;
}

}  // namespace

awaitable<ExitCode> init(const Site& site, InitOptions options) {
    auto servers = parse_servers(options);
    if (!servers) {
        site.complain(servers.error());
        co_return ExitCode::refused;
    }
    auto opened = site.open_store(false);
    if (!opened && !opened.error().missing) {
        site.complain(opened.error().text);
        co_return ExitCode::own_fault;
    }
    OnlookerStore nothing(nullptr);  // the store is made when something is written into it
    auto proposal = co_await propose(site, options, opened ? **opened : nothing, *std::move(servers));
    if (!proposal) {
        site.complain(proposal.error());
        co_return ExitCode::refused;
    }
    show_proposal(site, *proposal);
    if (refuses(site, *proposal)) co_return ExitCode::refused;
    if (!options.yes) {
        site.complain("nothing has been changed; with --yes this is declared and done");
        co_return ExitCode::refused;
    }
    std::unique_ptr<topo::Store> store = opened ? *std::move(opened) : open_store_or_complain(site, true);
    if (!store) co_return ExitCode::own_fault;
    std::string words;
    for (const ProposedRecord& record : proposal->records)
        words += (words.empty() ? "" : "; ") + record.words;
    const auto written = co_await write_records(*store, std::move(proposal->records), store_limit);
    if (!written) {
        site.complain("the declaration could not be written: " + written.error().text +
                      "; what is written of it so far does nothing by itself, and init may be run again");
        co_return written.error().kind == topo::ErrorKind::maybe ? ExitCode::unknown : ExitCode::own_fault;
    }
    site.note(options.shard, "init", words);
    co_return co_await lead(site, options, std::move(store));
}

}  // namespace fixpoint::real

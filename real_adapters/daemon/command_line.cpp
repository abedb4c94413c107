// See command_line.hpp. Every text of an option is checked here, so that a command gets values only.
#include "real_adapters/daemon/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "real_adapters/daemon/grants.hpp"
#include "real_adapters/daemon/text.hpp"

namespace fixpoint::real {

namespace {

// What the options of all commands are read into; the chosen command takes what is its own.
struct Arguments {
    std::string shard, policy;
    std::vector<std::string> shards;
    InitOptions init;
    ShowOptions show;
    RunOptions run;
    GrantsOptions grants;
    DeclareOptions declare;
    ForgetOptions forget;
    PauseOptions pause;
    AllowOptions allow;
    ReparentOptions reparent;
    HistoryOptions history;
    std::string tablet, pin, kill_long_transactions, emergency_reparent;
    std::vector<std::string> types, rules, limits, removed;
    double reparent_wait_s = 60, pause_s = 0;
    std::string output = "text";
    double wait_s = 120, watch_s = 0, grace_s = 5;
};

Duration seconds(double s) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

ShardName shard_of(const std::string& text) {
    auto shard = parse_shard(text);
    if (!shard)
        throw CLI::ValidationError("SHARD", shard.error() + "; write keyspace/shard, as in commerce/0");
    return *std::move(shard);
}

std::vector<ShardName> shards_of(const std::vector<std::string>& texts) {
    std::vector<ShardName> shards;
    for (const std::string& text : texts) shards.push_back(shard_of(text));
    return shards;
}

template <class T>
T value(const char* option, std::expected<T, std::string> parsed) {
    if (!parsed) throw CLI::ValidationError(option, parsed.error());
    return *std::move(parsed);
}

// NAME=VALUE each.
std::vector<std::pair<std::string, std::string>> pairs(const char* option,
                                                       const std::vector<std::string>& texts) {
    std::vector<std::pair<std::string, std::string>> found;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
            throw CLI::ValidationError(option, text + ": write NAME=VALUE");
        found.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return found;
}

class Builder {
  public:
    Builder(CLI::App& app, CommandLine& line, const std::shared_ptr<Arguments>& arguments)
        : app_(app), line_(line), a_(arguments) {}

    void add_all() {
        add_init();
        add_show("check", "the configuration, the store, privileges, settings, the replication account",
                 check);
        CLI::App* plan_command =
            add_show("plan", "problems, and what `run` would do about them; changes nothing", plan);
        static_cast<void>(plan_command);
        CLI::App* status_command = add_show("status", "what is abnormal, each with its remedy", status);
        status_command->add_flag("--all", a_->show.all, "every tablet too");
        status_command->add_option("--watch", a_->watch_s, "again each so many seconds")
            ->check(CLI::PositiveNumber);
        add_run();
        add_topology();
        add_grants();
        add_declare();
        add_words();
        add_reparent();
        add_history();
    }

  private:
    using ShowCommand = awaitable<ExitCode> (*)(const Site&, ShowOptions);

    void add_init() {
        CLI::App* c =
            app_.add_subcommand("init", "declares a shard from a list of servers and leads it there");
        c->add_option("shard", a_->shard, "keyspace/shard")->required();
        c->add_option("servers", a_->init.servers,
                      "HOST:PORT or ALIAS=HOST:PORT, with ,rdonly or a promotion rule behind it")
            ->required();
        c->add_option("--cell", a_->init.cell, "of servers without an alias (default: zone1)");
        c->add_option("--policy", a_->policy, "durability: none, semi_sync, semi_sync:2, cross_cell, …");
        c->add_flag("--yes", a_->init.yes, "do it; without, it is only shown");
        c->add_option("--wait", a_->wait_s, "seconds until it must have converged")
            ->check(CLI::PositiveNumber);
        c->callback([this] {
            InitOptions options = a_->init;
            options.shard = shard_of(a_->shard);
            options.wait = seconds(a_->wait_s);
            if (!a_->policy.empty()) {
                const auto policy = DurabilityPolicy::parse(a_->policy);
                if (!policy) throw CLI::ValidationError("--policy", policy.error());
                options.policy = *policy;
            }
            line_.command = [options](const Site& site) { return init(site, options); };
        });
    }

    CLI::App* add_show(const char* name, const char* what, ShowCommand command) {
        CLI::App* c = app_.add_subcommand(name, what);
        c->add_option("shards", a_->shards, "keyspace/shard (default: those of the configuration)");
        c->add_option("--output", a_->output, "text or json")->check(CLI::IsMember({"text", "json"}));
        c->callback([this, command] {
            ShowOptions options = a_->show;
            options.shards = shards_of(a_->shards);
            options.json = a_->output == "json";
            options.watch = seconds(a_->watch_s);
            line_.command = [options, command](const Site& site) { return command(site, options); };
        });
        return c;
    }

    void add_run() {
        CLI::App* c = app_.add_subcommand("run", "the manager of one shard or many, until SIGTERM");
        c->add_option("shards", a_->shards, "keyspace/shard (default: those of the configuration)");
        c->add_option("--grace", a_->grace_s, "seconds that an operation may take to end after SIGTERM")
            ->check(CLI::NonNegativeNumber);
        c->callback([this] {
            RunOptions options;
            options.shards = shards_of(a_->shards);
            options.grace = seconds(a_->grace_s);
            line_.for_a_person = false;
            line_.command = [options](const Site& site) { return run(site, options); };
        });
    }

    void add_topology() {
        CLI::App* c = app_.add_subcommand("topology", "the records of the store");
        c->require_subcommand(1);
        CLI::App* show = c->add_subcommand("show", "as a table");
        show->callback([this] { line_.command = [](const Site& site) { return topology_show(site); }; });
    }

    void add_grants() {
        CLI::App* c =
            app_.add_subcommand("grants", "the statements that make both accounts; no password in them");
        c->add_option("--host", a_->grants.host, "from where they log in (default: %)");
        c->add_flag("--without-primary", a_->grants.without_primary,
                    "for servers that have no primary yet: on each, outside of the binary log");
        c->callback([this] {
            const GrantsOptions options = a_->grants;
            line_.command = [options](const Site& site) -> awaitable<ExitCode> {
                site.print(grants_text(site.configuration, options));
                co_return ExitCode::done;
            };
        });
    }

    CLI::App* add_for_shard(const char* name, const char* what) {
        CLI::App* c = app_.add_subcommand(name, what);
        c->add_option("shard", a_->shard, "keyspace/shard")->required();
        return c;
    }

    void add_declare() {
        CLI::App* c =
            add_for_shard("declare", "changes what is declared; whoever runs the shard leads it there");
        c->add_option("--policy", a_->policy, "durability: none, semi_sync, semi_sync:2, cross_cell, …");
        c->add_option("--pin", a_->pin, "the tablet that shall be the primary, for good");
        c->add_flag("--no-pin", a_->declare.no_pin, "nobody is pinned");
        c->add_option("--type", a_->types, "ALIAS=replica, ALIAS=rdonly …");
        c->add_option("--rule", a_->rules, "ALIAS=must, prefer, neutral, prefer_not or must_not");
        c->add_option("--limit", a_->limits, "NAME=MILLISECONDS, as in poll_ms=250");
        c->add_option("--kill-long-transactions", a_->kill_long_transactions, "before a planned reparent")
            ->check(CLI::IsMember({"on", "off"}));
        c->add_option("--emergency-reparent", a_->emergency_reparent, "whether a dead primary is replaced")
            ->check(CLI::IsMember({"on", "off"}));
        c->add_option("--add", a_->declare.add, "another server: ALIAS=HOST:PORT");
        c->add_option("--remove", a_->removed, "ALIAS: a tablet that shall be of the shard no more");
        c->add_flag("--dry-run", a_->declare.dry_run, "only show");
        c->callback([this] {
            line_.command = [options = declare_options()](const Site& site) {
                return declare(site, options);
            };
        });
    }

    DeclareOptions declare_options() {
        DeclareOptions options = a_->declare;
        options.shard = shard_of(a_->shard);
        if (!a_->policy.empty()) options.policy = value("--policy", DurabilityPolicy::parse(a_->policy));
        if (!a_->pin.empty()) options.pin = value("--pin", TabletAlias::parse(a_->pin));
        if (options.pin && options.no_pin) throw CLI::ValidationError("--pin", "not together with --no-pin");
        for (const std::string& alias : a_->removed)
            options.remove.push_back(value("--remove", TabletAlias::parse(alias)));
        for (const auto& [alias, word] : pairs("--type", a_->types)) {
            const TabletType type = value("--type", parse_tablet_type(word));
            if (type != TabletType::replica && type != TabletType::rdonly && type != TabletType::drained)
                throw CLI::ValidationError("--type", "a person declares replica, rdonly or drained");
            options.types.emplace_back(value("--type", TabletAlias::parse(alias)), type);
        }
        for (const auto& [alias, word] : pairs("--rule", a_->rules))
            options.rules.emplace_back(value("--rule", TabletAlias::parse(alias)),
                                       value("--rule", parse_promotion_rule(word)));
        for (const auto& [name, number] : pairs("--limit", a_->limits)) {
            std::int64_t ms = 0;
            if (!CLI::detail::lexical_cast(number, ms))
                throw CLI::ValidationError("--limit", number + " is no number");
            options.limits.emplace_back(name, ms);
        }
        if (!a_->kill_long_transactions.empty())
            options.kill_long_transactions = a_->kill_long_transactions == "on";
        if (!a_->emergency_reparent.empty()) options.emergency_reparent = a_->emergency_reparent == "on";
        return options;
    }

    void add_words() {
        CLI::App* f = add_for_shard("forget", "a person's word that a server is gone for good");
        f->add_option("tablet", a_->tablet, "its alias")->required();
        f->add_flag("--undo", a_->forget.undo, "it is not, after all");
        f->add_flag("--yes", a_->forget.yes, "do it; without, it is only shown");
        f->callback([this] {
            ForgetOptions options = a_->forget;
            options.shard = shard_of(a_->shard);
            options.tablet = value("TABLET", TabletAlias::parse(a_->tablet));
            line_.command = [options](const Site& site) { return forget(site, options); };
        });
        CLI::App* p = add_for_shard("pause", "the shard is looked at and reported, nothing is changed");
        p->add_option("--why", a_->pause.why, "for those who find it paused");
        p->add_option("--for", a_->pause_s, "seconds, then it is resumed")->check(CLI::PositiveNumber);
        p->callback([this] {
            PauseOptions options = a_->pause;
            options.shard = shard_of(a_->shard);
            options.until = seconds(a_->pause_s);
            line_.command = [options](const Site& site) { return pause(site, options); };
        });
        CLI::App* r = add_for_shard("resume", "the shard is led again");
        r->callback([this] {
            line_.command = [shard = shard_of(a_->shard)](const Site& site) { return resume(site, shard); };
        });
        CLI::App* w = add_for_shard("allow", "one unsafe step, once");
        w->add_option("step", a_->allow.step, "unfenced_promotion")->required();
        w->add_flag("--yes", a_->allow.yes, "do it; without, it is only shown");
        w->callback([this] {
            AllowOptions options = a_->allow;
            options.shard = shard_of(a_->shard);
            line_.command = [options](const Site& site) { return allow(site, options); };
        });
    }

    void add_reparent() {
        CLI::App* c =
            add_for_shard("reparent", "another primary: planned, or emergency where the old one is dead");
        c->add_option("--to", a_->tablet, "its alias (default: the best of those that are fit)");
        c->add_flag("--dry-run", a_->reparent.dry_run, "only say what would be done, or refused");
        c->add_option("--wait", a_->reparent_wait_s, "seconds until it must be done")
            ->check(CLI::PositiveNumber);
        c->callback([this] {
            ReparentOptions options = a_->reparent;
            options.shard = shard_of(a_->shard);
            if (!a_->tablet.empty()) options.to = value("--to", TabletAlias::parse(a_->tablet));
            options.wait = seconds(a_->reparent_wait_s);
            line_.command = [options](const Site& site) { return reparent(site, options); };
        });
    }

    void add_history() {
        CLI::App* c = app_.add_subcommand("history", "what was done, by whom and why");
        c->add_option("shards", a_->shards, "keyspace/shard (default: all)");
        c->add_option("--operation", a_->history.operation, "only this one, by its id");
        c->add_flag("--steps", a_->history.steps, "each step of it");
        c->add_flag("--export", a_->history.as_scenario, "a scenario of it, for the simulator");
        c->add_option("--last", a_->history.last, "how many operations")->check(CLI::PositiveNumber);
        c->add_option("--output", a_->output, "text or json")->check(CLI::IsMember({"text", "json"}));
        c->callback([this] {
            HistoryOptions options = a_->history;
            options.shards = shards_of(a_->shards);
            options.json = a_->output == "json";
            line_.command = [options](const Site& site) { return history(site, options); };
        });
    }

    CLI::App& app_;
    CommandLine& line_;
    std::shared_ptr<Arguments> a_;
};

}  // namespace

CommandLine read_command_line(int argc, const char* const* argv) {
    CommandLine line;
    const auto arguments = std::make_shared<Arguments>();
    CLI::App app{"Leads MySQL shards to their declared state.", "fixpoint"};
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--config", line.configuration,
                   "the configuration (default: fixpoint.json, or FIXPOINT_CONFIG)")
        ->envname("FIXPOINT_CONFIG");
    app.add_option("--store", line.flags.store, "the topology store's file, instead of the configuration's");
    app.add_option("--log-format", line.flags.log_format, "text or json");
    app.add_option("--log-level", line.flags.log_level, "debug, info, warning or error");
    app.footer(
        "Exit codes: 0 done and verified; 1 the store cannot be reached, or a fault of our own; 2 refused "
        "before "
        "any change;\n3 not converged in time, or something abnormal; 4 failed and led back; 5 unknown: see "
        "`fixpoint status`.");
    Builder(app, line, arguments).add_all();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        line.command = nullptr;
        line.code = app.exit(error) == 0 ? ExitCode::done : ExitCode::refused;
    }
    if (line.configuration.empty()) line.configuration = "fixpoint.json";
    return line;
}

}  // namespace fixpoint::real

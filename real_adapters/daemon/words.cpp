// See words.hpp. The steps follow engine/recoveries; the order in which they are written is the order in
// which they are done.
#include "real_adapters/daemon/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "real_adapters/daemon/output.hpp"

namespace fixpoint::real {

namespace {

using Steps = std::vector<std::string_view>;

const std::map<Recovery, Steps>& steps_table() {
    static const std::map<Recovery, Steps> table{
        {Recovery::initialize_shard,
         {"lock every tablet and look again", "close those that are writable, stop all receivers",
          "apply what was received, persist the restart-safe settings",
          "elect the tablet that has executed everything", "record it in the store (the commit point)",
          "open it, point the others at it"}},
        {Recovery::recover_lost_record,
         {"lock every tablet and look again", "close those that are writable, stop all receivers",
          "apply what was received, persist the restart-safe settings",
          "elect the tablet that has executed everything", "record it in the store (the commit point)",
          "open it, point the others at it"}},
        {Recovery::adopt_shard,
         {"lock every tablet and look again",
          "record what serves as it is: nothing is closed or switched off"}},
        {Recovery::record_reparent_by_others,
         {"lock every tablet and look again",
          "record what serves as it is: nothing is closed or switched off"}},
        {Recovery::make_restart_safe,
         {"lock the tablet", "SET PERSIST_ONLY what is missing", "set the time-outs at run time too"}},
        {Recovery::leave_offline_mode,
         {"lock the tablets", "the primary: open it; any other: close it, then offline_mode=OFF"}},
        {Recovery::clear_foreign_lock,
         {"take the shard lock", "end the session that holds a server lock without it"}},
        {Recovery::write_shard_record, {"write the primary in force into the shard record"}},
        {Recovery::emergency_reparent,
         {"lock every tablet that can be reached and look again",
          "stop their receivers; close the old primary where it answers",
          "prove that the old primary can acknowledge nothing any more", "apply what was received",
          "elect the tablet that has all that may have been acknowledged",
          "record it in the store (the commit point)", "open it, point the others at it"}},
        {Recovery::planned_reparent,
         {"lock every tablet and look again",
          "wait for long transactions; the candidate catches up while the primary serves",
          "close the primary, the candidate executes all of its log",
          "stop all receivers and compare once more", "record the candidate in the store (the commit point)",
          "open it, point the others at it"}},
        {Recovery::strengthen_semi_sync,
         {"set source-side semi-sync on the primary as the policy in force needs it"}},
        {Recovery::open_primary,
         {"lock every tablet and look again",
          "prove that the primary lacks nothing and nobody else is writable",
          "semi-sync as the policy needs it, then read_only=OFF"}},
        {Recovery::unblock_primary,
         {"loosen semi-sync to the policy in force where it is stricter",
          "nudge commits that wait for a lost acknowledgement",
          "or hand over to a primary that enough ackers can follow"}},
        {Recovery::close_stale_primary,
         {"lock the tablet", "offline_mode=ON, close it for writes, end its clients", "offline_mode=OFF"}},
        {Recovery::make_read_only, {"lock the tablet", "read_only=ON, then super_read_only=ON"}},
        {Recovery::ask_a_replica, {"STOP and START REPLICA IO_THREAD", "does it still reach the primary?"}},
        {Recovery::detach_primary, {"stop the receiver, apply what was received", "RESET REPLICA ALL"}},
        {Recovery::adopt_foreign, {"record what the primary has executed from nobody's term as adopted"}},
        {Recovery::change_policy,
         {"bring the primary's semi-sync and the record to the declared policy, in the order that is "
          "safe"}},
        {Recovery::join_acker,
         {"see that the tablet is complete",
          "stop its receiver, acknowledgements ON, record it as an acker, start its receiver"}},
        {Recovery::leave_acker,
         {"stop its receiver", "see that enough other ackers have everything",
          "record it out of the ackers, acknowledgements OFF"}},
        {Recovery::write_journal, {"write the row of this term into fixpoint.journal on the primary"}},
        {Recovery::write_tablet_record, {"write the tablet record as what is in force says"}},
        {Recovery::quarantine,
         {"record what is errant on it", "take it out of the ackers, stop its receiver",
          "its record becomes DRAINED"}},
        {Recovery::renew_server_id,
         {"stop both threads, CHANGE, give it a new server_id, start, qualify it anew"}},
        {Recovery::refetch_skipped,
         {"acknowledgements OFF, stop both threads, CHANGE (drops the relay log), start"}},
        {Recovery::fix_applier, {"apply what precedes the damage, RESET REPLICA, fetch again"}},
        {Recovery::fix_replica,
         {"lock the tablet and look again", "set, point and start what is missing, and only that"}},
        {Recovery::clear_retired, {"take retired transactions that are nowhere any more out of the record"}},
    };
    return table;
}

}  // namespace

std::vector<std::string_view> steps_of(Recovery recovery) {
    const auto it = steps_table().find(recovery);
    return it == steps_table().end() ? Steps{} : it->second;
}

std::string remedy_of(Reason reason) {
    switch (reason) {
        case Reason::unfenced_promotion_not_allowed:
            return "nobody can know what the old primary acknowledged alone; `fixpoint allow "
                   "unfenced_promotion` takes "
                   "the loss, once";
        case Reason::revocation_impossible:
        case Reason::dead_acker_blocks:
        case Reason::record_lost_tablet_missing:
            return "start the servers that do not answer, or `fixpoint forget ALIAS` those that are gone for "
                   "good";
        case Reason::demanded_missing:
        case Reason::nobody_has_everything:
            return "start the server that has the missing transactions; a person decides what may be lost";
        case Reason::no_candidate:
        case Reason::too_few_followers:
        case Reason::too_few_ackers:
            return "start or repair more servers of the shard, or declare a weaker policy";
        case Reason::several_writable:
            return "make all but the right one read-only (SET GLOBAL super_read_only=ON)";
        case Reason::forbidden:
            return "disable_emergency_reparent is set in the keyspace or shard record";
        case Reason::paused:
            return "`fixpoint resume`";
        case Reason::candidate_unfit:
            return "choose another candidate, or repair this one";
        case Reason::candidate_lagging:
            return "give it more appliers (replica_parallel_workers: as many as clients that write), "
                   "wait for less load, or choose another";
        case Reason::long_transaction:
            return "end the transaction, or `fixpoint declare --kill-long-transactions`";
        case Reason::errant:
            return "rebuild the server from a backup or by CLONE";
        case Reason::purged:
            return "rebuild the server: the primary has purged what it lacks";
        case Reason::needs_restart:
            return "restart the server";
        case Reason::not_manageable:
            return "make the server manageable (see its reason)";
        case Reason::store_unavailable:
            return "see to the topology store";
        default:
            return {};
    }
}

namespace {

// Of a server that was reached and is not to be managed, by what the core says of it.
std::string remedy_of_unmanageable(const std::string& detail) {
    struct Remedy {
        const char* words;
        const char* text;
    };
    static constexpr Remedy remedies[] = {
        {"lacks", "as an administrator: GRANT what is missing (`fixpoint grants` prints all of it)"},
        {"MariaDB", "put MySQL 8.4 or newer in its place, or `fixpoint declare --remove` it"},
        {"gtid_mode",
         "SET PERSIST gtid_mode step by step to ON (OFF_PERMISSIVE, ON_PERMISSIVE, ON), and "
         "enforce_gtid_consistency=ON"},
        {"log_replica_updates", "log_replica_updates=ON in its my.cnf, and a restart"},
        {"Group Replication",
         "STOP GROUP_REPLICATION and UNINSTALL PLUGIN group_replication, or `fixpoint declare "
         "--remove` it"},
        {"several replication channels",
         "STOP REPLICA and RESET REPLICA ALL FOR CHANNEL each that has a name"},
        {"channel has a name", "STOP REPLICA and RESET REPLICA ALL FOR CHANNEL that name"},
        {"filters",
         "remove them (replicate-* in its my.cnf, CHANGE REPLICATION FILTER): a replica that skips "
         "cannot be promoted"},
        {"SOURCE_DELAY", "STOP REPLICA SQL_THREAD, CHANGE REPLICATION SOURCE TO SOURCE_DELAY=0, START"},
    };
    for (const Remedy& remedy : remedies) {
        if (detail.find(remedy.words) != std::string::npos) return remedy.text;
    }
    return "change that on the server, or `fixpoint declare --remove` it";
}

// Of one that let nobody in, by the error that it was left with.
std::string remedy_of_silence(const std::string& error, const TabletAlias& alias) {
    struct Remedy {
        const char* words;
        const char* text;
    };
    static constexpr Remedy remedies[] = {
        {"(1040)", "raise its max_connections, or end sessions there"},
        {"(1045)", "see to the manager's account and password (`fixpoint grants`)"},
        {"(1129)", "FLUSH HOSTS there: it has blocked this machine after too many broken logins"},
        {"(1235)", "upgrade it, or `fixpoint declare --remove` it"},
        {"(2013)", "see what listens at its address, and what its error log says"},
        {"(2007)", "see that its address names the MySQL server"},
        {"(2026)",
         "see that manager.tls_ca is the authority that signed its certificate, and that the "
         "certificate bears its address"},
        {"(3032)", "SET GLOBAL offline_mode=OFF there, or GRANT CONNECTION_ADMIN to the manager's account"},
        {"says nothing", "see whether its process hangs or is stopped, and that its address names it"},
    };
    for (const Remedy& remedy : remedies) {
        if (error.find(remedy.words) != std::string::npos) return remedy.text;
    }
    return fmt::format("start its server, or `fixpoint forget {}` if it is gone for good", alias.to_string());
}

}  // namespace

std::string remedy_of(const TabletReport& t) {
    if (!t.answer) return remedy_of_silence(state_of(t), t.tablet.alias);
    return t.not_manageable.empty() ? std::string() : remedy_of_unmanageable(t.not_manageable);
}

std::string remedy_of(const ProblemReport& problem) {
    if (problem.refusal != Reason::none) return remedy_of(problem.refusal);
    const std::string alias = problem.key.tablet.to_string();
    switch (problem.key.problem) {
        case Problem::dead_primary_and_all_replicas:
            return "start the servers, or see to the network between them and this machine";
        case Problem::quarantined:
            return "rebuild it from a backup or by CLONE; then it is connected again";
        case Problem::settings_not_loaded:
            return "restart it without persisted_globals_load=OFF";
        case Problem::unreachable_primary:
            return "see to the network between this machine and the primary: its replicas receive from it";
        case Problem::replica_dead:
            return remedy_of_silence(problem.detail, problem.key.tablet);
        case Problem::acker_gone:
            if (problem.detail.find('(') != std::string::npos ||
                problem.detail.find("says nothing") != std::string::npos)
                return remedy_of_silence(problem.detail, problem.key.tablet) +
                       "; until it answers it counts as one that may have acknowledged";
            return fmt::format(
                "start its server; it counts as one that may have acknowledged until it answers or "
                "`fixpoint forget {}`",
                alias);
        case Problem::too_few_acknowledge:
            return "see to the tablets that may acknowledge; declare those that do and are not declared";
        case Problem::lagging:
            return "see what its applier waits for";
        case Problem::invalid_tablet:
            return "give each server its own server_id and, by removing auto.cnf, its own uuid";
        case Problem::not_manageable:
            return remedy_of_unmanageable(problem.detail);
        case Problem::semi_sync_plugin_missing:
            return "load semisync_source.so and semisync_replica.so (plugin_load_add in my.cnf), restart it";
        case Problem::not_durable:
            return "SET PERSIST sync_binlog=1, innodb_flush_log_at_trx_commit=1: a machine that dies may "
                   "lose commits";
        default:
            return {};
    }
}

bool is_settled(const ShardReport& report) {
    if (!report.store_error.empty() || !report.damage.empty() || !report.in_force) return false;
    return std::ranges::none_of(report.problems, [](const ProblemReport& p) {
        const bool nobody_can_tell = p.key.problem == Problem::unreachable_primary ||
                                     p.key.problem == Problem::dead_primary_and_all_replicas ||
                                     p.key.problem == Problem::invalid_tablet ||
                                     p.key.problem == Problem::not_manageable;
        return p.priority < 4 || nobody_can_tell;
    });
}

}  // namespace fixpoint::real

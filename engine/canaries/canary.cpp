// The planted weaknesses of this process, and the names of all. Built into the canary binary only.
// A global on purpose: a weakness is planted once, before anything runs, and never changes while something
// does.
#include "fixpoint/engine/canary.hpp"

#include <array>
#include <bitset>

namespace fixpoint {

namespace {

struct NamedCanary {
    Canary value;
    std::string_view word;
};

constexpr auto canaries = std::to_array<NamedCanary>({
    {Canary::cas_without_lock_key, "cas_without_lock_key"},
    {Canary::lost_answer_is_failure, "lost_answer_is_failure"},
    {Canary::read_again_is_enough, "read_again_is_enough"},
    {Canary::verify_before_kill_missing, "verify_before_kill_missing"},
    {Canary::locks_only_on_changed_tablets, "locks_only_on_changed_tablets"},
    {Canary::helpers_outlive_the_lock, "helpers_outlive_the_lock"},
    {Canary::receivers_not_stopped_in_planned, "receivers_not_stopped_in_planned"},
    {Canary::semi_sync_off_before_kill, "semi_sync_off_before_kill"},
    {Canary::offline_mode_off_first, "offline_mode_off_first"},
    {Canary::closed_by_reading_the_variable, "closed_by_reading_the_variable"},
    {Canary::released_commits_are_demanded, "released_commits_are_demanded"},
    {Canary::elects_itself, "elects_itself"},
    {Canary::acks_off_are_counted, "acks_off_are_counted"},
    {Canary::restarted_acker_vouches, "restarted_acker_vouches"},
    {Canary::qualified_by_executed, "qualified_by_executed"},
    {Canary::phantom_is_received, "phantom_is_received"},
    {Canary::drops_relay_log_and_vouches, "drops_relay_log_and_vouches"},
    {Canary::mark_counts_crash_recovered, "mark_counts_crash_recovered"},
    {Canary::own_uuid_is_errant, "own_uuid_is_errant"},
    {Canary::leftovers_refuse, "leftovers_refuse"},
    {Canary::retired_for_ever, "retired_for_ever"},
    {Canary::rebuilt_uuid_is_primary, "rebuilt_uuid_is_primary"},
    {Canary::drained_is_no_evidence, "drained_is_no_evidence"},
    {Canary::declared_policy_counts, "declared_policy_counts"},
    {Canary::leaves_without_barrier, "leaves_without_barrier"},
    {Canary::leaves_acks_first, "leaves_acks_first"},
    {Canary::opens_on_shard_record, "opens_on_shard_record"},
    {Canary::stops_then_refuses, "stops_then_refuses"},
    {Canary::lock_key_used_twice, "lock_key_used_twice"},
    {Canary::any_lost_session_ends_it, "any_lost_session_ends_it"},
    {Canary::repairs_wait_under_lock, "repairs_wait_under_lock"},
    {Canary::nudge_writes_on_a_closed_server, "nudge_writes_on_a_closed_server"},
    {Canary::killed_helper_is_not_awaited, "killed_helper_is_not_awaited"},
    {Canary::nudge_needs_the_table, "nudge_needs_the_table"},
    {Canary::executed_before_owned, "executed_before_owned"},
    {Canary::locks_without_patience, "locks_without_patience"},
    {Canary::kills_until_none, "kills_until_none"},
    {Canary::journal_holds_a_lock, "journal_holds_a_lock"},
    {Canary::closed_though_not_restart_safe, "closed_though_not_restart_safe"},
    {Canary::demands_what_nobody_was_told, "demands_what_nobody_was_told"},
    {Canary::fetches_with_acks_off, "fetches_with_acks_off"},
    {Canary::durable_relay_vouches, "durable_relay_vouches"},
    {Canary::change_keeps_acks_on, "change_keeps_acks_on"},
    {Canary::change_always_switches_acks_off, "change_always_switches_acks_off"},
    {Canary::foreign_is_not_adopted, "foreign_is_not_adopted"},
    {Canary::errant_uuid_not_retired, "errant_uuid_not_retired"},
    {Canary::new_id_after_the_start, "new_id_after_the_start"},
    {Canary::replica_applies_with_source_on, "replica_applies_with_source_on"},
    {Canary::renews_without_change, "renews_without_change"},
    {Canary::renews_for_ever, "renews_for_ever"},
    {Canary::stop_timeout_only_persisted, "stop_timeout_only_persisted"},
    {Canary::helper_lock_taken_late, "helper_lock_taken_late"},
    {Canary::net_timeout_is_the_servers, "net_timeout_is_the_servers"},
    {Canary::stop_limit_is_the_statements, "stop_limit_is_the_statements"},
    {Canary::errant_never_joins, "errant_never_joins"},
    {Canary::old_uuid_stays_in_A, "old_uuid_stays_in_A"},
    {Canary::persisted_before_switched, "persisted_before_switched"},
    {Canary::waits_for_skipped_transactions, "waits_for_skipped_transactions"},
    {Canary::waits_for_one_that_goes_round, "waits_for_one_that_goes_round"},
    {Canary::one_that_goes_round_vouches, "one_that_goes_round_vouches"},
    {Canary::semi_sync_waits_for_ackers, "semi_sync_waits_for_ackers"},
    {Canary::timeout_only_persisted, "timeout_only_persisted"},
    {Canary::behind_but_closed_is_revoked, "behind_but_closed_is_revoked"},
    {Canary::sibling_stays_acker, "sibling_stays_acker"},
    {Canary::replica_releases_what_waits, "replica_releases_what_waits"},
    {Canary::off_but_still_acknowledging, "off_but_still_acknowledging"},
    {Canary::barrier_counts_old_policy, "barrier_counts_old_policy"},
    {Canary::errant_is_never_elected, "errant_is_never_elected"},
    {Canary::primary_is_its_own_evidence, "primary_is_its_own_evidence"},
    {Canary::strict_is_wrong, "strict_is_wrong"},
    {Canary::leaves_without_others, "leaves_without_others"},
    {Canary::opens_by_its_own_lock_only, "opens_by_its_own_lock_only"},
    {Canary::half_way_strict_is_left, "half_way_strict_is_left"},
    {Canary::tightens_without_ackers, "tightens_without_ackers"},
    {Canary::any_journal_counts, "any_journal_counts"},
    {Canary::opens_without_waiting, "opens_without_waiting"},
    {Canary::opens_super_only, "opens_super_only"},
    {Canary::closing_by_hand_is_left, "closing_by_hand_is_left"},
    {Canary::opens_below_the_mark, "opens_below_the_mark"},
    {Canary::set_back_primary_is_believed, "set_back_primary_is_believed"},
    {Canary::shutdown_is_waited_for, "shutdown_is_waited_for"},
    {Canary::silence_forgets, "silence_forgets"},
    {Canary::lagging_never_joins, "lagging_never_joins"},
    {Canary::adopted_for_ever, "adopted_for_ever"},
    {Canary::journal_not_asked, "journal_not_asked"},
    {Canary::opening_waits_for_a_stuck_closing, "opening_waits_for_a_stuck_closing"},
    {Canary::adopts_with_declared_policy, "adopts_with_declared_policy"},
    {Canary::adopts_without_ackers_found, "adopts_without_ackers_found"},
    {Canary::acts_before_the_record, "acts_before_the_record"},
    {Canary::closes_before_it_can_elect, "closes_before_it_can_elect"},
    {Canary::repoint_discards_relay_log, "repoint_discards_relay_log"},
    {Canary::promote_without_applying, "promote_without_applying"},
    {Canary::fix_replica_on_stale_primary, "fix_replica_on_stale_primary"},
    {Canary::lease_not_renewed, "lease_not_renewed"},
    {Canary::detached_repoint, "detached_repoint"},
    {Canary::retrying_receiver_counts_as_stopped, "retrying_receiver_counts_as_stopped"},
    {Canary::demotion_releases_waiting_commits, "demotion_releases_waiting_commits"},
    {Canary::equal_terms_are_fine, "equal_terms_are_fine"},
    {Canary::refuses_everything, "refuses_everything"},
    {Canary::oracle_excuses_everything, "oracle_excuses_everything"},
});

std::bitset<canaries.size()> planted;

}  // namespace

bool canary(Canary which) {
    return planted[static_cast<std::size_t>(which)];
}
void plant(std::vector<Canary> which) {
    planted.reset();
    for (const Canary one : which) planted.set(static_cast<std::size_t>(one));
}

std::string_view to_string(Canary which) {
    return canaries[static_cast<std::size_t>(which)].word;
}

std::expected<Canary, std::string> parse_canary(std::string_view text) {
    for (const NamedCanary& c : canaries) {
        if (c.word == text) return c.value;
    }
    return std::unexpected("there is no canary '" + std::string(text) + "'; --list names them");
}

const std::vector<Canary>& all_canaries() {
    static const std::vector<Canary> all = [] {
        std::vector<Canary> list;
        for (const NamedCanary& c : canaries) list.push_back(c.value);
        return list;
    }();
    return all;
}

}  // namespace fixpoint

// The clauses of "as declared" in words: their names are those of reports and tests. No clause is judged
// here.
#include <fmt/format.h>

#include "sim/checkers/as_declared.hpp"

namespace fixpoint::sim {

std::string_view to_string(ClauseName name) {
    switch (name) {
        case ClauseName::one_primary_named:
            return "one_primary_named";
        case ClauseName::primary_uuid:
            return "primary_uuid";
        case ClauseName::primary_serves:
            return "primary_serves";
        case ClauseName::primary_semi_sync:
            return "primary_semi_sync";
        case ClauseName::primary_foreign:
            return "primary_foreign";
        case ClauseName::policy_in_force:
            return "policy_in_force";
        case ClauseName::acker_missing:
            return "acker_missing";
        case ClauseName::acker_extra:
            return "acker_extra";
        case ClauseName::tablet_answers:
            return "tablet_answers";
        case ClauseName::tablet_read_only:
            return "tablet_read_only";
        case ClauseName::tablet_receives:
            return "tablet_receives";
        case ClauseName::tablet_acks:
            return "tablet_acks";
        case ClauseName::tablet_channel:
            return "tablet_channel";
        case ClauseName::tablet_source_semi_sync:
            return "tablet_source_semi_sync";
        case ClauseName::tablet_server_id:
            return "tablet_server_id";
        case ClauseName::tablet_errant:
            return "tablet_errant";
        case ClauseName::tablet_skips:
            return "tablet_skips";
        case ClauseName::tablet_plugins:
            return "tablet_plugins";
        case ClauseName::settings_at_run_time:
            return "settings_at_run_time";
        case ClauseName::settings_persisted:
            return "settings_persisted";
        case ClauseName::tablet_record:
            return "tablet_record";
        case ClauseName::retired_kept:
            return "retired_kept";
        case ClauseName::journal:
            return "journal";
        case ClauseName::lock_of_the_dead:
            return "lock_of_the_dead";
    }
    return "?";
}

std::string to_string(const Clause& clause) {
    if (!clause.tablet) return fmt::format("{}: {}", to_string(clause.name), clause.text);
    return fmt::format("{} of {}: {}", to_string(clause.name), clause.tablet.to_string(), clause.text);
}

}  // namespace fixpoint::sim

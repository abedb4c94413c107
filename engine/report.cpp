// What people are told of a view: each row that holds, with what exactly, and whether its recovery would
// refuse before it touches anything. The reasons are those of the recoveries themselves, asked beforehand.
#include "engine/report.hpp"

#include "engine/problem_table.hpp"
#include "engine/recoveries/recoveries.hpp"

namespace fixpoint {

namespace {

std::string error_of(const TabletView& t) {
    if (t.now) return {};
    std::string text = t.error.text.empty() ? "no answer" : t.error.text;
    if (t.error.number != 0) text += " (" + std::to_string(t.error.number) + ")";
    return text;
}

std::string channel_errors(const TabletView& t) {
    const sql::ReplicaRow* c = t.now ? t.now->channel() : nullptr;
    if (!c) return {};
    if (c->applier_errno != 0) return c->applier_error;
    return c->receiver_errno != 0 ? c->receiver_error : std::string();
}

// What exactly, of the rows of one tablet.
std::string detail_of(const View& view, const TabletView& t, Problem problem) {
    std::string why;
    switch (problem) {
        case Problem::not_manageable:
            is_manageable(t, &why);
            return why;
        case Problem::errant_transactions:
        case Problem::past_purged:
        case Problem::quarantined:
            must_be_quarantined(view, t, &why);
            return why;
        case Problem::replica_dead:
        case Problem::acker_gone:
            return error_of(t);
        case Problem::server_id_to_renew: {
            const TabletFacts* facts = view.facts.find(t.alias());
            if (facts) server_id_to_renew(view.facts, *facts, &why);
            return why;
        }
        default:
            return channel_errors(t);
    }
}

Outcome possible(const View& view, const ProblemRow& row) {
    switch (row.recovery) {
        case Recovery::initialize_shard:
            return first_contact_possible(view, FirstContact::never_had_a_primary);
        case Recovery::recover_lost_record:
            return first_contact_possible(view, FirstContact::record_lost);
        case Recovery::emergency_reparent:
            return emergency_reparent_possible(view.facts);
        case Recovery::planned_reparent:
            return planned_reparent_possible(view);
        default:
            return succeeded();
    }
}

std::string detail_of_shard(const View& view, Problem problem) {
    const TabletView* p = view.primary();
    switch (problem) {
        case Problem::primary_record_lost:
            return judge_first_contact(view.facts, view.records.shard, view.fixpoint()).text;
        case Problem::dead_primary:
        case Problem::unreachable_primary:
        case Problem::dead_primary_and_all_replicas:
            return p ? error_of(*p) : std::string();
        case Problem::primary_behind:
            return primary_lacks_text(view.facts, primary_lacks(view.facts));
        case Problem::wrong_primary: {
            const std::optional<TabletAlias> wanted = view.wanted_primary();
            return wanted ? "wanted: " + wanted->to_string() : std::string();
        }
        case Problem::policy_not_in_force:
            return "declared: " + view.declared_policy().to_string();
        default:
            return {};
    }
}

ProblemReport report_of(const View& view, const ProblemKey& key) {
    const ProblemRow& row = row_of(key.problem);
    ProblemReport report;
    report.key = key;
    report.priority = row.priority;
    report.recovery = row.recovery;
    report.meaning = row.meaning;
    const TabletView* t = key.tablet ? view.find(key.tablet) : nullptr;
    report.detail = t ? detail_of(view, *t, key.problem) : detail_of_shard(view, key.problem);
    if (const Outcome outcome = possible(view, row); outcome.refused) {
        report.refusal = outcome.reason;
        report.refusal_text = outcome.text;
    }
    return report;
}

TabletReport report_of(const View& view, const TabletView& t) {
    TabletReport report;
    report.tablet = t.tablet;
    report.declared = t.declared;
    report.forgotten = t.forgotten;
    report.is_primary = view.is_primary(t);
    report.in_ackers = view.in_ackers(t);
    report.vouching = is_vouching(view, t);
    if (t.now) report.answer = t.now->answer;
    if (t.last) report.age = view.now - t.last->answered;
    report.refused = t.answering == Answering::refused;
    report.error = t.error;
    is_manageable(t, &report.not_manageable);
    report.missing_privileges = t.missing_privileges;
    if (view.fixpoint()) report.errant = errant_on(view, t);
    if (t.now) {
        report.settings_to_persist =
            settings_to_persist(t.now->answer.server, t.now->answer.persisted, view.limits());
    }
    return report;
}

}  // namespace

ShardReport report_of(const View& view) {
    ShardReport report;
    report.shard = view.name;
    report.damage = view.records.damage;
    report.keyspace = view.records.keyspace;
    report.declared = view.records.shard;
    report.in_force = view.records.fixpoint;
    report.goal = view.records.goal;
    report.silent_cells = view.records.silent_cells;
    for (const TabletView& t : view.tablets) report.tablets.push_back(report_of(view, t));
    for (const ProblemKey& key : diagnose(view)) report.problems.push_back(report_of(view, key));
    report.facts = view.facts;
    return report;
}

}  // namespace fixpoint

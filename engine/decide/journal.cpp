// What the journals on the tablets say of the record in the store (protocol 4.0): whether it was set back.
// A row counts only if it is this shard's and names a server that was ever of it, or an alias whose server
// cannot be asked; others are reported and no more, or one server restored from elsewhere would close the
// shard for ever.
#include <algorithm>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/engine/decide.hpp"

namespace fixpoint {

namespace {

bool is_of_this_shard(const ShardFacts& facts, const sql::JournalRow& row) {
    const FixpointRecord& record = facts.record;
    const Uuid& uuid = row.uuid;
    if (uuid == record.primary.uuid) return true;
    // A declared tablet that does not answer, or whom Shard calls primary though its tablet record is gone:
    // nobody can be asked for its uuid, and it may be serving.
    const TabletFacts* named = facts.find(row.alias);
    if (named ? !named->answered : facts.named_by_shard == row.alias) return true;
    const auto is_its = [&](const auto& server) { return server.uuid == uuid; };
    return std::ranges::any_of(facts.goal.forgotten, is_its) ||
           std::ranges::any_of(record.past_primaries,
                               [&](const RecordedServer& past) { return past.uuid == uuid; }) ||
           std::ranges::any_of(facts.tablets,
                               [&](const TabletFacts& t) { return t.answered && t.uuid == uuid; });
}

bool is_newer(const sql::JournalRow& row, const FixpointRecord& record) {
    if (row.term != record.term) return row.term > record.term;
    if (canary(Canary::equal_terms_are_fine) && row.uuid != record.primary.uuid) return false;
    return row.uuid != record.primary.uuid || row.revision > record.revision;
}

}  // namespace

JournalVerdict judge_journals(const ShardFacts& facts) {
    JournalVerdict verdict;
    const sql::JournalRow* newest = nullptr;
    const auto age = [](const sql::JournalRow& r) { return std::pair(r.term, r.revision); };
    for (const TabletFacts& t : facts.tablets) {
        for (const sql::JournalRow& row : t.journal) {
            if (row.shard != facts.name) continue;
            if (!is_of_this_shard(facts, row) && !canary(Canary::any_journal_counts)) {
                if (std::ranges::find(verdict.foreign, row) == verdict.foreign.end())
                    verdict.foreign.push_back(row);
                continue;
            }
            if (is_newer(row, facts.record)) verdict.newer_than_record = true;
            if (!newest || age(*newest) < age(row)) newest = &row;
        }
    }
    if (newest) verdict.newest = *newest;
    if (canary(Canary::journal_not_asked)) verdict.newer_than_record = false;
    return verdict;
}

}  // namespace fixpoint

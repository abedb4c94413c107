// Binary log and rows as data: append, purge, apply, take back. No time, no sessions.
#include "sim/fakes/mysql/durable.hpp"

#include <algorithm>

#include "fixpoint/model/assert.hpp"

namespace fixpoint::sim::mysql {

void BinaryLog::purge_before(Position position) {
    FIXPOINT_ASSERT(position >= base_ && position <= end(), "a position of this log");
    transactions_.erase(transactions_.begin(),
                        transactions_.begin() + static_cast<std::ptrdiff_t>(position - base_));
    base_ = position;
}

void BinaryLog::truncate(Position position) {
    FIXPOINT_ASSERT(position >= base_ && position <= end(), "a position of this log");
    transactions_.resize(static_cast<std::size_t>(position - base_));
}

void BinaryLog::reset() {
    base_ = end();
    transactions_.clear();
}

int Rows::conflict(const Transaction& transaction) const {
    switch (transaction.payload) {
        case Payload::rows:
            for (const RowChange& change : transaction.rows) {
                if (change.builds_on != 0 && !writes.has(change.builds_on))
                    return sql::error_number::key_not_found;
                if (change.remove && !writes.has(change.id)) return sql::error_number::key_not_found;
                if (!change.remove && writes.has(change.id)) return sql::error_number::duplicate_entry;
            }
            return 0;
        case Payload::journal_row:
            if (!journal_database) return sql::error_number::database_unknown;
            return journal_table ? 0 : sql::error_number::table_unknown;
        case Payload::create_journal:
            return journal_database ? 0 : sql::error_number::database_unknown;
        case Payload::create_table:
            return std::ranges::find(tables, transaction.table) == tables.end() ? 0 : 1050;
        default:
            return 0;
    }
}

void Rows::apply(const Transaction& transaction) {
    switch (transaction.payload) {
        case Payload::rows:
            for (const RowChange& change : transaction.rows) {
                if (change.remove) {
                    writes.erase(change.id);
                } else {
                    writes.insert(change.id);
                }
            }
            break;
        case Payload::journal_row:
            journal.push_back(*transaction.journal);
            break;
        case Payload::create_database:
            journal_database = true;
            break;
        case Payload::create_journal:
            journal_table = true;
            break;
        case Payload::create_table:
            tables.push_back(transaction.table);
            break;
        default:
            break;
    }
}

void Rows::take_back(const Transaction& transaction) {
    if (transaction.payload == Payload::rows) {
        for (const RowChange& change : transaction.rows) {
            if (change.remove) {
                writes.insert(change.id);
            } else {
                writes.erase(change.id);
            }
        }
    } else if (transaction.payload == Payload::journal_row) {
        std::erase(journal, *transaction.journal);
    }
}

}  // namespace fixpoint::sim::mysql

// A transaction as it stands in binary and relay logs: who made it, what it changes, on what it builds.
// Written once, then shared by pointer by all logs of a world; the TransactionStore owns them for good.
// It refuses to know where it was received, applied or acknowledged: that is the servers' business.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fixpoint/model/gtid_set.hpp"
#include "fixpoint/model/time.hpp"
#include "fixpoint/ports/sql_statement.hpp"
#include "fixpoint/sim/state.hpp"

namespace fixpoint::sim::mysql {

struct RowChange {
    WriteId id = 0;
    bool remove = false;
    WriteId builds_on = 0;  // a row that must be there; 0: none
};

enum class Payload : std::uint8_t {
    rows,  // inserts and deletes of clients
    journal_row,
    create_database,  // of the journal's schema, IF NOT EXISTS
    create_journal,   // the journal's table, IF NOT EXISTS
    create_table,     // a client's; 1050 where it exists
    drop_nothing,     // the nudge
    flush,            // FLUSH without LOCAL
    empty,
};

struct Transaction {
    Gtid gtid;
    std::int64_t server_id = 0;  // of the server where it was made
    Payload payload = Payload::empty;
    std::vector<RowChange> rows;
    std::optional<sql::JournalRow> journal;
    std::string table;  // create_table
    Instant made_at{};
};

using TransactionPtr = const Transaction*;

class TransactionStore {
  public:
    TransactionPtr keep(Transaction transaction) {
        return &transactions_.emplace_back(std::move(transaction));
    }

  private:
    std::deque<Transaction> transactions_;
};

}  // namespace fixpoint::sim::mysql

// What is on a server's disk, and therefore survives kill -9: binary log, rows, relay log, connection
// settings of the channel, persisted variables, identity. A value: a copy is a backup, and restoring one is
// an assignment. Nothing of the run-time state (sessions, locks, variables, threads) is in here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/model/gtid_set.hpp"
#include "fixpoint/ports/sql_statement.hpp"
#include "fixpoint/sim/write_set.hpp"
#include "sim/fakes/mysql/transaction.hpp"

namespace fixpoint::sim::mysql {

// Positions count transactions since the log was begun; purging moves `first()` only.
class BinaryLog {
  public:
    using Position = std::uint64_t;
    Position first() const { return base_; }
    Position end() const { return base_ + transactions_.size(); }
    TransactionPtr at(Position position) const {
        return transactions_[static_cast<std::size_t>(position - base_)];
    }
    Position append(TransactionPtr transaction) {
        transactions_.push_back(transaction);
        return end() - 1;
    }
    void purge_before(Position position);
    void truncate(Position position);  // what the disk lost at its end
    void reset();                      // RESET BINARY LOGS AND GTIDS

  private:
    Position base_ = 1;  // 0 is "before everything"
    std::vector<TransactionPtr> transactions_;
};

// What its index names (M45).
enum class RelayIndex {
    whole,
    files_removed,  // while the server was down
    files_missing,  // and it was started: every START is refused in this process
    written_anew,   // by a CHANGE then: refused as before, and whole for the next process
    // Started once more: the new files beside old ones of the same names. (In the fake always by the second
    // start: the real one may need as many as its applier had files.)
    goes_round,
};

// All relay log files of the index, in order. What stands before `applier_at` will never be read again.
struct RelayLog {
    std::vector<TransactionPtr> transactions;
    std::size_t applier_at = 0;
    GtidSet retrieved;  // Retrieved_Gtid_Set of the running process
    RelayIndex index = RelayIndex::whole;

    bool refuses_starts() const {
        return index == RelayIndex::files_missing || index == RelayIndex::written_anew;
    }
};

struct ChannelSettings {
    MysqlAddress source;
    Duration heartbeat_period{};
    std::int64_t connect_retry_s = 60;
    std::int64_t retry_count = 86400;
    Duration delay{};
};

struct Rows {
    WriteSet writes;
    bool journal_database = false;
    bool journal_table = false;
    std::vector<sql::JournalRow> journal;
    std::vector<std::string> tables;  // made by clients

    // 0, or the error with which applying it would stop (1062, 1032, 1146, 1049, 1050).
    int conflict(const Transaction& transaction) const;
    void apply(const Transaction& transaction);
    void take_back(const Transaction& transaction);  // rows that the engine lost (M38)
};

struct DurableState {
    Uuid uuid;
    BinaryLog binary_log;
    GtidSet executed;
    GtidSet purged;
    Rows rows;
    RelayLog relay_log;
    std::optional<ChannelSettings> channel;
    Uuid source_uuid;  // of the source that the channel was last connected to
    sql::PersistedVariables persisted;
};

}  // namespace fixpoint::sim::mysql

// What every command works with, made by main: the configuration, the ports of this machine, the two ways to
// speak to a person, and a person's wish to stop. Nothing here knows which store or which server is behind a
// port.
#pragma once

#include <cstdio>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "fixpoint/ports/sql_session.hpp"
#include "fixpoint/ports/topology_store.hpp"
#include "real_adapters/daemon/event_log.hpp"
#include "real_adapters/daemon/exit_code.hpp"
#include "real_adapters/daemon/signal.hpp"

namespace fixpoint::real {

struct StoreOpening {
    bool missing = false;  // there is no such store yet
    std::string text;      // names the file and the remedy
};

struct Site {
    const Configuration& configuration;
    Clock& clock;
    SqlConnector& sql;
    Log& log;
    const History& history;
    // Each shard has one of its own, for its notifications.
    std::function<std::expected<std::unique_ptr<topo::Store>, StoreOpening>(bool create)> open_store;
    // Whether the replication account can log in to a server, and what is wrong with its privileges; "" :
    // nothing.
    std::function<std::string(const MysqlAddress& address)> judge_replication_account;
    // What its channel has kept of an earlier configuration; "": nothing.
    std::function<std::string(const MysqlAddress& address)> judge_channel;
    Signal& stop;  // somebody wants us to end; twice: at once

    // What must hold over two looks must hold for longer than this.
    Duration between_looks = std::chrono::milliseconds(1'300);
    std::FILE* out = stdout;
    std::FILE* err = stderr;

    // There, without secrets.
    void print(const std::string& text) const;
    void complain(const std::string& text) const;

    // Into the history, as done by the person who runs this.
    void note(const ShardName& shard, std::string command, std::string text) const;
};

}  // namespace fixpoint::real

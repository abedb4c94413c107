// One genuine mysqld of the real arm: a process on the loopback interface, its data in a temporary directory.
// It dies with the test program, whatever becomes of that. A server that should run and does not is an
// exception, never a skip.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "property_tests/contract/arm.hpp"
#include "real_adapters/mysql/blocking_session.hpp"

namespace fixpoint::contract {

// The passwords of one run, drawn anew each time; account names are fixed.
struct Passwords {
    std::string manager;
    std::string client;
    std::string privileged;
    std::string replication;
    static Passwords draw();
};

// Where MySQL was unpacked: FIXPOINT_MYSQL_PREFIX, or build/mysql of the source tree.
std::filesystem::path mysql_prefix();

class RealServer {
  public:
    RealServer(std::filesystem::path directory, int number, Passwords passwords);
    ~RealServer();
    RealServer(const RealServer&) = delete;
    RealServer& operator=(const RealServer&) = delete;

    MysqlAddress address() const { return {"127.0.0.1", port_}; }
    bool running() const { return pid_ > 0; }
    pid_t pid() const { return pid_; }

    // Fresh data, running with these options. Quick where the server runs as it did at its first start. In
    // two halves, so that several servers start side by side.
    void begin_renewal(const StartOptions& options);
    void finish_renewal();

    void start(const StartOptions& options);
    void kill();
    void begin_shut_down();
    void shut_down();  // returns when the process has ended
    void pause();
    void resume();

    // The person with all privileges, over the unix socket; statements one by one, an error throws.
    real::BlockingSession root() const;
    void as_root(const std::vector<std::string>& statements) const;
    std::string ask_root(const std::string& query) const;  // first field of the first row

  private:
    void copy_template() const;
    void write_configuration(const StartOptions& options) const;
    void spawn();
    void wait_until_it_answers();
    void launch(const StartOptions& options);
    void create_accounts() const;
    bool clean_up(const StartOptions& options) const;
    void make_anew(const StartOptions& options);
    void wait_for_end();
    std::string last_words() const;

    std::filesystem::path directory_;
    int number_;
    Passwords passwords_;
    std::uint16_t port_ = 0;
    pid_t pid_ = 0;
    std::optional<StartOptions> renewing_;  // with what it was started, until it is clean
    bool has_data_ = false;
    bool as_it_was_ =
        false;  // it runs as a plain start made it, and nothing but statements has happened since
};

// Runs `statements` on a session; throws at the first error.
void run_all(real::BlockingSession& session, const std::vector<std::string>& statements);

}  // namespace fixpoint::contract

// A shard of three genuine servers, a folder with the configuration of `fixpoint`, and the program itself as
// people call it: by its command line, its exit code and what it says. Accounts are made by what `fixpoint
// grants` prints. Everything that the program has said or written is kept, to be searched for passwords at
// the end.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "property_tests/support/real_servers/real_server.hpp"

namespace fixpoint::daemon_tests {

using namespace std::chrono_literals;

struct Said {
    int code = -1;  // of the process; -1: it did not end in time and was killed
    std::string out;
    std::string err;
    std::string all() const { return out + err; }
    bool has(const std::string& words) const { return all().find(words) != std::string::npos; }
};

// Waits for the condition itself; false: not within the limit. A condition that throws (a session was ended,
// a server is not there) does not hold yet.
bool eventually(std::chrono::milliseconds limit, const std::function<bool()>& condition);

// All of a file; "" where there is none.
std::string text_of(const std::filesystem::path& file);

class Stage {
  public:
    static Stage& the();  // one for the whole program: servers are slow to make

    // For whoever changes something there: what was verified before is not known any more.
    contract::RealServer& server(int i) {
        settled_ = false;
        return look_at(i);
    }
    std::string alias(int i) const;  // zone1-100 …
    std::string address(int i) const;
    const std::filesystem::path& folder() const { return folder_; }
    std::filesystem::path in_folder(const std::string& name) const { return folder_ / name; }

    // Three servers as after their making, with both accounts; no store, no history.
    void blank();
    // Initialised and as declared: as it was left by the test before, or made anew.
    void converged(const std::string& policy = "semi_sync");
    // A test of its own has made it so.
    void keep(const std::string& policy) {
        as_declared_ = true;
        policy_ = policy;
    }
    // The next test begins anew, whatever `status` says.
    void spoil() { as_declared_ = false; }

    // Runs `fixpoint --config … words…` to its end.
    Said fixpoint(const std::vector<std::string>& words, std::chrono::milliseconds limit = 30s);
    Said fixpoint_with(const std::filesystem::path& configuration, const std::vector<std::string>& words,
                       std::chrono::milliseconds limit = 30s);

    int primary();  // the one that is open, asked of the servers; -1: none, or several
    bool settles(std::chrono::milliseconds limit);  // `status` finds nothing abnormal
    // A statement of an administrator on that server, outside of the binary log.
    void as_administrator(int i, const std::vector<std::string>& statements);
    // Asked again where the session was ended meanwhile: a closing ends administrators' sessions too.
    std::string ask(int i, const std::string& query);

    const std::string& client_password() const { return passwords_.client; }

    // Everything about the servers that a command could change.
    std::string states();
    // Those of `told` that are not in contract.rows of that server.
    std::vector<std::int64_t> lost(int i, const std::vector<std::int64_t>& told);

    // What must not be found anywhere: the manager's, the replication account's, and everybody else's.
    std::vector<std::string> secrets() const;
    // Every text that the program and its servers have left, by the place where it stands: what commands have
    // said, each log, history and report in the folder, the store, and the command lines of all processes,
    // as of now and as they were seen all along.
    std::map<std::string, std::string> everything_said() const;
    // The places where a password stands, whole or quoted in whatever way.
    std::vector<std::string> places_of_passwords() const;
    void remember(const std::string& text) { said_ += text; }

    std::filesystem::path write(const std::string& name, const std::string& text) const;
    std::string configuration_text() const;

  private:
    Stage();
    ~Stage();
    void make_accounts(int i);
    void see_command_lines();
    contract::RealServer& look_at(int i) { return *servers_.at(static_cast<std::size_t>(i)); }

    std::filesystem::path folder_;
    contract::Passwords passwords_ = contract::Passwords::draw();
    std::string manager_password_, replication_password_;
    std::vector<std::unique_ptr<contract::RealServer>> servers_;
    bool as_declared_ = false;
    std::atomic<bool> settled_ = false;  // `status` has found nothing abnormal, and nothing was done since
    std::string policy_;
    std::string said_;
    std::set<std::string> command_lines_;
    int calls_ = 0;
};

// `fixpoint run` in the background.
class Daemon {
  public:
    explicit Daemon(Stage& stage, std::vector<std::string> words = {"run"},
                    std::filesystem::path configuration = {});  // default: the stage's
    ~Daemon();                                                  // kills it if it still runs
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    bool running();
    void signal(int number);
    // SIGTERM, and its end: the exit code, -1 if it did not come.
    int stop(std::chrono::milliseconds limit = 20s);
    std::string log() const;
    bool logs(const std::string& words, std::chrono::milliseconds limit = 10s);

  private:
    Stage& stage_;
    std::filesystem::path log_;
    pid_t pid_ = 0;
    int code_ = -1;
};

// A client that inserts rows into contract.rows of a server, one after the other, until it is ended; it keeps
// the numbers of those that it was told are safe.
class Writer {
  public:
    // A pause between two writes: a replica without semi-sync must be able to keep up.
    Writer(Stage& stage, std::int64_t first, std::chrono::milliseconds pause = 0ms);
    ~Writer();
    // Where the next write goes; a write that fails is tried there again under another number.
    void point_at(int server);
    std::vector<std::int64_t> end();
    std::size_t acknowledged() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace fixpoint::daemon_tests

// Settings as a small test server needs them, but durable: kill -9 must lose nothing that the binary log has.
#include "property_tests/support/real_servers/real_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <future>
#include <random>
#include <thread>

namespace fixpoint::contract {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto start_limit = 60s;
constexpr auto end_limit = 60s;
constexpr auto renewal_limit = 10s;

[[noreturn]] void fail(const std::string& text) {
    throw std::runtime_error(text);
}

// Below the range from which outgoing connections take their ports, so that a server finds its own free at a
// restart. Test processes run side by side with neighbouring ids: each begins far from the next, for a port
// that is free at the probe is taken only seconds later.
std::uint16_t free_port() {
    constexpr int band = 1'009;
    static int next = 12'000 + static_cast<int>((std::int64_t{::getpid()} * band) % 15'000);
    for (int tries = 0; tries < 1'000; ++tries) {
        const int port = next++;
        if (next > 32'000) next = 12'000;
        const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_port = htons(static_cast<std::uint16_t>(port));
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const bool is_free = ::bind(probe, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0;
        ::close(probe);
        if (is_free) return static_cast<std::uint16_t>(port);
    }
    fail("no free port");
}

std::string flag(bool value) {
    return value ? "ON" : "OFF";
}

// Options that a running server cannot take: another start is needed.
bool same_process_options(const StartOptions& a) {
    const StartOptions usual;
    return a.relay_log_recovery == usual.relay_log_recovery &&
           a.persisted_globals_load == usual.persisted_globals_load &&
           a.semi_sync_plugins == usual.semi_sync_plugins &&
           a.skip_replica_start == usual.skip_replica_start && !a.server_id && !a.new_uuid &&
           !a.relay_logs_removed;
}

fs::path newest_file(const fs::path& folder, const std::string& prefix) {
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().filename().string().starts_with(prefix)) newest = std::max(newest, entry.path());
    }
    return newest;
}

void tear(const fs::path& file) {
    fs::resize_file(file, fs::file_size(file) - 10);
}

}  // namespace

Passwords Passwords::draw() {
    std::random_device device;
    const auto one = [&] {
        return fmt::format("p{:08x}{:08x}'\\", device(), device());
    };  // awkward on purpose
    const auto plain = [&] { return fmt::format("r{:08x}{:08x}", device(), device()); };
    return {one(), one(), one(), plain()};
}

fs::path mysql_prefix() {
    const char* const chosen = std::getenv("FIXPOINT_MYSQL_PREFIX");
    const fs::path prefix =
        chosen != nullptr ? fs::path(chosen) : fs::path(FIXPOINT_SOURCE_DIR) / "build/mysql";
    if (!fs::exists(prefix / "bin/mysqld"))
        fail("there is no MySQL in " + prefix.string() + " (./dev mysql)");
    return prefix;
}

void run_all(real::BlockingSession& session, const std::vector<std::string>& statements) {
    for (const std::string& statement : statements) {
        const real::RawAnswer answer = session.query(statement);
        if (answer.error) fail(fmt::format("{}: {} {}", statement, answer.error->number, answer.error->text));
    }
}

RealServer::RealServer(fs::path directory, int number, Passwords passwords)
    : directory_(std::move(directory)),
      number_(number),
      passwords_(std::move(passwords)),
      port_(free_port()) {}

RealServer::~RealServer() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

// Data is copied only where there is none: what tests leave behind is cleaned up by statements, after a
// restart where the process is not as it should be.
void RealServer::begin_renewal(const StartOptions& options) {
    if (running()) resume();
    if (running() && as_it_was_ && same_process_options(options) && clean_up(options)) return;
    if (running()) kill();
    if (has_data_) {
        fs::remove(directory_ / "data/mysqld-auto.cnf");  // what was persisted
        launch(options);
    } else {
        make_anew(options);
    }
    renewing_ = options;
}

void RealServer::finish_renewal() {
    if (!renewing_) return;
    const StartOptions options = *std::exchange(renewing_, std::nullopt);
    wait_until_it_answers();
    if (!has_data_) {
        create_accounts();
        has_data_ = true;
    } else if (!clean_up(options)) {
        kill();
        make_anew(options);
        wait_until_it_answers();
        create_accounts();
    }
    as_it_was_ = same_process_options(options);
}

void RealServer::make_anew(const StartOptions& options) {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    copy_template();
    launch(options);
}

void RealServer::start(const StartOptions& options) {
    launch(options);
    wait_until_it_answers();
    as_it_was_ = same_process_options(options) && !fs::exists(directory_ / "data/mysqld-auto.cnf");
}

void RealServer::launch(const StartOptions& options) {
    if (running()) fail("the server runs already");
    as_it_was_ = false;
    if (options.new_uuid) fs::remove(directory_ / "data/auto.cnf");
    if (options.relay_logs_removed) {
        for (const auto& entry : fs::directory_iterator(directory_ / "data")) {
            if (entry.path().filename().string().starts_with("relay.0")) fs::remove(entry.path());
        }
    }
    if (options.relay_log_torn) tear(newest_file(directory_ / "data", "relay.0"));
    write_configuration(options);
    spawn();
}

void RealServer::kill() {
    as_it_was_ = false;
    ::kill(pid_, SIGKILL);
    wait_for_end();
}

void RealServer::begin_shut_down() {
    as_it_was_ = false;
    ::kill(pid_, SIGTERM);
}

void RealServer::shut_down() {
    begin_shut_down();
    wait_for_end();
}

// The signal is only sent when kill() returns; the process is stopped when its last thread is.
void RealServer::pause() {
    ::kill(pid_, SIGSTOP);
    siginfo_t stopped{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WEXITED | WNOWAIT) != 0 &&
           errno == EINTR) {
    }
}

void RealServer::resume() {
    ::kill(pid_, SIGCONT);
}

real::BlockingSession RealServer::root() const {
    auto session = real::BlockingSession::connect_local((directory_ / "s.sock").string(),
                                                        {"root", "", real::Tls::off, ""}, 10s);
    if (!session)
        fail(fmt::format("root cannot log in: {} {}", session.error().number, session.error().text));
    return *std::move(session);
}

void RealServer::as_root(const std::vector<std::string>& statements) const {
    real::BlockingSession session = root();
    run_all(session, statements);
}

std::string RealServer::ask_root(const std::string& query) const {
    real::BlockingSession session = root();
    const real::RawAnswer answer = session.query(query);
    if (answer.error) fail(fmt::format("{}: {} {}", query, answer.error->number, answer.error->text));
    return answer.results.at(0).rows.at(0).at(0).value_or("");
}

void RealServer::copy_template() const {
    const fs::path from = mysql_prefix() / "template";
    if (!fs::exists(from)) fail("there is no data template in " + from.string() + " (./dev mysql)");
    fs::copy(from, directory_ / "data", fs::copy_options::recursive);
    fs::remove(directory_ / "data/auto.cnf");
}

void RealServer::write_configuration(const StartOptions& o) const {
    const std::string base = (mysql_prefix() / "root/usr").string();
    const std::string here = directory_.string();
    std::ofstream out(directory_ / "my.cnf");
    out << fmt::format(
        "[mysqld]\nbasedir={0}\nlc_messages_dir={0}/share/mysql\ncharacter_sets_dir={0}/share/mysql/"
        "charsets\n"
        "plugin_dir={0}/lib/mysql/plugin\nsecure_file_priv=NULL\n"
        "datadir={1}/data\nsocket={1}/s.sock\npid_file={1}/mysqld.pid\nlog_error={1}/error.log\n",
        base, here);
    if (::geteuid() == 0) out << "user=root\n";
    out << fmt::format(
        "bind_address=127.0.0.1\nport={0}\nreport_host=127.0.0.1\nreport_port={0}\nserver_id={1}\nmysqlx="
        "OFF\n"
        "skip_name_resolve=ON\nlog_bin=bin\nrelay_log=relay\nlog_replica_updates=ON\ngtid_mode=ON\n"
        "enforce_gtid_consistency=ON\nsync_binlog=1\nsync_relay_log=1\nperformance_schema=OFF\n"
        "innodb_buffer_pool_size=16M\ninnodb_redo_log_capacity=16M\ninnodb_log_buffer_size=1M\n"
        "innodb_doublewrite=OFF\ninnodb_flush_method=nosync\ninnodb_use_native_aio=OFF\ninnodb_buffer_pool_"
        "load_at_startup=OFF\n"
        "innodb_buffer_pool_dump_at_shutdown=OFF\ntable_open_cache=128\ntable_definition_cache=400\n",
        port_, o.server_id.value_or(101 + number_));
    out << fmt::format(
        "skip_replica_start={}\nsuper_read_only={}\nread_only={}\nrelay_log_recovery={}\npersisted_globals_"
        "load={}\n"
        "replica_net_timeout={}\ninnodb_flush_log_at_trx_commit={}\nmax_connections={}\n",
        flag(o.skip_replica_start), flag(o.super_read_only), flag(o.super_read_only),
        flag(o.relay_log_recovery), flag(o.persisted_globals_load), o.replica_net_timeout_s,
        o.flush_log_at_trx_commit, o.max_connections);
    if (!o.semi_sync_plugins) return;
    out << fmt::format(
        "plugin_load_add=semisync_source.so\nplugin_load_add=semisync_replica.so\nrpl_semi_sync_source_"
        "enabled={}\n"
        "rpl_semi_sync_replica_enabled={}\nrpl_semi_sync_source_timeout={}\n",
        flag(o.semi_sync_source_enabled), flag(o.semi_sync_replica_enabled), o.semi_sync_source_timeout_ms);
}

void RealServer::spawn() {
    const std::string program = (mysql_prefix() / "bin/mysqld").string();
    const std::string defaults = "--defaults-file=" + (directory_ / "my.cnf").string();
    const std::string output = (directory_ / "output.log").string();
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) fail("no process could be made");
    if (pid_ > 0) return;
    // The child: a session of its own (a Ctrl-C is ours), and an end with ours.
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int log = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, 0);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::close_range(3, ~0U, 0);  // a listening socket of the test's would go on listening in the server
    ::execl(program.c_str(), program.c_str(), defaults.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
}

void RealServer::wait_until_it_answers() {
    const auto end = std::chrono::steady_clock::now() + start_limit;
    for (;;) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = 0;
            fail("the server did not start:\n" + last_words());
        }
        auto session = real::BlockingSession::connect_local((directory_ / "s.sock").string(),
                                                            {"root", "", real::Tls::off, ""}, 5s);
        // At the limit of sessions it runs, too.
        if (session || session.error().number == sql::error_number::too_many_connections) return;
        if (std::chrono::steady_clock::now() > end) fail("the server does not answer:\n" + last_words());
        std::this_thread::sleep_for(10ms);
    }
}

void RealServer::create_accounts() const {
    const Passwords& p = passwords_;
    std::vector<std::string> statements{"SET sql_log_bin = 0", "SET GLOBAL super_read_only = OFF",
                                        "CREATE DATABASE contract",
                                        "CREATE TABLE contract.`rows` (id BIGINT PRIMARY KEY)"};
    const auto account = [&](const std::string& name, const std::string& password) {
        statements.push_back("CREATE USER " + name + "@'127.0.0.1' IDENTIFIED BY " + real::literal(password));
    };
    account("manager", p.manager);
    account("client", p.client);
    account("privileged", p.privileged);
    account("replication", p.replication);
    for (const std::string& grant : {
             "PROCESS, RELOAD, REPLICATION CLIENT ON *.* TO manager",
             "SYSTEM_USER, CONNECTION_ADMIN, SYSTEM_VARIABLES_ADMIN, PERSIST_RO_VARIABLES_ADMIN, "
             "REPLICATION_SLAVE_ADMIN ON *.* TO manager",
             "SELECT, INSERT, CREATE ON fixpoint.* TO manager",
             "DROP ON fixpoint_nudge.* TO manager",
             "SELECT ON mysql.* TO manager",
             "ALL ON contract.* TO client",
             "ALL ON contract.* TO privileged",
             "CONNECTION_ADMIN ON *.* TO privileged",
             "REPLICATION SLAVE ON *.* TO replication",
         }) {
        statements.push_back("GRANT " + std::string(grant) + "@'127.0.0.1'");
    }
    statements.emplace_back("SET GLOBAL super_read_only = @@GLOBAL.read_only");
    as_root(statements);
}

// Back to the beginning by statements alone. False: something stands in the way, and a new server is quicker.
bool RealServer::clean_up(const StartOptions& o) const {
    std::vector<std::string> statements{
        "SET sql_log_bin = 0",
        "SET SESSION lock_wait_timeout = 3",
        "SET GLOBAL offline_mode = OFF",
        "SET GLOBAL read_only = OFF",
        "STOP REPLICA",
        "RESET REPLICA ALL",
        "RESET PERSIST",
        "DROP DATABASE IF EXISTS fixpoint",
        "DROP DATABASE contract",
        "CREATE DATABASE contract",
        "CREATE TABLE contract.`rows` (id BIGINT PRIMARY KEY)",
        "RESET BINARY LOGS AND GTIDS",
        "SET GLOBAL rpl_stop_replica_timeout = DEFAULT",
        fmt::format("SET GLOBAL server_id = {}", 101 + number_),
        fmt::format("SET GLOBAL replica_net_timeout = {}", o.replica_net_timeout_s),
        fmt::format("SET GLOBAL innodb_flush_log_at_trx_commit = {}", o.flush_log_at_trx_commit),
        fmt::format("SET GLOBAL max_connections = {}", o.max_connections),
    };
    if (o.semi_sync_plugins) {
        statements.insert(statements.begin(), "SET GLOBAL rpl_semi_sync_source_enabled = OFF");
        for (const std::string& setting : {
                 std::string("source_wait_point = AFTER_SYNC"),
                 std::string("source_wait_no_replica = ON"),
                 std::string("source_wait_for_replica_count = 1"),
                 fmt::format("source_timeout = {}", o.semi_sync_source_timeout_ms),
                 "replica_enabled = " + flag(o.semi_sync_replica_enabled),
                 "source_enabled = " + flag(o.semi_sync_source_enabled),
             }) {
            statements.push_back("SET GLOBAL rpl_semi_sync_" + setting);
        }
    }
    statements.push_back("SET GLOBAL super_read_only = " + flag(o.super_read_only));
    std::optional<real::BlockingSession> session;
    try {
        session = root();
    } catch (const std::runtime_error&) {
        return false;
    }
    auto work = std::async(std::launch::async, [&] {
        const real::RawAnswer others = session->query(
            "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND "
            "user NOT IN ('system user', 'event_scheduler')");
        if (others.error) return false;
        for (const auto& row : others.results[0].rows) session->query("KILL " + row[0].value_or("0"));
        try {
            run_all(*session, statements);
        } catch (const std::runtime_error&) {
            return false;
        }
        return true;
    });
    if (work.wait_for(renewal_limit) != std::future_status::ready) session->break_off();
    return work.get();
}

void RealServer::wait_for_end() {
    const auto end = std::chrono::steady_clock::now() + end_limit;
    while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > end) fail("the server does not end:\n" + last_words());
        std::this_thread::sleep_for(2ms);
    }
    pid_ = 0;
}

std::string RealServer::last_words() const {
    std::ifstream in(directory_ / "error.log");
    std::deque<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
        if (lines.size() > 12) lines.pop_front();
    }
    std::string text;
    for (const std::string& line : lines) text += line + '\n';
    return text;
}

}  // namespace fixpoint::contract

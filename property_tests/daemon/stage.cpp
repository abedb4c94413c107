// See stage.hpp. Processes are started and ended by their own ids only.
#include "property_tests/daemon/stage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "real_adapters/daemon/grants.hpp"

namespace fixpoint::daemon_tests {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::string text_of(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

namespace {

constexpr int server_count = 3;

std::string drawn(const std::string& prefix) {
    std::random_device device;
    return fmt::format("{}{:08x}{:08x}", prefix, device(), device());
}

// A process that dies with the test program, its outputs in files.
pid_t start(const std::vector<std::string>& words, const fs::path& out, const fs::path& err) {
    const std::string program = std::string(FIXPOINT_BIN_DIR) + "/fixpoint";
    std::vector<std::string> texts = words;
    std::vector<char*> argv{const_cast<char*>("fixpoint")};
    for (std::string& text : texts) argv.push_back(text.data());
    argv.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("no process could be made");
    if (pid > 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
}

// Of all processes of this machine.
std::set<std::string> command_lines() {
    std::set<std::string> all;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        if (std::isdigit(static_cast<unsigned char>(entry.path().filename().string()[0])) != 0)
            all.insert(text_of(entry.path() / "cmdline"));
    }
    return all;
}

// Until it is not a copy of this process any more.
void wait_for_its_program(pid_t pid) {
    const std::string mine = text_of("/proc/self/cmdline");
    eventually(1s, [&] { return text_of(fmt::format("/proc/{}/cmdline", pid)) != mine; });
}

// Its longest run of letters and digits: no way of quoting changes that.
std::string heart_of(const std::string& secret) {
    std::string longest, run;
    for (const char c : secret + ' ') {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            run += c;
        } else {
            if (run.size() > longest.size()) longest = run;
            run.clear();
        }
    }
    return longest;
}

// Its exit code; -1: not ended yet.
int ended(pid_t pid) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int end_of(pid_t pid, std::chrono::milliseconds limit) {
    int code = -1;
    if (eventually(limit, [&] { return (code = ended(pid)) >= 0; })) return code;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return -1;
}

}  // namespace

bool eventually(std::chrono::milliseconds limit, const std::function<bool()>& condition) {
    const auto deadline = Clock::now() + limit;
    for (;;) {
        try {
            if (condition()) return true;
        } catch (const std::runtime_error&) {
        }
        if (Clock::now() > deadline) return false;
        std::this_thread::sleep_for(10ms);
    }
}

Stage& Stage::the() {
    static Stage stage;
    return stage;
}

Stage::Stage() : manager_password_(drawn("m'\\")), replication_password_(drawn("r\"'")) {
    folder_ = fs::temp_directory_path() / fmt::format("fixpoint-daemon-{}", ::getpid());
    fs::create_directories(folder_);
    write("manager.password", manager_password_ + "\n");
    write("replication.password", replication_password_ + "\n");
    write("fixpoint.json", configuration_text());
    for (int i = 0; i < server_count; ++i)
        servers_.push_back(
            std::make_unique<contract::RealServer>(folder_ / fmt::format("s{}", i), i, passwords_));
}

Stage::~Stage() {
    servers_.clear();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

std::string Stage::configuration_text() const {
    return R"({
  // as an operator writes it
  "store": {"sqlite": "topology.db"},
  "manager": {"name": "m1", "user": "fixpoint", "password_file": "manager.password"},
  "replication": {"user": "fixpoint_replication", "password_file": "replication.password"},
  "shards": ["commerce/0"],
  "log": {"level": "debug"},
  "history": "history.jsonl"
})";
}

fs::path Stage::write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
}

std::string Stage::alias(int i) const {
    return fmt::format("zone1-{}", 100 + i);
}

std::string Stage::address(int i) const {
    return servers_.at(static_cast<std::size_t>(i))->address().to_string();
}

void Stage::as_administrator(int i, const std::vector<std::string>& statements) {
    std::vector<std::string> all{"SET SESSION sql_log_bin = 0"};
    all.insert(all.end(), statements.begin(), statements.end());
    server(i).as_root(all);
}

void Stage::make_accounts(int i) {
    const Said grants = fixpoint({"grants", "--without-primary", "--host", "127.0.0.1"});
    if (grants.code != 0) throw std::runtime_error("grants: " + grants.all());
    std::vector<std::string> statements;
    std::istringstream lines(grants.out);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("--")) continue;
        const auto put = [&](std::string_view placeholder, const std::string& password) {
            const std::string quoted = fmt::format("'{}'", placeholder);
            if (const std::size_t at = line.find(quoted); at != std::string::npos)
                line.replace(at, quoted.size(), real::literal(password));
        };
        put(real::manager_placeholder, manager_password_);
        put(real::replication_placeholder, replication_password_);
        if (line.ends_with(';')) line.pop_back();
        statements.push_back(line);
    }
    server(i).as_root({"SET SESSION sql_log_bin = 0", "SET GLOBAL super_read_only = OFF",
                       "DROP USER IF EXISTS 'fixpoint'@'127.0.0.1', 'fixpoint_replication'@'127.0.0.1'",
                       "SET GLOBAL super_read_only = @@GLOBAL.read_only"});
    server(i).as_root(statements);
}

void Stage::blank() {
    as_declared_ = false;
    for (const auto& server : servers_) server->begin_renewal({});
    for (const auto& server : servers_) server->finish_renewal();
    said_ += text_of(folder_ / "history.jsonl");
    for (const char* name : {"topology.db", "topology.db-wal", "topology.db-shm", "history.jsonl"})
        fs::remove(folder_ / name);
    for (int i = 0; i < server_count; ++i) make_accounts(i);
}

void Stage::converged(const std::string& policy) {
    if (as_declared_ && policy == policy_ && (settled_ || settles(1ms))) return;
    blank();
    const Said init = fixpoint(
        {"init", "--yes", "commerce/0", address(0), address(1), address(2), "--policy", policy}, 60s);
    if (init.code != 0) throw std::runtime_error("init: " + init.all());
    as_declared_ = true;
    settled_ = true;
    policy_ = policy;
}

Said Stage::fixpoint_with(const fs::path& configuration, const std::vector<std::string>& words,
                          std::chrono::milliseconds limit) {
    std::vector<std::string> all{"--config", configuration.string()};
    all.insert(all.end(), words.begin(), words.end());
    const fs::path out = folder_ / fmt::format("call-{}.out", ++calls_);
    const fs::path err = folder_ / fmt::format("call-{}.err", calls_);
    Said said;
    const pid_t pid = start(all, out, err);
    wait_for_its_program(pid);
    see_command_lines();
    said.code = end_of(pid, limit);
    said.out = text_of(out);
    said.err = text_of(err);
    said_ += said.all();
    fs::remove(out);
    fs::remove(err);
    return said;
}

Said Stage::fixpoint(const std::vector<std::string>& words, std::chrono::milliseconds limit) {
    static const std::set<std::string> lookers{"status", "plan", "check", "topology", "history", "grants"};
    if (!lookers.contains(words.front())) settled_ = false;
    return fixpoint_with(folder_ / "fixpoint.json", words, limit);
}

std::string Stage::ask(int i, const std::string& query) {
    std::string answer;
    if (eventually(5s, [&] {
            answer = look_at(i).ask_root(query);
            return true;
        }))
        return answer;
    return look_at(i).ask_root(query);
}

int Stage::primary() {
    int open = -1;
    for (int i = 0; i < server_count; ++i) {
        if (!look_at(i).running() || ask(i, "SELECT @@GLOBAL.read_only OR @@GLOBAL.super_read_only") == "1")
            continue;
        if (open >= 0) return -1;
        open = i;
    }
    return open;
}

bool Stage::settles(std::chrono::milliseconds limit) {
    settled_ = eventually(limit, [this] { return fixpoint({"status"}).code == 0; });
    return settled_;
}

std::string Stage::states() {
    constexpr const char* query =
        "SELECT CONCAT_WS('|', @@GLOBAL.gtid_executed, @@GLOBAL.read_only, @@GLOBAL.super_read_only, "
        "@@GLOBAL.offline_mode, @@GLOBAL.server_id, @@GLOBAL.replica_net_timeout, "
        "@@GLOBAL.rpl_stop_replica_timeout, "
        "@@GLOBAL.rpl_semi_sync_source_enabled, @@GLOBAL.rpl_semi_sync_replica_enabled, "
        "(SELECT GROUP_CONCAT(variable_name, '=', variable_value ORDER BY variable_name) FROM "
        "performance_schema.persisted_variables), (SELECT COUNT(*) FROM mysql.slave_master_info))";
    std::string text;
    for (int i = 0; i < server_count; ++i) text += ask(i, query) + '\n';
    return text;
}

std::vector<std::int64_t> Stage::lost(int i, const std::vector<std::int64_t>& told) {
    real::BlockingSession root = look_at(i).root();
    const real::RawAnswer rows = root.query("SELECT id FROM contract.`rows`");
    if (rows.error) throw std::runtime_error(rows.error->text);
    std::set<std::int64_t> there;
    for (const auto& row : rows.results.at(0).rows) there.insert(std::stoll(row.at(0).value()));
    std::vector<std::int64_t> missing;
    for (const std::int64_t id : told) {
        if (!there.contains(id)) missing.push_back(id);
    }
    return missing;
}

// ---- what was said

std::vector<std::string> Stage::secrets() const {
    return {manager_password_, replication_password_, passwords_.manager,
            passwords_.client, passwords_.privileged, passwords_.replication};
}

void Stage::see_command_lines() {
    const auto seen = command_lines();
    command_lines_.insert(seen.begin(), seen.end());
}

std::map<std::string, std::string> Stage::everything_said() const {
    std::map<std::string, std::string> all;
    all["commands"] = said_;
    std::set<std::string> lines = command_lines();
    lines.insert(command_lines_.begin(), command_lines_.end());
    for (const std::string& line : lines) all["command lines"] += line + '\n';
    for (const auto& entry : fs::directory_iterator(folder_)) {
        const std::string name = entry.path().filename().string();
        if (entry.is_directory()) {  // a server's, with what MySQL itself keeps in its tables
            all[name + "/error.log"] = text_of(entry.path() / "error.log");
        } else if (name.find("password") == std::string::npos) {  // where a person has put them
            all[name] = text_of(entry.path());
        }
    }
    return all;
}

std::vector<std::string> Stage::places_of_passwords() const {
    std::vector<std::string> places;
    for (const auto& [place, text] : everything_said()) {
        for (const std::string& secret : secrets()) {
            if (text.find(heart_of(secret)) == std::string::npos) continue;
            places.push_back(place);
            break;
        }
    }
    return places;
}

// ---- the daemon

Daemon::Daemon(Stage& stage, std::vector<std::string> words, fs::path configuration) : stage_(stage) {
    static int count = 0;
    log_ = stage.in_folder(fmt::format("run-{}.log", ++count));
    if (configuration.empty()) configuration = stage.in_folder("fixpoint.json");
    words.insert(words.begin(), {"--config", configuration.string()});
    pid_ = start(words, stage.in_folder(fmt::format("run-{}.out", count)), log_);
}

Daemon::~Daemon() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    stage_.remember(log());
}

bool Daemon::running() {
    if (pid_ <= 0) return false;
    code_ = ended(pid_);
    if (code_ >= 0) pid_ = 0;
    return pid_ > 0;
}

void Daemon::signal(int number) {
    if (pid_ > 0) ::kill(pid_, number);
}

int Daemon::stop(std::chrono::milliseconds limit) {
    if (!running()) return code_;
    signal(SIGTERM);
    code_ = end_of(std::exchange(pid_, 0), limit);
    return code_;
}

std::string Daemon::log() const {
    return text_of(log_);
}

bool Daemon::logs(const std::string& words, std::chrono::milliseconds limit) {
    return eventually(limit, [&] { return log().find(words) != std::string::npos; });
}

}  // namespace fixpoint::daemon_tests

// See manager.hpp. Its log is read with level debug: then every step is a line.
#include "property_tests/real/shard/manager.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace fixpoint::real_shards {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void write_file(const fs::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
}

std::string configuration_of(const ManagerSetting& s, const fs::path& log) {
    const json text{{"store", {{"sqlite", s.store.string()}}},
                    {"manager",
                     {{"name", s.name},
                      {"user", s.user},
                      {"password_file", (s.folder / (s.name + ".password")).string()},
                      {"tls", "off"}}},
                    {"replication",
                     {{"user", s.replication_user},
                      {"password_file", (s.folder / (s.name + ".replication")).string()},
                      {"tls", false}}},
                    {"shards", {s.shard.to_string()}},
                    {"log", {{"format", "json"}, {"level", "debug"}, {"file", log.string()}}}};
    return text.dump(2);
}

EventKind kind_of(const std::string& word, bool& known) {
    for (const EventKind kind :
         {EventKind::looked, EventKind::recovery_began, EventKind::step, EventKind::recovery_succeeded,
          EventKind::recovery_refused, EventKind::recovery_failed, EventKind::commit_point,
          EventKind::reported, EventKind::lock_taken, EventKind::lock_released}) {
        if (to_string(kind) == word) return kind;
    }
    known = false;
    return EventKind::looked;
}

// "dead_primary, replica_stopped(zone1-101)", or "nothing to do".
std::vector<ProblemKey> problems_of(const std::string& text) {
    std::vector<ProblemKey> problems;
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t end = text.find(", ", at);
        if (end == std::string::npos) end = text.size();
        std::string word = text.substr(at, end - at);
        at = end + 2;
        ProblemKey key;
        if (const std::size_t open = word.find('('); open != std::string::npos) {
            const auto alias = TabletAlias::parse(word.substr(open + 1, word.size() - open - 2));
            if (alias) key.tablet = *alias;
            word.resize(open);
        }
        const auto problem = parse_problem(word);
        if (!problem) continue;
        key.problem = *problem;
        problems.push_back(key);
    }
    return problems;
}

}  // namespace

std::vector<Event> events_of_line(const std::string& line) {
    const json object = json::parse(line, nullptr, false);
    if (!object.is_object() || !object.contains("kind")) return {};
    const auto word = [&](const char* key) { return object.value(key, std::string()); };
    bool known = true;
    Event event;
    event.kind = kind_of(word("kind"), known);
    if (!known) return {};
    event.operation = word("operation");
    if (const auto problem = parse_problem(word("problem"))) event.key.problem = *problem;
    if (const auto alias = TabletAlias::parse(word("tablet"))) event.key.tablet = *alias;
    if (const auto recovery = parse_recovery(word("recovery"))) event.recovery = *recovery;
    if (const auto reason = parse_reason(word("reason"))) event.reason = *reason;
    event.text = word("text");
    if (event.kind == EventKind::looked) event.problems = problems_of(event.text);
    return {event};
}

Manager::Manager(ManagerSetting setting, Owners& owners)
    : setting_(std::move(setting)),
      owners_(owners),
      configuration_(setting_.folder / (setting_.name + ".json")),
      log_(setting_.folder / (setting_.name + ".log")),
      errors_(setting_.folder / (setting_.name + ".err")) {
    write_file(setting_.folder / (setting_.name + ".password"), setting_.password + "\n");
    write_file(setting_.folder / (setting_.name + ".replication"), setting_.replication_password + "\n");
    write_file(configuration_, configuration_of(setting_, log_));
    write_file(log_, "");
    reading_.open(log_, std::ios::binary);
}

Manager::~Manager() {
    crash();
}

void Manager::start() {
    if (alive()) return;
    const std::string program = std::string(FIXPOINT_BIN_DIR) + "/fixpoint";
    const std::string configuration = configuration_.string();
    const std::string errors = errors_.string();
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("no process could be made for a manager");
    if (pid == 0) {
        ::setsid();
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(126);
        const int nothing = ::open("/dev/null", O_RDONLY);
        const int out = ::open(errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(nothing, 0);
        ::dup2(out, 1);
        ::dup2(out, 2);
        ::close_range(3, ~0U, 0);  // nothing of the proxy's lives on in it
        ::execl(program.c_str(), "fixpoint", "--config", configuration.c_str(), "run",
                static_cast<char*>(nullptr));
        ::_exit(127);
    }
    pid_ = pid;
    paused_ = false;
    owners_.add(pid, setting_.name);
}

void Manager::crash() {
    if (!alive()) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    owners_.remove(pid_);
    pid_ = 0;
    paused_ = false;
}

void Manager::pause() {
    if (!alive()) return;
    ::kill(pid_, SIGSTOP);
    paused_ = true;
}

void Manager::resume() {
    if (!alive()) return;
    ::kill(pid_, SIGCONT);
    paused_ = false;
}

std::string Manager::died_of() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return died_of_;
    owners_.remove(pid_);
    pid_ = 0;
    std::ostringstream words;
    words << std::ifstream(errors_).rdbuf();
    died_of_ = fmt::format("{} ended by itself, status {}: {}", setting_.name, status, words.str());
    return died_of_;
}

std::vector<Event> Manager::said() {
    std::vector<Event> events;
    std::string line;
    for (;;) {
        std::getline(reading_, line);
        const bool whole = !reading_.eof();
        half_ += line;
        if (!whole) {
            reading_.clear();
            return events;
        }
        for (Event& event : events_of_line(half_)) events.push_back(std::move(event));
        half_.clear();
    }
}

}  // namespace fixpoint::real_shards

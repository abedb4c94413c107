// See history.hpp.
#include "real_adapters/daemon/history.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "real_adapters/daemon/clock.hpp"

namespace fixpoint::real {

namespace {

using nlohmann::json;

struct NamedField {
    const char* key;
    std::string HistoryEntry::* member;
};
constexpr std::array<NamedField, 10> fields{{
    {"time", &HistoryEntry::time},
    {"who", &HistoryEntry::who},
    {"shard", &HistoryEntry::shard},
    {"operation", &HistoryEntry::operation},
    {"kind", &HistoryEntry::kind},
    {"problem", &HistoryEntry::problem},
    {"tablet", &HistoryEntry::tablet},
    {"recovery", &HistoryEntry::recovery},
    {"reason", &HistoryEntry::reason},
    {"text", &HistoryEntry::text},
}};

}  // namespace

std::string to_json_line(const HistoryEntry& entry) {
    nlohmann::ordered_json object;
    for (const NamedField& field : fields) {
        if (!(entry.*field.member).empty()) object[field.key] = entry.*field.member;
    }
    return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::optional<HistoryEntry> from_json_line(const std::string& line) {
    const json object = json::parse(line, nullptr, false);
    if (!object.is_object()) return std::nullopt;
    HistoryEntry entry;
    for (const NamedField& field : fields) {
        const auto it = object.find(field.key);
        if (it == object.end()) continue;
        if (!it->is_string()) return std::nullopt;
        entry.*field.member = it->get<std::string>();
    }
    if (entry.time.empty() || entry.kind.empty()) return std::nullopt;
    return entry;
}

HistoryEntry entry_of(const Event& event, std::string who, const ShardName& shard, WallTime time) {
    HistoryEntry entry;
    entry.time = to_rfc3339(time);
    entry.who = std::move(who);
    entry.shard = shard.to_string();
    entry.operation = event.operation;
    entry.kind = to_string(event.kind);
    if (!event.operation.empty()) entry.problem = to_string(event.key.problem);
    if (event.key.tablet) entry.tablet = event.key.tablet.to_string();
    if (event.recovery != Recovery::none) entry.recovery = to_string(event.recovery);
    if (event.reason != Reason::none) entry.reason = to_string(event.reason);
    entry.text = event.text;
    return entry;
}

std::string History::append(const HistoryEntry& entry) const {
    if (!kept()) return {};
    const std::string line = to_json_line(entry) + '\n';
    const int file = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file < 0) return fmt::format("{}: {}", file_.string(), std::strerror(errno));
    const ssize_t written = ::write(file, line.data(), line.size());
    const int number = errno;
    ::close(file);
    if (written == static_cast<ssize_t>(line.size())) return {};
    return fmt::format("{}: {}", file_.string(), written < 0 ? std::strerror(number) : "the disk is full");
}

std::expected<History::Contents, std::string> History::read() const {
    Contents contents;
    std::ifstream in(file_);
    if (!in) return std::unexpected(fmt::format("{}: {}", file_.string(), std::strerror(errno)));
    for (std::string line; std::getline(in, line);) {
        if (std::optional<HistoryEntry> entry = from_json_line(line)) {
            contents.entries.push_back(*std::move(entry));
        } else if (!line.empty()) {
            ++contents.unreadable;
        }
    }
    return contents;
}

std::string person() {
    char host[256] = "localhost";
    ::gethostname(host, sizeof host - 1);
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
    return fmt::format("{}@{}", found != nullptr ? std::string(found->pw_name) : std::to_string(::getuid()),
                       host);
}

}  // namespace fixpoint::real

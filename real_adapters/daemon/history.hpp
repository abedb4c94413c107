// What was done to a shard, by whom and why: one JSON object a line, appended by every process of the machine
// that acts (the daemon, and people's commands). For people; nothing is ever decided by it. A line that
// cannot be written is said on the log and stops nothing.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/model/tablet.hpp"
#include "fixpoint/ports/event_log.hpp"

namespace fixpoint::real {

struct HistoryEntry {
    std::string time;  // RFC 3339
    std::string who;   // a manager's name, or person@machine
    std::string shard;
    std::string operation;  // id; empty for what people did
    std::string kind;       // an EventKind's word, or a command's name
    std::string problem, tablet, recovery, reason;
    std::string text;
    bool operator==(const HistoryEntry&) const = default;
};

std::string to_json_line(const HistoryEntry& entry);
std::optional<HistoryEntry> from_json_line(const std::string& line);

HistoryEntry entry_of(const Event& event, std::string who, const ShardName& shard, WallTime time);

class History {
  public:
    explicit History(std::filesystem::path file) : file_(std::move(file)) {}
    bool kept() const { return !file_.empty(); }
    // One write of one line, so that several processes may append. Empty: written (or none is kept).
    std::string append(const HistoryEntry& entry) const;
    // Oldest first; lines that are none of ours are left out and counted.
    struct Contents {
        std::vector<HistoryEntry> entries;
        std::size_t unreadable = 0;
    };
    std::expected<Contents, std::string> read() const;

  private:
    std::filesystem::path file_;
};

std::string person();  // user@host, for what people declare

}  // namespace fixpoint::real

// What the core says, for people: on the log (text or JSON, each operation with its one id) and in the
// history. A look is worth a line only where it found something else than the one before. No secret passes
// it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "fixpoint/ports/clock.hpp"
#include "fixpoint/ports/event_log.hpp"
#include "real_adapters/daemon/configuration.hpp"
#include "real_adapters/daemon/history.hpp"
#include "real_adapters/daemon/text.hpp"

namespace fixpoint::real {

enum class LogLevel { debug, info, warning, error };

// The process's log; lines of several shards share it.
class Log {
  public:
    // Throws std::runtime_error where the file cannot be opened.
    Log(const LogOptions& options, const Clock& clock, Redactor redactor);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void write(LogLevel level, const HistoryEntry& entry);
    void say(LogLevel level, const std::string& text);

    const Clock& clock() const { return clock_; }
    const Redactor& redactor() const { return redactor_; }

  private:
    struct Sink;
    std::unique_ptr<Sink> sink_;
    const Clock& clock_;
    Redactor redactor_;
    LogFormat format_;
};

class ShardEventLog final : public EventLog {
  public:
    ShardEventLog(std::string manager, ShardName shard, Log& log, const History& history)
        : manager_(std::move(manager)), shard_(std::move(shard)), log_(log), history_(history) {}

    void append(Event event) override;

    // Called with every event, after it was written.
    void on_event(std::function<void(const Event&)> callback) { callback_ = std::move(callback); }

  private:
    std::string manager_;
    ShardName shard_;
    Log& log_;
    const History& history_;
    std::function<void(const Event&)> callback_;
    std::vector<ProblemKey> last_seen_;
    bool looked_before_ = false;
    std::string last_report_;  // the same complaint, pass after pass, is one line (and more at level debug)
    bool complained_ = false;  // since the last look
    bool history_failed_ = false;
};

std::string problems_text(const std::vector<ProblemKey>& problems);

}  // namespace fixpoint::real

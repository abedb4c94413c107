// See event_log.hpp.
#include "real_adapters/daemon/event_log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "real_adapters/daemon/clock.hpp"

namespace fixpoint::real {

namespace {

spdlog::level::level_enum level_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

const char* word_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warning:
            return "warning";
        case LogLevel::error:
            return "error";
    }
    return "info";
}

std::shared_ptr<spdlog::sinks::sink> sink_of(const LogOptions& options) {
    if (options.file.empty()) return std::make_shared<spdlog::sinks::stderr_sink_st>();
    try {
        return std::make_shared<spdlog::sinks::basic_file_sink_st>(options.file.string());
    } catch (const spdlog::spdlog_ex& error) {
        throw std::runtime_error(error.what());
    }
}

LogLevel level_of(const Event& event) {
    switch (event.kind) {
        case EventKind::step:
        case EventKind::lock_taken:
        case EventKind::lock_released:
            return LogLevel::debug;
        case EventKind::recovery_refused:
            return event.reason == Reason::problem_gone ? LogLevel::info : LogLevel::warning;
        case EventKind::recovery_failed:
        case EventKind::reported:
            return LogLevel::warning;
        default:
            return LogLevel::info;
    }
}

std::string text_line(const HistoryEntry& e) {
    std::string line = e.shard;
    if (!e.operation.empty()) line += fmt::format(" [{}]", e.operation);
    if (!e.kind.empty()) line += ' ' + e.kind;
    if (!e.problem.empty()) line += ' ' + e.problem;
    if (!e.tablet.empty()) line += ' ' + e.tablet;
    if (!e.recovery.empty()) line += " by " + e.recovery;
    if (!e.reason.empty()) line += " because " + e.reason;
    if (!e.text.empty()) line += ": " + e.text;
    return line;
}

}  // namespace

struct Log::Sink {
    spdlog::logger logger;
};

Log::Log(const LogOptions& options, const Clock& clock, Redactor redactor)
    : sink_(std::make_unique<Sink>(spdlog::logger("fixpoint", sink_of(options)))),
      clock_(clock),
      redactor_(std::move(redactor)),
      format_(options.format) {
    sink_->logger.set_pattern("%v");
    sink_->logger.set_level(spdlog::level::from_str(options.level));
    sink_->logger.flush_on(spdlog::level::debug);
}

Log::~Log() = default;

void Log::write(LogLevel level, const HistoryEntry& entry) {
    if (!sink_->logger.should_log(level_of(level))) return;
    std::string line;
    if (format_ == LogFormat::json) {
        const std::string rest = to_json_line(entry);
        line = fmt::format(R"({{"level":"{}",{})", word_of(level), rest.substr(1));
    } else {
        line = fmt::format("{} {:<7} {}", entry.time, word_of(level), text_line(entry));
    }
    sink_->logger.log(level_of(level), redactor_(std::move(line)));
}

void Log::say(LogLevel level, const std::string& text) {
    HistoryEntry entry;
    entry.time = to_rfc3339(clock_.wall_now());
    entry.shard = format_ == LogFormat::json ? "" : "fixpoint";
    entry.text = text;
    write(level, entry);
}

std::string problems_text(const std::vector<ProblemKey>& problems) {
    std::string text;
    for (const ProblemKey& key : problems) {
        if (!text.empty()) text += ", ";
        text += to_string(key.problem);
        if (key.tablet) text += '(' + key.tablet.to_string() + ')';
    }
    return text.empty() ? "nothing to do" : text;
}

void ShardEventLog::append(Event event) {
    HistoryEntry entry = entry_of(event, manager_, shard_, log_.clock().wall_now());
    entry.text = log_.redactor()(std::move(entry.text));
    bool worth_a_line = true;
    if (event.kind == EventKind::looked) {
        entry.text = problems_text(event.problems);
        worth_a_line = !looked_before_ || event.problems != last_seen_;
        looked_before_ = true;
        last_seen_ = event.problems;
        if (!std::exchange(complained_, false)) last_report_.clear();
    } else if (event.operation.empty()) {
        worth_a_line = entry.text != last_report_;
        last_report_ = entry.text;
        complained_ = true;
        if (!worth_a_line) log_.write(LogLevel::debug, entry);
    }
    if (worth_a_line) {
        log_.write(level_of(event), entry);
        if (event.kind != EventKind::looked) {
            const std::string failed = history_.append(entry);
            if (!failed.empty() && !history_failed_)
                log_.say(LogLevel::error, "the history cannot be written: " + failed);
            history_failed_ = !failed.empty();
        }
    }
    if (callback_) callback_(event);
}

}  // namespace fixpoint::real

// See run_wire.hpp. One list of members serves both directions, so they cannot disagree.
#include "sim/main/run_wire.hpp"

#include <cstring>
#include <type_traits>

namespace fixpoint::sim {
namespace {

template <class Archive>
void members(Archive& archive, TabletAlias& alias) {
    archive(alias.cell, alias.uid);
}
template <class Archive>
void members(Archive& archive, Violation& violation) {
    archive(violation.invariant, violation.at, violation.text);
}
template <class Archive>
void members(Archive& archive, FaultCount& count) {
    archive(count.requested, count.delivered, count.observed);
}
template <class Archive>
void members(Archive& archive, TimelineEntry& entry) {
    archive(entry.at, entry.lane, entry.kind, entry.text, entry.lasts);
}
template <class Archive>
void members(Archive& archive, TabletSample& sample) {
    archive(sample.at, sample.tablet, sample.state);
}
template <class Archive>
void members(Archive& archive, Run& run) {
    archive(run.verdict, run.why, run.violations, run.reason, run.within_promise, run.recoveries, run.faults,
            run.every_fault_delivered);
    archive(run.writes_acknowledged, run.writes_judged, run.writes_failed, run.writes_unknown,
            run.writes_excused, run.writes_blocked_longest);
    archive(run.commit_points, run.primary_at_end, run.event_hash, run.events, run.statements,
            run.mutating_statements, run.notifications, run.notification_names);
    archive(run.virtual_time, run.wall_seconds, run.timeline, run.samples);
}

template <class T>
concept Plain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

class Writer {
  public:
    template <class... T>
    void operator()(T&... values) {
        (write(values), ...);
    }
    std::string bytes;

  private:
    template <Plain T>
    void write(T& value) {
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void write(Duration& value) { write_count(static_cast<std::uint64_t>(value.count())); }
    void write(Instant& value) { write_count(static_cast<std::uint64_t>(value.time_since_epoch().count())); }
    void write(std::string& value) {
        write_count(value.size());
        bytes += value;
    }
    template <class T>
    void write(std::vector<T>& values) {
        write_count(values.size());
        for (T& value : values) write(value);
    }
    template <class T>
    void write(std::optional<T>& value) {
        write_count(value ? 1 : 0);
        if (value) write(*value);
    }
    template <class K, class V>
    void write(std::map<K, V>& values) {
        write_count(values.size());
        for (auto& [key, value] : values) {
            K copy = key;
            write(copy);
            write(value);
        }
    }
    template <class T>
    void write(T& value)
        requires(!Plain<T>)
    {
        members(*this, value);
    }
    void write_count(std::uint64_t count) { write(count); }
};

class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}
    template <class... T>
    void operator()(T&... values) {
        (read(values), ...);
    }
    bool whole() const { return good_ && rest_.empty(); }

  private:
    template <Plain T>
    void read(T& value) {
        if (rest_.size() < sizeof value) {
            good_ = false;
            rest_ = {};
            value = T{};
            return;
        }
        std::memcpy(&value, rest_.data(), sizeof value);
        rest_.remove_prefix(sizeof value);
    }
    void read(Duration& value) { value = Duration(static_cast<std::int64_t>(count())); }
    void read(Instant& value) { value = Instant(Duration(static_cast<std::int64_t>(count()))); }
    void read(std::string& value) {
        const std::uint64_t size = count();
        if (rest_.size() < size) {
            good_ = false;
            rest_ = {};
            return;
        }
        value.assign(rest_.substr(0, size));
        rest_.remove_prefix(size);
    }
    template <class T>
    void read(std::vector<T>& values) {
        for (std::uint64_t left = count(); left > 0 && good_; --left) read(values.emplace_back());
    }
    template <class T>
    void read(std::optional<T>& value) {
        if (count() != 0) read(value.emplace());
    }
    template <class K, class V>
    void read(std::map<K, V>& values) {
        for (std::uint64_t left = count(); left > 0 && good_; --left) {
            K key{};
            read(key);
            read(values[key]);
        }
    }
    template <class T>
    void read(T& value)
        requires(!Plain<T>)
    {
        members(*this, value);
    }
    std::uint64_t count() {
        std::uint64_t value = 0;
        read(value);
        return value;
    }

    std::string_view rest_;
    bool good_ = true;
};

}  // namespace

std::string to_bytes(const Run& run) {
    Writer writer;
    members(writer, const_cast<Run&>(run));  // the writer only reads
    return std::move(writer.bytes);
}

std::optional<Run> run_from_bytes(std::string_view bytes) {
    Run run;
    Reader reader(bytes);
    members(reader, run);
    if (!reader.whole()) return std::nullopt;
    return run;
}

}  // namespace fixpoint::sim

// See site.hpp.
#include "real_adapters/daemon/site.hpp"

#include <cstdio>

#include "real_adapters/daemon/clock.hpp"

namespace fixpoint::real {

namespace {

void put(std::FILE* where, const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), where);
    std::fflush(where);
}

}  // namespace

void Site::print(const std::string& text) const {
    put(out, log.redactor()(text));
}

void Site::complain(const std::string& text) const {
    put(err, log.redactor()("fixpoint: " + text + '\n'));
}

void Site::note(const ShardName& shard, std::string command, std::string text) const {
    HistoryEntry entry;
    entry.time = to_rfc3339(clock.wall_now());
    entry.who = person();
    entry.shard = shard.to_string();
    entry.kind = std::move(command);
    entry.text = log.redactor()(std::move(text));
    if (const std::string failed = history.append(entry); !failed.empty())
        complain("the history cannot be written: " + failed);
}

}  // namespace fixpoint::real

// See busy_watch.hpp. Who it is is looked up again after a while only: contention is frequent and short.
#include "real_adapters/sqlite/busy_watch.hpp"

#include <fmt/format.h>

namespace fixpoint::real {
namespace {

constexpr Duration look_again_after = std::chrono::milliseconds(200);

std::optional<std::int64_t> data_version(StoreFile& file) {
    try {
        return file.database().ask_number("PRAGMA data_version");
    } catch (const SqliteTrouble&) {
        return std::nullopt;  // not even a read goes through, so nothing is being committed
    }
}

}  // namespace

std::string BusyWatch::busy(StoreFile& file) {
    const Duration now = file.now();
    const std::optional<std::int64_t> version = data_version(file);
    const bool moved = version && *version != data_version_;
    if (!began_ || moved) {
        began_ = now;
        looked_at_ = Duration::min();
    }
    if (version) data_version_ = *version;
    if (looked_at_ == Duration::min() || now - looked_at_ >= look_again_after) {
        const Writer before = writer_;
        writer_ = writer_of(file.path());
        const bool another = writer_.known && before.known && looked_at_ != Duration::min() &&
                             writer_.processes.front().pid != before.processes.front().pid;
        if (another) began_ = now;
        looked_at_ = now;
    }
    const Duration held = now - *began_;
    const double seconds = std::chrono::duration<double>(held).count();
    if (held < store_locked_after_)
        return fmt::format("{} is busy: {} writes to it, for {:.1f} s now", file.path().string(),
                           writer_.to_text(), seconds);
    return fmt::format(
        "store_locked: {} has held {} for {:.1f} s and commits nothing: let it go on (kill -CONT), "
        "or end it (kill -9; nothing that was committed is lost)",
        writer_.to_text(), file.path().string(), seconds);
}

}  // namespace fixpoint::real

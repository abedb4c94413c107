// See solo.hpp. A call that does not end makes the test fail, and not hang.
#include "property_tests/store_contract/solo.hpp"

#include <stdlib.h>

namespace fixpoint::store_contract {

Directory::Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fixpoint-store-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory: " + pattern);
    path_ = pattern;
}

Directory::~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

awaitable<void> BootClock::sleep_until(Instant) {
    throw std::logic_error("the store sleeps on no clock of the core's");
}

Duration boot_now() {
    static const real::SqliteMachine machine = real::SqliteMachine::real();
    return machine.boot_time();
}

Solo::Solo(const std::filesystem::path& file, real::SqliteOptions options)
    : clock_(options.machine.boot_time) {
    auto opened = real::SqliteStore::open(loop_.get_executor(), clock_, file, std::move(options));
    if (!opened) throw std::runtime_error(opened.error().text);
    store_ = *std::move(opened);
}

void Solo::run_while(const std::function<bool()>& holds) {
    if (!run_until([&] { return !holds(); }, 60s)) throw std::runtime_error("a call of the store has no end");
}

bool Solo::run_until(const std::function<bool()>& holds, Duration limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        loop_.restart();
        loop_.run_one_until(std::min(deadline, std::chrono::steady_clock::now() + 5ms));
        if (!holds() && std::chrono::steady_clock::now() >= deadline) return false;
    }
    return true;
}

topo::Version Solo::put(const std::string& path, const std::string& bytes, topo::Version expected) {
    auto written = await(store().put_declared(topo::Put{path, bytes, expected}, 5s));
    if (!written) throw std::runtime_error("put " + path + ": " + written.error().text);
    return *written;
}

topo::LockKey Solo::lock(const std::string& path, Duration lease) {
    auto taken = await(store().lock_shard(path, "me", lease, 5s));
    if (!taken) throw std::runtime_error("lock " + path + ": " + taken.error().text);
    return *taken;
}

}  // namespace fixpoint::store_contract

// What keeps a manager from writing is said on the log, once, until it can write again; nothing else is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "property_tests/commands/memory_store.hpp"
#include "real_adapters/daemon/clock.hpp"
#include "real_adapters/daemon/told_store.hpp"

namespace fixpoint::real {
namespace {

using ::testing::HasSubstr;

// The file's lock is held by somebody.
class LockedStore final : public StoreDecorator {
  public:
    explicit LockedStore(topo::Store* base) : StoreDecorator(base) {}
    bool locked = true;

  private:
    std::optional<topo::Error> refusal() const override {
        if (!locked) return std::nullopt;
        return topo::Error{topo::ErrorKind::unreachable, "store_locked: process 42 holds it"};
    }
};

class ToldStores : public ::testing::Test {
  protected:
    ToldStores()
        : file_(std::filesystem::temp_directory_path() / ("fixpoint-told-" + std::to_string(::getpid()))),
          log_({LogFormat::text, "info", file_}, clock_, Redactor()) {
        auto locked = std::make_unique<LockedStore>(&memory_);
        locked_ = locked.get();
        store_ = std::make_unique<ToldStore>(std::move(locked), log_, ShardName{"commerce", "0"});
    }
    ~ToldStores() override { std::filesystem::remove(file_); }

    bool put(std::int64_t expected) {
        return run_to_end(store_->put_declared({"x", "y", expected}, std::chrono::seconds(1))).has_value();
    }
    std::string log() const {
        std::ostringstream text;
        text << std::ifstream(file_).rdbuf();
        return text.str();
    }
    std::ptrdiff_t lines() const { return std::ranges::count(log(), '\n'); }

    const std::filesystem::path file_;
    MachineClock clock_;
    Log log_;
    MemoryStore memory_;
    LockedStore* locked_ = nullptr;
    std::unique_ptr<ToldStore> store_;
};

TEST_F(ToldStores, say_once_who_holds_the_store_until_a_write_succeeds) {
    EXPECT_FALSE(put(0));
    EXPECT_FALSE(put(0));
    EXPECT_EQ(lines(), 1) << log();
    EXPECT_THAT(log(), HasSubstr("process 42"));
    EXPECT_THAT(log(), HasSubstr("commerce/0"));
    locked_->locked = false;
    EXPECT_TRUE(put(0));
    EXPECT_EQ(lines(), 1) << log();
    locked_->locked = true;
    EXPECT_FALSE(put(1));
    EXPECT_EQ(lines(), 2) << log();
}

TEST_F(ToldStores, pass_on_what_is_no_trouble_of_the_stores) {
    locked_->locked = false;
    EXPECT_TRUE(put(0));
    EXPECT_FALSE(put(7));  // a conflict
    const auto limit = std::chrono::seconds(1);
    EXPECT_EQ(run_to_end(store_->lock_shard("x", "y", limit, limit)).error().kind, topo::ErrorKind::held);
    EXPECT_EQ(run_to_end(store_->get("x", limit))->value().bytes, "y");
    EXPECT_EQ(run_to_end(store_->list("", limit))->size(), 1u);
    EXPECT_EQ(lines(), 0) << log();
}

}  // namespace
}  // namespace fixpoint::real

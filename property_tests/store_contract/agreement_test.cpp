// The two arms do the same steps, drawn at random, and must give the same answers: kinds, bytes, and versions
// up to their numbers. Leases are 2 mod 4 seconds and time passes in steps of 4, so that no answer hangs on
// the milliseconds that the fake's network takes.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "property_tests/store_contract/contract.hpp"

namespace fixpoint::store_contract {
namespace {

struct Step {
    int kind = 0, process = 0, path = 0, version = 0, key = 0, time = 0;
};

const char* const kinds[] = {"get",  "list",  "list_cell", "put",    "put_cell", "transact",
                             "lock", "renew", "unlock",    "holder", "pass"};

void showValue(const Step& step, std::ostream& out) {
    out << kinds[step.kind] << " m" << step.process + 1 << " path " << step.path << " version "
        << step.version << " key " << step.key << " time " << step.time;
}

// Every kind from the first step on, whatever size RapidCheck has come to.
rc::Gen<Step> a_step() {
    const auto fields =
        rc::gen::tuple(rc::gen::inRange(0, 11), rc::gen::inRange(0, 2), rc::gen::inRange(0, 3),
                       rc::gen::inRange(0, 8), rc::gen::inRange(0, 4), rc::gen::inRange(0, 3));
    return rc::gen::map(rc::gen::resize(rc::kNominalSize, fields), [](const auto& t) {
        const auto& [kind, process, path, version, key, time] = t;
        return Step{kind, process, path, version, key, time};
    });
}

// One arm, and what it has answered so far. Versions and keys are named by when they were seen: 0 is the
// newest.
class Player {
  public:
    explicit Player(std::unique_ptr<Arm> arm) : arm_(std::move(arm)) {}

    // What the step came to, with no number of this arm in it.
    std::string play(const Step& step) {
        const int p = step.process;
        topo::Store& store = arm_->store(p);
        const std::string record = std::string("r/") + static_cast<char>('a' + step.path);
        const std::string shard = step.path == 0 ? "shards/-80" : "shards/80-";
        const std::string cell = step.path == 2 ? "zone9" : "zone1";
        const std::string bytes = "bytes " + std::to_string(++steps_);
        topo::Put put{record, bytes, version(step.version)};
        switch (step.kind) {
            case 0:
                return said(arm_->await(p, store.get(record, limit)));
            case 1:
                return said(arm_->await(p, store.list(step.path == 0 ? "r/" : record, limit)));
            case 2:
                return said(arm_->await(p, store.list_cell(cell, "", limit)));
            case 3:
                return said(arm_->await(p, store.put_declared(put, limit)));
            case 4:
                return said(arm_->await(p, store.put_cell(cell, put, limit)));
            case 5: {
                std::vector<topo::Put> puts{put};
                if (step.time > 0) puts.push_back({"r/second", bytes, version(step.version + 1)});
                return said(arm_->await(p, store.transact(key(step.key), puts, limit)));
            }
            case 6:
                return said(arm_->await(p, store.lock_shard(shard, bytes, lease(step.time), limit)));
            case 7:
                return said(arm_->await(p, store.renew(key(step.key), lease(step.time), limit)));
            case 8:
                return said(arm_->await(p, store.unlock(key(step.key), limit)));
            case 9:
                return said(arm_->await(p, store.lock_holder(shard, limit)));
            default:
                arm_->pass(4s * (step.time + 1));
                return "passed";
        }
    }

  private:
    static constexpr Duration limit = 2s;
    static Duration lease(int which) { return 6s + 8s * which; }

    // 7 is "must not exist", else the one that was seen so many versions ago.
    topo::Version version(int which) const {
        const auto back = static_cast<std::size_t>(which);
        return which >= 7 || back >= seen_.size() ? 0 : seen_[seen_.size() - 1 - back];
    }
    topo::LockKey key(int which) const {
        const auto back = static_cast<std::size_t>(which);
        if (back >= keys_.size()) return {"shards/-80", 0, {}};
        return keys_[keys_.size() - 1 - back];
    }
    std::string name(topo::Version version) {
        const auto [at, fresh] = names_.try_emplace(version, names_.size());
        if (fresh) seen_.push_back(version);
        return " v" + std::to_string(at->second);
    }

    template <class T>
    std::string said(const topo::Result<T>& result) {
        std::string text = kind_of(result);
        const bool with_text = !result && result.error().kind != topo::ErrorKind::unreachable &&
                               result.error().kind != topo::ErrorKind::maybe;
        if (with_text) text += " " + result.error().text;
        if constexpr (!std::is_void_v<T>) {
            if (result) text += told(*result);
        }
        return text;
    }
    std::string told(topo::Version version) { return name(version); }
    std::string told(const topo::Value& value) { return " " + value.bytes + name(value.version); }
    std::string told(const topo::Listed& item) { return " " + item.path + told(item.value); }
    std::string told(const topo::LockKey& taken) {
        keys_.push_back(taken);
        return " " + taken.path;
    }
    std::string told(const topo::LockHolder& holder) {
        std::size_t number = 0;
        while (number < keys_.size() && keys_[number].id != holder.id) ++number;
        return " " + holder.content + " key " + std::to_string(number);
    }
    template <class T>
    std::string told(const std::vector<T>& items) {
        std::string text;
        for (const T& item : items) text += told(item);
        return text;
    }
    template <class T>
    std::string told(const std::optional<T>& item) {
        return item ? told(*item) : " none";
    }

    std::unique_ptr<Arm> arm_;
    std::map<topo::Version, std::size_t> names_;
    std::vector<topo::Version> seen_;
    std::vector<topo::LockKey> keys_;
    int steps_ = 0;
};

TEST(StoreAgreement, the_fake_and_the_file_give_the_same_answers) {
    std::map<std::string, int> outcomes;
    EXPECT_TRUE(rc::check([&](std::uint64_t seed) {
        Player fake(fake_arm(seed)), sqlite(sqlite_arm());
        const auto steps = *rc::gen::resize(60, rc::gen::container<std::vector<Step>>(a_step()));
        for (const Step& step : steps) {
            const std::string by_fake = fake.play(step);
            const std::string by_sqlite = sqlite.play(step);
            RC_ASSERT(by_fake == by_sqlite);
            ++outcomes[std::string(kinds[step.kind]) + " " + by_fake.substr(0, by_fake.find(' '))];
        }
    }));
    for (const char* outcome :
         {"get ok", "list ok", "list_cell ok", "list_cell unreachable", "put ok", "put conflict",
          "put_cell ok", "put_cell conflict", "put_cell unreachable", "transact ok", "transact conflict",
          "transact lock_lost", "lock ok", "lock held", "renew ok", "renew lock_lost", "unlock ok",
          "unlock lock_lost", "holder ok"})
        EXPECT_GE(outcomes[outcome], 5) << outcome << ": too rare to say anything";
}

}  // namespace
}  // namespace fixpoint::store_contract

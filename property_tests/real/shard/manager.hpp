// One manager: the program `fixpoint run` itself, on a configuration file of its own, and what it says on its
// log, line by line. A process of ours: ended by its id, and gone when we are.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "fixpoint/model/tablet.hpp"
#include "fixpoint/ports/event_log.hpp"
#include "property_tests/real/shard/owners.hpp"

namespace fixpoint::real_shards {

struct ManagerSetting {
    std::string name;
    std::filesystem::path folder;  // its configuration and log lie there
    std::filesystem::path store;
    std::string user, password, replication_user, replication_password;
    ShardName shard;
};

class Manager {
  public:
    Manager(ManagerSetting setting, Owners& owners);
    ~Manager();
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

    const std::string& name() const { return setting_.name; }
    void start();
    void crash();
    void pause();
    void resume();
    bool alive() const { return pid_ > 0; }
    bool paused() const { return paused_; }
    pid_t pid() const { return pid_; }
    // How it ended, where nobody of ours has ended it; "": it runs, or was meant to end.
    std::string died_of();

    // What it has said since the last call, in its order.
    std::vector<Event> said();
    const std::filesystem::path& log() const { return log_; }

  private:
    ManagerSetting setting_;
    Owners& owners_;
    std::filesystem::path configuration_, log_, errors_;
    pid_t pid_ = 0;
    bool paused_ = false;
    std::string died_of_;
    std::ifstream reading_;
    std::string half_;  // of a line
};

// One line of its log in JSON; no event: nothing that the core said.
std::vector<Event> events_of_line(const std::string& line);

}  // namespace fixpoint::real_shards

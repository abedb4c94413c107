// Finding a server by its address.
#include "sim/fakes/mysql/world.hpp"

#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

FakeMysql* MysqlWorld::find(const MysqlAddress& address) const {
    for (FakeMysql* server : servers) {
        if (server->address() == address) return server;
    }
    return nullptr;
}

}  // namespace fixpoint::sim::mysql

// Binds a port twice from a member of a class template; the second time is refused.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ns {

template <typename Number> class Server {
  public:
    explicit Server(Number port) : port(port) {}
    int start();

  private:
    Number port;
};

template <typename Number> __attribute__((noinline)) int Server<Number>::start() {
    sockaddr_in address{};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<unsigned short>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int result = bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof address); // the call that binds
    socklen_t length = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr *>(&address), &length) == 0 && result == 0)
        return ntohs(address.sin_port);
    return result;
}

} // namespace ns

int main() {
    int port = ns::Server<int>(0).start();
    return ns::Server<int>(port).start() < 0 ? 0 : 1;
}

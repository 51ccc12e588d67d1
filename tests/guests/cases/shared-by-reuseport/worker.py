# Each worker starts "its" server on the default port, as a gRPC server does: SO_REUSEPORT is set. Both binds go
# well, and the kernel deals connections out to either.
import socket, sys, threading

me = sys.argv[1]
server = socket.create_server(("127.0.0.1", 50051), reuse_port=True)


def serve():
    while True:
        peer, _ = server.accept()
        peer.sendall(me.encode())
        peer.close()


threading.Thread(target=serve, daemon=True).start()
print("up", flush=True)
sys.stdin.readline()
answers = {socket.create_connection(("127.0.0.1", 50051)).recv(10).decode() for _ in range(20)}
print("asked", flush=True)
sys.stdin.readline()
sys.exit(f"worker {me} was answered by {answers}" if answers != {me} else 0)

# A rootless container daemon picks a host port in its own network namespace and holds it there; its port driver
# binds the number in the host's namespace. Each namespace has one port to give, so both give the same one.
#   taken:  a test on the host has it
#   free:   nobody has, this time
import socket, subprocess, sys

APART = ["unshare", "-n", "sh", "-c", "ip link set lo up; echo 20010 20010 >/proc/sys/net/ipv4/ip_local_port_range;"
         "exec python3 daemon.py pick"]
if sys.argv[1] == "pick":
    probe = socket.create_server(("0.0.0.0", 0))
    print(probe.getsockname()[1], flush=True)
    sys.stdin.read()
elif sys.argv[1] == "publish":
    socket.create_server(("0.0.0.0", int(sys.argv[2])))
else:
    others = [socket.create_server(("0.0.0.0", 0))] if sys.argv[1] == "taken" else []
    with subprocess.Popen(APART, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as picker:
        port = picker.stdout.readline().strip()
        status = subprocess.run(["python3", "daemon.py", "publish", port]).returncode
        picker.stdin.close()
    sys.exit(status)

# The first server hands all its descriptors down to a helper, as programs in C and old Pythons do.
import socket, subprocess, sys

listener = socket.create_server(("127.0.0.1", 8080))
if sys.argv[1] == "first":
    listener.set_inheritable(True)
    print(subprocess.Popen(["sleep", "60"], close_fds=False).pid)

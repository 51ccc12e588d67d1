# containers: each with its own netns, all on the same number, all kernel chosen from a 1-port range
for _ in 1 2 3 4; do
  unshare -n sh -c 'ip link set lo up; echo 20000 20000 >/proc/sys/net/ipv4/ip_local_port_range; exec python3 -c "
import socket,time
s=socket.socket(); s.bind((\"127.0.0.1\",0)); s.listen(); assert s.getsockname()[1]==20000; time.sleep(0.3); s.close()
s=socket.socket(); s.bind((\"127.0.0.1\",20001)); s.listen()"' &
done; wait

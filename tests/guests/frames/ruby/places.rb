# Makes calls in many places; a comment behind a line says what the trace must have of it: the calls, and
# the method, "none" where there must be no frame.
require "socket"

ANY = Addrinfo.tcp("127.0.0.1", 0)

def free_port
  server = TCPServer.new("127.0.0.1", 0) # bind,listen free_port
  server.addr[1]
ensure
  server.close
end

def fresh
  Socket.new(:INET, :STREAM)
end

class Server
  def initialize(port)
    @socket = Socket.new(:INET, :STREAM)
    @socket.bind(Addrinfo.tcp("127.0.0.1", port)) # bind initialize
    @socket.listen(1) # listen initialize
  end

  def self.refused(port)
    Socket.new(:INET, :STREAM).bind(Addrinfo.tcp("127.0.0.1", port)) # bind refused
  rescue Errno::EADDRINUSE => error
    puts error.class
    TCPServer.new("127.0.0.1", 0) # bind,listen refused
  end

  define_method(:made) { fresh.bind(ANY) } # bind <class:Server>

  def method_missing(name)
    fresh.bind(ANY) # bind method_missing
  end

  def in_ensure
    raise "on the way"
  ensure
    fresh.bind(ANY) # bind in_ensure
  end
end

port = free_port
server = Server.new(port)
Server.refused(port)
server.made
server.missing
begin
  server.in_ensure
rescue RuntimeError => error
  puts error.message
end

def datagrams(port)
  socket = UDPSocket.new
  socket.bind("127.0.0.1", 0) # bind datagrams
  socket.connect("127.0.0.1", port) # connect none
  UDPSocket.new.send("text", 0, "127.0.0.1", port) # autobind none
end
datagrams(port)

def connects(port)
  fresh.connect_nonblock(Addrinfo.tcp("127.0.0.1", port), exception: false) # connect connects
  TCPSocket.new("127.0.0.1", port) # connect none
end
connects(port)

def from_c
  [2, 1].sort_by { |number| fresh.bind(ANY) if number == 1; number } # bind from_c
end
from_c

def in_thread
  Thread.new { fresh.bind(ANY) }.join # bind in_thread
  Fiber.new { fresh.bind(ANY) }.resume # bind in_thread
  Enumerator.new { |yielder| yielder << fresh.bind(ANY) }.next # bind in_thread
end
in_thread

def in_child
  Process.wait(fork { fresh.bind(ANY) }) # bind in_child
end
in_child

trap("USR1") { fresh.bind(ANY) } # bind <main>
Process.kill("USR1", Process.pid)
sleep 0.01

at_exit { fresh.bind(ANY) } # bind <main>

# Binds while there are several Ractors, in the main one and in another.
require "socket"

def bind
  TCPServer.new("127.0.0.1", 0) # bind,listen bind
end

def caller_of_bind
  [1].each { bind }
end

other = Ractor.new do
  Ractor.receive
  TCPServer.new("127.0.0.1", 0).addr.size # bind,listen <main>
end
caller_of_bind
other.send(1)
puts other.take

# Code that was evaluated has the file and the line that it was given, never those of the method in which
# that was done.
require "socket"

ANY = Addrinfo.tcp("127.0.0.1", 0)

def bind
  Socket.new(:INET, :STREAM).bind(ANY)
end

def innermost
  eval("\n\nSocket.new(:INET, :STREAM).bind(ANY)")
end

def named
  eval("\nbind", binding, "template.erb", 70)
end

class Server
  def by_text
    instance_eval("\nSocket.new(:INET, :STREAM).bind(ANY)", "server.conf", 20)
  end

  def by_block
    instance_eval { Socket.new(:INET, :STREAM).bind(ANY) }
  end
end

# A name that is a part of another string, which goes on behind it.
def part(name)
  eval("Socket.new(:INET, :STREAM).bind(ANY)", binding, name.byteslice(0, 40))
end

innermost
named
Server.new.by_text
Server.new.by_block
part("#{"n" * 36}.erb and what stands behind it for quite a while")
eval("Socket.new(:INET, :STREAM).bind(ANY)", TOPLEVEL_BINDING, "config.ru", 5)

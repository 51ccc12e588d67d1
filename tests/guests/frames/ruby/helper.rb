# What the suite's tests share.
require "socket"

module Helper
  def self.server(port)
    TCPServer.new("127.0.0.1", port) # helper
  end
end

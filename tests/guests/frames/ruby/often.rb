# COUNT binds from several threads, with the collector of garbage at each allocation if STRESS is "stress":
# says whether the memory of the process has grown by more than 4 MiB after the first tenth.
require "socket"

COUNT = ARGV[0].to_i
ANY = Addrinfo.tcp("127.0.0.1", 0)

def size
  File.read("/proc/self/status")[/^RssAnon:\s*(\d+)/, 1].to_i
end

def bind(depth)
  return bind(depth - 1) if depth > 0
  socket = Socket.new(:INET, :STREAM)
  socket.bind(ANY) # bind
ensure
  socket&.close
end

def rounds(count)
  4.times.map { |i| Thread.new { (count / 4).times { bind(i * 8) } } }.each(&:join)
end

GC.stress = true if ARGV[1] == "stress"
rounds(COUNT / 10)
GC.stress = false
GC.start
before = size
GC.stress = true if ARGV[1] == "stress"
rounds(COUNT - COUNT / 10)
GC.stress = false
GC.start
puts size - before < 4096 ? "as large as before" : "grown by #{size - before} KiB"

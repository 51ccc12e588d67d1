// Prints frames as Go's runtime knows them, and the return addresses that belong to them: a line
// "addresses HEX...", then a line for each frame, "frame FUNCTION FILE LINE", and "end". Then it
// waits in read(2) until its input ends.
package main

import (
	"runtime"
	"syscall"
	"unsafe"

	"example.com/callers/frame"
)

const hex = "0123456789abcdef"

func number(value uint64, base uint64) string {
	text := ""
	for value > 0 || text == "" {
		text = string(hex[value%base]) + text
		value /= base
	}
	return text
}

func put(text string) { syscall.Write(1, []byte(text)) }

func at(address uintptr) uintptr {
	return *(*uintptr)(*(*unsafe.Pointer)(unsafe.Pointer(&address)))
}

// The caller's frames.
//
//go:noinline
func show() {
	text := "addresses"
	for pointer := frame.Pointer(); pointer != 0; pointer = at(pointer) {
		text += " " + number(uint64(at(pointer+8)), 16)
	}
	put(text + "\n")
	var counters [64]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(2, counters[:])])
	for more := true; more; {
		var one runtime.Frame
		one, more = frames.Next()
		put("frame " + one.Function + " " + one.File + " " + number(uint64(one.Line), 10) + "\n")
	}
	put("end\n")
}

type server struct{ port int }

func (s *server) listen() {
	show()
	s.port++
}

type listener interface{ listen() }

type wrapped struct{ *server }

// Small enough to be inlined, and so is what it calls.
func inner(s *server) {
	s.port = 1
	s.listen()
	s.port = 2
}

func helper(s *server) { inner(s) }

func generic[T any](value T) {
	show()
	_ = value
}

//go:noinline
func deferred(s *server) {
	defer s.listen()
	s.port = 3
}

func main() {
	s := &server{}
	s.listen()
	helper(s)
	generic(7)
	generic("seven")
	func() { show() }()
	var l listener = wrapped{s}
	l.listen()
	each([]int{1}, func(int) { show() })
	deferred(s)
	done := make(chan bool)
	go func() {
		helper(s)
		done <- true
	}()
	<-done
	wait()
}

func each(list []int, call func(int)) {
	for _, value := range list {
		call(value)
	}
}

//go:noinline
func wait() {
	put("waiting\n")
	var byte [1]byte
	syscall.Read(0, byte[:])
}

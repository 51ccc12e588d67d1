// Ports in Go, as ../guest.h describes it for those in C, and beside that
//
//	ports dial N     N connections that are dialled, TCP and UDP, and what they are dialled to
//	ports child N    the program again, as a child: half of the ports here, half there
//	ports busy N     N goroutines that hold a port each while others come and go
//
// In Go the runtime makes system calls by instructions of its own.
package main

import (
	"io"
	"net"
	"os"
	"strconv"

	"example.com/capture/say"
)

// listen makes the socket of that number on a port of the kernel's choice.
func listen(number int) io.Closer {
	if number%3 == 2 {
		return packets()
	}
	network, address := "tcp4", "127.0.0.1:0"
	if number%3 == 1 {
		network, address = "tcp", "[::]:0"
	}
	listener, err := net.Listen(network, address)
	say.Must(err)
	say.Port(listener.Addr())
	return listener
}

func packets() net.PacketConn {
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	say.Must(err)
	say.Port(socket.LocalAddr())
	return socket
}

func loop(count int) {
	for i := 0; i < count; i++ {
		say.Must(listen(i).Close())
	}
}

func hold(count int) {
	for i := 0; i < count; i++ {
		defer listen(i).Close()
	}
	say.Line("held")
	_, err := io.Copy(io.Discard, os.Stdin)
	say.Must(err)
}

func dial(count int, networks ...string) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	say.Must(err)
	say.Port(listener.Addr())
	socket := net.PacketConn(nil)
	if len(networks) > 1 {
		socket = packets()
	}
	for i := 0; i < count; i++ {
		network, address := networks[i%len(networks)], listener.Addr()
		if network == "udp4" {
			address = socket.LocalAddr()
		}
		connection, err := net.Dial(network, address.String())
		say.Must(err)
		say.Port(connection.LocalAddr())
		say.Must(connection.Close())
		if network == "tcp4" {
			accepted, err := listener.Accept()
			say.Must(err)
			say.Must(accepted.Close())
		}
	}
	say.Must(listener.Close())
}

// busy makes system calls in many threads: Go interrupts them with signals.
func busy(count int) {
	made, done := make(chan net.Listener, count), make(chan bool)
	for i := 0; i < count; i++ {
		go func() {
			<-done
			listener, err := net.Listen("tcp4", "127.0.0.1:0")
			say.Must(err)
			made <- listener
		}()
	}
	close(done)
	for i := 0; i < count; i++ {
		listener := <-made
		say.Port(listener.Addr())
		defer listener.Close()
	}
}

func child(count int) {
	loop(count - count/2)
	say.Run(os.Args[0], "loop", strconv.Itoa(count/2))
}

func number(port int) {
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	say.Must(err)
	say.Port(listener.Addr())
	say.Must(listener.Close())
}

func main() {
	if len(os.Args) < 3 {
		os.Exit(2)
	}
	count, err := strconv.Atoi(os.Args[2])
	say.Must(err)
	switch os.Args[1] {
	case "loop":
		loop(count)
	case "hold":
		hold(count)
	case "connect":
		dial(count, "tcp4")
	case "dial":
		dial(count, "tcp4", "udp4")
	case "child":
		child(count)
	case "busy":
		busy(count)
	case "number":
		number(count)
	case "who":
		say.Who = true
		loop(count)
	default:
		os.Exit(2)
	}
	if len(os.Args) > 4 && os.Args[3] == "--" {
		say.Run(os.Args[4:]...)
	}
	say.Flush()
}

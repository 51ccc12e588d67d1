// A cluster's creator, in its way with host ports: for each it listens on port 0, reads the number, closes
// the socket, and hands the number on to what publishes it.
//
//	pick clean ADDRESS PUBLISH          the publisher chooses: it gets number 0, as for a hostPort of -1
//	pick window ADDRESS PUBLISH         the number is free from the search until the publisher binds it
//	pick lost ADDRESS PUBLISH TAKE      in that time TAKE, another program, gets it
//
// PUBLISH and TAKE are programs. Prints what each says. Nothing waits for a time: TAKE has the port when it
// says so. Ends as the publisher does.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

// freePort is a port that is free, now.
func freePort(address string) int {
	probe, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	must(err)
	port := probe.Addr().(*net.TCPAddr).Port
	must(probe.Close())
	return port
}

// publish starts the publisher with a mapping as a container runtime gets it, and is its status.
func publish(program, address string, port int) int {
	mapping := fmt.Sprintf("--publish=%s:%d:80/tcp", address, port)
	publisher := exec.Command(program, mapping)
	publisher.Stdout, publisher.Stderr = os.Stdout, os.Stderr
	err := publisher.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return failed.ExitCode()
	}
	must(err)
	return 0
}

// taken starts a program that gets the port; it holds it until its input ends.
func taken(program, address string, port int) (*exec.Cmd, io.Closer) {
	taker := exec.Command(program, address, strconv.Itoa(port))
	taker.Stderr = os.Stderr
	input, err := taker.StdinPipe()
	must(err)
	output, err := taker.StdoutPipe()
	must(err)
	must(taker.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	must(err)
	fmt.Print(line)
	return taker, input
}

func main() {
	if len(os.Args) < 4 {
		os.Exit(2)
	}
	address, publisher := os.Args[2], os.Args[3]
	switch os.Args[1] {
	case "clean":
		os.Exit(publish(publisher, address, 0))
	case "window":
		port := freePort(address)
		fmt.Println("picked", port)
		os.Exit(publish(publisher, address, port))
	case "lost":
		port := freePort(address)
		fmt.Println("picked", port)
		taker, input := taken(os.Args[4], address, port)
		status := publish(publisher, address, port)
		must(input.Close())
		must(taker.Wait())
		os.Exit(status)
	}
	os.Exit(2)
}

// A program that has nothing to do with clusters: it asks for any port, again and again, until it gets
// one that somebody else counts on.
//
//	take ADDRESS PORT
//
// Says "taken PORT" and holds it until the end of its input. A narrow local port range makes it quick.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func main() {
	if len(os.Args) != 3 {
		os.Exit(2)
	}
	wanted, err := strconv.Atoi(os.Args[2])
	must(err)
	for {
		listener, err := net.Listen("tcp", net.JoinHostPort(os.Args[1], "0"))
		must(err)
		defer listener.Close()
		if listener.Addr().(*net.TCPAddr).Port == wanted {
			break
		}
	}
	fmt.Println("taken", wanted)
	_, err = io.Copy(io.Discard, os.Stdin)
	must(err)
}

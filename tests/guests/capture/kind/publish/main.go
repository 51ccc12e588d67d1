// What a container runtime does with a mapping: it binds the host port.
//
//	publish --publish=ADDRESS:PORT:CONTAINERPORT/PROTOCOL
//
// Prints "published PORT" and ends; with 125, as such runtimes do, if the port is not to be had.
package main

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// mapped is the host's side of a mapping.
func mapped(argument string) (address string, ok bool) {
	mapping := strings.TrimPrefix(argument, "--publish=")
	end := strings.LastIndexByte(mapping, ':')
	if mapping == argument || end < 0 {
		return "", false
	}
	return mapping[:end], true
}

func main() {
	if len(os.Args) != 2 {
		os.Exit(2)
	}
	address, ok := mapped(os.Args[1])
	if !ok {
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println("not published:", err)
		os.Exit(125)
	}
	fmt.Println("published", listener.Addr().(*net.TCPAddr).Port)
	if listener.Close() != nil {
		os.Exit(3)
	}
}

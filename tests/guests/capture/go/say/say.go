// Package say prints what the guests got, a line "PROTOCOL ADDRESS PORT" for each port, and starts what is
// to come after them.
package say

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
)

var (
	out = bufio.NewWriter(os.Stdout)
	// Who: each line begins with the process and its parent.
	Who bool
)

// Port prints where a socket is bound.
func Port(address net.Addr) {
	host, port, err := net.SplitHostPort(address.String())
	Must(err)
	if Who {
		fmt.Fprintf(out, "%d %d ", os.Getpid(), os.Getppid())
	}
	fmt.Fprintf(out, "%.3s %s %s\n", address.Network(), strings.Trim(host, "[]"), port)
}

// Line prints a text at once, after all ports before it.
func Line(text string) {
	fmt.Fprintln(out, text)
	Flush()
}

// Flush writes what was printed.
func Flush() { Must(out.Flush()) }

// Must ends the program where something failed.
func Must(err error) {
	if err != nil {
		out.Flush()
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Run runs a program as a child with the same input and output.
func Run(words ...string) {
	Flush()
	child := exec.Command(words[0], words[1:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	Must(child.Run())
}

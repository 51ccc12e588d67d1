//go:build cgo

package main

// static int twice(int number) { return 2 * number; }
import "C"

// With C in it, the program's code does not begin with Go's.
var fromC = C.twice(21)

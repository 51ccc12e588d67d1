// Package frame says where frames are; it is one of its own since cgo and assembler do not mix.
package frame

// Pointer is the frame pointer of its caller.
func Pointer() uintptr

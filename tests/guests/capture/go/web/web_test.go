package web

import (
	"testing"

	"example.com/capture/say"
)

// Twenty servers, and what `go test` prints beside.
func TestServers(t *testing.T) {
	for i := 0; i < 20; i++ {
		Answer()
	}
	say.Flush()
}

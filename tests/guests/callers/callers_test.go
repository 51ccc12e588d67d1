package main

import "testing"

func TestListen(t *testing.T) {
	prepare(&server{})
	wait()
}

func prepare(s *server) { helper(s) }

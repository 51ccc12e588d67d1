// A server and a client over HTTP: net/http dials in a goroutine of its own, in which no function is the user's.
package main

import (
	"example.com/capture/say"
	"example.com/capture/web"
)

func main() {
	web.Answer()
	say.Flush()
}

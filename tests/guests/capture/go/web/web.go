// Package web has servers and a client over HTTP, as tests in Go start them.
package web

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"

	"example.com/capture/say"
)

// Answer prints the port of the server, and that of the client that asks it.
func Answer() {
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		_, err := io.WriteString(answer, request.RemoteAddr)
		say.Must(err)
	}))
	defer server.Close()
	say.Port(server.Listener.Addr())
	answer, err := server.Client().Get(server.URL)
	say.Must(err)
	defer answer.Body.Close()
	client, err := io.ReadAll(answer.Body)
	say.Must(err)
	address, err := net.ResolveTCPAddr("tcp", string(client))
	say.Must(err)
	say.Port(address)
}

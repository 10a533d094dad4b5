package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestForget has a namespace of its own forget a peer that it has talked to and a
// neighbour that answered, but not the neighbour that somebody has set.
func TestForget(t *testing.T) {
	switch os.Getenv("TEST_FORGET") {
	case "talk":
		talk(t)
		return
	case "forget":
		require.NoError(t, forget())
		return
	}
	if os.Getuid() != 0 {
		t.Skip("it takes root to make a network namespace")
	}
	for _, tool := range []string{"unshare", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("there is no " + tool + " here")
		}
	}
	out, err := exec.Command("unshare", "--net", "sh", "-c", `
		ip link set lo up &&
		ip link add v0 type veth peer name v1 && ip addr add 10.9.9.1/24 dev v0 && ip link set v0 up && ip link set v1 up &&
		ip neigh add 10.9.9.2 lladdr 02:00:00:00:00:02 dev v0 nud reachable &&
		ip neigh add 10.9.9.3 lladdr 02:00:00:00:00:03 dev v0 nud permanent || exit
		show() { echo "$1 $(ip neigh | grep -c 10.9.9.2) $(ip neigh | grep -c 10.9.9.3) $(ip tcp_metrics | grep -c 127.0.0.1)"; }
		TEST_FORGET=talk "$0" -test.run '^TestForget$' >/dev/null || exit
		show before
		TEST_FORGET=forget "$0" -test.run '^TestForget$' || exit
		show after`, os.Args[0]).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "before 1 1 1\n")
	assert.Contains(t, string(out), "after 0 1 0\n")
}

// talk has an exchange that the kernel remembers the round trip of.
func talk(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	server, err := l.Accept()
	require.NoError(t, err)
	for range 9 {
		for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
			_, err := way[0].Write([]byte("x"))
			require.NoError(t, err)
			_, err = io.ReadFull(way[1], make([]byte, 1))
			require.NoError(t, err)
		}
	}
	require.NoError(t, client.Close())
	require.NoError(t, server.Close())
}

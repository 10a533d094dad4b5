package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// What is asked of the kernel's sock_diag (sock_diag(7), linux/inet_diag.h).
const (
	sockDiagByFamily = 20
	sockDestroy      = 21

	requestSize = 56 // struct inet_diag_req_v2: eight bytes, then the socket
	socketSize  = 48 // struct inet_diag_sockid
)

// States of a TCP socket (net/tcp_states.h).
const (
	tcpListen = 10
	tcpStates = 13 // one more than the last, NEW_SYN_RECV
)

const (
	listening = 1 << tcpListen
	connected = 1<<tcpStates - 2 - listening
)

// socket is a TCP socket of this namespace.
type socket struct {
	family, state byte
	id            [socketSize]byte
}

// port returns its own port.
func (s socket) port() int { return int(binary.BigEndian.Uint16(s.id[:])) }

// local returns its own address.
func (s socket) local() netip.Addr {
	if s.family == unix.AF_INET {
		return netip.AddrFrom4([4]byte(s.id[4:8]))
	}
	return netip.AddrFrom16([16]byte(s.id[4:20])).Unmap()
}

// diagWithin is how long the kernel may take to answer all that it is asked at once.
const diagWithin = 10 * time.Second

// diag asks the kernel about its sockets.
type diag struct{ conn *netlink.Conn }

func newDiag() (diag, error) {
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return diag{}, fmt.Errorf("asking the kernel for its sockets: %w", err)
	}
	if err := conn.SetDeadline(time.Now().Add(diagWithin)); err != nil {
		conn.Close()
		return diag{}, err
	}
	return diag{conn}, nil
}

func (d diag) close() { d.conn.Close() }

// all returns the TCP sockets in some states (a bit each). For listeners alone
// the kernel looks through those only; for others, and for a read of
// /proc/net/tcp, it goes through the table of all connections of the machine,
// which takes a millisecond of a core.
func (d diag) all(states uint32) ([]socket, error) {
	var found []socket
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		answers, err := d.ask(sockDiagByFamily, netlink.Dump, states, socket{family: family})
		if err != nil {
			return nil, fmt.Errorf("asking the kernel for its sockets: %w", err)
		}
		for _, m := range answers {
			if len(m.Data) >= 4+socketSize { // struct inet_diag_msg
				found = append(found, socket{family: m.Data[0], state: m.Data[1], id: [socketSize]byte(m.Data[4:])})
			}
		}
	}
	return found, nil
}

// destroy has the kernel throw a connection away, as ss -K does (tcp_abort).
func (d diag) destroy(s socket) error {
	_, err := d.ask(sockDestroy, netlink.Acknowledge, 1<<s.state, s)
	if errors.Is(err, unix.ENOENT) {
		return nil // it has gone by itself
	}
	return err
}

// ask sends a request and returns what the kernel answers.
func (d diag) ask(what netlink.HeaderType, flags netlink.HeaderFlags, states uint32, of socket) ([]netlink.Message, error) {
	request := make([]byte, requestSize)
	request[0], request[1] = of.family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(request[4:], states)
	copy(request[8:], of.id[:])
	return d.conn.Execute(netlink.Message{Header: netlink.Header{Type: what, Flags: netlink.Request | flags}, Data: request})
}

// listeners returns the ports of this namespace's TCP sockets that listen.
func listeners() (map[int]bool, error) {
	d, err := newDiag()
	if err != nil {
		return nil, err
	}
	defer d.close()
	all, err := d.all(listening)
	open := map[int]bool{}
	for _, s := range all {
		open[s.port()] = true
	}
	return open, err
}

// clearSockets throws every TCP connection of this namespace away. What is left then
// is an error, but for what listens on a loopback address: the engine's DNS.
func clearSockets() error {
	d, err := newDiag()
	if err != nil {
		return err
	}
	defer d.close()
	all, err := d.all(connected)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := d.destroy(s); err != nil {
			return fmt.Errorf("destroying a socket on port %d: %w", s.port(), err)
		}
	}
	if all, err = d.all(connected | listening); err != nil {
		return err
	}
	var left []string
	for _, s := range all {
		if s.state != tcpListen || !s.local().IsLoopback() {
			left = append(left, fmt.Sprintf("port %d in state %d", s.port(), s.state))
		}
	}
	if left != nil {
		return fmt.Errorf("sockets are left: %s", strings.Join(left, ", "))
	}
	return nil
}

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"unsafe"
)

// What is asked of the kernel's sock_diag (sock_diag(7), linux/inet_diag.h).
const (
	netlinkSockDiag  = 4
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
	if s.family == syscall.AF_INET {
		return netip.AddrFrom4([4]byte(s.id[4:8]))
	}
	return netip.AddrFrom16([16]byte(s.id[4:20])).Unmap()
}

// diag asks the kernel about its sockets.
type diag int

func newDiag() (diag, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return 0, fmt.Errorf("asking the kernel for its sockets: %w", err)
	}
	return diag(fd), nil
}

func (d diag) close() { syscall.Close(int(d)) }

// all returns the TCP sockets in some states (a bit each). For listeners alone
// the kernel looks through those only; for others, and for a read of
// /proc/net/tcp, it goes through the table of all connections of the machine,
// which takes a millisecond of a core.
func (d diag) all(states uint32) ([]socket, error) {
	var found []socket
	for _, family := range []byte{syscall.AF_INET, syscall.AF_INET6} {
		err := d.ask(sockDiagByFamily, syscall.NLM_F_DUMP, states, socket{family: family}, func(s socket) { found = append(found, s) })
		if err != nil {
			return nil, fmt.Errorf("asking the kernel for its sockets: %w", err)
		}
	}
	return found, nil
}

// destroy has the kernel throw a connection away, as ss -K does (tcp_abort).
func (d diag) destroy(s socket) error {
	err := d.ask(sockDestroy, syscall.NLM_F_ACK, 1<<s.state, s, nil)
	if errors.Is(err, syscall.ENOENT) {
		return nil // it has gone by itself
	}
	return err
}

// ask sends a request and reads its answer to the end.
func (d diag) ask(what, flags uint16, states uint32, of socket, each func(socket)) error {
	request := make([]byte, syscall.NLMSG_HDRLEN+requestSize)
	*(*syscall.NlMsghdr)(unsafe.Pointer(&request[0])) = syscall.NlMsghdr{
		Len: uint32(len(request)), Type: what, Flags: syscall.NLM_F_REQUEST | flags,
	}
	body := request[syscall.NLMSG_HDRLEN:]
	body[0], body[1] = of.family, syscall.IPPROTO_TCP
	binary.NativeEndian.PutUint32(body[4:], states)
	copy(body[8:], of.id[:])
	if err := syscall.Sendto(int(d), request, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return err
	}
	for answer := make([]byte, 32<<10); ; {
		n, _, err := syscall.Recvfrom(int(d), answer, 0)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		messages, err := syscall.ParseNetlinkMessage(answer[:n])
		if err != nil {
			return err
		}
		for _, m := range messages {
			switch m.Header.Type {
			case syscall.NLMSG_DONE:
				return nil
			case syscall.NLMSG_ERROR: // with 0: the acknowledgment
				if len(m.Data) < 4 {
					return syscall.EPROTO
				}
				if code := int32(binary.NativeEndian.Uint32(m.Data)); code != 0 {
					return syscall.Errno(-code)
				}
				return nil
			case sockDiagByFamily:
				if len(m.Data) >= 4+socketSize { // struct inet_diag_msg
					each(socket{family: m.Data[0], state: m.Data[1], id: [socketSize]byte(m.Data[4:])})
				}
			}
		}
	}
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

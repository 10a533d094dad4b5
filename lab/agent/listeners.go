package main

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"unsafe"
)

// What is asked of the kernel's sock_diag (sock_diag(7), linux/inet_diag.h).
const (
	netlinkSockDiag  = 4
	sockDiagByFamily = 20
	tcpListen        = 10
	requestSize      = 56 // struct inet_diag_req_v2
)

// listeners returns the ports of this namespace's TCP sockets that listen. For
// this state alone the kernel looks through its listeners only; a read of
// /proc/net/tcp goes through the table of all connections of the machine, which
// takes a millisecond of a core.
func listeners() (map[int]bool, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return nil, fmt.Errorf("asking the kernel for its listeners: %w", err)
	}
	defer syscall.Close(fd)
	open := map[int]bool{}
	for _, family := range []byte{syscall.AF_INET, syscall.AF_INET6} {
		if err := dump(fd, family, open); err != nil {
			return nil, fmt.Errorf("asking the kernel for its listeners: %w", err)
		}
	}
	return open, nil
}

// dump adds the ports of one family.
func dump(fd int, family byte, open map[int]bool) error {
	request := make([]byte, syscall.NLMSG_HDRLEN+requestSize)
	*(*syscall.NlMsghdr)(unsafe.Pointer(&request[0])) = syscall.NlMsghdr{
		Len: uint32(len(request)), Type: sockDiagByFamily, Flags: syscall.NLM_F_REQUEST | syscall.NLM_F_DUMP,
	}
	request[syscall.NLMSG_HDRLEN] = family
	request[syscall.NLMSG_HDRLEN+1] = syscall.IPPROTO_TCP
	binary.NativeEndian.PutUint32(request[syscall.NLMSG_HDRLEN+4:], 1<<tcpListen)
	if err := syscall.Sendto(fd, request, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return err
	}
	for answer := make([]byte, 32<<10); ; {
		n, _, err := syscall.Recvfrom(fd, answer, 0)
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
			case syscall.NLMSG_ERROR:
				if len(m.Data) >= 4 {
					return syscall.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
				}
				return syscall.EPROTO
			case sockDiagByFamily:
				if len(m.Data) >= 6 { // struct inet_diag_msg: the local port at 4, in network order
					open[int(binary.BigEndian.Uint16(m.Data[4:]))] = true
				}
			}
		}
	}
}

package main

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// The generic netlink family tcp_metrics (include/uapi/linux/tcp_metrics.h).
const (
	metricsFamily  = "tcp_metrics"
	metricsVersion = 1
	metricsDelete  = 2 // TCP_METRICS_CMD_DEL; without an address: all
)

// The size of struct ndmsg (include/uapi/linux/neighbour.h), and where its state is.
const (
	neighbourSize  = 12
	neighbourState = 8
)

// forget has the kernel forget what it remembers of this namespace's peers, as
// `ip tcp_metrics flush` and `ip neigh flush all` do.
func forget() error {
	if err := forgetMetrics(); err != nil {
		return fmt.Errorf("flushing the TCP metrics: %w", err)
	}
	if err := forgetNeighbours(); err != nil {
		return fmt.Errorf("flushing the neighbours: %w", err)
	}
	return nil
}

func forgetMetrics() error {
	conn, err := netlink.Dial(unix.NETLINK_GENERIC, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	// struct genlmsghdr: command, version, reserved.
	name, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: unix.CTRL_ATTR_FAMILY_NAME, Data: append([]byte(metricsFamily), 0)}})
	if err != nil {
		return err
	}
	answers, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.GENL_ID_CTRL, Flags: netlink.Request},
		Data:   append([]byte{unix.CTRL_CMD_GETFAMILY, 1, 0, 0}, name...),
	})
	if errors.Is(err, unix.ENOENT) {
		return nil // a kernel that keeps none
	}
	if err != nil {
		return err
	}
	for _, answer := range answers {
		attributes, err := netlink.NewAttributeDecoder(answer.Data[min(4, len(answer.Data)):])
		if err != nil {
			return err
		}
		for attributes.Next() {
			if attributes.Type() != unix.CTRL_ATTR_FAMILY_ID {
				continue
			}
			_, err := conn.Execute(netlink.Message{
				Header: netlink.Header{Type: netlink.HeaderType(attributes.Uint16()), Flags: netlink.Request | netlink.Acknowledge},
				Data:   []byte{metricsDelete, metricsVersion, 0, 0},
			})
			return err
		}
	}
	return errors.New("the kernel does not say what number its family " + metricsFamily + " has")
}

func forgetNeighbours() error {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	all, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETNEIGH, Flags: netlink.Request | netlink.Dump},
		Data:   make([]byte, neighbourSize),
	})
	if err != nil {
		return err
	}
	for _, n := range all {
		if len(n.Data) < neighbourSize || binary.NativeEndian.Uint16(n.Data[neighbourState:])&(unix.NUD_NOARP|unix.NUD_PERMANENT) != 0 {
			continue
		}
		// As it was told: of its attributes the kernel takes the address.
		_, err := conn.Execute(netlink.Message{
			Header: netlink.Header{Type: unix.RTM_DELNEIGH, Flags: netlink.Request | netlink.Acknowledge},
			Data:   n.Data,
		})
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	return nil
}

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/mdlayher/netlink"
)

// The messages of nfnetlink_queue: include/uapi/linux/netfilter/nfnetlink.h and
// nfnetlink_queue.h.
const (
	subsysQueue = 3 << 8      // NFNL_SUBSYS_QUEUE, in the upper byte of a message's type
	msgPacket   = subsysQueue // NFQNL_MSG_PACKET is 0
	msgVerdict  = subsysQueue | 1
	msgConfig   = subsysQueue | 2

	cfgCmd    = 1 // NFQA_CFG_CMD
	cfgParams = 2
	cfgMask   = 4
	cfgFlags  = 5

	cmdBind    = 1      // NFQNL_CFG_CMD_BIND
	copyPacket = 2      // NFQNL_COPY_PACKET
	flagGSO    = 1 << 2 // NFQA_CFG_F_GSO

	attrHeader  = 1 // NFQA_PACKET_HDR
	attrVerdict = 2
	attrPayload = 10
	attrCapLen  = 13

	hookLocalOut = 3 // NF_INET_LOCAL_OUT: include/uapi/linux/netfilter.h
)

// queueNumber is the queue that the rules send segments to. The numbers are
// each network namespace's own.
const queueNumber = 0

// headers is how much of a segment the kernel hands over: no IPv4 or IPv6
// header with TCP's behind it is longer (60 + 60 bytes).
const headers = 120

// queue is the kernel's queue of segments that wait for a verdict. One queue
// and one socket have what comes and what leaves, so that the order in which
// it is read is the order in which the kernel had it.
type queue struct{ conn *netlink.Conn }

// bind has the kernel send what is queued from now on to us.
func bind() (*queue, error) {
	conn, err := netlink.Dial(syscall.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	// What does not fit is dropped (nfqnl_enqueue_packet): room for bursts.
	if err := conn.SetReadBuffer(4 << 20); err != nil {
		return nil, fmt.Errorf("enlarging the netlink socket: %w", err)
	}
	// GSO: segments are handed over as TCP made them, before they are cut to the
	// size of packets, and with the checksum still to be filled in. We only read
	// headers.
	attrs, err := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: cfgCmd, Data: []byte{cmdBind, 0, 0, 0}},
		{Type: cfgParams, Data: append(binary.BigEndian.AppendUint32(nil, headers), copyPacket)},
		{Type: cfgMask, Data: binary.BigEndian.AppendUint32(nil, flagGSO)},
		{Type: cfgFlags, Data: binary.BigEndian.AppendUint32(nil, flagGSO)},
	})
	if err != nil {
		return nil, err
	}
	_, err = conn.Execute(message(msgConfig, netlink.Acknowledge, attrs))
	switch {
	case errors.Is(err, syscall.EINVAL): // nfnetlink_rcv_msg knows no such subsystem
		return nil, missing("the kernel has no nfnetlink_queue (CONFIG_NETFILTER_NETLINK_QUEUE)")
	case errors.Is(err, syscall.EPERM): // nfqnl_recv_config; the rules were allowed before
		return nil, fmt.Errorf("queue %d of this network namespace is another process's: is there another gate?", queueNumber)
	case err != nil:
		return nil, fmt.Errorf("binding the queue: %w", err)
	}
	return &queue{conn}, nil
}

// message returns a message of nfnetlink_queue: a struct nfgenmsg, whose
// resource is the number of the queue, and attributes.
func message(kind netlink.HeaderType, flags netlink.HeaderFlags, attrs []byte) netlink.Message {
	data := binary.BigEndian.AppendUint16([]byte{syscall.AF_UNSPEC, 0}, queueNumber)
	return netlink.Message{
		Header: netlink.Header{Type: kind, Flags: netlink.Request | flags},
		Data:   append(data, attrs...),
	}
}

// next waits for segments.
func (q *queue) next() ([]segment, error) {
	messages, err := q.conn.Receive()
	if err != nil {
		return nil, fmt.Errorf("reading the queue: %w", err)
	}
	var segments []segment
	for _, m := range messages {
		if m.Header.Type != msgPacket || len(m.Data) < 4 {
			continue
		}
		s, err := read(m.Data[4:])
		if err != nil {
			return nil, err
		}
		segments = append(segments, s)
	}
	return segments, nil
}

// verdict gives the kernel its verdict on a segment. When it returns, the
// kernel has delivered or sent the segment that it accepts: nf_reinject is
// called within sendmsg.
func (q *queue) verdict(id uint32, v verdict) error {
	data := binary.BigEndian.AppendUint32(nil, uint32(v))
	attrs, err := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: attrVerdict, Data: binary.BigEndian.AppendUint32(data, id)},
	})
	if err != nil {
		return err
	}
	if _, err := q.conn.Send(message(msgVerdict, 0, attrs)); err != nil {
		return fmt.Errorf("giving a verdict: %w", err)
	}
	return nil
}

// read reads the attributes of a queued packet.
func read(attrs []byte) (segment, error) {
	d, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return segment{}, fmt.Errorf("a message of the queue: %w", err)
	}
	d.ByteOrder = binary.BigEndian
	var s segment
	var packet []byte
	whole := 0
	for d.Next() {
		switch d.Type() {
		case attrHeader: // struct nfqnl_msg_packet_hdr: id, protocol, hook
			if h := d.Bytes(); len(h) >= 7 {
				s.id, s.ours = binary.BigEndian.Uint32(h), h[6] == hookLocalOut
			}
		case attrPayload:
			packet = d.Bytes()
		case attrCapLen: // the packet's length, where not all of it is here
			whole = int(d.Uint32())
		}
	}
	if err := d.Err(); err != nil {
		return segment{}, fmt.Errorf("a message of the queue: %w", err)
	}
	s.parse(packet, max(whole, len(packet)))
	return s, nil
}

// parse reads a packet that begins with its IP header and has size bytes. Of
// one that it cannot read, an IPv6 packet with more headers, s stays without
// flags, and the gate lets it through.
func (s *segment) parse(packet []byte, size int) {
	if len(packet) < 40 {
		return
	}
	var from, to netip.Addr
	var tcp int
	switch packet[0] >> 4 {
	case 4:
		tcp = int(packet[0]&0xf) * 4
		from, _ = netip.AddrFromSlice(packet[12:16])
		to, _ = netip.AddrFromSlice(packet[16:20])
	case 6:
		if packet[6] != syscall.IPPROTO_TCP {
			return
		}
		tcp = 40
		from, _ = netip.AddrFromSlice(packet[8:24])
		to, _ = netip.AddrFromSlice(packet[24:40])
	}
	if tcp == 0 || len(packet) < tcp+20 {
		return
	}
	h := packet[tcp:]
	s.ends.remote = netip.AddrPortFrom(from, binary.BigEndian.Uint16(h))
	s.ends.local = netip.AddrPortFrom(to, binary.BigEndian.Uint16(h[2:]))
	if s.ours {
		s.ends.local, s.ends.remote = s.ends.remote, s.ends.local
	}
	s.flags, s.seq = h[13], binary.BigEndian.Uint32(h[4:])
	s.data = size - tcp - int(h[12]>>4)*4
}

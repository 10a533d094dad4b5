package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// table is the gate's own: IPv4 and IPv6 in one. Rules outlive the process that
// has made them, so it is removed before it is made, and at the end.
var table = &nftables.Table{Family: nftables.TableFamilyINet, Name: "rstlab_gate"}

// priority puts the gate behind every firewall (theirs is 0): what it accepts
// is delivered, and what it sees leave has left.
const priority = 100

// largestACK is the longest packet that carries no data: IPv4 or IPv6 and TCP,
// with all their options.
const largestACK = headers

// remove removes the table, if it is there.
func remove() error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("opening a netlink socket: %w", err)
	}
	c.AddTable(table) // so that there is one to delete, in the same transaction
	c.DelTable(table)
	err = c.Flush()
	switch {
	case errors.Is(err, syscall.EPERM):
		return missing("no permission to change the rules of this network namespace: it takes CAP_NET_ADMIN")
	case errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EPROTONOSUPPORT):
		return missing("the kernel has no nf_tables (CONFIG_NF_TABLES)")
	case err != nil:
		return fmt.Errorf("removing the table %s: %w", table.Name, err)
	}
	return nil
}

// install has the kernel queue what the gate decides on, of the connections
// whose other side has this port.
func install(port uint16) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("opening a netlink socket: %w", err)
	}
	chain := func(name string, hook *nftables.ChainHook) *nftables.Chain {
		return c.AddChain(&nftables.Chain{Table: table, Name: name, Type: nftables.ChainTypeFilter,
			Hooknum: hook, Priority: nftables.ChainPriorityRef(priority)})
	}
	rule := func(chain *nftables.Chain, matches ...[]expr.Any) {
		r := &nftables.Rule{Table: table, Chain: chain}
		for _, m := range matches {
			r.Exprs = append(r.Exprs, m...)
		}
		r.Exprs = append(r.Exprs, toQueue())
		c.AddRule(r)
	}
	const source, destination = 0, 2 // where a TCP header has its ports
	c.AddTable(table)
	in := chain("input", nftables.ChainHookInput)
	out := chain("output", nftables.ChainHookOutput)
	rule(in, portIs(source, port), anyFlag(fin|syn|rst))
	// PSH is on the last segment of a write; one without it is full. Its length
	// tells it from a bare ACK.
	rule(out, portIs(destination, port), anyFlag(psh))
	rule(out, portIs(destination, port), longerThan(largestACK))
	err = c.Flush()
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EOPNOTSUPP): // nf_tables_newrule, nft_target_select_ops
		return missing("the kernel's nf_tables has no NFQUEUE (CONFIG_NF_TABLES_INET, CONFIG_NFT_COMPAT, CONFIG_NETFILTER_XT_TARGET_NFQUEUE)")
	case err != nil:
		return fmt.Errorf("making the table %s: %w", table.Name, err)
	}
	return nil
}

// portIs matches TCP with this port.
func portIs(offset uint32, port uint16) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(port)},
	}
}

// anyFlag matches TCP with any of these flags.
func anyFlag(flags byte) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{flags}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{0}},
	}
}

// longerThan matches packets of more bytes. Numbers are compared as strings of
// bytes, so the most significant has to come first.
func longerThan(size uint32) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyLEN, Register: 1},
		&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 4, Size: 4},
		&expr.Cmp{Op: expr.CmpOpGt, Register: 1, Data: binaryutil.BigEndian.PutUint32(size)},
	}
}

// toQueue is iptables' target NFQUEUE, through nft_compat: kernels that lack
// nftables' own queue (CONFIG_NFT_QUEUE) have it. With bypass, so that the
// segments pass when nobody reads the queue: without, a gate that has died
// would look like a lost FIN.
func toQueue() expr.Any {
	const bypass = 1 // NFQ_FLAG_BYPASS: include/uapi/linux/netfilter/xt_NFQUEUE.h
	info := xt.Unknown(make([]byte, 8))
	binary.NativeEndian.PutUint16(info, queueNumber)
	binary.NativeEndian.PutUint16(info[2:], 1) // queues
	binary.NativeEndian.PutUint16(info[4:], bypass)
	return &expr.Target{Name: "NFQUEUE", Rev: 3, Info: &info}
}

package tcp

import (
	"errors"
	"fmt"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// ResetFor makes the IPv4 packet with an RST that the sender of a segment must
// take for its peer's: with the sequence number that the segment acknowledges
// (RFC 9293 3.10.7.4, RFC 5961 3.2). It is an error if the segment has no ACK or
// is not IPv4.
func ResetFor(f Frame) ([]byte, error) {
	if !f.Has(ACK) || !f.Src.Addr().Is4() || !f.Dst.Addr().Is4() {
		return nil, fmt.Errorf("frame %d is no IPv4 segment with ACK", f.Number)
	}
	const ttl = 64 // Linux's own (ip_default_ttl)
	ip := &layers.IPv4{Version: 4, TTL: ttl, Protocol: layers.IPProtocolTCP, SrcIP: f.Dst.Addr().AsSlice(), DstIP: f.Src.Addr().AsSlice()}
	end := f.Seq + uint32(f.Len)
	if f.Flags&(SYN|FIN) != 0 {
		end++
	}
	rst := &layers.TCP{SrcPort: layers.TCPPort(f.Dst.Port()), DstPort: layers.TCPPort(f.Src.Port()), RST: true, ACK: true, Seq: f.Ack, Ack: end}
	packet := gopacket.NewSerializeBuffer()
	err := errors.Join(rst.SetNetworkLayerForChecksum(ip),
		gopacket.SerializeLayers(packet, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, rst))
	return packet.Bytes(), err
}

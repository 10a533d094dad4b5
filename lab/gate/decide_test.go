package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/gate/protocol"
)

// TestDecide plays segments to the gate. A segment is a word: its name (the
// letter says what it is: S a SYN with ACK of theirs, F a FIN and R a RST of
// theirs, P a request of ours, A a bare ACK of ours), then "+" if it carries
// data, then ":" and the connection, where there is more than one. What is
// done is the verdict, the name of the segment and the event.
func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name, order, segments string
		want                  []string
	}{
		{"crossing", protocol.FINFirst, "S0 P0 F1 P1 R1", []string{
			"accept S0", "accept P0", "hold F1 fin-held 1", "accept P1 request-left", "accept F1 fin-released 1", "accept R1 rst accepted"}},
		{"the request is there first", protocol.FINFirst, "A1 P1 P2 P1 F1 P1 P3 R1", []string{
			"accept A1", "hold P1 request-held", "hold P2 request-held", "drop P1", "hold F1 fin-held 1", "accept P1 request-left",
			"accept P2", "drop P1", "accept P3", "accept F1 fin-released 1", "accept R1 rst accepted"}},
		{"a bare ACK is no request", protocol.FINFirst, "F1 A1 P1 R1", []string{
			"hold F1 fin-held 1", "accept A1", "accept P1 request-left", "accept F1 fin-released 1", "accept R1 rst accepted"}},
		{"copies of the FIN, before and after", protocol.FINFirst, "F1 F2 F3 P1 F4 R1 F5", []string{
			"hold F1 fin-held 1", "drop F2 fin-held 2", "drop F3 fin-held 3", "accept P1 request-left",
			"drop F4 fin-held 4", "accept F1 fin-released 4", "accept R1 rst accepted", "drop F5 fin-dropped 5"}},
		{"a RST of the server's own waits too", protocol.FINFirst, "F1 R1 R2 P1 R3", []string{
			"hold F1 fin-held 1", "hold R1 rst held", "hold R2 rst held", "accept P1 request-left",
			"accept F1 fin-released 1", "accept R1 rst accepted", "accept R2 rst accepted", "accept R3 rst accepted"}},
		{"no request after the FIN", protocol.FINFirst, "S0 P0 F1 F2", []string{
			"accept S0", "accept P0", "hold F1 fin-held 1", "drop F2 fin-held 2"}},
		{"a FIN with data", protocol.FINFirst, "F1+ P1 P2 R1", []string{
			"hold F1 fin-held 1 with 100", "accept P1 request-left", "accept P2", "accept F1 fin-released 1 with 100", "accept R1 rst accepted"}},
		{"a RST without FIN, and a FIN behind it", protocol.FINFirst, "S1 P1 R1 F1", []string{
			"accept S1", "accept P1", "accept R1 rst accepted", "drop F1 fin-dropped 1"}},
		{"two connections", protocol.FINFirst, "F1:a F1:b P1:b R1:b P1:a F2:b R1:a", []string{
			"hold F1:a fin-held 1", "hold F1:b fin-held 1", "accept P1:b request-left", "accept F1:b fin-released 1",
			"accept R1:b rst accepted", "accept P1:a request-left",
			"drop F2:b fin-dropped 2", "accept F1:a fin-released 1", "accept R1:a rst accepted"}},
		{"the same ports for a new connection", protocol.FINFirst, "F1 P1 R1 S2 P2 F2 P3 R2", []string{
			"hold F1 fin-held 1", "accept P1 request-left", "accept F1 fin-released 1", "accept R1 rst accepted",
			"accept S2", "accept P2", "hold F2 fin-held 1", "accept P3 request-left", "accept F2 fin-released 1", "accept R2 rst accepted"}},

		{"the request is there first", protocol.RSTFirst, "P1 F1 R1 P2:b F1:b R1:b", []string{
			"hold P1 request-held", "hold F1 fin-held 1", "accept P1 request-left", "accept R1 rst accepted", "drop F1 fin-dropped 1",
			"hold P2:b request-held", "hold F1:b fin-held 1", "accept P2:b request-left", "accept R1:b rst accepted", "drop F1:b fin-dropped 1"}},
		{"a RST in place of the FIN", protocol.RSTFirst, "P1 R1", []string{
			"hold P1 request-held", "accept R1 rst accepted", "accept P1"}},
		{"the RST overtakes", protocol.RSTFirst, "S0 P0 F1 P1 R1", []string{
			"accept S0", "accept P0", "hold F1 fin-held 1", "accept P1 request-left", "accept R1 rst accepted", "drop F1 fin-dropped 1"}},
		{"copies of the FIN, before and after", protocol.RSTFirst, "F1 F2 P1 F3 R1 F4 R2", []string{
			"hold F1 fin-held 1", "drop F2 fin-held 2", "accept P1 request-left", "drop F3 fin-held 3",
			"accept R1 rst accepted", "drop F1 fin-dropped 3", "drop F4 fin-dropped 4", "accept R2 rst accepted"}},
		{"no request after the FIN", protocol.RSTFirst, "F1 F2", []string{
			"hold F1 fin-held 1", "drop F2 fin-held 2"}},
		{"a FIN with data", protocol.RSTFirst, "F1+ P1 R1", []string{
			"hold F1 fin-held 1 with 100", "accept P1 request-left", "accept R1 rst accepted", "drop F1 fin-dropped 1 with 100"}},
		{"a RST without FIN, and a FIN behind it", protocol.RSTFirst, "R1 F1", []string{
			"accept R1 rst accepted", "drop F1 fin-dropped 1"}},
		{"two connections", protocol.RSTFirst, "F1:a F1:b P1:a P1:b R1:b R1:a", []string{
			"hold F1:a fin-held 1", "hold F1:b fin-held 1", "accept P1:a request-left", "accept P1:b request-left",
			"accept R1:b rst accepted", "drop F1:b fin-dropped 1", "accept R1:a rst accepted", "drop F1:a fin-dropped 1"}},

		{"lost, and sent again", protocol.FINLost, "P0 F1 F2 P1 P1 F3 R1", []string{
			"accept P0", "drop F1 fin-dropped 1", "drop F2 fin-dropped 2", "accept P1 request-left",
			"drop P1", "drop F3 fin-dropped 3", "accept R1 rst accepted"}},
		{"a FIN with data", protocol.FINLost, "F1+ F2+", []string{
			"drop F1 fin-dropped 1 with 100", "drop F2 fin-dropped 2 with 100"}},
		{"a RST without FIN", protocol.FINLost, "R1", []string{"accept R1 rst accepted"}},
		{"two connections", protocol.FINLost, "F1:a F1:b F2:a P1:b R1:b", []string{
			"drop F1:a fin-dropped 1", "drop F1:b fin-dropped 1", "drop F2:a fin-dropped 2", "accept P1:b request-left", "accept R1:b rst accepted"}},
	} {
		t.Run(c.order+"/"+c.name, func(t *testing.T) {
			g, err := newGate(c.order)
			require.NoError(t, err)
			var got, names []string
			for i, word := range strings.Fields(c.segments) {
				name, connection, _ := strings.Cut(word, ":")
				s := segment{id: uint32(i), ends: ends{remote: netip.MustParseAddrPort("10.0.0.2:8080")}}
				s.ends.local = netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(40000+len(connection)*int(word[len(word)-1])))
				names = append(names, strings.Replace(word, "+", "", 1))
				if strings.HasSuffix(name, "+") {
					s.data = 100
				}
				switch s.flags = map[byte]byte{'S': syn | 0x10, 'F': fin | 0x10, 'R': rst, 'P': psh | 0x10, 'A': 0x10}[word[0]]; word[0] {
				case 'P':
					s.ours, s.data, s.seq = true, 50, uint32(name[1])
				case 'A':
					s.ours = true
				}
				for _, step := range g.see(s) {
					line := map[verdict]string{accept: "accept ", drop: "drop ", hold: "hold "}[step.do] + names[step.id]
					if e := step.event; e.Event != "" {
						line += " " + string(e.Event)
						assert.Equal(t, s.ends, ends{e.Local, e.Remote})
						if e.Copies > 0 {
							line += fmt.Sprint(" ", e.Copies)
						}
						if e.Did != "" {
							line += " " + e.Did
						}
						if e.Data > 0 && e.Event != protocol.RequestLeft && e.Event != protocol.RequestHeld {
							line += fmt.Sprint(" with ", e.Data)
						}
					}
					got = append(got, line)
				}
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestUnknownOrder(t *testing.T) {
	_, err := newGate("FIN last")
	assert.ErrorContains(t, err, `"FIN last" is none of`)
}

// TestParse reads packets whose headers have options, or are not TCP's.
func TestParse(t *testing.T) {
	v4 := make([]byte, 24+32) // an IP option of 4 bytes, TCP options of 12
	v4[0] = 0x46
	copy(v4[12:], []byte{10, 0, 0, 2, 10, 0, 0, 1})
	copy(v4[24:], []byte{0x1f, 0x90, 0x9c, 0x40}) // 8080 to 40000
	v4[24+12], v4[24+13] = 8<<4, fin|psh|0x10
	between := ends{netip.MustParseAddrPort("10.0.0.1:40000"), netip.MustParseAddrPort("10.0.0.2:8080")}

	var s segment
	s.parse(v4, len(v4))
	assert.Equal(t, segment{ends: between, flags: fin | psh | 0x10}, s)
	s.parse(v4, len(v4)+1000) // what the kernel has not handed over counts
	assert.Equal(t, 1000, s.data)
	s = segment{ours: true}
	s.parse(v4, len(v4))
	assert.Equal(t, ends{between.remote, between.local}, s.ends)

	v6 := make([]byte, 40, 60)
	v6[0], v6[6] = 0x60, 6
	copy(v6[8:], netip.MustParseAddr("fd00::2").AsSlice())
	copy(v6[24:], netip.MustParseAddr("fd00::1").AsSlice())
	v6 = append(v6, v4[24:44]...)
	v6[40+12] = 5 << 4
	s = segment{}
	s.parse(v6, len(v6))
	assert.Equal(t, ends{netip.MustParseAddrPort("[fd00::1]:40000"), netip.MustParseAddrPort("[fd00::2]:8080")}, s.ends)

	v6[6] = 43 // a routing header before TCP
	for _, unread := range [][]byte{nil, v4[:30], v4[:40], v6, v6[:40]} {
		s = segment{id: 7}
		s.parse(unread, len(unread))
		assert.Equal(t, segment{id: 7}, s)
	}
}

package tcp

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMerge fits two taps of one path whose clocks differ, the FIN lost between.
func TestMerge(t *testing.T) {
	for _, name := range []string{"stale-fin-lost", "stale-idle", "closed by the client", "aborted in mid-response"} {
		var s []line
		for _, tt := range scripts {
			if tt.name == name {
				s = slices.Clone(tt.script)
			}
		}
		const delay, ahead = 20 * time.Millisecond, 1234 * time.Millisecond
		var server, client []Packet
		common := 0
		for i, p := range build(s) {
			fromServer := s[i].from == 'S'
			q := p
			q.Data = bytes.Clone(p.Data)
			if fromServer {
				q.Time = q.Time.Add(delay)
			} else {
				q.Time = q.Time.Add(-delay)
			}
			q.Time = q.Time.Add(ahead)
			server = append(server, p)
			if name != "stale-fin-lost" || s[i].flags != "F." {
				client = append(client, q)
				if !strings.Contains(s[i].flags, "R") {
					common++
				}
			}
		}
		var out bytes.Buffer
		fits, err := Merge(&out, Source{"server", bytes.NewReader(pcapng(t, server, nil))}, Source{"client", bytes.NewReader(pcapng(t, client, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if off := (fits[1].Offset - ahead).Abs(); off > time.Millisecond || fits[1].Common != common {
			t.Errorf("%s: %v", name, fits[1])
		}
		cs, sum := explainBytes(t, out.Bytes(), Options{})
		if want := one(t, server); len(cs) != 1 || verdict(cs[0]) != verdict(want) {
			t.Errorf("%s:\n%+v\n%+v", name, cs, want)
		}
		if len(sum.Interfaces) != 2 || sum.Interfaces[1].Name != "client: tap" {
			t.Errorf("%+v", sum.Interfaces)
		}
	}
}

// TestRing splits each script into two files of one tap, at every frame: it is
// the same story.
func TestRing(t *testing.T) {
	for _, tt := range scripts {
		ps := build(tt.script)
		want := one(t, ps)
		for at := 1; at < len(ps); at++ {
			if !ps[at].Time.After(ps[at-1].Time) || slices.ContainsFunc(tt.script, func(l line) bool { return l.opt != nil }) {
				continue // several taps, or a clock that stands
			}
			var out bytes.Buffer
			fits, err := Merge(&out, Source{"ring.pcap0", bytes.NewReader(pcapng(t, ps[:at], nil))}, Source{"ring.pcap1", bytes.NewReader(pcapng(t, ps[at:], nil))})
			if err != nil {
				t.Fatal(err)
			}
			if fits[1].Of != "ring.pcap0" {
				t.Errorf("%s: %v", tt.name, fits[1])
			}
			if cs, _ := explainBytes(t, out.Bytes(), Options{}); len(cs) != 1 || verdict(cs[0]) != verdict(want) {
				t.Errorf("%s, split before frame %d: %+v\n%+v", tt.name, at+1, cs, want)
			}
		}
	}
}

// TestBothEnds reads what two kernels, 20 ms apart, sent each other: curl and a
// client of Python's that rests for longer than Python's server keeps it, and
// twice for so long that its request crosses the FIN. The server's clock was put
// 1.5 s ahead.
func TestBothEnds(t *testing.T) {
	var sources []Source
	want := map[Cause]int{CauseClosed: 2, CauseStaleIdle: 1, CauseStaleCrossing: 2}
	check := func(name string, cs []Conversation, tap Side) {
		got := map[Cause]int{}
		for _, c := range cs {
			if got[c.Cause]++; c.Tap != tap {
				t.Errorf("%s: tap %q: %s", name, c.Tap, c.Text)
			}
			if c.ClosedBy == Server && (c.Idle < 1.9 || c.Idle > 2.1 || c.LongestRest > 1) {
				t.Errorf("%s: idle for %v s, rested for %v s: %s", name, c.Idle, c.LongestRest, c.Text)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, side := range []Side{Client, Server} {
		name := "testdata/far-" + string(side) + ".pcap.gz"
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		cs, sum := explainBytes(t, b, Options{})
		check(name, cs, side)
		if !strings.HasPrefix(sum.SeenFrom, "the "+string(side)+"'s side (") {
			t.Errorf("%s: seen from %q", name, sum.SeenFrom)
		}
		sources = append(sources, Source{name, bytes.NewReader(b)})
	}
	var out bytes.Buffer
	fits, err := Merge(&out, sources...)
	if err != nil {
		t.Fatal(err)
	}
	if off := (fits[1].Offset - 1500*time.Millisecond).Abs(); off > time.Millisecond || fits[1].OneWay {
		t.Error(fits[1])
	}
	cs, _ := explainBytes(t, out.Bytes(), Options{})
	check("both", cs, "")
}

// TestDeadPath cuts the path between two taps, 10 ms apart, at each data of a talk:
// whichever end repeats it, and whatever the other still tries to say, together they
// tell that neither was heard.
func TestDeadPath(t *testing.T) {
	for _, kind := range []string{"get", "two", "chunked", "post", "upload", "head", "continue"} {
		whole := newTalk()
		whole.exchange("get")
		whole.at++
		whole.exchange(kind)
		for cut, lost := range whole.lines {
			if cut < len(opened()) || lost.data == "" {
				continue
			}
			for _, leaves := range []int{0, 1, 4, 6} { // FINs of the other end
				taps := map[byte][]line{}
				for _, l := range whole.lines[:cut] {
					taps[l.from] = append(taps[l.from], l)
					l.at += 0.01
					taps['C'+'S'-l.from] = append(taps['C'+'S'-l.from], l)
				}
				for i := range 7 {
					again := lost
					again.at += 0.2 * float64(int(1)<<i-1)
					taps[lost.from] = append(taps[lost.from], again)
				}
				for i := range leaves {
					fin := line{lost.at + 3 + 0.3*float64(int(1)<<i-1), 'C' + 'S' - lost.from, "F.", lost.ack, lost.seq, "", nil}
					taps[fin.from] = append(taps[fin.from], fin)
				}
				var out bytes.Buffer
				if _, err := Merge(&out, Source{"client.pcap", bytes.NewReader(pcapng(t, build(taps['C']), nil))}, Source{"server.pcap", bytes.NewReader(pcapng(t, build(taps['S']), nil))}); err != nil {
					t.Fatal(err)
				}
				cs, _ := explainBytes(t, out.Bytes(), Options{})
				if len(cs) != 1 || cs[0].Cause != CauseVanished || (leaves > 0) != strings.Contains(cs[0].Text, "did not arrive either") {
					t.Errorf("%s, cut at frame %d, %d FINs: %+v", kind, cut+1, leaves, cs)
				}
			}
		}
	}
}

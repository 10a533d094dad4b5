package tcp

import (
	"bytes"
	"slices"
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
			}
		}
		var out bytes.Buffer
		fits, err := Merge(&out, Source{"server", bytes.NewReader(pcapng(t, server, nil))}, Source{"client", bytes.NewReader(pcapng(t, client, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if off := (fits[1].Offset - ahead).Abs(); off > time.Millisecond || fits[1].Common != len(client) {
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

package tests

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/catalogue"
	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
)

// TestKeptCaptures explains the captures in testdata, each made by the
// scenario that it is named after: what was declared is what is explained,
// with no engine in sight.
func TestKeptCaptures(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.pcapng")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		id := strings.TrimSuffix(filepath.Base(path), ".pcapng")
		t.Run(id, func(t *testing.T) {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			found, err := catalogue.Find(id)
			require.NoError(t, err)
			var all []tcp.Conversation
			summary, err := tcp.Explain(bytes.NewReader(data), tcp.Options{}, func(c tcp.Conversation) { all = append(all, c) })
			require.NoError(t, err)
			assert.Empty(t, summary.Stopped)
			var resets []scenario.Reset
			for _, c := range all {
				client, server := scenario.Host(summary.Names[c.Client.Addr()]), scenario.Host(summary.Names[c.Server.Addr()])
				for _, r := range c.Resets {
					from, to := server, client
					if r.From == tcp.Client {
						from, to = client, server
					}
					resets = append(resets, scenario.Reset{From: from, To: to, Kind: r.Kind})
				}
			}
			assert.Equal(t, found[0].Want.Resets, resets)
			for _, end := range found[0].Want.Ends {
				assert.Condition(t, func() bool {
					for _, c := range all {
						if scenario.Host(summary.Names[c.Client.Addr()]) == end.Client && scenario.Host(summary.Names[c.Server.Addr()]) == end.Server &&
							c.Cause == end.Cause && (end.ClosedBy == "" || end.ClosedBy == c.ClosedBy) {
							return true
						}
					}
					return false
				}, "no connection %+v", end)
			}
		})
	}
}

// TestDamagedCaptures damages the kept captures; TestCatalogue all that it makes.
func TestDamagedCaptures(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.pcapng")
	require.NoError(t, err)
	staysOrWeakens(t, paths, 50)
}

// A damage is what a capture from the field lacks: it changes a packet, or drops it.
type damage func(p tcp.Packet, from, to netip.AddrPort) (tcp.Packet, bool)

var damages = map[string]func(seed uint64) damage{
	"the client's segments only": func(uint64) damage {
		return func(p tcp.Packet, from, to netip.AddrPort) (tcp.Packet, bool) { return p, from.Port() > to.Port() }
	},
	"the server's segments only": func(uint64) damage {
		return func(p tcp.Packet, from, to netip.AddrPort) (tcp.Packet, bool) { return p, from.Port() < to.Port() }
	},
	"cut to 96 bytes": func(uint64) damage {
		return func(p tcp.Packet, _, _ netip.AddrPort) (tcp.Packet, bool) {
			p.Data = p.Data[:min(len(p.Data), 96)]
			return p, true
		}
	},
	"one frame in twenty missing": func(seed uint64) damage {
		random := rand.New(rand.NewPCG(seed, 0))
		return func(p tcp.Packet, _, _ netip.AddrPort) (tcp.Packet, bool) { return p, random.IntN(20) > 0 }
	},
}

// staysOrWeakens explains captures as they come from the field: of one direction
// alone, cut short, with frames missing. The cause of each connection is the one
// of the whole capture or a weaker one, never another.
func staysOrWeakens(t *testing.T, paths []string, seeds uint64) {
	for name, make := range damages {
		t.Run(name, func(t *testing.T) {
			same, all := 0, 0
			for _, path := range paths {
				data, err := os.ReadFile(path)
				require.NoError(t, err)
				whole := causes(t, data)
				for seed := range seeds {
					for pair, causes := range causes(t, damaged(t, data, make(seed))) {
						for _, got := range causes {
							all++
							if slices.Contains(whole[pair], got) {
								same++
								continue
							}
							assert.True(t, slices.ContainsFunc(whole[pair], got.Weaker), "%s, seed %d, %s: %s became %s", path, seed, pair, whole[pair], got)
						}
					}
				}
			}
			t.Logf("%d of %d keep their cause", same, all)
		})
	}
}

// causes explains a capture: the causes of the connections by their endpoints, in
// the order of the ports, for of one direction nobody can tell who is who.
func causes(t *testing.T, capture []byte) map[string][]tcp.Cause {
	t.Helper()
	all := map[string][]tcp.Cause{}
	_, err := tcp.Explain(bytes.NewReader(capture), tcp.Options{}, func(c tcp.Conversation) {
		a, b := c.Client, c.Server
		if a.Port() < b.Port() {
			a, b = b, a
		}
		pair := a.String() + " " + b.String()
		all[pair] = append(all[pair], c.Cause)
	})
	require.NoError(t, err)
	return all
}

// damaged returns a capture with each TCP segment as a damage leaves it.
func damaged(t *testing.T, capture []byte, damage damage) []byte {
	t.Helper()
	type ends struct{ from, to netip.AddrPort }
	segments := map[int]ends{}
	summary, err := tcp.Read(bytes.NewReader(capture), func(f tcp.Frame) error {
		segments[f.Number] = ends{f.Src, f.Dst}
		return nil
	})
	require.NoError(t, err)
	var b bytes.Buffer
	w, err := tcp.NewWriter(&b, summary.Interfaces, summary.Names)
	require.NoError(t, err)
	number := 0
	_, err = tcp.ReadPackets(bytes.NewReader(capture), func(p tcp.Packet) error {
		number++
		s := segments[number]
		if p, kept := damage(p, s.from, s.to); kept {
			return w.Write(p)
		}
		return nil
	})
	require.NoError(t, err)
	return b.Bytes()
}

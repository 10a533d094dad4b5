package tests

import (
	"bytes"
	"os"
	"path/filepath"
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

package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/catalogue"
	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
)

// TestClues asks of each scenario's logs alone what its connections may have died
// of: what they did die of is among it.
func TestClues(t *testing.T) {
	asked := 0
	for _, s := range catalogue.All() {
		var log strings.Builder
		for _, text := range slices.Concat(s.Want.ErrorLog, s.Want.Info) {
			fmt.Fprintf(&log, "2026/11/01 10:00:00 [error] 16#16: *1 %s, client: 10.0.0.1\n", text)
		}
		errors, err := tcp.ReadErrorLog(strings.NewReader(log.String()), time.UTC)
		require.NoError(t, err)
		evidence := tcp.Evidence{Errors: errors}
		for _, a := range s.Want.Access {
			evidence.Access = append(evidence.Access, tcp.LogLine{Status: a.Status})
		}
		may := map[tcp.Cause]bool{}
		for _, c := range evidence.Clues() {
			for _, cause := range c.Causes {
				may[cause] = true
			}
		}
		died := slices.DeleteFunc(slices.Clone(s.Want.Ends), func(e scenario.End) bool { return e.Cause.Healthy() || e.Cause == tcp.CauseUnexplained })
		if len(may) == 0 || len(died) == 0 {
			continue
		}
		asked++
		assert.True(t, slices.ContainsFunc(died, func(e scenario.End) bool { return may[e.Cause] }), "%s: %v, but %v", s.ID, died, may)
	}
	assert.NotZero(t, asked)
	t.Logf("%d scenarios", asked)
}

package catalogue

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/scenario"
)

func ids(all []scenario.Scenario) []string {
	var ids []string
	for _, s := range all {
		ids = append(ids, s.ID)
	}
	return ids
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		want     []string
	}{
		{[]string{"baseline"}, []string{"baseline"}},
		{[]string{"stale-idle-fixed-*"}, []string{"stale-idle-fixed-by-pool", "stale-idle-fixed-by-retry"}},
		{[]string{"closed-port", "baseline"}, []string{"baseline", "closed-port"}},
	} {
		found, err := Find(c.patterns...)
		require.NoError(t, err)
		assert.Equal(t, c.want, ids(found))
	}
	everything, err := Find()
	require.NoError(t, err)
	assert.Equal(t, ids(All()), ids(everything))
	tour, err := Find(Article)
	require.NoError(t, err)
	assert.Len(t, tour, 8)
	_, err = Find("backend-proces-killed")
	assert.ErrorContains(t, err, "nearest: backend-process-killed, ")
	_, err = Find("[")
	assert.Error(t, err)
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		words    []string
		patterns []string
		text     string
	}{
		{nil, nil, ""},
		{[]string{"stale-*", "article"}, []string{"stale-*", "article"}, ""},
		{[]string{"104: Connection reset"}, nil, "104: Connection reset"},
		{[]string{"connection", "refused"}, nil, "connection refused"},
		{[]string{"article", "EOF"}, []string{"article"}, "EOF"},
		{[]string{"[error]", "[", "stale-idel"}, nil, "[error] [ stale-idel"},
	} {
		patterns, text := Split(c.words)
		assert.Equal(t, c.patterns, patterns, c.words)
		assert.Equal(t, c.text, text, c.words)
	}
}

// TestFixesStandBehindTheirFailure: list and the table show them as pairs.
func TestFixesStandBehindTheirFailure(t *testing.T) {
	last := ""
	for _, s := range All() {
		if s.Fixes == "" {
			last = s.ID
			continue
		}
		assert.Equal(t, last, s.Fixes, "%s does not stand behind its failure", s.ID)
	}
	assert.Equal(t, []string{"stale-idle-fixed-by-pool", "stale-idle-fixed-by-retry", "keepalive-off"}, ids(FixesOf("stale-idle")))
}

// TestExchanges: what a client gets and what nginx logs of it belong together.
func TestExchanges(t *testing.T) {
	for _, s := range All() {
		for n, e := range s.Filled().Exchanges() {
			if e.Reply.Status != 0 && e.Access.Status != 0 && !slices.Contains([]string{"continue-100", "early-hints-103"}, s.ID) { // which nginx logs as 100 and 103
				assert.Equal(t, e.Reply.Status, e.Access.Status, "%s, request %d", s.ID, n+1)
			}
		}
	}
}

package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rstlab/lab/scenario"
	"rstlab/lab/search"
)

// golden compares text with a file of testdata; UPDATE=1 rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		assert.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	assert.NoError(t, err)
	assert.Equal(t, string(want), got)
	for line := range strings.Lines(got) {
		assert.Equal(t, strings.TrimRight(line, " \n"), strings.TrimRight(line, "\n"), "a space at the end of %q", line)
	}
}

func replies(all ...scenario.Reply) scenario.Want { return scenario.Want{Replies: all} }

var (
	one     = []scenario.Step{scenario.Get("/test")}
	dead    = scenario.Scenario{ID: "dead", Title: "nginx answers 502 when nobody listens", Play: one, Want: scenario.Want{Replies: []scenario.Reply{{Status: 502}}, ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream"}}}
	large   = scenario.Scenario{ID: "too-large", Title: "a body is larger than client_max_body_size", Play: one, Want: replies(scenario.Reply{Status: 413})}
	stale   = scenario.Scenario{ID: "stale", Title: "a request on a connection that nginx has closed, as long as this title is, which needs two lines", Play: []scenario.Step{scenario.Get("/test"), scenario.Idle(6 * time.Second), scenario.Get("/test")}, Want: replies(scenario.Reply{Status: 200}, scenario.Reply{Class: "eof"})}
	fix     = scenario.Scenario{ID: "stale-fixed-by-a-pool-that-is-shorter", Title: "the client closes first", Fixes: "stale", Play: stale.Play}
	race    = scenario.Scenario{ID: "race", Title: "either comes first", Runs: 200, Play: one}
	several = []scenario.Scenario{dead, large, stale, fix, race}
)

func fixesOf(id string) []scenario.Scenario {
	if id == stale.ID {
		return []scenario.Scenario{fix}
	}
	return nil
}

func TestList(t *testing.T) {
	for _, c := range []struct {
		file  string
		width int
	}{{"list-100.txt", 100}, {"list-60.txt", 60}} {
		var b strings.Builder
		List(Paper{Writer: &b, Width: c.width}, scenario.BySymptom(several, several), "lab")
		golden(t, c.file, b.String())
		for line := range strings.Lines(b.String()) {
			assert.LessOrEqual(t, len([]rune(strings.TrimRight(line, "\n"))), c.width)
		}
	}
	var b strings.Builder
	List(Paper{Writer: &b, Width: 100}, scenario.BySymptom([]scenario.Scenario{fix}, several), "lab")
	assert.Contains(t, b.String(), "fix of stale: the client", "a fix that stands alone says of what")
}

func TestFound(t *testing.T) {
	var b strings.Builder
	p := Paper{Writer: &b, Width: 80}
	Found(p, search.Find("111: Connection refused", several), len(several), fixesOf, "lab")
	p.line("")
	Found(p, search.Find("EOF", several), len(several), fixesOf, "lab")
	p.line("")
	Found(p, search.Find("closes first", several), len(several), fixesOf, "lab")
	golden(t, "found.txt", b.String())
}

func TestMatchFits(t *testing.T) {
	long := strings.Repeat("before ", 30) + "MATCH" + strings.Repeat(" after", 30)
	at := strings.Index(long, "MATCH")
	var b strings.Builder
	Paper{Writer: &b, Width: 80}.match(search.Hit{Where: "why", Line: long, From: at, To: at + 5})
	assert.Regexp(t, `^    why  ….*before MATCH after.*…\n$`, b.String())
	assert.LessOrEqual(t, len([]rune(b.String())), 81)
}

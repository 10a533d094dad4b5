package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rstlab/lab/script"
)

func TestSymptom(t *testing.T) {
	one := []Step{Get("/test")}
	two := []Step{Get("/test"), Idle(6 * time.Second), Get("/test")}
	for name, c := range map[string]struct {
		play []Step
		want Want
		is   Symptom
	}{
		"all is well where nothing is declared": {two, Want{}, "no failure"},
		"a redirect is none":                    {one, Want{Replies: []Reply{{Status: 302}}}, "no failure"},
		"a RST that the client heals is none": {two, Want{
			Replies: []Reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
			Resets:  []Reset{{From: Nginx, To: Client}},
		}, "no failure"},
		"502":                       {two, Want{Replies: []Reply{{Status: 200}, {Status: 502}, {Status: 200}}}, "502"},
		"504":                       {one, Want{Replies: []Reply{{Status: 504}}}, "504"},
		"413":                       {one, Want{Replies: []Reply{{Status: 413}}}, "413"},
		"the first failure rules":   {two, Want{Replies: []Reply{{Class: "reset"}, {Status: 502}}}, "reset"},
		"reset":                     {one, Want{Replies: []Reply{{Class: "reset"}}}, "reset"},
		"EOF":                       {two, Want{Replies: []Reply{{Status: 200}, {Class: "eof"}}, Access: []Access{{Status: 200}}}, "EOF"},
		"444 is logged, never sent": {one, Want{Replies: []Reply{{Class: "eof"}}, Access: []Access{{Status: 444}}}, "EOF"},
		"408 is logged, never sent": {one, Want{Replies: []Reply{{Class: "eof"}}, Access: []Access{{Status: 408}}}, "EOF"},
		"timeout":                   {one, Want{Replies: []Reply{{Class: "timeout"}}}, "timeout"},
		"refused":                   {one, Want{Replies: []Reply{{Class: "refused"}}}, "refused"},
		"unreachable":               {one, Want{Replies: []Reply{{Class: "unreachable"}}}, "unreachable"},
		"other":                     {one, Want{Replies: []Reply{{Class: "other"}}}, "other error"},
		"words of no class":         {one, Want{Replies: []Reply{{Text: []string{"tls: bad record"}}}}, "other error"},

		"the client gave up":                     {one, Want{Replies: []Reply{{Class: "timeout"}}, Access: []Access{{Status: 499}}}, "499"},
		"the client is gone":                     {one, Want{Replies: []Reply{{}}, Access: []Access{{Status: 499, Upstream: "-"}}}, "499"},
		"gone, and only the log has what it was": {one, Want{Replies: []Reply{{}}, Access: []Access{{Status: 408}}}, "408"},
		"it half-closed and reads the end":       {one, Want{Replies: []Reply{{Class: "eof"}}, Access: []Access{{Status: 499}}}, "EOF"},
		"anything goes, and nothing is logged":   {one, Want{Replies: []Reply{{}}}, "no failure"},

		"a cut body": {one, Want{Replies: []Reply{{Status: 200, Class: "eof"}}}, "lost answer"},
		"an answer that RST ate": {two, Want{
			Replies: []Reply{{Status: 200}, {Class: "reset"}},
			Access:  []Access{{Status: 200}, {Status: 413}},
		}, "lost answer"},
		"an answer to one who has left": {one, Want{Replies: []Reply{{}}, Access: []Access{{Status: 200}}}, "lost answer"},
		"lines of other requests are not this one's": {two, Want{
			Replies: []Reply{{Status: 200}, {Class: "eof"}, {Status: 200}},
			Access:  []Access{{Status: 200}, {Status: 200}},
		}, "EOF"},

		"twice": {one, Want{Ran: []string{"POST /", "POST /"}}, "ran twice"},
		"once":  {one, Want{Ran: []string{"POST /"}}, "no failure"},
	} {
		assert.Equal(t, c.is, Scenario{Play: c.play, Want: c.want}.Symptom(), name)
	}
}

func TestExchanges(t *testing.T) {
	s := Scenario{Play: []Step{Get("/a"), Get("/b"), Get("/c")}, Want: Want{
		Replies: []Reply{{Status: 200}, {Class: "eof"}, {Status: 502}},
		Access:  []Access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502, 502"}},
	}}
	assert.Equal(t, []Exchange{
		{Reply{Status: 200}, Access{200, "200"}},
		{Reply{Class: "eof"}, Access{}},
		{Reply{Status: 502}, Access{502, "502, 502"}},
	}, s.Exchanges())
	assert.Equal(t, []Exchange{{Reply{Status: 200}, Access{Status: 200}}}, Scenario{Play: []Step{Get("/")}}.Exchanges())
}

func TestSymptoms(t *testing.T) {
	s := Scenario{Play: []Step{Get("/")}, Want: Want{Replies: []Reply{{Status: 200, Class: "eof"}}},
		Since: []Since{{"1.29.7", Want{Replies: []Reply{{Status: 502}}}}}, Or: []Want{{}}}
	assert.Equal(t, []Symptom{"502", "EOF", "lost answer"}, s.Symptoms())
}

func TestBySymptom(t *testing.T) {
	play := []Step{Get("/")}
	reply := func(r Reply) Want { return Want{Replies: []Reply{r}} }
	all := []Scenario{
		{ID: "fine", Play: play},
		{ID: "hung-up", Play: play, Want: reply(Reply{Class: "eof"})},
		{ID: "hung-up-fixed", Play: play, Fixes: "hung-up"},
		{ID: "too-large", Play: play, Want: reply(Reply{Status: 413})},
		{ID: "dead", Play: play, Want: reply(Reply{Status: 502})},
		{ID: "left", Play: play, Want: Want{Replies: []Reply{{}}, Access: []Access{{Status: 499}}}},
		{ID: "dead-too", Play: play, Want: reply(Reply{Status: 502})},
	}
	var got []string
	for _, g := range BySymptom(all, all) {
		line := string(g.Symptom) + ":"
		for _, s := range g.Scenarios {
			line += " " + s.ID
		}
		got = append(got, line)
	}
	assert.Equal(t, []string{"502: dead dead-too", "499: left", "413: too-large", "EOF: hung-up hung-up-fixed", "no failure: fine"}, got)
	alone := BySymptom(all[2:3], all)
	assert.Equal(t, SymptomEOF, alone[0].Symptom, "a fix is where its failure is, listed or not")
}

func TestCost(t *testing.T) {
	s := Scenario{Play: []Step{Get("/"), Idle(5600 * time.Millisecond), Raw("a", script.Rest(2*time.Second))}}
	assert.Equal(t, 9*time.Second, s.Cost())
}

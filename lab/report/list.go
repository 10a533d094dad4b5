package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"rstlab/lab/scenario"
	"rstlab/lab/verdict"
)

// List writes one line a scenario, each fix below its failure.
func List(p Paper, all []scenario.Scenario) {
	width := 0
	for _, s := range all {
		width = max(width, utf8.RuneCountInString(entry(s)))
	}
	for _, s := range all {
		p.columns(p.in(bold, fmt.Sprintf("%-*s", width, entry(s))), width, s.Title)
	}
}

func entry(s scenario.Scenario) string {
	if s.Fixes != "" {
		return "  → " + s.ID
	}
	return s.ID
}

// Show writes a scenario whole: why, how it is played, what must be seen.
func Show(p Paper, s scenario.Scenario, fixes []scenario.Scenario, config string) {
	s = s.Filled()
	p.line("%s  %s", p.in(bold, s.ID), s.Title)
	p.line("")
	p.labelled("why", strings.Join(strings.Fields(s.Why), " "))
	for i, step := range s.Play {
		p.labelled(first(i, "play"), fmt.Sprintf("%d. %s", i+1, step))
	}
	client := s.Client
	if s.Options.Retry != "" {
		client += ", retry " + string(s.Options.Retry)
	}
	if s.Options.PoolIdle != 0 {
		client += ", pool idle " + s.Options.PoolIdle.String()
	}
	p.labelled("parts", fmt.Sprintf("client %s (lab/clients/%s), nginx/%s.conf, backends/%s", client, s.Client, s.Nginx, s.Backend))
	for i, line := range verdict.Declared(s) {
		p.labelled(first(i, "want"), line)
	}
	for i, f := range fixes {
		p.labelled(first(i, "fixes"), f.ID+": "+f.Title)
	}
	if s.Fixes != "" {
		p.labelled("fix of", s.Fixes)
	}
	if s.Control.What != "" {
		p.labelled("control", "not as declared when "+s.Control.What)
	}
	for i, ref := range s.Refs {
		p.labelled(first(i, "refs"), ref)
	}
	p.labelled("cost", fmt.Sprintf("%.0f s of waiting", s.Waits().Seconds()))
	p.line("")
	p.line("%s", p.in(dim, "nginx/"+s.Nginx+".conf"))
	for line := range strings.Lines(config) {
		p.line("  %s", strings.TrimRight(line, "\n"))
	}
}

func first(i int, label string) string {
	if i == 0 {
		return label
	}
	return ""
}

// Table writes one line a result, and a last line that counts them. A scenario
// that was played several times is one line.
func Table(p Paper, results []verdict.Result, fixes map[string]string, took time.Duration) {
	var rows [][]verdict.Result // the plays of a scenario
	width := 0
	for _, r := range results {
		width = max(width, utf8.RuneCountInString(named(r.Scenario, fixes)))
		if n := len(rows); n > 0 && rows[n-1][0].Scenario == r.Scenario {
			rows[n-1] = append(rows[n-1], r)
			continue
		}
		rows = append(rows, []verdict.Result{r})
	}
	words := 0
	for _, plays := range rows {
		words = max(words, len(tally(plays)))
	}
	for _, plays := range rows {
		worst := plays[0]
		for _, r := range plays {
			if r.Outcome != verdict.Pass {
				worst = r
			}
		}
		line := fmt.Sprintf("%-*s  %s", width, named(worst.Scenario, fixes), p.in(outcomeInk(worst.Outcome), fmt.Sprintf("%-*s", words, tally(plays))))
		p.columns(line, width+2+words, cmp.Or(strings.ReplaceAll(worst.Reason, "\n", " "), worst.Title))
	}
	p.line("")
	p.line("%s", summary(results, took))
}

// named is a scenario's ID as the tables have it: a fix stands under its failure.
func named(id string, fixes map[string]string) string {
	if fixes[id] != "" {
		return "  → " + id
	}
	return id
}

// summary counts the outcomes.
func summary(results []verdict.Result, took time.Duration) string {
	counts := map[verdict.Outcome]int{}
	for _, r := range results {
		counts[r.Outcome]++
	}
	var parts []string
	for _, o := range []verdict.Outcome{verdict.Pass, verdict.Fail, verdict.Unsupported, verdict.SetupFailed, verdict.LabError} {
		if counts[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[o], Word(o)))
		}
	}
	return fmt.Sprintf("%s in %.1f s", strings.Join(parts, ", "), took.Seconds())
}

package report

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"rstlab/lab/scenario"
	"rstlab/lab/search"
	"rstlab/lab/verdict"
)

// List writes scenarios by what a user sees of them, a line each, each fix below
// its failure.
func List(p Paper, groups []scenario.Group, self string) {
	p.hint(self+" show ID tells one", self+" run ID plays it, in about the seconds given",
		self+` list "104: Connection reset" finds by an error`, "→ fixes what stands above")
	for _, g := range groups {
		t := p.table(g.Scenarios)
		mark := red
		if !g.Symptom.Failed() {
			mark = green
		}
		text := cmp.Or(g.Symptom.Says(), statusText(g.Symptom))
		p.line("")
		p.line("%s", strings.TrimRight(p.in(bold, p.in(mark, string(g.Symptom)))+"  "+p.in(dim, clip(text, p.Width-2-utf8.RuneCountInString(string(g.Symptom)))), " "))
		failure := ""
		for _, s := range g.Scenarios {
			t.scenario(s, failure)
			if s.Fixes == "" {
				failure = s.ID
			}
		}
	}
}

func statusText(s scenario.Symptom) string {
	status, _ := strconv.Atoi(string(s))
	return http.StatusText(status)
}

// Found writes the scenarios that a text was found in, the best first, each
// with the line that matched and its fixes.
func Found(p Paper, hits []search.Hit, of int, fixes func(id string) []scenario.Scenario, self string) {
	p.hint(fmt.Sprintf("%d of %d scenarios, the best match first", len(hits), of), self+" show ID tells one", self+" run ID plays it", "→ fixes what stands above")
	p.line("")
	hit := map[string]search.Hit{}
	var all []scenario.Scenario
	for _, h := range hits {
		hit[h.ID] = h
		all = append(append(all, h.Scenario), fixes(h.ID)...)
	}
	t := p.table(all)
	told := map[string]bool{}
	tell := func(s scenario.Scenario, failure string) {
		t.scenario(s, failure)
		if h, ok := hit[s.ID]; ok {
			p.match(h)
		}
		told[s.ID] = true
	}
	for _, h := range hits {
		if failure, ok := hit[h.Fixes]; ok {
			h = failure // which has its fixes below it
		}
		if told[h.ID] {
			continue
		}
		tell(h.Scenario, "")
		for _, fix := range fixes(h.ID) {
			tell(fix, h.ID)
		}
	}
}

// match writes the line that a text was found in: what is around the match, as
// far as it fits.
func (p Paper) match(h search.Hit) {
	width := p.Width - 6 - len(h.Where)
	from, to, before, after := h.From, h.To, h.Line[:h.From], h.Line[h.To:]
	if room := max(12, width-(to-from)); utf8.RuneCountInString(h.Line) > width {
		after = clip(after, max(room/2, room-utf8.RuneCountInString(before)))
		if runes := []rune(before); len(runes) > room-utf8.RuneCountInString(after) {
			before = "…" + string(runes[len(runes)-max(0, room-utf8.RuneCountInString(after)-1):])
		}
	}
	p.line("    %s  %s%s%s", p.in(dim, h.Where), Printable(before), p.in(yellow, Printable(h.Line[from:to])), Printable(after))
}

// hint writes what to do next, as many of the hints on a line as fit.
func (p Paper) hint(hints ...string) {
	line := ""
	for _, h := range hints {
		switch {
		case line == "":
			line = h
		case utf8.RuneCountInString(line+" · "+h) <= p.Width:
			line += " · " + h
		default:
			p.line("%s", p.in(dim, line))
			line = h
		}
	}
	p.line("%s", p.in(dim, line))
}

// table is scenarios in columns: ID, title, cost.
type table struct {
	Paper
	id, cost int // widths
}

func (p Paper) table(all []scenario.Scenario) table {
	t := table{Paper: p}
	for _, s := range all {
		t.id = max(t.id, utf8.RuneCountInString(entry(s)))
		t.cost = max(t.cost, utf8.RuneCountInString(cost(s)))
	}
	t.id = min(t.id, p.Width*2/5)
	return t
}

// scenario writes one, below the failure that was written last. An ID that is
// wider than its column has a line of its own.
func (t table) scenario(s scenario.Scenario, below string) {
	i, left, title := bold, entry(s), s.Title
	if s.Fixes != "" {
		i = green
		if s.Fixes != below {
			title = "fix of " + s.Fixes + ": " + title
		}
	}
	right := cost(s)
	if utf8.RuneCountInString(left) > t.id {
		t.line("%s", t.in(i, left))
		left = ""
	}
	room := t.Width - t.id - t.cost - 4
	for _, line := range wrap(title, room) {
		text := t.in(i, left) + strings.Repeat(" ", t.id-utf8.RuneCountInString(left)+2) + line
		if right != "" {
			text += strings.Repeat(" ", room-utf8.RuneCountInString(line)+2) + t.in(dim, fmt.Sprintf("%*s", t.cost, right))
		}
		t.line("%s", text)
		left, right = "", ""
	}
}

func entry(s scenario.Scenario) string {
	if s.Fixes != "" {
		return "  → " + s.ID
	}
	return "  " + s.ID
}

// cost is how long a scenario takes.
func cost(s scenario.Scenario) string {
	text := fmt.Sprintf("%.0f s", s.Cost().Seconds())
	if s.Runs > 1 {
		text = fmt.Sprintf("%d × %s", s.Runs, text)
	}
	return text
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

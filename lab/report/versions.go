package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
	"rstlab/lab/verdict"
)

// Versions shows what each scenario came to under each nginx: a row a scenario,
// a column a version; and, where that differs, what the client saw and how
// nginx's own connections ended.
func Versions(p Paper, results []verdict.Result, fixes map[string]string, took time.Duration) {
	var versions, scenarios []string
	cells := map[[2]string][]verdict.Result{}
	for _, r := range results {
		if !slices.Contains(versions, r.NginxVersion) {
			versions = append(versions, r.NginxVersion)
		}
		if !slices.Contains(scenarios, r.Scenario) {
			scenarios = append(scenarios, r.Scenario)
		}
		at := [2]string{r.Scenario, r.NginxVersion}
		cells[at] = append(cells[at], r)
	}
	head := []string{""}
	for _, v := range versions {
		head = append(head, "nginx "+v)
	}
	rows := [][]string{head}
	var reasons []string
	for _, s := range scenarios {
		row, saw, behind := []string{named(s, fixes)}, []string{"  client saw"}, []string{"  nginx > back end"}
		for _, v := range versions {
			runs := cells[[2]string{s, v}]
			row = append(row, tally(runs))
			if len(runs) == 0 {
				saw, behind = append(saw, ""), append(behind, "")
				continue
			}
			last := runs[len(runs)-1]
			saw, behind = append(saw, seen(last)), append(behind, connections(last))
			if last.Reason != "" {
				reasons = append(reasons, fmt.Sprintf("%s, nginx %s: %s", s, v, strings.Join(strings.Fields(last.Reason), " ")))
			}
		}
		rows = append(rows, row)
		for _, more := range [][]string{saw, behind} {
			if slices.ContainsFunc(more[2:], func(other string) bool { return other != more[1] }) {
				rows = append(rows, more)
			}
		}
	}
	widths := make([]int, len(head))
	for _, row := range rows {
		for i, text := range row {
			widths[i] = max(widths[i], len([]rune(text)))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, text := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], text)
		}
		p.line("%s", strings.TrimRight(line.String(), " "))
	}
	if reasons != nil {
		p.line("")
	}
	for _, reason := range reasons {
		p.columns("", 0, reason)
	}
	p.line("")
	p.line("%s", summary(results, took))
}

// tally is how the plays of a cell came out, in words.
func tally(runs []verdict.Result) string {
	passed := 0
	word := Word(verdict.Pass)
	for _, r := range runs {
		if r.Outcome == verdict.Pass {
			passed++
		} else {
			word = Word(r.Outcome)
		}
	}
	if len(runs) > 1 {
		return fmt.Sprintf("%d of %d %s", passed, len(runs), Word(verdict.Pass))
	}
	return word
}

// seen is what the client saw, in a word a request.
func seen(r verdict.Result) string {
	var all []string
	for _, o := range r.Replies {
		switch {
		case o.Error != nil && o.Status != 0:
			all = append(all, fmt.Sprintf("%d cut by %s", o.Status, o.Error.Class))
		case o.Error != nil:
			all = append(all, o.Error.Class)
		case o.Status != 0:
			all = append(all, strconv.Itoa(o.Status))
		default:
			all = append(all, "no answer")
		}
	}
	return strings.Join(all, ", ")
}

// connections is how nginx's connections to its back ends ended: "2 closed by
// nginx, 1 open".
func connections(r verdict.Result) string {
	var ends []string
	count := map[string]int{}
	for _, c := range r.Conversations {
		server := r.Hosts[c.Server.Addr().String()]
		if r.Hosts[c.Client.Addr().String()] != scenario.Nginx {
			continue
		}
		end := string(c.Cause)
		switch c.ClosedBy {
		case tcp.Client:
			end += " by nginx"
		case tcp.Server:
			end += " by " + string(server)
		}
		if count[end]++; count[end] == 1 {
			ends = append(ends, end)
		}
	}
	for i, end := range ends {
		ends[i] = fmt.Sprintf("%d %s", count[end], end)
	}
	return strings.Join(ends, ", ")
}

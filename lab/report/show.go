package report

import (
	"fmt"
	"strings"

	"rstlab/lab/scenario"
	"rstlab/lab/verdict"
)

// Sheet is what there is to know of a scenario before it is played.
type Sheet struct {
	Scenario scenario.Scenario
	Failure  scenario.Scenario   // that this is the fix of, where it is one
	Fixes    []scenario.Scenario // of this failure
	Changes  []string            // of its nginx config from baseline.conf
	Config   string              // whole; "" leaves it out
	Self     string              // how the lab is called
}

// Show writes a scenario: why it comes so, how it is played, what must be seen,
// and how to do the same by hand.
func Show(p Paper, sheet Sheet) {
	s := sheet.Scenario.Filled()
	symptom, mark := s.Symptom(), red
	if !symptom.Failed() {
		mark = green
	}
	p.line("%s  %s  %s", p.in(bold, s.ID), p.in(mark, string(symptom)), p.in(dim, "about "+cost(s)))
	for _, line := range wrap(s.Title, p.Width-2) {
		p.line("  %s", line)
	}
	p.line("")
	p.labelled("why", strings.Join(strings.Fields(s.Why), " "))
	p.line("")
	drawPicture(p, s)
	p.line("")
	p.list("play", numbered(s.Play))
	p.list("backend", serverDoes(s.Server))
	p.list("backend2", serverDoes(s.Second))
	p.line("")
	p.list("want", verdict.Declared(s))
	p.line("")
	p.labelled("parts", fmt.Sprintf("client %s (lab/clients/%s), nginx/%s.conf, backends/%s", partOf(s, scenario.Client), s.Client, s.Nginx, s.Backend))
	sheet.config(p, s)
	for i, f := range sheet.Fixes {
		p.labelled(first(i, "fixes"), f.ID+": "+f.Title)
	}
	if sheet.Failure.ID != "" {
		p.labelled("fix of", sheet.Failure.ID+": "+sheet.Failure.Title)
	}
	if s.Control.What != "" {
		p.labelled("control", "not as declared when "+s.Control.What)
	}
	for i, ref := range s.Refs { // whole, so that they can be followed
		p.line("  %s%s", p.in(bold, fmt.Sprintf("%-*s", indent-2, first(i, "refs"))), ref)
	}
	p.line("")
	p.labelled("by hand", sheet.Self+" up "+s.ID+" tells these with the names of the containers")
	Commands(p, strings.Repeat(" ", indent), ByHand(s, Placeholders))
	if sheet.Config != "" {
		p.line("")
		p.line("%s", p.in(dim, "nginx/"+s.Nginx+".conf"))
		for line := range strings.Lines(sheet.Config) {
			p.line("  %s", strings.TrimRight(line, "\n"))
		}
	}
}

// Commands writes lines of a shell, not wrapped, so that they can be copied.
func Commands(p Paper, indent string, lines []string) {
	for _, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			line = p.in(dim, line)
		}
		p.line("%s%s", indent, line)
	}
}

func numbered(steps []scenario.Step) []string {
	var all []string
	for i, s := range steps {
		all = append(all, fmt.Sprintf("%d. %s", i+1, s))
	}
	return all
}

// list writes lines behind one label.
func (p Paper) list(label string, lines []string) {
	for i, line := range lines {
		p.labelled(first(i, label), line)
	}
}

func (sheet Sheet) config(p Paper, s scenario.Scenario) {
	switch {
	case s.Nginx == (scenario.Scenario{}).Filled().Nginx:
		p.labelled("config", "nginx/"+s.Nginx+".conf as it is (-v shows it)")
	case sheet.Changes == nil:
		p.labelled("config", "it says the same as nginx/baseline.conf")
	default:
		p.labelled("config", "against nginx/baseline.conf (-v shows the whole)")
		for _, line := range sheet.Changes {
			i := green
			if strings.HasPrefix(line, "-") {
				i = red
			}
			p.line("%s%s", strings.Repeat(" ", indent), p.in(i, line))
		}
	}
}

package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rstlab/lab/tcp"
)

// ladder is a sequence diagram of segments between hosts, one a line.
type ladder struct {
	lanes     []lane
	rungs     []rung
	elsewhere string // where the frames are that the diagram leaves out
}

// lane is a host's vertical line.
type lane struct{ name, title string }

// rung is one line of the diagram: a segment, or what happened between two.
type rung struct {
	at    time.Time
	frame *tcp.Frame
	from  string // names of lanes
	to    string
	note  string            // in place of a segment
	below map[string]string // in place of a segment: a word below each lane
}

// gap is how long nothing must happen to be worth a line.
const gap = 400 * time.Millisecond

const gutter = 14 // frame number and time

// draw writes the diagram. Rungs are ordered by time; a segment's RST is red.
func (l ladder) draw(p Paper) {
	if len(l.rungs) == 0 {
		return
	}
	slices.SortStableFunc(l.rungs, func(a, b rung) int { return a.at.Compare(b.at) })
	l.lanes = slices.Clone(l.lanes)
	for i := range l.lanes { // a client of many connections has many ports
		l.lanes[i].title = clip(l.lanes[i].title, (p.Width-gutter)/len(l.lanes)-4)
	}
	columns := l.columns(p.Width - gutter - 2)
	title := []rune(strings.Repeat(" ", p.Width-gutter))
	for i, lane := range l.lanes {
		at := columns[i] - utf8.RuneCountInString(lane.title)/2
		put(title, max(0, min(at, len(title)-utf8.RuneCountInString(lane.title))), lane.title)
	}
	p.line("%s%s", strings.Repeat(" ", gutter), p.in(bold, strings.TrimRight(string(title), " ")))

	start := time.Time{}
	for _, r := range l.rungs {
		if r.frame != nil {
			start = r.at
			break
		}
	}
	last, number := l.rungs[0].at, 0
	for _, r := range l.rungs {
		if r.frame != nil {
			if left := r.frame.Number - number - 1; number > 0 && left > 0 && l.elsewhere != "" {
				p.line("%s%s", strings.Repeat(" ", gutter), p.in(dim, fmt.Sprintf("┆ %d to %d: %s", number+1, number+left, l.elsewhere)))
			}
			number = r.frame.Number
		}
		if quiet := r.at.Sub(last); quiet >= gap {
			p.line("%s%s", strings.Repeat(" ", gutter), p.in(dim, fmt.Sprintf("┆ %s", seconds(quiet))))
		}
		last = r.at
		row := []rune(strings.Repeat(" ", p.Width-gutter))
		for _, c := range columns {
			row[c] = '│'
		}
		switch {
		case r.frame != nil:
			l.arrow(row, columns, r)
			text := strings.TrimRight(string(row), " ")
			if r.frame.Flags&tcp.RST != 0 {
				text = p.in(red, text)
			}
			p.line("%s%s", p.in(dim, fmt.Sprintf("%4d %7.3f  ", r.frame.Number, r.at.Sub(start).Seconds())), text)
		case r.below != nil:
			for i, lane := range l.lanes {
				if word := r.below[lane.name]; word != "" {
					n := utf8.RuneCountInString(word)
					put(row, max(0, min(columns[i]-n/2, len(row)-n)), word)
				}
			}
			p.line("%s%s", p.in(dim, fmt.Sprintf("%12s  ", "ss")), p.in(cyan, strings.TrimRight(string(row), " ")))
		default:
			p.line("%s%s", strings.Repeat(" ", gutter), p.in(yellow, clip("× "+r.note, p.Width-gutter)))
		}
	}
}

// columns returns where the lanes stand.
func (l ladder) columns(width int) []int {
	left, right := utf8.RuneCountInString(l.lanes[0].title)/2, utf8.RuneCountInString(l.lanes[len(l.lanes)-1].title)/2
	left, right = max(left, 4), max(right, 5)
	all := make([]int, len(l.lanes))
	for i := range all {
		all[i] = left
		if len(all) > 1 {
			all[i] += i * (width - left - right) / (len(all) - 1)
		}
	}
	return all
}

// arrow draws a segment: its flags, what it carries, and the arrow, from the
// sender's lane to the receiver's.
func (l ladder) arrow(row []rune, columns []int, r rung) {
	at := func(name string) int {
		return columns[max(0, slices.IndexFunc(l.lanes, func(l lane) bool { return l.name == name }))]
	}
	label := r.frame.Flags.String()
	if carried := carries(*r.frame); carried != "" {
		label += " " + carried
	}
	arrow(row, at(r.from), at(r.to), label)
}

// arrow draws an arrow from one column to another, its label at its tail.
func arrow(row []rune, from, to int, label string) {
	low, high := min(from, to)+1, max(from, to)-1
	if high-low < 8 {
		return
	}
	for i := low; i <= high; i++ {
		row[i] = '─'
	}
	if label != "" {
		label = " " + clip(label, high-low-6) + " "
	}
	if from < to {
		row[high] = '▶'
		put(row, low+1, label)
	} else {
		row[low] = '◀'
		put(row, high-utf8.RuneCountInString(label), label)
	}
}

func put(row []rune, at int, s string) {
	for _, c := range s {
		if at >= 0 && at < len(row) {
			row[at] = c
		}
		at++
	}
}

// carries says what a segment's payload is, from its first line or from the heads of its
// frames or records.
func carries(f tcp.Frame) string {
	if f.Len == 0 {
		return ""
	}
	line, _, _ := bytes.Cut(f.Payload, []byte("\r\n"))
	words := strings.Fields(string(line))
	switch {
	case len(words) >= 2 && strings.HasPrefix(words[0], "HTTP/1."):
		return Printable(strings.Join(words[1:], " "))
	case len(words) == 3 && strings.HasPrefix(words[2], "HTTP/1."):
		return Printable(words[0] + " " + words[1])
	}
	if framed := tcp.Framed(f.Payload); framed != "" {
		return framed
	}
	return fmt.Sprintf("%d bytes", f.Len)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

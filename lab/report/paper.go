// Package report turns results into what people read: stories with a ladder of
// the packets, tables, the progress of a run. It only looks: what it shows is
// in results.json and the evidence.
package report

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// Paper is what is written on: how wide it is and whether it has colours.
type Paper struct {
	io.Writer
	Width  int
	Colour bool
	Live   bool // a terminal, where lines can be drawn again
}

// The widths between which everything fits.
const (
	narrowest = 60
	widest    = 112
)

// PaperOf returns the paper that a file is: a terminal's own width and
// colours, or plain text 100 columns wide. NO_COLOR is obeyed.
func PaperOf(f *os.File) Paper {
	p := Paper{Writer: f, Width: 100}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		p.Live = os.Getenv("TERM") != "dumb"
		p.Colour = p.Live && os.Getenv("NO_COLOR") == ""
		p.Width = min(max(width, narrowest), widest)
	}
	return p
}

// ink is a colour: an SGR parameter of ECMA-48.
type ink string

const (
	bold   ink = "1"
	dim    ink = "2"
	red    ink = "31"
	green  ink = "32"
	yellow ink = "33"
	cyan   ink = "36"
)

func (p Paper) in(i ink, s string) string {
	if !p.Colour || s == "" {
		return s
	}
	return "\x1b[" + string(i) + "m" + s + "\x1b[0m"
}

func (p Paper) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// labelled writes text behind a label, wrapped to the paper, further lines
// below the first.
func (p Paper) labelled(label, text string) {
	for i, line := range wrap(text, p.Width-indent) {
		if i > 0 {
			label = ""
		}
		p.line("  %s%s", p.in(bold, fmt.Sprintf("%-*s", indent-2, label)), line)
	}
}

// columns writes text beside a left column of the given width, wrapped.
func (p Paper) columns(left string, width int, text string) {
	for i, line := range wrap(text, max(20, p.Width-width-2)) {
		if i > 0 {
			left = strings.Repeat(" ", width)
		}
		p.line("%s  %s", left, line)
	}
}

// indent is the column in which the text behind a label begins.
const indent = 11

// wrap breaks text into lines of at most width columns: its own lines stay
// apart where they are marked by a newline, and a word that is longer than a
// line is broken.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			for utf8.RuneCountInString(word) > width {
				if line != "" {
					lines, line = append(lines, line), ""
				}
				runes := []rune(word)
				lines, word = append(lines, string(runes[:width])), string(runes[width:])
			}
			switch {
			case line == "":
				line = word
			case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
				line += " " + word
			default:
				lines, line = append(lines, line), word
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// Printable makes captured text safe for a terminal: everything but plain
// graphic characters is written as an escape, so that no byte from the wire
// can move the cursor, colour the screen or reorder what is read; graphic ones
// that are drawn as nothing become a question mark.
func Printable(s string) string {
	quoted := strconv.QuoteToGraphic(s)
	quoted = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return '?'
		}
		return r
	}, strings.ReplaceAll(quoted, `\\`, `\`))
}

func clip(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return string([]rune(s)[:width-1]) + "…"
}

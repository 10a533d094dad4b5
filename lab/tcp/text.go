package tcp

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// who names a side: by its host's name, else by its role.
func (st *story) who(i int) string { return st.host[i] }

// words is a sentence in the making.
type words []byte

func (w *words) say(parts ...string) *words {
	for _, p := range parts {
		*w = append(*w, p...)
	}
	return w
}

func (w *words) number(n int) *words {
	*w = strconv.AppendInt(*w, int64(n), 10)
	return w
}

// request is the request that counts, behind a space, or nothing.
func (st *story) request() string { return st.named(st.line) }

func (st *story) named(line uint32) string {
	text := st.x.lineOf[line]
	if text == "" {
		return ""
	}
	return " " + strings.ToValidUTF8(text[:min(len(text), 60)], "")
}

// what names the data that came after the close.
func (st *story) what() string {
	if st.after.kind == lateRequest {
		last := st.named(st.f.http.reqLine)
		return " a request" + strings.Replace(last, " ", " (", 1) + strings.Repeat(")", min(len(last), 1))
	}
	return " data"
}

// idleText is "idle connection after 5.0 s", or "connection".
func (st *story) idleText() string {
	var w words
	w.idle(st)
	return string(w)
}

func (w *words) idle(st *story) *words {
	d := st.idle()
	switch at := st.at(); {
	case st.closer < 0 || int64(d) < moment:
	case at == DuringIdle:
		return w.say("idle connection after ").span(d)
	case at == DuringUnknown: // whether it was idle, or an answer was owed
		return w.say("connection ").span(d).say(" after the last data")
	}
	return w.say("connection")
}

// firstOf is the first segment of a side that is marked: its SYN or the flow's first.
func (st *story) firstOf(i int) mark {
	m := mark{hi: uint32(uint64(st.f.start) >> 32), lo: uint32(st.f.start), n: 1}
	return m
}

func (st *story) synMark(i int) mark { return mark{n: max(st.side(i).syn, 1)} }

func later(a, b mark) mark {
	if b.n > a.n {
		return b
	}
	return a
}

func abs(d int64) int64 { return max(d, -d) }

func pick(cond bool, d During) During {
	if cond {
		return d
	}
	return DuringUnknown
}

// goAwayAlert begins a Conversation's Alert that is no alert of TLS.
const goAwayAlert = "GOAWAY "

// alertText is what who has raised an alert has done.
func alertText(alert string) string {
	if strings.HasPrefix(alert, goAwayAlert) {
		return "said " + alert
	}
	return "sent a TLS alert: " + alert
}

// moment is the shortest time worth telling.
const moment = int64(100 * time.Millisecond)

// span writes a duration as people say it; of one below zero that it is not known:
// "an unknown time (the clock went back) later".
func span(d time.Duration) string {
	var w words
	w.span(d)
	return string(w)
}

func (w *words) span(d time.Duration) *words {
	switch {
	case d < 0:
		return w.say("an unknown time (the clock went back)")
	case d < 100*time.Microsecond && d >= 5*time.Microsecond:
		return w.say("0.0").number(min(int((d+5*time.Microsecond)/(10*time.Microsecond)), 9)).say(" ms")
	case d < 10*time.Millisecond:
		return w.tenths(d, time.Millisecond).say(" ms")
	case d < time.Second:
		return w.number(int((d + time.Millisecond/2) / time.Millisecond)).say(" ms")
	case d < 100*time.Second:
		return w.tenths(d, time.Second).say(" s")
	}
	return w.number(int((d + time.Second/2) / time.Second)).say(" s")
}

func (w *words) tenths(d, unit time.Duration) *words {
	n := int((d + unit/20) / (unit / 10))
	return w.number(n / 10).say(".").number(n % 10)
}

// clean makes bytes from the wire safe for a terminal: what moves the cursor,
// reorders what is read or is not seen becomes a dot.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsGraphic(r) {
			return '·'
		}
		return r
	}, s)
}

// parseName is the inverse of the String methods of the small enumerations.
func parseName(b []byte, names []string, v *uint8) error {
	for i, n := range names {
		if n == string(b) {
			*v = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("unknown value %q", b)
}

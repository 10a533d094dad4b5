package tcp

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// LogLine is a line of one of nginx's logs, as far as it is understood.
type LogLine struct {
	Time     time.Time
	Text     string // whole, safe for a terminal
	Message  string // of the error log: what went wrong
	Client   netip.Addr
	Request  string // "GET /test"
	Upstream netip.AddrPort
	Status   int // of the access log
}

// ReadErrorLog reads nginx's error log; its times are in loc.
func ReadErrorLog(r io.Reader, loc *time.Location) ([]LogLine, error) {
	var found []LogLine
	err := lines(r, func(text string) {
		if len(text) < 20 {
			return
		}
		at, err := time.ParseInLocation("2006/01/02 15:04:05", text[:19], loc)
		if err != nil {
			return
		}
		_, rest, ok := strings.Cut(text, "#")
		if !ok {
			return
		}
		if _, after, ok := strings.Cut(rest, ": "); ok {
			rest = after
		}
		if strings.HasPrefix(rest, "*") {
			_, rest, _ = strings.Cut(rest, " ")
		}
		l := LogLine{Time: at, Text: clean(text)}
		message, _, _ := strings.Cut(rest, ", client: ")
		l.Message = clean(message)
		l.Client, _ = netip.ParseAddr(logField(rest, "client: "))
		l.Request = requestOf(strings.Trim(logField(rest, "request: "), `"`))
		up := strings.Trim(logField(rest, "upstream: "), `"`)
		if _, after, ok := strings.Cut(up, "://"); ok {
			up, _, _ = strings.Cut(after, "/")
		}
		l.Upstream = endpointOf(up) // of stream {} without a scheme
		found = append(found, l)
	})
	return found, err
}

func logField(s, name string) string {
	_, rest, ok := strings.Cut(s, name)
	if !ok {
		return ""
	}
	if strings.HasPrefix(rest, `"`) {
		if i := strings.Index(rest[1:], `"`); i >= 0 {
			return rest[:i+2]
		}
	}
	rest, _, _ = strings.Cut(rest, ", ")
	return rest
}

// requestOf is a request line without its version, as Conversation.Request has it.
func requestOf(line string) string {
	if i := strings.LastIndex(line, " HTTP/"); i > 0 {
		line = line[:i]
	}
	return clean(line)
}

// ReadAccessLog reads an access log: lines that begin as in the format
// "combined" (address, two words, [time], "request", status), or the lab's own,
// an object of JSON each.
func ReadAccessLog(r io.Reader) ([]LogLine, error) {
	var found []LogLine
	err := lines(r, func(text string) {
		l, ok := combined(text)
		if strings.HasPrefix(text, "{") {
			l, ok = ours(text)
		}
		if ok {
			l.Text = clean(text)
			found = append(found, l)
		}
	})
	return found, err
}

func combined(text string) (l LogLine, ok bool) {
	addr, rest, _ := strings.Cut(text, " ")
	l.Client, _ = netip.ParseAddr(addr)
	if _, rest, ok = strings.Cut(rest, "["); !ok {
		return l, false
	}
	when, rest, _ := strings.Cut(rest, "] \"")
	at, err := time.Parse("02/Jan/2006:15:04:05 -0700", when)
	request, rest, _ := strings.Cut(rest, `" `)
	l.Time, l.Request = at, requestOf(request)
	fmt.Sscan(rest, &l.Status)
	return l, err == nil
}

func ours(text string) (l LogLine, ok bool) {
	var in struct {
		Time            float64
		Remote, Request string
		Status          int `json:",string"`
	}
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return l, false
	}
	l.Time = time.UnixMilli(int64(in.Time * 1000))
	l.Client, l.Request, l.Status = endpointOf(in.Remote).Addr(), requestOf(in.Request), in.Status
	return l, l.Client.IsValid()
}

// nginx writes its logs with whole seconds, when it is done.
const logSlack = 1500 * time.Millisecond

// logs joins the two legs of a proxy: a line of the error log with the upstream
// conversation it speaks of, and with the client's conversation that got the
// 502 or 504. A line without an upstream is of the client's own.
func (e Evidence) logs(cs []Conversation) {
	byServer, byClient := map[netip.AddrPort][]int{}, map[netip.Addr][]int{}
	for i := range cs {
		byServer[cs[i].Server] = append(byServer[cs[i].Server], i)
		byClient[cs[i].Client.Addr()] = append(byClient[cs[i].Client.Addr()], i)
	}
	joined := map[int]bool{}
	for _, l := range e.Errors {
		hint := l.hint()
		if hint == nil {
			continue
		}
		died := func(c *Conversation) bool {
			return slices.Contains(hint.causes, c.Cause) || c.Cause == CauseUnexplained && len(hint.causes) > 0
		}
		if !l.Upstream.IsValid() {
			if own := l.near(cs, byClient[l.Client], died); !strings.Contains(l.Message, "upstream") {
				l.tell(cs, own)
			}
			continue
		}
		up := l.near(cs, byServer[l.Upstream], died)
		u := l.tell(cs, up)
		if u == nil {
			continue
		}
		down := l.near(cs, byClient[l.Client], func(c *Conversation) bool {
			return c.Server != l.Upstream && c.Request == l.Request && l.Request != ""
		})
		if len(down) > 0 {
			u.join(&cs[down[0]], !joined[down[0]], guess(up, down))
			joined[down[0]] = true
		}
	}
	told := map[int]bool{}
	for _, l := range e.Access {
		if l.Status != 499 {
			continue
		}
		left := l.near(cs, byClient[l.Client], func(c *Conversation) bool {
			return c.Cause == CauseAbandoned && c.Request == l.Request && l.Time.Sub(c.End).Abs() < logSlack
		})
		for _, i := range left {
			if !told[i] {
				told[i] = true
				cs[i].note("nginx's access log has the 499%s.", guess(left))
				break
			}
		}
	}
}

// tell notes the line at the first of some conversations that has none yet, and
// returns it; nil without.
func (l LogLine) tell(cs []Conversation, found []int) *Conversation {
	for _, i := range found {
		if c := &cs[i]; c.Log == "" {
			c.Log = l.Message
			c.note("nginx's error log: %q%s.", l.Message, guess(found))
			return c
		}
	}
	return nil
}

// join notes at a connection to an upstream for whom it was, and, if it is the
// client's first, at the client's what it came of.
func (c *Conversation) join(client *Conversation, first bool, guess string) {
	came := "Behind it lies"
	switch {
	case client.Requests > 1: // whose answer the status is of is not known
		came = fmt.Sprintf("Behind one of its requests (%s) lies", client.Request)
		c.note("It was for a request of %s (%s)%s.", client.Client, client.Request, guess)
	case client.Status > 0: // the client's own connection may be healthy, and is then not told of
		c.note("%s was answered %d for it (%s)%s.", client.Client, client.Status, client.Request, guess)
		if client.Status >= 500 {
			came = fmt.Sprintf("The %d came of", client.Status)
		}
	}
	if first {
		client.note("%s the connection %s → %s, %s%s.", came, c.Client, c.Server, c.Cause, guess)
	}
}

// near gives those of some conversations that lasted at the line's time and are
// as wanted: those that died before the healthy, the nearest end first.
func (l LogLine) near(cs []Conversation, of []int, wanted func(*Conversation) bool) []int {
	var found []int
	for _, i := range of {
		c := &cs[i]
		if !l.Time.Before(c.Start.Add(-logSlack)) && !l.Time.After(c.End.Add(logSlack)) && wanted(c) {
			found = append(found, i)
		}
	}
	slices.SortStableFunc(found, func(a, b int) int {
		return cmp.Or(cmp.Compare(btoi(cs[a].Cause.Healthy()), btoi(cs[b].Cause.Healthy())),
			cmp.Compare(l.Time.Sub(cs[a].End).Abs(), l.Time.Sub(cs[b].End).Abs()))
	})
	return found
}

// guess is what is said where a line may be of several conversations.
func guess(found ...[]int) string {
	for _, of := range found {
		if len(of) > 1 {
			return "; a guess, for others fit as well"
		}
	}
	return ""
}

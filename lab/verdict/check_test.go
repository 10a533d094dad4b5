package verdict

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
)

var (
	client  = netip.MustParseAddrPort("10.0.0.1:40000")
	nginx   = netip.MustParseAddrPort("10.0.0.2:80")
	backend = netip.MustParseAddrPort("10.0.0.3:8080")
)

// clean is an observation of two requests on one connection.
func clean() scenario.Observation {
	return scenario.Observation{
		Names:     map[netip.Addr]scenario.Host{client.Addr(): scenario.Client, nginx.Addr(): scenario.Nginx, backend.Addr(): scenario.Backend},
		Outcomes:  []scenario.Outcome{{N: 1, Status: 200, LocalPort: 40000}, {N: 2, Status: 200, LocalPort: 40000}},
		AccessLog: []string{`{"status":"200","upstream_status":"200"}`, `{"status":"200","upstream_status":"200"}`},
		ErrorLog:  []string{"2026/11/23 16:00:00 [notice] 1#1: start worker processes", "2026/11/23 16:00:01 [info] 7#7: *1 client closed keepalive connection"},
		Frames: []tcp.Frame{
			{Number: 1, Src: client, Dst: nginx, Flags: tcp.SYN},
			{Number: 2, Src: nginx, Dst: client, Flags: tcp.SYN | tcp.ACK},
			{Number: 3, Src: client, Dst: nginx, Flags: tcp.ACK},
		},
		Conversations: []tcp.Conversation{{Client: client, Server: nginx, Cause: tcp.CauseOpen}},
		Sockets:       []scenario.Snapshot{{Before: 2, Host: scenario.Nginx, Sockets: []tcp.Socket{{State: "ESTAB", Local: nginx, Peer: client}}}},
	}
}

func plain() scenario.Scenario {
	return scenario.Scenario{ID: "x", Play: []scenario.Step{scenario.Get("/"), scenario.Get("/")}}
}

func differences(s scenario.Scenario, o scenario.Observation) []Difference {
	_, all := Check(s, o)
	return all
}

// TestAlternatives: a play shows what is wanted, or one of what may be seen as
// well; from a version of nginx on something else is wanted.
func TestAlternatives(t *testing.T) {
	bad := scenario.Want{Replies: []scenario.Reply{{Status: 502}, {Status: 502}}}
	s := plain()
	s.Want, s.Or = bad, []scenario.Want{{ErrorLog: []string{"x"}}, {}}
	shown, all := Check(s, clean())
	assert.Empty(t, all)
	assert.Equal(t, 2, shown)
	s.Or = s.Or[:1]
	_, all = Check(s, clean())
	assert.Contains(t, all[0].Want, "502", "the differences are those from Want")

	s = plain()
	s.Want, s.Since = bad, []scenario.Since{{Version: "1.9.3"}}
	for version, passes := range map[string]bool{"1.9.2": false, "1.9.3": true, "1.10": true, "1.9": false} {
		o := clean()
		o.Versions = map[scenario.Host]string{scenario.Nginx: "nginx " + version}
		assert.Equal(t, passes, len(differences(s, o)) == 0, version)
	}
}

func TestShare(t *testing.T) {
	s := scenario.Scenario{Runs: 10, Share: [2]float64{0.2, 0.8}}
	assert.Nil(t, Share(s, 2, 10))
	assert.Nil(t, Share(s, 8, 10))
	assert.NotNil(t, Share(s, 1, 10))
	assert.NotNil(t, Share(s, 9, 10))
	assert.NotNil(t, Share(s, 4, 9), "a play is missing")
	assert.Equal(t, "4 to 16 of 20", Share(s, 3, 20).Want, "of as many as were played")
	s = scenario.Scenario{Runs: 20, Share: [2]float64{0.05, 0.55}}
	assert.Equal(t, "1 to 11 of 20", Share(s, 0, 20).Want)
	assert.Nil(t, Share(s, 11, 20))
	assert.Contains(t, Declared(s), "in 1 to 11 of 20 plays")
}

func TestCleanPasses(t *testing.T) {
	assert.Empty(t, differences(plain(), clean()))
	assert.Equal(t, Pass, Of(plain(), clean()).Outcome)
}

// TestEveryDeviationFails: what the zero Want does not declare must not happen.
func TestEveryDeviationFails(t *testing.T) {
	for name, change := range map[string]func(*scenario.Observation){
		"reply 2":            func(o *scenario.Observation) { o.Outcomes[1].Status = 502 },
		"an error with 200":  func(o *scenario.Observation) { o.Outcomes[1].Error = &scenario.Error{Class: "eof"} },
		"a reply missing":    func(o *scenario.Observation) { o.Outcomes = o.Outcomes[:1] },
		"a reply too many":   func(o *scenario.Observation) { o.Outcomes = append(o.Outcomes, o.Outcomes[0]) },
		"error.log":          func(o *scenario.Observation) { o.ErrorLog = append(o.ErrorLog, "2026/11/23 16:00:02 [warn] 7#7: *1 x") },
		"access.log status":  func(o *scenario.Observation) { o.AccessLog[1] = `{"status":"499"}` },
		"access.log missing": func(o *scenario.Observation) { o.AccessLog = o.AccessLog[:1] },
		"RST": func(o *scenario.Observation) {
			o.Conversations[0].Resets = []tcp.Reset{{Frame: 9, From: tcp.Server, Kind: tcp.Abort}}
		},
		"connection": func(o *scenario.Observation) { o.Conversations[0].Cause = tcp.CauseHalfClosed },
	} {
		t.Run(name, func(t *testing.T) {
			o := clean()
			change(&o)
			differences := differences(plain(), o)
			require.NotEmpty(t, differences)
			for _, d := range differences {
				assert.NotEqual(t, d.Want, d.Got)
			}
			assert.Equal(t, Fail, Of(plain(), o).Outcome)
		})
	}
}

// TestEveryWantFails: what is declared must happen.
func TestEveryWantFails(t *testing.T) {
	for name, want := range map[string]scenario.Want{
		"status":           {Replies: []scenario.Reply{{Status: 200}, {Status: 502}}, Access: []scenario.Access{{}, {}}},
		"class":            {Replies: []scenario.Reply{{}, {Class: "eof"}}},
		"text":             {Replies: []scenario.Reply{{}, {Text: []string{"unexpected end"}}}},
		"bytes":            {Replies: []scenario.Reply{{Bytes: -1}, {Bytes: 5}}},
		"new connection":   {Replies: []scenario.Reply{{Conn: 1}, {Conn: 2}}},
		"error log":        {ErrorLog: []string{"Connection refused"}},
		"upstream status":  {Access: []scenario.Access{{Upstream: "200"}, {Upstream: "502, 200"}}},
		"segment":          {Wire: []scenario.Segment{{From: scenario.Nginx, To: scenario.Client, Flags: "R"}}},
		"order":            {Wire: []scenario.Segment{{Flags: "S."}, {Flags: "S"}}},
		"reset":            {Resets: []scenario.Reset{{From: scenario.Nginx}}},
		"end":              {Ends: []scenario.End{{Cause: tcp.CauseStaleIdle}}},
		"end of two":       {Ends: []scenario.End{{Cause: tcp.CauseOpen}, {Cause: tcp.CauseOpen}}},
		"socket":           {Sockets: []scenario.Socket{{Before: 2, Host: scenario.Nginx, State: "FIN-WAIT-2"}}},
		"socket elsewhere": {Sockets: []scenario.Socket{{Before: 2, Host: scenario.Client, State: "ESTAB"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := plain()
			s.Want = want
			assert.NotEmpty(t, differences(s, clean()))
			assert.NotEmpty(t, Declared(s))
		})
	}
}

func TestDeclaredPasses(t *testing.T) {
	o := clean()
	o.Outcomes[1] = scenario.Outcome{N: 2, LocalPort: 40001, Error: &scenario.Error{Class: "reset", Text: "read: connection reset by peer"}}
	o.AccessLog = o.AccessLog[:1]
	o.Conversations[0].Cause = tcp.CauseStaleFinLost
	o.Conversations[0].Resets = []tcp.Reset{{Frame: 3, From: tcp.Server, Kind: tcp.ToDataAfterClose}}
	o.ErrorLog = append(o.ErrorLog, "2026/11/23 16:00:02 [error] 7#7: *1 upstream timed out (110: Connection timed out) while connecting")
	s := plain()
	s.Want = scenario.Want{
		Replies:  []scenario.Reply{{Status: 200, Conn: 1, Bytes: -1}, {Class: "reset", Text: []string{"by peer", "read:"}, Conn: 2}},
		ErrorLog: []string{"upstream timed out (110"},
		Wire:     []scenario.Segment{{From: scenario.Client, Flags: "S"}, {Flags: "."}},
		Resets:   []scenario.Reset{{From: scenario.Nginx, To: scenario.Client, Kind: tcp.ToDataAfterClose}},
		Ends:     []scenario.End{{Client: scenario.Client, Server: scenario.Nginx, Cause: tcp.CauseStaleFinLost}},
		Sockets:  []scenario.Socket{{Before: 2, Host: scenario.Nginx, State: "ESTAB"}},
	}
	assert.Empty(t, differences(s, o))
	r := Of(s, o)
	assert.Equal(t, []Reset{{From: scenario.Nginx, To: scenario.Client, Kind: tcp.ToDataAfterClose, Frame: 3}}, r.Resets)
	assert.Equal(t, scenario.Nginx, r.Hosts["10.0.0.2"])
}

// TestOpenWhenPlayed: an idle timer that runs out behind the last outcome, while
// the lab still records, is none of the play.
func TestOpenWhenPlayed(t *testing.T) {
	played := time.Unix(100, 0)
	for name, c := range map[string]struct {
		fin    time.Duration // after it
		idle   time.Duration
		passes bool
	}{
		"behind it":             {time.Second, 2 * time.Second, true},
		"before it":             {-time.Second, 2 * time.Second, false},
		"behind it, at no idle": {time.Second, 200 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := clean()
			o.Played = played
			o.Conversations[0] = tcp.Conversation{Client: client, Server: nginx, Cause: tcp.CauseClosed, ClosedBy: tcp.Server, Idle: c.idle.Seconds(),
				Segments: []tcp.Frame{
					{Number: 1, Src: client, Dst: nginx, Flags: tcp.SYN, Time: played.Add(-time.Minute)},
					{Number: 2, Src: nginx, Dst: client, Flags: tcp.FIN | tcp.ACK, Time: played.Add(c.fin)}}}
			s := plain()
			s.Want.Ends = []scenario.End{{Client: scenario.Client, Server: scenario.Nginx, Cause: tcp.CauseOpen}}
			assert.Equal(t, c.passes, len(differences(s, o)) == 0)
		})
	}
}

// TestIdle: how long a connection was idle before it was closed, the ends of
// the span included.
func TestIdle(t *testing.T) {
	o := clean()
	o.Conversations[0] = tcp.Conversation{Client: nginx, Server: backend, Cause: tcp.CauseClosed, ClosedBy: tcp.Server, Idle: 5.0004}
	for want, got := range map[scenario.Span]string{
		{}: "",
		{From: 5 * time.Second, To: 5 * time.Second}:                 "",
		{From: 4900 * time.Millisecond, To: 6100 * time.Millisecond}: "",
		{From: 4 * time.Second, To: 4999 * time.Millisecond}:         "nginx > backend closed, closed by the server, after 5s of silence",
		{From: 5001 * time.Millisecond, To: 6 * time.Second}:         "nginx > backend closed, closed by the server, after 5s of silence",
	} {
		s := plain()
		s.Want.Ends = []scenario.End{{Cause: tcp.CauseClosed, ClosedBy: tcp.Server, Idle: want}}
		_, differences := Check(s, o)
		if got == "" {
			assert.Empty(t, differences, want)
			continue
		}
		assert.Equal(t, []Difference{{What: "connection", Want: "any > any closed, closed by the server, after " + want.String() + " of silence", Got: got}}, differences)
		assert.Contains(t, strings.Join(Declared(s), "\n"), differences[0].Want)
	}
}

func TestParseAccess(t *testing.T) {
	for line, want := range map[string]scenario.Access{
		`{"status":"502","upstream_status":"502, 200"}`:                              {Status: 502, Upstream: "502, 200"},
		`{"status":"009","upstream_status":"-"}`:                                     {Status: 9, Upstream: "-"},
		`10.0.0.1 - - [23/Nov/2026:16:00:00 +0000] "GET / HTTP/1.1" 404 153 "-" "x"`: {Status: 404},
		"": {},
	} {
		assert.Equal(t, want, parseAccess(line), line)
	}
}

func FuzzParseAccess(f *testing.F) {
	f.Add(`{"status":"200","upstream_status":"200"}`)
	f.Add(`1.2.3.4 - - [x] "GET / HTTP/1.1" 200 5`)
	f.Fuzz(func(t *testing.T, line string) {
		_ = describeAccess(parseAccess(line)) // must not panic
		_ = Notable(line)
	})
}

// TestSockets: a look at the sockets is before a request, or at the end.
func TestSockets(t *testing.T) {
	for before, when := range map[int]string{0: "ss on nginx at the end", 2: "ss on nginx before request 2"} {
		s := plain()
		s.Want.Sockets = []scenario.Socket{{Before: before, Host: scenario.Nginx, State: "SYN-SENT"}}
		all := differences(s, clean())
		require.Len(t, all, 1)
		assert.Equal(t, when, all[0].What)
		assert.Contains(t, Declared(s), when+": SYN-SENT")
	}
}

func TestConnectionsAreNumbered(t *testing.T) {
	got := connections([]scenario.Outcome{{LocalPort: 5}, {LocalPort: 7}, {}, {LocalPort: 5}})
	assert.True(t, slices.Equal([]int{1, 2, 0, 1}, got), "%v", got)
}

func TestDeclaredSpeaksOfAll(t *testing.T) {
	text := strings.Join(Declared(plain()), "\n")
	for _, part := range []string{"reply 2: 200", "nothing at warn", "no RST"} {
		assert.Contains(t, text, part)
	}
}

// TestInfo: lines below warn count where they are declared, in their order.
func TestInfo(t *testing.T) {
	s := plain()
	s.Want.Info = []string{"start worker", "closed keepalive"}
	assert.Empty(t, differences(s, clean()))
	assert.True(t, Informs(s, clean().ErrorLog[1]))
	slices.Reverse(s.Want.Info)
	all := differences(s, clean())
	require.Len(t, all, 1)
	assert.Equal(t, "start worker", all[0].Want)
	o := clean()
	o.ErrorLog = []string{"[error] start worker, closed keepalive"}
	assert.False(t, Informs(s, o.ErrorLog[0]), "what is notable is declared in ErrorLog")
}

// TestHarmlessReset: an RST behind an orderly close need not be declared, any
// other must be, and what is declared must be seen.
func TestHarmlessReset(t *testing.T) {
	with := func(cause tcp.Cause) scenario.Observation {
		o := clean()
		o.Conversations[0] = tcp.Conversation{Client: client, Server: nginx, Cause: cause, LateReset: cause == tcp.CauseClosed,
			Resets: []tcp.Reset{{Frame: 3, From: tcp.Server, Kind: tcp.AfterClose}}}
		return o
	}
	s := plain()
	assert.Empty(t, differences(s, with(tcp.CauseClosed)))
	assert.NotEmpty(t, differences(s, with(tcp.CauseDiscarded)))
	s.Want.Resets = []scenario.Reset{{From: scenario.Nginx, Kind: tcp.AfterClose}}
	assert.Empty(t, differences(s, with(tcp.CauseClosed)))
	s.Want.Resets[0].Kind = tcp.Abort
	assert.NotEmpty(t, differences(s, with(tcp.CauseClosed)))
	assert.NotEmpty(t, differences(s, clean()))
}

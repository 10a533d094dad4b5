package report

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/tcp"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"GET /test":                  "GET /test",
		`content=… \n not found: "`:  `content=… \n not found: "`,
		"\x1b[2J\x1b]0;title\x07":    `\x1b[2J\x1b]0;title\a`,
		"a\rb\u202egnp.exe":          `a\rb\u202egnp.exe`,
		"\xff\xfe":                   `\xff\xfe`,
		"\x9b2J\u009b2J\u0085":       `\x9b2J\u009b2J\u0085`,
		"\u2066a\u2069\u061c\u200f":  `\u2066a\u2069\u061c\u200f`,
		"a\u200b\u200d\ufeff\u00adb": `a\u200b\u200d\ufeff\u00adb`,
		"a\U000e0041\u2028b":         `a\U000e0041\u2028b`,
		"a\u3164\ufe0f\u034fb":       "a???b",
	} {
		assert.Equal(t, want, Printable(in))
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("\x1b[31m")
	f.Add("plain")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range Printable(s) {
			if !unicode.IsGraphic(r) {
				t.Fatalf("%q lets %U through", s, r)
			}
		}
	})
}

func TestWrap(t *testing.T) {
	assert.Equal(t, []string{"one two", "three"}, wrap("one two three", 9))
	assert.Equal(t, []string{"abcde", "fgh i"}, wrap("abcdefgh i", 5))
	assert.Equal(t, []string{"a", "b"}, wrap("a\nb", 80))
}

func TestLadder(t *testing.T) {
	client, nginx := netip.MustParseAddrPort("10.0.0.1:4000"), netip.MustParseAddrPort("10.0.0.2:80")
	start := time.Unix(0, 0)
	frame := func(n int, ms int, src, dst netip.AddrPort, flags tcp.Flags, payload string) rung {
		f := tcp.Frame{Number: n, Time: start.Add(time.Duration(ms) * time.Millisecond), Src: src, Dst: dst, Flags: flags, Payload: []byte(payload), Len: len(payload)}
		from, to := "client", "nginx"
		if src == nginx {
			from, to = to, from
		}
		return rung{at: f.Time, frame: &f, from: from, to: to}
	}
	l := ladder{
		lanes:     []lane{{"client", "client :4000"}, {"nginx", "nginx :80"}},
		elsewhere: "elsewhere",
		rungs: []rung{
			frame(1, 0, client, nginx, tcp.PSH|tcp.ACK, "GET /\x1b[2J HTTP/1.1\r\n\r\n"),
			frame(4, 2, nginx, client, tcp.PSH|tcp.ACK, "HTTP/1.1 200 OK\r\n\r\n"),
			frame(5, 5002, nginx, client, tcp.FIN|tcp.ACK, ""),
			{at: start.Add(6 * time.Second), below: map[string]string{"client": "CLOSE-WAIT", "nginx": "FIN-WAIT-2"}},
			{at: start.Add(6010 * time.Millisecond), note: "nginx: killed"},
			frame(6, 6020, client, nginx, tcp.PSH|tcp.ACK, "\x00\x01"),
			frame(7, 6021, nginx, client, tcp.RST, ""),
		},
	}
	var b strings.Builder
	l.draw(Paper{Writer: &b, Width: 80})
	assert.Equal(t, strings.TrimPrefix(`
              client :4000                                           nginx :80
   1   0.000        │─ P. GET /\x1b[2J ─────────────────────────────────▶│
              ┆ 2 to 3: elsewhere
   4   0.002        │◀─────────────────────────────────────── P. 200 OK ─│
              ┆ 5.0 s
   5   5.002        │◀────────────────────────────────────────────── F. ─│
              ┆ 1.0 s
          ss   CLOSE-WAIT                                           FIN-WAIT-2
              × nginx: killed
   6   6.020        │─ P. 2 bytes ──────────────────────────────────────▶│
   7   6.021        │◀─────────────────────────────────────────────── R ─│
`, "\n"), b.String())
	for line := range strings.Lines(b.String()) {
		assert.LessOrEqual(t, len([]rune(strings.TrimRight(line, "\n"))), 80)
	}
	assert.NotContains(t, b.String(), "\x1b")

	l.lanes[0].title = "client" + strings.Repeat(" :40000,", 60) // of so many connections
	b.Reset()
	l.draw(Paper{Writer: &b, Width: 80})
	for line := range strings.Lines(b.String()) {
		assert.LessOrEqual(t, len([]rune(strings.TrimRight(line, "\n"))), 80)
	}
}

func TestConfigDifference(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	own := write("own.conf", "# comment\nhttp {\n    keepalive_timeout   5s;\n}\n")
	same := write("same.conf", "http {\n  keepalive_timeout 5s; # five\n}\n")
	other := write("other.conf", "http {\n  keepalive_timeout 75s;\n}\n")
	text, err := ConfigDifference(own, same)
	require.NoError(t, err)
	assert.Equal(t, "same.conf says the same as own.conf", text)
	text, err = ConfigDifference(own, other)
	require.NoError(t, err)
	assert.Equal(t, "other.conf differs from own.conf:\n- keepalive_timeout 5s;\n+ keepalive_timeout 75s;", text)
}

// TestProgressWithoutTerminal: where lines cannot be drawn again there is one
// for each stage of a topic that lasts, and one for its end. What counts down is
// one stage, and what is over soon has no line.
func TestProgressWithoutTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		g := NewProgress(Paper{Writer: &b, Width: 80})
		g.Say("nginx", "building")
		for i := range 60 {
			g.Say("node", fmt.Sprintf("fetching package %d", i))
			g.Say("stale-idle", fmt.Sprintf("the client rests: %d s to go", 60-i))
			time.Sleep(900 * time.Millisecond) // at no tick
		}
		g.Done("nginx", "built")
		g.Say("node", "unpacking package 0")
		g.Above(func() { b.WriteString("story\n") })
		time.Sleep(lasts / 2)
		g.Say("node", "setting up package 0")
		time.Sleep(2 * lasts)
		g.Say("node", "fetching package 60")
		time.Sleep(2 * lasts)
		g.Done("stale-idle", "")
		g.Close()
		assert.Equal(t, strings.TrimPrefix(`
nginx ▸ building
node ▸ fetching package 2
stale-idle ▸ the client rests: 58 s to go
nginx: built, 54 s
story
node ▸ setting up package 0
`, "\n"), b.String())
	})
	var none *Progress
	none.Say("x", "y")
	none.Done("x", "y")
	none.Close()
}

func TestManyStories(t *testing.T) {
	groups := []tcp.Group{{Cause: tcp.CauseClosed, Count: 3, Logged: true, Text: "closed, and logged"}, {Cause: tcp.CauseClosed, Count: 4, ClosedBy: tcp.Client, Unread: 3}, {Cause: tcp.CauseOpen, Count: 2, ClosedBy: tcp.None}}
	for i := range stories {
		groups = append(groups, tcp.Group{Cause: tcp.CauseRefused, Count: 2, Text: "refused", Server: netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(i))})
	}
	var b strings.Builder
	Explanation{Groups: groups, Early: 1}.Tell(Paper{Writer: &b, Width: 100})
	assert.Contains(t, b.String(), "closed, and logged")
	assert.Contains(t, b.String(), "and 1 more paragraph:")
	assert.Contains(t, b.String(), "healthy  4 closed · 2 open; of 3 it is not to be seen")
	assert.Contains(t, b.String(), "1 connection decided early")
}

package tests

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/catalogue"
	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
)

// TestClues asks of each scenario's logs alone what its connections may have died
// of: what they did die of is among it.
func TestClues(t *testing.T) {
	asked := 0
	for _, s := range catalogue.All() {
		var log strings.Builder
		for _, text := range slices.Concat(s.Want.ErrorLog, s.Want.Info) {
			fmt.Fprintf(&log, "2026/11/01 10:00:00 [error] 16#16: *1 %s, client: 10.0.0.1\n", text)
		}
		errors, err := tcp.ReadErrorLog(strings.NewReader(log.String()), time.UTC)
		require.NoError(t, err)
		evidence := tcp.Evidence{Errors: errors}
		for _, a := range s.Want.Access {
			evidence.Access = append(evidence.Access, tcp.LogLine{Status: a.Status})
		}
		may := map[tcp.Cause]bool{}
		for _, c := range evidence.Clues() {
			for _, cause := range c.Causes {
				may[cause] = true
			}
		}
		died := slices.DeleteFunc(slices.Clone(s.Want.Ends), func(e scenario.End) bool { return e.Cause.Healthy() || e.Cause == tcp.CauseUnexplained })
		if len(may) == 0 || len(died) == 0 {
			continue
		}
		asked++
		assert.True(t, slices.ContainsFunc(died, func(e scenario.End) bool { return may[e.Cause] }), "%s: %v, but %v", s.ID, died, may)
	}
	assert.NotZero(t, asked)
	t.Logf("%d scenarios", asked)
}

// TestHostileBytes gives the command what should never reach a terminal, wherever
// bytes of others come in: nothing of it comes out.
func TestHostileBytes(t *testing.T) {
	dir := t.TempDir()
	capture, err := os.ReadFile("testdata/stale-idle.pcapng")
	require.NoError(t, err)
	for i, five := range []string{"/\x1b[2J", "/\u202e\r", "/\u009b2J"[:5], "/\u200bx", "\xff\x9b\x07\x85\x7f"} {
		mangled := bytes.ReplaceAll(capture, []byte("/test"), []byte(five))
		mangled = bytes.ReplaceAll(mangled, []byte("nginx\x00"), []byte(five+"\x00"))
		mangled = bytes.ReplaceAll(mangled, []byte("200 OK"), []byte("200 \u0085"))
		name := filepath.Join(dir, "a"+strings.ReplaceAll(five, "/", "x"))
		log := filepath.Join(dir, fmt.Sprint("log", i))
		line := `2026/11/23 17:00:39 [error] 17#17: *1 connect() failed (111: Connection refused` + five + `) while connecting to upstream, client: 1.2.3.4, request: "GET ` + five + ` HTTP/1.1", upstream: "http://192.168.192.2:8080/"` + "\n" +
			`192.168.112.3 - - [23/Nov/2026:17:00:35 +0000] "GET ` + five + ` HTTP/1.1" 499 0` + "\n" +
			"x: tcp_send_reset: src=10.0.0.1:80 dest=10.0.0.2:4000 state=" + five + " reason=" + five + "\n" +
			"CLOSE-WAIT 1 0 192.168.112.3:38506 192.168.112.4:80 " + five + "\n"
		require.NoError(t, os.WriteFile(name, mangled, 0o600))
		require.NoError(t, os.WriteFile(log, []byte(line), 0o600))
		evidence := []string{"--log", log, "--access", log, "--kernel", log, "--ss", log}
		for _, args := range [][]string{
			{name},
			{"--json", name},
			{"--ladder", "20", name},
			append([]string{name}, evidence...),
			append([]string{"--json", name}, evidence...),
			evidence,
			append([]string{"--json"}, evidence...),
			{name, "testdata/closed-port.pcapng"},
			{"-o", name + ".out", name},
			{"--host", five, "--cause", five, name},
			{name + " that is not there"},
			{"--since", five, name},
		} {
			out, _ := exec.Command("lab", append([]string{"explain"}, args...)...).CombinedOutput()
			assert.NotEmpty(t, out)
			for _, r := range string(out) {
				if r != '\n' && r != '\t' && (!unicode.IsGraphic(r) || r == unicode.ReplacementChar) {
					t.Fatalf("%q lets %q through: %q", args, r, out)
				}
			}
		}
	}
}

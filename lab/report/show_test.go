package report

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

// everything has a step of each kind.
var everything = scenario.Scenario{ID: "everything", Title: "a step of each kind", Why: "To see them all.", Client: "raw", Backend: "scripted",
	Server: &script.Server{Backlog: 1, Conns: [][]script.Op{
		{script.ReadRequest(), script.Answer(200, "ok"), script.Say("idle"), script.Wait("go"), script.Close()},
		{script.ReadHead(), script.Reset()},
	}},
	Play: []scenario.Step{
		scenario.Post("/test", "it's=1").With("X: y"),
		scenario.Gate(scenario.Nginx, scenario.FINLost), scenario.Said(scenario.Backend, "idle"), scenario.Tell(scenario.Backend, "go"), scenario.Held(scenario.Nginx),
		scenario.Filter(scenario.Nginx, "input ip saddr {backend} tcp sport 8080 tcp flags fin drop"), scenario.Unfilter(scenario.Nginx),
		scenario.Begin(scenario.Get("/slow")), scenario.Signal(scenario.Nginx, "TERM", scenario.Workers), scenario.Finish(),
		scenario.Raw("a", script.Write("GET /raw HTTP/1.1\r\nHost: x\r\n\r\n"), script.Rest(2*time.Second), script.Reset()),
		scenario.Idle(1500 * time.Millisecond), scenario.Await(scenario.Nginx, scenario.Client, "F."), scenario.Destroy(scenario.Client),
		scenario.Get("/again"), scenario.Reload(scenario.Nginx), scenario.Get("/late"), scenario.Pause(scenario.Backend), scenario.Get("/cut"),
		scenario.Kill(scenario.Backend), scenario.Ended(scenario.Backend), scenario.Logged("exit"), scenario.State(scenario.Nginx, "ESTAB"), scenario.Start(scenario.Backend), scenario.Quiet(), scenario.Get("http://backend:8080/direct"),
		scenario.KillHost(scenario.Backend), scenario.Get("http://test.foo.com:81/"),
	},
	Want: scenario.Want{
		Replies: []scenario.Reply{{Status: 200}, {Class: "eof"}, {}, {Status: 200}, {Class: "timeout"}, {Status: 200, Class: "reset"}, {Status: 200}, {Class: "refused"}},
		Access: []scenario.Access{{Status: 200, Upstream: "200"}, {}, {Status: 499, Upstream: "-"}, {Status: 200, Upstream: "502, 200"},
			{Status: 499, Upstream: "-"}, {Status: 200, Upstream: "200"}, {}, {}},
	},
	Control: scenario.Control{What: "nothing is done"},
	Refs:    []string{"RFC 9293"},
}

func TestShow(t *testing.T) {
	var b strings.Builder
	Show(Paper{Writer: &b, Width: 100}, Sheet{Scenario: everything, Failure: stale, Fixes: []scenario.Scenario{fix}, Config: "events {}\n", Self: "lab"})
	golden(t, "show.txt", b.String())
}

// TestPicture has what a picture takes from more than the steps: FINs and RSTs
// that are declared.
func TestPicture(t *testing.T) {
	s := stale
	s.Want.Wire = []scenario.Segment{
		{From: "client", To: "nginx", Flags: "P."}, {From: "nginx", To: "client", Flags: "P."}, {From: "nginx", To: "client", Flags: "F."},
		{From: "client", To: "nginx", Flags: "P."}, {From: "nginx", To: "client", Flags: "R"}}
	s.Want.Resets = []scenario.Reset{{From: "nginx", To: "client"}}
	var b strings.Builder
	drawPicture(Paper{Writer: &b, Width: 80}, s.Filled())
	assert.Equal(t, strings.TrimPrefix(`
       client                          nginx                          backend
         go                        baseline.conf                       node
   1      │─ GET /test ─────────────────▶│──────────────────────────────▶│
          │◀─────────────────────── 200 ─│◀──────────────────────── 200 ─│
   2  ┆ the client rests for 6 s
          │◀──────────────────────── F. ─│                               │
   3      │─ GET /test ─────────────────▶│                               │
          │◀───────────────────────── R ─│                               │
          │ ✗ EOF                        │                               │
`, "\n"), b.String())
}

func TestByHand(t *testing.T) {
	idle := stale
	idle.Client, idle.Options = "okhttp", scenario.Options{Retry: scenario.Off, PoolIdle: 3 * time.Second}
	idle.Play = append([]scenario.Step{scenario.Reload(scenario.Nginx), scenario.Await(scenario.Nginx, scenario.Client, "F.")}, idle.Play...)
	assert.Equal(t, []string{
		`rm -f /tmp/rstlab-answers; answered() { until grep -qs "\"n\":$1[,}]" /tmp/rstlab-answers; do sleep 0.1; done; }`,
		`{ echo '{"pool_idle_ms":3000,"retry":false}'`,
		`  docker exec NGINX nginx -s reload >&2`,
		`  grep -m1 '\.80 > .* Flags \[F\.\]' < <(docker logs -f --since 2s NGINX-TAP) >&2`,
		`  echo '{"n":1,"method":"GET","url":"http://test.foo.com/test"}'; answered 1`,
		`  sleep 6`,
		`  echo '{"n":2,"method":"GET","url":"http://test.foo.com/test"}'; answered 2`,
		`} | docker exec -i CLIENT $(docker inspect -f '{{join .Config.Cmd " "}}' CLIENT) | tee /tmp/rstlab-answers`,
	}, ByHand(idle, Placeholders), "a client that was set up is the scenario's own")
	assert.Equal(t, []string{"docker exec CLIENT curl -v http://test.foo.com/test"}, ByHand(dead, Placeholders))
	for name, c := range map[string]struct {
		s    scenario.Scenario
		want bool
	}{
		"one request":                                      {dead, false},
		"two, and nothing is done to a host":               {stale, true},
		"two, and the back end dies between":               {scenario.Scenario{Play: []scenario.Step{one[0], scenario.Kill(scenario.Backend), one[0]}}, false},
		"two, nginx reloads, and the client's end is sick": {scenario.Scenario{Play: []scenario.Step{one[0], scenario.Reload(scenario.Nginx), one[0]}, Want: scenario.Want{Ends: []scenario.End{{Client: "client", Cause: "stale-idle"}}}}, true},
		"scripts": {everything, true},
	} {
		assert.Equal(t, c.want, ownClient(c.s.Filled()), name)
	}
}

func TestQuote(t *testing.T) {
	assert.Equal(t, "http://test.foo.com/a", quote("http://test.foo.com/a"))
	assert.Equal(t, `'it'\''s $HOME'`, quote("it's $HOME"))
	assert.Equal(t, "''", quote(""))
}

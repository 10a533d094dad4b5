package tests

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/bench"
	"rstlab/lab/matrix"
	"rstlab/lab/scenario"
	"rstlab/lab/verdict"
)

// fault is the progress of a run in which two scenarios are in their middle, at
// rest, when something is done to one of them.
type fault struct {
	loud
	do     func()
	beside chan struct{} // closed when the other rests, or has ended
	struck chan struct{} // closed when it is done
	once   map[string]func()
}

func newFault(t *testing.T, do func()) *fault {
	f := &fault{loud: loud{t}, do: do, beside: make(chan struct{}), struck: make(chan struct{})}
	f.once = map[string]func(){
		"victim": sync.OnceFunc(func() { close(f.struck) }),
		"beside": sync.OnceFunc(func() { close(f.beside) }),
	}
	return f
}

func (f *fault) Say(topic, doing string) {
	if !strings.HasPrefix(doing, "the client rests") {
		return
	}
	switch topic {
	case "victim":
		<-f.beside
		f.do()
		f.once[topic]()
	case "beside":
		f.once[topic]()
		<-f.struck
	}
}

func (f *fault) Done(topic, how string) {
	f.loud.Done(topic, how)
	if ended := f.once[topic]; ended != nil {
		ended()
	}
}

// TestOthersGoOn: what is killed from outside in the middle of a play is that
// play's lab-error, with the reason. What is played beside it, and after it by a
// bench of the same kind, comes out as declared.
func TestOthersGoOn(t *testing.T) {
	e := engine(t)
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	get, rest := scenario.Get("/test"), scenario.Idle(time.Second)
	const kill = "docker kill %s"
	for part, how := range map[string]struct{ kill, reason string }{
		"client":     {kill, "host client is gone, and no step has ended it"},
		"nginx":      {kill, "host nginx is gone, and no step has ended it"},
		"backend":    {kill, "host backend is gone, and no step has ended it"},
		"client-tap": {kill, "host client-tap is gone, and no step has ended it"},
		"nginx-tap": {`docker exec %s sh -c 'kill -9 $(grep -lx gate /proc/[0-9]*/comm | cut -d/ -f3)'`,
			"host nginx-tap: gate has ended: signal 9"},
	} {
		t.Run(part, func(t *testing.T) {
			f := newFault(t, func() { outside(t, e, fmt.Sprintf(how.kill, victimOf(t, e)+part)) })
			results := map[string]verdict.Result{}
			err := matrix.Run(t.Context(), e, []scenario.Scenario{
				{ID: "victim", Play: []scenario.Step{scenario.Gate(scenario.Nginx, scenario.FINFirst), get, rest, get}},
				{ID: "beside", Compose: "two-backends", Play: []scenario.Step{get, rest, get}},
				{ID: "after", Play: []scenario.Step{get}},
			}, matrix.Options{Root: root, Out: t.TempDir(), Jobs: 2}, f, func(r verdict.Result) { results[r.Scenario] = r })
			require.NoError(t, err)
			assert.Equal(t, verdict.LabError, results["victim"].Outcome)
			assert.Contains(t, results["victim"].Reason, how.reason)
			assert.Contains(t, results["victim"].Reason, "play again")
			for _, other := range []string{"beside", "after"} {
				assert.Equal(t, verdict.Pass, results[other].Outcome, "%s: %s %v", other, results[other].Reason, results[other].Differences)
			}
		})
	}
	left, err := e.LeftBy(t.Context(), os.Getpid())
	require.NoError(t, err)
	assert.Zero(t, left)
}

// victimOf returns what the names of the victim's containers begin with: those of
// this process's bench that has no second back end.
func victimOf(t *testing.T, e *bench.Engine) string {
	t.Helper()
	pids, err := os.Readlink("/proc/self/ns/pid")
	assert.NoError(t, err)
	var names []string
	for line := range strings.Lines(outside(t, e, `docker ps --format '{{.Label "rstlab.owner"}} {{.Names}}'`)) {
		if strings.Contains(line, fmt.Sprintf(" %s %d ", pids, os.Getpid())) {
			words := strings.Fields(line)
			names = append(names, words[len(words)-1])
		}
	}
	for _, name := range names {
		if bench, is := strings.CutSuffix(name, "-client"); is && !slices.Contains(names, bench+"-backend2") {
			return bench + "-"
		}
	}
	assert.Fail(t, "the victim does not stand", "%v", names)
	return ""
}

// outside runs a command of the shell that talks to the engine, past the lab. It
// may be called by any goroutine.
func outside(t *testing.T, e *bench.Engine, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+e.Address)
	said, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s: %s", command, said)
	return string(said)
}

// TestNoRoom: the disk is full when the evidence of a play is to be kept. That is
// a lab-error with the reason: a verdict whose evidence is lost is none. The
// others go on.
func TestNoRoom(t *testing.T) {
	e := engine(t)
	out := t.TempDir()
	full := filepath.Join(out, "closed-port")
	require.NoError(t, os.Mkdir(full, 0o700))
	if err := syscall.Mount("tmpfs", full, "tmpfs", 0, "size=16k"); err != nil {
		t.Skip("no small file system can be made here: ", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(full, 0)) })
	cmd := exec.Command("lab", "run", "closed-port", "baseline", "-o", out)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "DOCKER_HOST="+e.Address)
	told, err := cmd.Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 2, exit.ExitCode())
	assert.Contains(t, string(exit.Stderr), "closed-port could not be judged: lab-error")
	assert.Regexp(t, `(?m)^closed-port +lab-error`, string(told))
	assert.Regexp(t, `(?m)^baseline +as declared`, string(told))
	assert.Regexp(t, `(?s)reason +keeping evidence: .*`+syscall.ENOSPC.Error()+`.*\(make\s+room,\s+or\s+name\s+another\s+folder\s+with\s+-o\)`, string(told))
	results, err := os.ReadFile(filepath.Join(out, "results.json"))
	require.NoError(t, err)
	assert.Contains(t, string(results), `"lab-error"`)
}

// TestNoRoomAtAll: nor can the results of all be kept. What was seen is told, and
// so is that.
func TestNoRoomAtAll(t *testing.T) {
	e := engine(t)
	out := t.TempDir()
	if err := syscall.Mount("tmpfs", out, "tmpfs", 0, "size=16k"); err != nil {
		t.Skip("no small file system can be made here: ", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(out, 0)) })
	r := playInto(t, e, out, scenario.Scenario{ID: "no-room", Play: []scenario.Step{scenario.Get("/test")}})
	assert.Equal(t, verdict.LabError, r.Outcome)
	assert.Contains(t, r.Reason, "keeping evidence")
	assert.Contains(t, r.Reason, syscall.ENOSPC.Error())
	assert.Equal(t, 1, r.Run)
}

// TestSetupFails: nginx passes the check, for a host that the config names is in
// the run, and does not start on the bench that lacks it. That is setup-failed,
// in nginx's words and with the file's own name; the others go on.
func TestSetupFails(t *testing.T) {
	e := engine(t)
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	conf := filepath.Join(t.TempDir(), "my.conf")
	require.NoError(t, os.WriteFile(conf, []byte("events {}\nhttp { server { listen 80; location / {\n  proxy_pass http://backend2:8080; } } }\n"), 0o600))
	get := []scenario.Step{scenario.Get("/test")}
	results := map[string]verdict.Result{}
	require.NoError(t, matrix.Run(t.Context(), e, []scenario.Scenario{
		{ID: "victim", Nginx: conf, Play: get},
		{ID: "beside", Compose: "two-backends", Play: get},
		{ID: "after", Play: get},
	}, matrix.Options{Root: root, Out: t.TempDir()}, loud{t}, func(r verdict.Result) { results[r.Scenario] = r }))
	assert.Equal(t, verdict.SetupFailed, results["victim"].Outcome)
	assert.Contains(t, results["victim"].Reason, `host not found in upstream "backend2" in `+conf+":3")
	assert.Contains(t, results["victim"].Reason, "the server behind nginx is backend:8080 here")
	for _, other := range []string{"beside", "after"} {
		assert.Equal(t, verdict.Pass, results[other].Outcome, results[other].Reason)
	}
}

// line is a connection to the engine that can be cut, or hang.
type line struct {
	mu    sync.Mutex
	ends  []net.Conn
	heard net.Listener
	hangs string      // nothing goes through any more from a call on that has this in it; "": everything
	hung  atomic.Bool // so it is
}

// throughLine forwards a socket of its own to the engine's, up to a call that has in it
// what it hangs at.
func throughLine(t *testing.T, engine, hangs string) (*line, string) {
	t.Helper()
	address, err := url.Parse(engine)
	require.NoError(t, err)
	if address.Scheme != "unix" {
		t.Skip("the engine is not at a unix socket")
	}
	path := filepath.Join(t.TempDir(), "engine.sock")
	l := &line{hangs: hangs}
	l.heard, err = net.Listen("unix", path)
	require.NoError(t, err)
	t.Cleanup(l.cut)
	go func() {
		for {
			from, err := l.heard.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", address.Path)
			if err != nil {
				from.Close()
				continue
			}
			l.mu.Lock()
			l.ends = append(l.ends, from, to)
			l.mu.Unlock()
			for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
				go func() {
					_, _ = io.Copy(way[0], hanging{l, way[1]})
					if half, ok := way[0].(interface{ CloseWrite() error }); ok {
						_ = half.CloseWrite()
					}
				}()
			}
		}
	}()
	return l, "unix://" + path
}

// hanging reads from one end of a line as long as that does not hang.
type hanging struct {
	*line
	net.Conn
}

func (h hanging) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	if h.hangs != "" && bytes.Contains(b[:n], []byte(h.hangs)) {
		h.hung.Store(true)
	}
	for h.hung.Load() && err == nil {
		_, err = h.Conn.Read(b) // until it is closed
		n = 0
	}
	return n, err
}

func (l *line) cut() {
	l.heard.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.ends {
		c.Close()
	}
}

// TestEngineLost: the line to the engine is cut in the middle of a play. No
// verdict comes of it nor of what was to be played next, the reason is told, and
// the hosts end by themselves.
func TestEngineLost(t *testing.T) {
	e := engine(t)
	l, address := throughLine(t, e.Address, "")
	cmd := exec.Command("lab", "run", "stale-idle", "closed-port", "-j", "1", "--timeout", "4", "-o", filepath.Join(t.TempDir(), "out"))
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "DOCKER_HOST="+address)
	var told strings.Builder
	cmd.Stdout = &told
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "the client rests") {
	}
	l.cut()
	rest, _ := io.ReadAll(stderr)
	err = cmd.Wait()
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "%v", err)
	assert.Equal(t, 2, exit.ExitCode())
	assert.Contains(t, string(rest), "could not be judged")
	assert.Regexp(t, `(?m)^stale-idle +lab-error`, told.String())
	assert.Regexp(t, `(?s)reason +the line to the engine is lost: .*unix://`, told.String())
	assert.Contains(t, told.String(), "(lab doctor says what is there)")
	assert.Regexp(t, `(?m)^closed-port +setup-failed`, told.String())
	require.Eventually(t, func() bool {
		left, err := e.LeftBy(t.Context(), cmd.Process.Pid)
		return err == nil && left.Containers == 0
	}, 30*time.Second, 50*time.Millisecond, "the hosts outlive their conductor")
	_, err = e.Sweep(t.Context())
	require.NoError(t, err)
	left, err := e.LeftBy(t.Context(), cmd.Process.Pid)
	require.NoError(t, err)
	assert.Zero(t, left)
}

// TestEngineHangs: the engine takes calls and answers none, from the first on or in
// the middle of a run. The lab says so once, with the way out, and does not wait for
// each of its scenarios anew.
func TestEngineHangs(t *testing.T) {
	e := engine(t)
	for at, says := range map[string]string{
		"/info":            "asking the engine at unix://.* about itself: it hangs: no answer within",
		"/networks/create": "[1-4] of 4 plays were left out or broken off: asking the engine at unix://.* for its networks: it hangs: no answer within",
	} {
		t.Run(at, func(t *testing.T) {
			_, address := throughLine(t, e.Address, at)
			cmd := exec.Command("lab", "run", "closed-port", "baseline", "499-fin", "half-close", "-j", "1", "--timeout", "0.1", "-o", filepath.Join(t.TempDir(), "out"))
			cmd.Dir, cmd.Env = "..", append(os.Environ(), "DOCKER_HOST="+address)
			_, err := cmd.Output()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			assert.Equal(t, 2, exit.ExitCode())
			assert.Regexp(t, says, string(exit.Stderr))
			assert.Contains(t, string(exit.Stderr), "restart it")
			_, err = e.Sweep(t.Context())
			require.NoError(t, err)
		})
	}
}

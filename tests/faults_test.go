package tests

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/scenario"
	"rstlab/lab/verdict"
)

// TestNoRoom: the disk is full when the evidence is to be kept. That is a
// lab-error with the reason: a verdict whose evidence is lost is none.
func TestNoRoom(t *testing.T) {
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
}

// line is a connection to the engine that can be cut.
type line struct {
	mu    sync.Mutex
	ends  []net.Conn
	heard net.Listener
}

// throughLine forwards a socket of its own to the engine's.
func throughLine(t *testing.T, engine string) (*line, string) {
	t.Helper()
	address, err := url.Parse(engine)
	require.NoError(t, err)
	if address.Scheme != "unix" {
		t.Skip("the engine is not at a unix socket")
	}
	path := filepath.Join(t.TempDir(), "engine.sock")
	l := &line{}
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
					_, _ = io.Copy(way[0], way[1])
					if half, ok := way[0].(interface{ CloseWrite() error }); ok {
						_ = half.CloseWrite()
					}
				}()
			}
		}
	}()
	return l, "unix://" + path
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
// verdict comes of it, the reason is told, and the hosts end by themselves.
func TestEngineLost(t *testing.T) {
	e := engine(t)
	l, address := throughLine(t, e.Address)
	cmd := exec.Command("lab", "run", "stale-idle", "--timeout", "4", "-o", filepath.Join(t.TempDir(), "out"))
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
	assert.Contains(t, told.String()+string(rest), string(verdict.LabError))
	assert.Regexp(t, `host [a-z-]+ is (gone|out of reach)`, told.String())
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

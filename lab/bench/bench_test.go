package bench

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/scenario"
)

func TestOwnerDead(t *testing.T) {
	me := owner{machine: "m@h", boot: "b", pidns: "pid:[1]", pid: 7, start: "70"}
	running := map[int]string{7: "70", 8: "80"}
	start := func(pid int) (string, error) {
		if s, ok := running[pid]; ok {
			return s, nil
		}
		return "", os.ErrNotExist
	}
	for name, c := range map[string]struct {
		change func(*owner)
		dead   bool
	}{
		"itself":                             {func(*owner) {}, false},
		"another that runs":                  {func(o *owner) { o.pid, o.start = 8, "80" }, false},
		"one that has ended":                 {func(o *owner) { o.pid = 9 }, true},
		"one whose pid was used again":       {func(o *owner) { o.pid, o.start = 8, "79" }, true},
		"before this machine's last boot":    {func(o *owner) { o.boot = "a" }, true},
		"on another machine":                 {func(o *owner) { o.machine, o.boot = "n@h", "a" }, false},
		"in another container, of this boot": {func(o *owner) { o.pidns, o.pid = "pid:[2]", 9 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := me
			c.change(&o)
			assert.Equal(t, c.dead, o.dead(me, start))
			back, ok := parseOwner(o.String())
			assert.True(t, ok)
			assert.Equal(t, o, back)
		})
	}
	for _, s := range []string{"", "m b p x 7", "m b p 7"} {
		_, ok := parseOwner(s)
		assert.False(t, ok, s)
	}
	alive, err := self()
	require.NoError(t, err)
	assert.False(t, alive.dead(alive, startTime))
}

func TestParseCounters(t *testing.T) {
	before, after := map[string]int64{}, map[string]int64{}
	parseCounters("Tcp: OutRsts InSegs\nTcp: 1 5\nUdp: InDatagrams\nUdp: 3\nTcpExt: TW\n", before)
	parseCounters("Tcp: OutRsts InSegs\nTcp: 2 5\nUdp: InDatagrams\nUdp: 9\n", after)
	assert.Equal(t, map[string]int64{"Tcp:OutRsts": 1, "Tcp:InSegs": 5, "Udp:InDatagrams": 3}, before)
	assert.Equal(t, []scenario.Counter{{Name: "Tcp:OutRsts", Before: 1, After: 2}}, moved(before, after))
}

func TestOSFamily(t *testing.T) {
	for content, want := range map[string]string{
		"ID=debian\n": "debian",
		"NAME=Ubuntu\nID=ubuntu\nID_LIKE=debian\n":    "debian",
		"ID=fedora\nID_LIKE=\"rhel centos\"\n":        "fedora",
		"ID=\"linuxmint\"\nID_LIKE=\"ubuntu debian\"": "debian",
	} {
		path := filepath.Join(t.TempDir(), "os-release")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		assert.Equal(t, want, osFamily(path))
	}
	assert.Empty(t, osFamily("/nonexistent"))
}

// TestInstallForbidden: told not to set anything up, the lab says what to do.
func TestInstallForbidden(t *testing.T) {
	t.Setenv("LAB_NO_SETUP", "1")
	err := install(t.Context(), func(string) { t.Error("nothing may be done") })
	require.Error(t, err)
	assert.Contains(t, err.Error(), "LAB_NO_SETUP is set")
	assert.Contains(t, err.Error(), "apt-get install docker.io")
}

func TestForgetDaemon(t *testing.T) {
	dockerd := filepath.Join(t.TempDir(), "dockerd")
	require.NoError(t, os.Symlink("/bin/sleep", dockerd))
	daemon := exec.Command(dockerd, "3600")
	require.NoError(t, daemon.Start())
	defer func() { _ = daemon.Process.Kill(); _ = daemon.Wait() }()
	for name, tt := range map[string]struct {
		pid  string
		kept bool
	}{
		"a dockerd":              {strconv.Itoa(daemon.Process.Pid), true},
		"another process by now": {strconv.Itoa(os.Getpid()), false},
		"nobody":                 {"4194305\n", false}, // above PID_MAX_LIMIT
		"no number":              {"", false},
	} {
		file := filepath.Join(t.TempDir(), "docker.pid")
		require.NoError(t, os.WriteFile(file, []byte(tt.pid), 0o600))
		require.NoError(t, forgetDaemon(file), name)
		if tt.kept {
			assert.FileExists(t, file, name)
		} else {
			assert.NoFileExists(t, file, name)
		}
	}
	assert.NoError(t, forgetDaemon(filepath.Join(t.TempDir(), "none")))
}

func TestFindEngineSaysWhere(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
	_, err := Connect(t.Context(), Options{Timeouts: DefaultTimeouts(1)})
	require.True(t, errors.Is(err, ErrNoEngine), "%v", err)
	assert.Contains(t, err.Error(), "/nonexistent/docker.sock")
}

func TestSourceOf(t *testing.T) {
	for image, want := range map[string]source{
		"rstlab/nginx:1.22":    {dir: "nginx", suite: "bookworm", certificate: true},
		"rstlab/client-okhttp": {dir: "lab/clients/okhttp", suite: "trixie"},
		"rstlab/backend-node":  {dir: "backends/node", suite: "trixie"},
		"rstlab/tap":           {dir: "compose/tap", suite: "trixie", programs: map[string]string{"gate": "lab/gate"}},
	} {
		got, err := sourceOf(image)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	got, err := sourceOf("rstlab/nginx:" + NginxImage("nginx:1.29-alpine"))
	require.NoError(t, err)
	assert.Equal(t, source{dir: "nginx/image", from: "nginx:1.29-alpine", certificate: true}, got)
	_, err = sourceOf("rstlab/nginx:1.99")
	assert.ErrorContains(t, err, "1.22, 1.26, 1.30")
	_, err = sourceOf("busybox")
	assert.ErrorContains(t, err, "none of the lab's")
}

func TestClock(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	var c clock
	c.saw(at(0), at(40), at(50)) // the same clock, and an answer that took its time
	assert.Zero(t, c.ahead)
	c.saw(at(0), at(5001), at(2))
	assert.Equal(t, 5*time.Second, c.ahead)
	c.saw(at(0), at(0), at(90)) // a slower answer knows less
	assert.Equal(t, 5*time.Second, c.ahead)
}

func FuzzParsers(f *testing.F) {
	f.Add("Tcp: A B\nTcp: 1 2\n")
	f.Add("m b p 7 70")
	f.Fuzz(func(_ *testing.T, s string) { // none may panic
		parseCounters(s, map[string]int64{})
		parseOwner(s)
		aptDoing(s)
	})
}

// Package bench plays a scenario on real hosts and returns what was seen. It
// is the only package that knows Docker: the engine, the images, the topology
// of docker-compose.yml, the hosts' agents and the taps.
//
// Alternatives considered: testcontainers' compose module (twice the compile,
// no hook between create and start, its own network labels) and `docker exec`
// for each step (60 to 110 ms against 1 to 3 ms through an agent).
package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

// ErrNoEngine says that no container engine answers: errors.Is tells it from
// an engine that refuses.
var ErrNoEngine = errors.New("no container engine answers")

// Engine is a Docker Engine (or what answers like one: podman, a remote
// DOCKER_HOST) and the mark by which this process knows what it made there.
type Engine struct {
	Timeouts Timeouts
	Address  string // as DOCKER_HOST has it
	Version  string
	Kernel   string // of the machine that the engine runs on
	machine  string // its architecture as uname has it

	// starting is held while servers start, by one a core: that is work, and all
	// else waiting.
	starting chan struct{}
	known    known

	provider *testcontainers.DockerProvider
	client   client.APIClient
	me       owner
}

// Options say how an engine is used.
type Options struct {
	Timeouts
	Keep bool // something will be made to stay: testcontainers' reaper must not have it
}

// Connect finds the engine: DOCKER_HOST, else the sockets of Docker and
// podman, the system's and the user's own.
func Connect(ctx context.Context, o Options) (*Engine, error) {
	t := o.Timeouts
	me, err := self()
	if err != nil {
		return nil, err
	}
	address, err := findEngine(ctx, t)
	if err != nil {
		return nil, err
	}
	// testcontainers reads these once, on its first use.
	os.Setenv("DOCKER_HOST", address)
	plain, err := client.New(client.FromEnv)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", address, err)
	}
	defer plain.Close()
	var info client.SystemInfoResult
	err = t.ask(ctx, func(ctx context.Context) (err error) { // as testcontainers does, without end
		info, err = plain.Info(ctx, client.InfoOptions{})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("asking the engine at %s about itself: %w", address, err)
	}
	if _, err := plain.ImageInspect(ctx, ryukImage); err != nil || o.Keep {
		os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	}
	tclog.SetDefault(tclog.NewNoopLogger())
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(tclog.NewNoopLogger()))
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", address, err)
	}
	e := &Engine{starting: make(chan struct{}, runtime.NumCPU()), Timeouts: t, Address: address, provider: provider, client: provider.Client(), me: me}
	provider.SetClient(lasting{e.client})
	e.Version, e.Kernel, e.machine = info.Info.ServerVersion, info.Info.KernelVersion, info.Info.Architecture
	return e, nil
}

// ryukImage is testcontainers' reaper. It is used when it is here, and Images
// pulls it beside the builds where a registry has it; without it the hosts'
// agents and Sweep do its work.
const ryukImage = "testcontainers/ryuk:0.14.0"

// Close lets go of the engine. What was made there and not removed stays.
func (e *Engine) Close() error { return e.client.Close() }

// ErrSilent says that the engine takes calls and does not answer them.
var ErrSilent = errors.New("it hangs")

// ask calls the engine and gives up with ErrSilent where no answer comes in time.
func (t Timeouts) ask(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.Engine,
		fmt.Errorf("%w: no answer within %s; restart it (systemctl restart docker) and try again", ErrSilent, t.Engine))
	defer cancel()
	err := call(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// silent asks for the networks, for which the engine must take the locks that it
// hangs in when it does: ErrSilent, or nil.
func (e *Engine) silent(ctx context.Context) error {
	err := e.Timeouts.ask(ctx, func(ctx context.Context) error {
		_, err := e.client.NetworkList(ctx, client.NetworkListOptions{})
		return err
	})
	if errors.Is(err, ErrSilent) {
		return fmt.Errorf("asking the engine at %s for its networks: %w", e.Address, err)
	}
	return nil
}

// lasting is a client that stays open until the Engine is closed. testcontainers
// closes its client after every start, and with it the connections that are idle.
// To net/http that is one whose answer has no body, before its caller has it: the
// start of another host would fail.
type lasting struct{ client.APIClient }

func (lasting) Close() error { return nil }

// findEngine returns the address of the first engine that answers. Where one
// refuses, its error says why and what to do.
func findEngine(ctx context.Context, t Timeouts) (string, error) {
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		return host, ping(ctx, t, host)
	}
	var refused error
	for _, socket := range sockets() {
		address := "unix://" + socket
		err := ping(ctx, t, address)
		if err == nil {
			return address, nil
		}
		if !errors.Is(err, ErrNoEngine) {
			refused = errors.Join(refused, err)
		}
	}
	if refused != nil {
		return "", refused
	}
	return "", fmt.Errorf("%w: DOCKER_HOST is not set, and nobody listens on %s", ErrNoEngine, strings.Join(sockets(), ", "))
}

func sockets() []string {
	all := []string{"/var/run/docker.sock"}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		all = append(all, filepath.Join(dir, "docker.sock"), filepath.Join(dir, "podman/podman.sock"))
	}
	return append(all, "/run/podman/podman.sock")
}

func ping(ctx context.Context, t Timeouts, address string) error {
	ctx, cancel := context.WithTimeout(ctx, t.Engine)
	defer cancel()
	c, err := client.New(client.FromEnv, client.WithHost(address))
	if err != nil {
		return fmt.Errorf("DOCKER_HOST=%s: %w", address, err)
	}
	defer c.Close()
	_, err = c.Ping(ctx, client.PingOptions{})
	socket := strings.TrimPrefix(address, "unix://")
	if socket != address && errors.Is(reach(socket), fs.ErrPermission) {
		return fmt.Errorf("no permission for the engine at %s; add yourself to its group and log in again: sudo usermod -aG docker %s",
			socket, userName())
	}
	switch {
	case err == nil:
		return nil
	case socket != address && reach(socket) == nil: // somebody listens: nothing is missing that could be installed
		return fmt.Errorf("the engine at %s does not answer: %w", address, err)
	}
	return fmt.Errorf("%w at %s: %v", ErrNoEngine, address, err)
}

// reach opens a socket, for the error alone: the client's own hides the errno.
func reach(socket string) error {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	return syscall.Connect(fd, &syscall.SockaddrUnix{Name: socket})
}

func userName() string {
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	return "$USER"
}

// Ensure is Connect, and installs an engine where none answers and that is
// ours to do: as root, on Debian or Ubuntu, with neither DOCKER_HOST nor
// LAB_NO_SETUP set.
func Ensure(ctx context.Context, o Options, progress Progress) (*Engine, error) {
	e, err := Connect(ctx, o)
	if !errors.Is(err, ErrNoEngine) || os.Getenv("DOCKER_HOST") != "" {
		return e, err
	}
	progress.Say("engine", err.Error())
	if ierr := install(ctx, func(doing string) { progress.Say("engine", doing) }); ierr != nil {
		return nil, fmt.Errorf("%w\n%w", err, ierr)
	}
	progress.Done("engine", "installed and started")
	return Connect(ctx, o)
}

// install installs Docker Engine from the distribution's packages and starts
// it, or says why not and what to do by hand.
func install(ctx context.Context, told func(string)) error {
	const byHand = "install Docker Engine and start it (Debian, Ubuntu: sudo apt-get install docker.io), or set DOCKER_HOST to an engine that runs"
	switch family := osFamily("/etc/os-release"); {
	case os.Getenv("LAB_NO_SETUP") != "":
		return fmt.Errorf("LAB_NO_SETUP is set, so nothing is installed; %s", byHand)
	case family != "debian":
		return errors.New(byHand)
	case os.Geteuid() != 0:
		return fmt.Errorf("this is not root, so nothing is installed; %s", byHand)
	}
	if err := aptInstall(ctx, told, "docker.io"); err != nil {
		return err
	}
	if _, err := exec.LookPath("docker"); err != nil { // a package of its own from trixie on
		if err := aptInstall(ctx, told, "docker-cli"); err != nil {
			return err
		}
	}
	told("starting Docker Engine")
	if exec.CommandContext(ctx, "service", "docker", "start").Run() == nil && answers(ctx, 10*time.Second, nil) {
		return nil
	}
	return startDaemon(ctx)
}

// daemonLog is where a dockerd that the lab started itself writes.
const daemonLog = "/var/log/dockerd.log"

// daemonPID is where dockerd writes its process's number.
const daemonPID = "/var/run/docker.pid"

// forgetDaemon removes a dockerd's pid file when the process that it names is none: of a
// container or a machine that was stopped hard and started again. dockerd looks no
// further than whether a process of that number runs, and does not start then.
func forgetDaemon(file string) error {
	pid, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	name, _ := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(string(pid)), "comm"))
	if strings.TrimSpace(string(name)) == "dockerd" {
		return nil
	}
	return os.Remove(file)
}

// startDaemon starts dockerd where no service manager does: in a container, for
// one. It outlives this process.
func startDaemon(ctx context.Context) error {
	if err := forgetDaemon(daemonPID); err != nil {
		return err
	}
	log, err := os.OpenFile(daemonLog, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("dockerd")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting Docker Engine: %w", err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	if answers(ctx, time.Minute, ended) {
		return nil
	}
	said, _ := os.ReadFile(daemonLog)
	return fmt.Errorf("dockerd does not start here; the end of %s:\n%s", daemonLog, tail(string(said), 5))
}

// answers waits until an engine answers, at most for d, or until its daemon
// has ended.
func answers(ctx context.Context, d time.Duration, ended <-chan struct{}) bool {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for {
		if _, err := findEngine(ctx, Timeouts{Engine: time.Second}); err == nil {
			return true
		}
		if await(ctx, 100*time.Millisecond, ended) != nil {
			return false
		}
		select {
		case <-ended:
			return false
		default:
		}
	}
}

// aptInstall installs Debian packages on this machine.
func aptInstall(ctx context.Context, told func(string), packages ...string) error {
	told("installing " + strings.Join(packages, ", ") + " from this machine's own Debian packages (LAB_NO_SETUP=1 forbids it)")
	for _, args := range [][]string{{"update", "-qq"}, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", strings.Join(args, " "), err, lastLine(string(out)))
		}
	}
	return nil
}

// osFamily returns "debian" for Debian and what derives from it, else the ID
// of the distribution.
func osFamily(file string) string {
	data, _ := os.ReadFile(file)
	id := ""
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, `"`)
		if key == "ID" && id == "" {
			id = value
		}
		if (key == "ID" || key == "ID_LIKE") && strings.Contains(" "+value+" ", " debian ") {
			return "debian"
		}
	}
	return id
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moby/moby/client"
)

// pullTimeout is how long a pull of a base may take before the lab makes the
// base itself.
const pullTimeout = 90 * time.Second

// base returns the image that a suite's images are built on, and makes it if
// need be: once, however many images wait for it.
func (b *builder) base(ctx context.Context, suite string) (string, error) {
	b.mu.Lock()
	made := b.bases[suite]
	if made == nil {
		made = sync.OnceValues(func() (string, error) {
			id, err := b.findBase(ctx, suite)
			if err != nil {
				return "", errBase{fmt.Errorf("making a base of Debian %s: %w", suite, err)}
			}
			return id, nil
		})
		b.bases[suite] = made
	}
	b.mu.Unlock()
	return made()
}

// errBase is why a base could not be made.
type errBase struct{ error }

// findBase looks for a base in this order: the image that LAB_BASE_TRIXIE (and
// its like) names; debian:trixie-slim, if it is here; the lab's own base, if
// it was made before; debian:trixie-slim from a registry; a base made from
// Debian's packages.
func (b *builder) findBase(ctx context.Context, suite string) (string, error) {
	if name := os.Getenv("LAB_BASE_" + strings.ToUpper(suite)); name != "" {
		if id, ok := b.imageID(ctx, name); ok {
			return id, nil
		}
		if err := b.pull(ctx, name); err != nil {
			return "", fmt.Errorf("LAB_BASE_%s=%s is neither here nor to be pulled: %w", strings.ToUpper(suite), name, err)
		}
		id, _ := b.imageID(ctx, name)
		return id, nil
	}
	slim, own, topic := "debian:"+suite+"-slim", "rstlab/base:"+suite, "base "+suite
	for _, name := range []string{slim, own} {
		if id, ok := b.imageID(ctx, name); ok {
			return id, nil
		}
	}
	b.progress.Say(topic, "asking a registry for "+slim)
	if err := b.pull(ctx, slim); err == nil {
		b.progress.Done(topic, "pulled "+slim)
		id, _ := b.imageID(ctx, slim)
		return id, nil
	} else if ctx.Err() != nil {
		return "", ctx.Err()
	}
	b.progress.Say(topic, "no registry has it; making it from Debian's packages")
	if err := b.bootstrap(ctx, suite, own, topic); err != nil {
		return "", err
	}
	b.progress.Done(topic, "made from Debian's packages")
	id, _ := b.imageID(ctx, own)
	return id, nil
}

func (e *Engine) imageID(ctx context.Context, name string) (string, bool) {
	image, err := e.client.ImageInspect(ctx, name)
	return image.ID, err == nil
}

func (e *Engine) pull(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	r, err := e.client.ImagePull(ctx, name, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	defer r.Close()
	return messages(r, func(string) {})
}

// bootstrap makes a base with mmdebstrap, straight into the engine.
func (b *builder) bootstrap(ctx context.Context, suite, name, topic string) error {
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		switch {
		case osFamily("/etc/os-release") != "debian":
			return fmt.Errorf("no registry has debian:%s-slim, and a base is made from packages only on Debian or Ubuntu; name an image: LAB_BASE_%s=IMAGE", suite, strings.ToUpper(suite))
		case os.Geteuid() != 0 || os.Getenv("LAB_NO_SETUP") != "":
			return fmt.Errorf("no registry has debian:%s-slim, and mmdebstrap, which makes one, is not installed: sudo apt-get install mmdebstrap", suite)
		}
		if err := aptInstall(ctx, func(s string) { b.progress.Say(topic, s) }, "mmdebstrap"); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "mmdebstrap", mmdebstrapArgs(b.root, suite)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it cleans up behind itself
	if dir := memoryDir(); dir != "" {
		cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	rootfs, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	imported, err := b.client.ImageImport(ctx, client.ImageImportSource{Source: rootfs, SourceName: "-"}, name, client.ImageImportOptions{})
	if err == nil {
		err = messages(imported, func(string) {})
		imported.Close()
	}
	_, _ = io.Copy(io.Discard, rootfs) // lets mmdebstrap end when the engine has given up
	if werr := cmd.Wait(); werr != nil {
		_, _ = b.client.ImageRemove(ctx, name, client.ImageRemoveOptions{}) // an import of half a system
		return fmt.Errorf("mmdebstrap %s: %w\n%s", suite, werr, tail(log.String(), 8))
	}
	return err
}

// mmdebstrapArgs makes a base as small as it can be, for each step of a
// Dockerfile copies it: apt's own packages, settings from compose/base, and no
// manuals (deleted at the end, for dpkg's path-exclude costs seconds here).
func mmdebstrapArgs(root, suite string) []string {
	settings := filepath.Join(root, "compose/base")
	args := []string{"--variant=apt",
		"--aptopt=" + filepath.Join(settings, "apt.conf"),
		"--essential-hook=copy-in '" + filepath.Join(settings, "dpkg.cfg") + "' /etc/dpkg/dpkg.cfg.d",
		`--customize-hook=rm -rf "$1"/usr/share/doc "$1"/usr/share/info "$1"/usr/share/locale "$1"/usr/share/man`,
	}
	if suite == "sid" { // its Release file is renewed several times a day; a mirror's copy may have expired
		args = append(args, `--aptopt=Acquire::Check-Valid-Until "false"`)
	}
	return append(args, suite, "-")
}

// memoryDir returns a folder in memory with room for a base and leave to run
// programs in it, or "": unpacking there takes half the time.
func memoryDir() string {
	const (
		dir    = "/dev/shm"
		tmpfs  = 0x01021994 // TMPFS_MAGIC, linux/magic.h
		noexec = 8          // ST_NOEXEC, statfs(2)
		room   = 700 << 20
	)
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || fs.Type != tmpfs || fs.Flags&noexec != 0 || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	return dir
}

func tail(s string, lines int) string {
	all := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Bases says, for each Debian suite that nginx needs, which base would be
// used, without making any.
func (e *Engine) Bases(ctx context.Context) []string {
	var all []string
	for version, suite := range nginxSuite {
		what := "asked of a registry, else made from Debian's packages"
		for _, name := range []string{os.Getenv("LAB_BASE_" + strings.ToUpper(suite)), "debian:" + suite + "-slim", "rstlab/base:" + suite} {
			if _, ok := e.imageID(ctx, name); name != "" && ok {
				what = name + " is here"
				break
			}
		}
		all = append(all, fmt.Sprintf("%-9s (nginx %s): %s", suite, version, what))
	}
	slices.Sort(all)
	return all
}

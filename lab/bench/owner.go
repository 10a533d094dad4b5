package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// The labels of everything that the lab makes on an engine.
const (
	labelOwner = "rstlab.owner" // an owner, as owner.String writes it
	labelKept  = "rstlab.kept"  // "true": made to stay; only `lab down` removes it
)

// owner is a process that made something on an engine: enough to tell later,
// on the same machine, whether it still lives. A pid alone is used again; a
// container has the machine-id and the boot of its host but pids of its own.
type owner struct {
	machine, boot, pidns string
	pid                  int
	start                string // in clock ticks after boot: field 22 of /proc/PID/stat
}

// self returns the owner that this process is.
func self() (owner, error) {
	o := owner{pid: os.Getpid()}
	var err error
	if o.machine, err = machineID(); err != nil {
		return o, err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return o, fmt.Errorf("telling this boot from others: %w", err)
	}
	o.boot = strings.TrimSpace(string(boot))
	if o.pidns, err = os.Readlink("/proc/self/ns/pid"); err != nil {
		return o, fmt.Errorf("telling this pid namespace from others: %w", err)
	}
	o.start, err = startTime(o.pid)
	return o, err
}

func machineID() (string, error) {
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("naming this machine: %w", err)
	}
	id, _ := os.ReadFile("/etc/machine-id") // a container often has none: its name is enough
	return strings.TrimSpace(string(id)) + "@" + name, nil
}

// startTime returns when a process started, or an error when there is none.
func startTime(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	_, rest, ok := strings.Cut(string(stat), ") ") // the name in parentheses may hold spaces
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return "", fmt.Errorf("reading the start time of process %d: unknown format", pid)
	}
	return fields[19], nil
}

func (o owner) String() string {
	return strings.Join([]string{o.machine, o.boot, o.pidns, strconv.Itoa(o.pid), o.start}, " ")
}

func parseOwner(s string) (owner, bool) {
	f := strings.Split(s, " ")
	if len(f) != 5 {
		return owner{}, false
	}
	pid, err := strconv.Atoi(f[3])
	return owner{machine: f[0], boot: f[1], pidns: f[2], pid: pid, start: f[4]}, err == nil
}

// dead says whether o has certainly ended, as seen by the process me. An owner
// of which nothing can be known, on another machine or in another container,
// lives.
func (o owner) dead(me owner, startTime func(pid int) (string, error)) bool {
	if o.boot != me.boot {
		return o.machine == me.machine // this machine has been booted since
	}
	if o.pidns != me.pidns {
		return false
	}
	start, err := startTime(o.pid)
	return err != nil || start != o.start
}

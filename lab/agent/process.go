package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"rstlab/lab/agent/protocol"
)

// processes are the children of the agent. PID 1 inherits every orphan of its
// host, so one reaper waits for all and hands each exit to who asked for it;
// os/exec's own Wait would race with it.
type processes struct {
	mu     sync.Mutex
	exited map[int]chan protocol.Exit
}

// theProcesses returns the only one that a process can have.
var theProcesses = sync.OnceValue(func() *processes {
	p := &processes{exited: map[int]chan protocol.Exit{}}
	child := make(chan os.Signal, 1)
	signal.Notify(child, syscall.SIGCHLD)
	go func() {
		for range child {
			p.reap()
		}
	}()
	return p
})

// start starts argv in a process group of its own, with the given files as
// its standard input, output and error, and says how it ended on the channel.
func (p *processes) start(argv []string, files [3]*os.File) (int, <-chan protocol.Exit, error) {
	if len(argv) == 0 {
		return 0, nil, fmt.Errorf("no program named")
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return 0, nil, err
	}
	p.mu.Lock() // a child that ends at once is reaped only when it is known
	defer p.mu.Unlock()
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{files[0].Fd(), files[1].Fd(), files[2].Fd()},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return 0, nil, fmt.Errorf("starting %s: %w", path, err)
	}
	exited := make(chan protocol.Exit, 1)
	p.exited[pid] = exited
	return pid, exited, nil
}

func (p *processes) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		exit := protocol.Exit{Code: status.ExitStatus()}
		if status.Signaled() {
			exit.Signal = int(status.Signal())
		}
		if exited, ok := p.exited[pid]; ok {
			exited <- exit
			delete(p.exited, pid)
		}
	}
}

// runProgram runs argv as the host's one program, on the agent's own standard
// files, and returns the exit code of the container.
func runProgram(argv []string) int {
	stop := make(chan os.Signal, 8)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP)
	pid, exited, err := theProcesses().start(argv, [3]*os.File{os.Stdin, os.Stdout, os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		return 127
	}
	stopping, running := false, true
	for {
		select {
		case s := <-stop:
			if !running {
				return 0
			}
			stopping = s != syscall.SIGHUP
			_ = syscall.Kill(-pid, s.(syscall.Signal))
		case exit := <-exited:
			if stopping || exit.Signal == 0 {
				return max(exit.Code, 0)
			}
			running = false
			fmt.Fprintf(os.Stderr, "agent: %s was ended by signal %d (%s); its host stays up, so connecting to it is answered with RST\n",
				argv[0], exit.Signal, syscall.Signal(exit.Signal))
		}
	}
}

// killProgram kills the program that PID 1 runs, with all its workers: the
// process groups of PID 1's children.
func killProgram() error {
	all, err := running()
	if err != nil {
		return err
	}
	self := syscall.Getpgrp()
	killed := 0
	for _, p := range all {
		if p.parent != 1 || p.group == self || p.group <= 1 {
			continue
		}
		if syscall.Kill(-p.group, syscall.SIGKILL) == nil {
			killed++
		}
	}
	if killed == 0 {
		return errors.New("nothing runs here")
	}
	return nil
}

// known is what /proc/PID/stat tells of a process (proc_pid_stat(5)).
type known struct{ pid, parent, group int }

// running returns the processes of this PID namespace, zombies included.
func running() ([]known, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var all []known
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		var p known
		var state string
		pid, rest, _ := strings.Cut(string(data), " ")
		if i := strings.LastIndex(rest, ") "); i >= 0 { // the name in parentheses may hold anything
			rest = rest[i+2:]
		}
		if p.pid, err = strconv.Atoi(pid); err != nil {
			continue
		}
		if n, _ := fmt.Sscan(rest, &state, &p.parent, &p.group); n == 3 {
			all = append(all, p)
		}
	}
	return all, nil
}

// Command lab reproduces, records and explains how TCP connections die around
// HTTP keep-alive and nginx. Each verb is a file of this package.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"rstlab/lab/report"
)

// The exit codes of every verb.
const (
	exitNotAsDeclared = 1
	exitCouldNotRun   = 2
	exitInterrupted   = 130 // 128 + SIGINT, as shells count
)

// errNotAsDeclared ends a verb whose work was done and whose answer is no. It
// has been told already.
var errNotAsDeclared = errors.New("not as declared")

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	// A closed terminal and a reader that has gone (lab run | head) end a run as
	// Ctrl-C does: cleanly. The signal for the latter comes for any connection
	// that breaks, the engine's too, so it is the write to our output that tells.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	signal.Ignore(syscall.SIGPIPE)
	ctx, output.cancel = context.WithCancelCause(ctx)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends us at once; the hosts die with us
	}()
	root := command()
	root.SetArgs(args)
	root.SetOut(&output)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errNotAsDeclared):
		return exitNotAsDeclared
	case errors.Is(context.Cause(ctx), syscall.EPIPE):
		return exitInterrupted
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "lab: interrupted; nothing is left behind")
		return exitInterrupted
	}
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	for i := range lines { // they may quote what is not ours
		lines[i] = report.Printable(lines[i])
	}
	fmt.Fprintln(os.Stderr, "lab:", strings.Join(lines, "\n"))
	return exitCouldNotRun
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "lab",
		Short: "reproduce, record and explain how TCP connections die around HTTP keep-alive and nginx",
		Long: `lab makes connections die on purpose, with the real parts (nginx, Node, OkHttp, the kernel's
own TCP), records what happened, says why in plain words, and proves which fix works.

Exit codes: 0 as declared, 1 not as declared, 2 could not run.`,
		Example: `  lab list                                what there is, by what one sees of it
  lab list "104: Connection reset"        which of them has this error
  lab run stale-idle                      see one failure, with its packets
  lab run 'stale-idle*' --nginx my.conf   with your own nginx config
  lab explain prod.pcapng                 why did these connections die (no Docker needed)`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(listCommand(), showCommand(), runCommand(), explainCommand(), upCommand(), downCommand(), imagesCommand(), doctorCommand())
	return root
}

// checkout returns the root of the checkout: the folder of go.mod, from here
// upwards.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module rstlab\n") {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not in a checkout of rstlab (no go.mod of it there or above); only explain and list work without one", start)
		}
	}
}

// self is how this command can be called, for the commands that it tells.
func self() string {
	if strings.Contains(os.Args[0], "/go-build") {
		return "go run ./lab"
	}
	name := filepath.Base(os.Args[0])
	if found, err := exec.LookPath(name); err == nil && found == os.Args[0] {
		return name
	}
	return os.Args[0]
}

// watched is standard output; the run is over when nobody reads it any more.
type watched struct{ cancel context.CancelCauseFunc }

var output watched

func (w *watched) Write(p []byte) (int, error) {
	n, err := os.Stdout.Write(p)
	if errors.Is(err, syscall.EPIPE) && w.cancel != nil {
		w.cancel(err)
	}
	return n, err
}

func stdout() report.Paper {
	p := report.PaperOf(os.Stdout)
	p.Writer = &output
	return p
}

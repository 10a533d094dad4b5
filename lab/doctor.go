package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"rstlab/lab/bench"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "what is here, what is missing, and what to do about it; changes nothing",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := stdout()
			healthy := true
			say := func(ok bool, what, detail string) {
				mark := "ok     "
				if !ok {
					mark, healthy = "MISSING", false
				}
				fmt.Fprintf(p, "%s  %-12s %s\n", mark, what, detail)
			}
			root, err := checkout()
			if err != nil {
				say(false, "checkout", err.Error())
			} else {
				say(true, "checkout", root)
			}
			if path, err := exec.LookPath("go"); err == nil {
				say(true, "go", path+", this command was built with "+runtime.Version())
			} else {
				say(false, "go", "install Go: the hosts' agent is compiled with it")
			}
			engine, err := bench.Connect(cmd.Context(), bench.Options{Timeouts: bench.DefaultTimeouts(1)})
			if err != nil {
				hint := ""
				if errors.Is(err, bench.ErrNoEngine) && os.Getenv("DOCKER_HOST") == "" {
					hint = "; lab run installs one where it is root on Debian or Ubuntu"
				}
				say(false, "engine", err.Error()+hint)
			} else {
				defer engine.Close()
				say(true, "engine", fmt.Sprintf("%s at %s, Linux %s", engine.Version, engine.Address, engine.Kernel))
				for _, b := range engine.Bases(cmd.Context()) {
					say(true, "base", b)
				}
			}
			if root != "" {
				out, err := os.MkdirTemp(root, ".doctor-")
				if err != nil {
					say(false, "evidence", "cannot write in "+root+"; name another folder: lab run -o DIR")
				} else {
					os.Remove(out)
					say(true, "evidence", "is kept under "+root+"/out")
				}
			}
			if !healthy {
				return errNotAsDeclared
			}
			return nil
		},
	}
}

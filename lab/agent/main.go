// Command agent is PID 1 of every host of the lab. It keeps the host (the
// network namespace, its kernel's TCP) alive while the programs in it start,
// die and start again: that is the difference between a killed process, whose
// kernel answers with RST, and a host that is gone, from which nothing comes.
//
// With arguments it runs them as its one program, so that the image works by
// itself under `docker compose up`: signals are passed on, a program that exits
// ends the container with its code, and a program that was killed leaves the
// host standing. Without arguments it is conducted: it reads commands (package
// protocol) on standard input, answers on standard output, and ends the host
// when its input ends, so that no host outlives its conductor.
//
// In a host that stands, `docker exec HOST /lab/agent kill` kills its program
// as kill -9 does: hosts have no pkill.
package main

import (
	"fmt"
	"os"
)

func main() {
	if os.Getpid() != 1 && len(os.Args) == 2 && os.Args[1] == "kill" {
		if err := killProgram(); err != nil {
			fmt.Fprintln(os.Stderr, "agent:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 1 {
		os.Exit(runProgram(os.Args[1:]))
	}
	if err := conducted(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}

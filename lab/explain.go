package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"rstlab/lab/report"
	"rstlab/lab/tcp"
)

func explainCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "explain FILE|-",
		Short: "why was each connection of a capture closed or reset; needs no Docker and no checkout",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var r io.Reader = os.Stdin
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("reading capture: %w", err)
				}
				defer f.Close()
				r = f
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			p := stdout()
			summary, err := tcp.Explain(r, tcp.Options{}, func(c tcp.Conversation) {
				if asJSON {
					_ = enc.Encode(c)
					return
				}
				fmt.Fprintf(p, "%s > %s  %s\n  %s\n", c.Client, c.Server, c.Cause, report.Printable(c.Text))
			})
			if err != nil {
				return fmt.Errorf("reading capture %s: %w", args[0], err)
			}
			if summary.Stopped != "" {
				fmt.Fprintln(os.Stderr, "lab: reading stopped:", summary.Stopped)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a connection")
	return c
}

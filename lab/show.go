package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rstlab/lab/catalogue"
	"rstlab/lab/matrix"
	"rstlab/lab/report"
)

func showCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show ID",
		Short:             "one scenario whole: why it happens, how it is played, what must be seen, its nginx config",
		Example:           "  lab show stale-idle",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeScenarios,
		RunE: func(_ *cobra.Command, args []string) error {
			found, err := catalogue.Find(args[0])
			if err != nil {
				return err
			}
			root, err := checkout()
			if err != nil {
				return err
			}
			for i, s := range found {
				path, err := matrix.ConfigPath(root, s.Filled().Nginx)
				if err != nil {
					return err
				}
				config, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				if i > 0 {
					fmt.Println()
				}
				report.Show(stdout(), s, catalogue.FixesOf(s.ID), string(config))
			}
			return nil
		},
	}
}

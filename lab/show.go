package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rstlab/lab/catalogue"
	"rstlab/lab/matrix"
	"rstlab/lab/report"
	"rstlab/lab/scenario"
)

func showCommand() *cobra.Command {
	var verbose bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "one scenario whole: why it comes so, how it is played, what must be seen, how to do it by hand",
		Example: `  lab show stale-idle
  lab show -v stale-idle    with its nginx config whole`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeScenario,
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
				if i > 0 {
					fmt.Println()
				}
				sheet, err := sheet(root, s, verbose)
				if err != nil {
					return err
				}
				report.Show(stdout(), sheet)
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "the nginx config whole")
	return c
}

// sheet gathers what there is to know of a scenario.
func sheet(root string, s scenario.Scenario, verbose bool) (report.Sheet, error) {
	sheet := report.Sheet{Scenario: s, Fixes: catalogue.FixesOf(s.ID), Self: self()}
	if s.Fixes != "" {
		failure, err := catalogue.Find(s.Fixes)
		if err != nil {
			return sheet, err
		}
		sheet.Failure = failure[0]
	}
	path, err := matrix.ConfigPath(root, s.Filled().Nginx)
	if err != nil {
		return sheet, err
	}
	baseline := filepath.Join(root, "nginx", scenario.Scenario{}.Filled().Nginx+".conf")
	if sheet.Changes, err = report.Changes(baseline, path); err != nil || !verbose {
		return sheet, err
	}
	config, err := os.ReadFile(path)
	sheet.Config = string(config)
	return sheet, err
}

package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"rstlab/lab/catalogue"
	"rstlab/lab/report"
)

func listCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [ID|pattern]...",
		Short: "the scenarios: what each shows, fixes below the failure that they fix",
		Example: `  lab list
  lab list 'stale-*'
  lab list article        the article's cases and fixes
  lab list --json         one object a scenario`,
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := catalogue.Find(args...)
			if err != nil {
				return err
			}
			if !asJSON {
				report.List(stdout(), found)
				return nil
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			for _, s := range found {
				s = s.Filled()
				if err := enc.Encode(struct {
					ID      string   `json:"id"`
					Title   string   `json:"title"`
					Why     string   `json:"why"`
					Refs    []string `json:"refs"`
					Fixes   string   `json:"fixes,omitempty"`
					Article int      `json:"article,omitempty"`
					Client  string   `json:"client"`
					Nginx   string   `json:"nginx"`
					Backend string   `json:"backend"`
					Waits   float64  `json:"waits_s"`
				}{s.ID, s.Title, s.Why, s.Refs, s.Fixes, s.Article, s.Client, s.Nginx, s.Backend, s.Waits().Seconds()}); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a scenario")
	return c
}

func completeScenarios(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var words []string
	for _, s := range catalogue.All() {
		words = append(words, cobra.CompletionWithDesc(s.ID, s.Title))
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rstlab/lab/catalogue"
	"rstlab/lab/report"
	"rstlab/lab/scenario"
	"rstlab/lab/search"
)

func listCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [ID|pattern|text]...",
		Short: "the scenarios by what one sees of them, or those that an error is found in",
		Long: `list groups the scenarios by what a user sees of them: a status, or how his client fails; each
fix stands below its failure. What is no ID and no pattern is a text, and found in everything
that a user could have on his screen: words of clients, lines of nginx's logs, statuses, states
of sockets, causes; then in titles and explanations. A whole line may be pasted.

Exit code 1 when a text is found nowhere.`,
		Example: `  lab list
  lab list 'stale-*'
  lab list article                        the article's cases and fixes
  lab list "104: Connection reset"        found by an error
  lab list "$(tail -1 error.log)"         a whole line
  lab list --json                         one object a scenario`,
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			patterns, text := catalogue.Split(args)
			found, err := catalogue.Find(patterns...)
			if err != nil {
				return err
			}
			if len(args) == len(patterns) {
				if asJSON {
					return listJSON(cmd, found, nil)
				}
				report.List(stdout(), scenario.BySymptom(found, catalogue.All()), self())
				return nil
			}
			hits := search.Find(text, found)
			switch {
			case hits == nil:
				nothingFound(text, len(found))
				return errNotAsDeclared
			case asJSON:
				found = nil
				for _, h := range hits {
					found = append(found, h.Scenario)
				}
				return listJSON(cmd, found, hits)
			}
			report.Found(stdout(), hits, len(found), catalogue.FixesOf, self())
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a scenario")
	return c
}

// listJSON writes one object a scenario; hits, where there are any, say what
// matched of each.
func listJSON(cmd *cobra.Command, found []scenario.Scenario, hits []search.Hit) error {
	type matched struct {
		In   string `json:"in"`
		Line string `json:"line"`
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	for i, s := range found {
		s = s.Filled()
		var m *matched
		if hits != nil {
			m = &matched{hits[i].Where, hits[i].Line}
		}
		if err := enc.Encode(struct {
			ID      string           `json:"id"`
			Title   string           `json:"title"`
			Symptom scenario.Symptom `json:"symptom"`
			Why     string           `json:"why"`
			Refs    []string         `json:"refs"`
			Fixes   string           `json:"fixes,omitempty"`
			Article int              `json:"article,omitempty"`
			Client  string           `json:"client"`
			Nginx   string           `json:"nginx"`
			Backend string           `json:"backend"`
			Waits   float64          `json:"waits_s"`
			Cost    float64          `json:"cost_s"`
			Runs    int              `json:"runs,omitempty"`
			Matched *matched         `json:"matched,omitempty"`
		}{s.ID, s.Title, s.Symptom(), s.Why, s.Refs, s.Fixes, s.Article, s.Client, s.Nginx, s.Backend,
			s.Waits().Seconds(), s.Cost().Seconds(), s.Runs, m}); err != nil {
			return err
		}
	}
	return nil
}

// nothingFound says what else can be tried when a text is in none of so many
// scenarios.
func nothingFound(text string, of int) {
	fmt.Fprintf(os.Stderr, "lab: none of %d scenarios has \"%s\"\n", of, report.Printable(text))
	if near := catalogue.Nearest(text); near != "" && !strings.Contains(text, " ") {
		fmt.Fprintf(os.Stderr, "     %s\n", near)
	}
	fmt.Fprintf(os.Stderr, `     fewer words of it may be found: an error's name or number, without addresses
     %[1]s explain prod.pcap         why the connections of your own capture died (--how: how to take one)
     %[1]s explain --log error.log   what each line of nginx's error log may mean
`, self())
}

// completeScenarios completes the IDs that are not on the line yet.
func completeScenarios(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	words := []string{cobra.CompletionWithDesc(catalogue.Article, "the article's cases and fixes")}
	for _, s := range catalogue.All() {
		words = append(words, cobra.CompletionWithDesc(s.ID, fmt.Sprintf("%s: %s", s.Symptom(), s.Title)))
	}
	return slices.DeleteFunc(words, func(w string) bool {
		id, _, _ := strings.Cut(w, "\t")
		return slices.Contains(args, id)
	}), cobra.ShellCompDirectiveNoFileComp
}

// completeScenario completes the one ID that a verb takes.
func completeScenario(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeScenarios(cmd, args, begun)
}

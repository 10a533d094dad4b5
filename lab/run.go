package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rstlab/lab/bench"
	"rstlab/lab/catalogue"
	"rstlab/lab/matrix"
	"rstlab/lab/report"
	"rstlab/lab/scenario"
	"rstlab/lab/verdict"
)

// stories is up to how many results are told whole; more are a line each.
const stories = 8

func runCommand() *cobra.Command {
	var o matrix.Options
	var asJSON bool
	var timeout float64
	var nginxVersion string
	var nginxImages []string
	c := &cobra.Command{
		Use:   "run [ID|pattern]...",
		Short: "play scenarios on real hosts and judge them; no name plays all",
		Long: `run plays scenarios on real hosts, side by side, and compares what was seen with what each
declares: the client's words, nginx's logs, every RST on the wire, how each connection ended.
Up to eight are told as stories, more as a line each; what is not as declared always. The evidence is kept under out/.

In a story's ladder the letters are tcpdump's: S SYN, S. SYN with ACK, . a bare ACK, P. data,
F. FIN, R and R. RST.

Where no engine answers, run installs Docker Engine if it is root on Debian or Ubuntu
(LAB_NO_SETUP=1 forbids it).

Exit codes: 0 all as declared (or unsupported), 1 one not as declared, 2 one could not run.`,
		Example: `  lab run stale-idle                     one failure, told
  lab run 'stale-idle*'                  and its fixes
  lab run stale-idle --nginx my.conf     what does my config do?
  lab run stale-idle --server-idle 60s --client-idle 59s
  lab run -n 20                          each twenty times
  lab run --nginx-version all            under every nginx that Debian has`,
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := catalogue.Find(args...)
			if err != nil {
				return err
			}
			if o.Root, err = checkout(); err != nil {
				return err
			}
			if o.Out == "" {
				o.Out = filepath.Join(o.Root, "out")
			}
			if o.Runs < 1 {
				return fmt.Errorf("-n %d: want 1 or more", o.Runs)
			}
			if cmd.Flags().Changed("j") && o.Jobs < 1 {
				return fmt.Errorf("-j %d: want 1 or more", o.Jobs)
			}
			for flag, idle := range map[string]time.Duration{"server-idle": o.ServerIdle, "client-idle": o.ClientIdle} {
				if cmd.Flags().Changed(flag) && idle < time.Millisecond { // nginx counts no less
					return fmt.Errorf("--%s %s: want 1ms or more", flag, idle)
				}
			}
			if timeout <= 0 {
				return fmt.Errorf("--timeout %v: want more than 0", timeout)
			}
			switch nginxVersion {
			case "":
			case "all":
				o.NginxVersions = bench.NginxVersions()
			default:
				o.NginxVersions = strings.Split(nginxVersion, ",")
			}
			for _, image := range nginxImages {
				o.NginxVersions = append(o.NginxVersions, bench.NginxImage(image))
			}
			err = play(cmd.Context(), found, o, bench.DefaultTimeouts(timeout), asJSON)
			if slices.Equal(args, []string{catalogue.Article}) && err == nil && !asJSON {
				next(stdout())
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&o.NginxConf, "nginx", "", "nginx config in place of each scenario's own: a variant in nginx/, or a file of yours")
	f.StringVar(&nginxVersion, "nginx-version", "", "nginx of Debian: "+strings.Join(bench.NginxVersions(), ", ")+" (default "+bench.DefaultNginx+"), or several with commas, or all")
	f.StringSliceVar(&nginxImages, "nginx-image", nil, "an image with nginx in it, such as nginx:1.29, in place of Debian's or beside it")
	f.StringVar(&o.Client, "client", "", "client in place of each scenario's own: a folder in lab/clients")
	f.StringVarP(&o.Out, "out", "o", "", "where the evidence and results.json go (default out/ of the checkout)")
	f.IntVarP(&o.Runs, "n", "n", 1, "play each so many times; a race as often as it takes to tell its share, if that is more")
	f.IntVarP(&o.Jobs, "j", "j", 0, fmt.Sprintf("play so many at a time (default %d here)", matrix.DefaultJobs()))
	f.DurationVar(&o.ServerIdle, "server-idle", 0, "your own numbers, in real time: nginx's keepalive_timeout towards clients")
	f.DurationVar(&o.ClientIdle, "client-idle", 0, "your own numbers, in real time: how long the client rests")
	f.Int64Var(&o.Shuffle, "shuffle", 0, "start them in the order that this seed gives, not the longest first")
	f.BoolVar(&o.FailFast, "failfast", false, "play nothing more after the first that is not as declared")
	f.BoolVar(&o.Strict, "strict", false, "unsupported counts as not as declared")
	f.BoolVar(&o.Keep, "keep", false, "leave the hosts standing after the play, until lab down")
	f.Float64Var(&timeout, "timeout", 1, "multiply every timeout by this: a slow machine needs more than 1")
	f.BoolVar(&asJSON, "json", false, "write results.json to standard output in place of stories")
	return c
}

// play runs the scenarios and tells each result as it comes.
func play(ctx context.Context, found []scenario.Scenario, o matrix.Options, t bench.Timeouts, asJSON bool) error {
	began := time.Now()
	o.Trace = true
	paper := stdout()
	progress := report.NewProgress(report.PaperOf(os.Stderr))
	defer progress.Close()
	engine, err := bench.Ensure(ctx, bench.Options{Timeouts: t, Keep: o.Keep}, progress)
	if err != nil {
		return err
	}
	defer engine.Close()

	told := len(found) <= stories && o.Runs == 1 && len(o.NginxVersions) <= 1
	byID := map[string]scenario.Scenario{}
	fixes := map[string]string{}
	for _, s := range found {
		byID[s.ID] = s
		fixes[s.ID] = s.Fixes
	}
	var results []verdict.Result
	err = matrix.Run(ctx, engine, found, o, progress, func(r verdict.Result) {
		results = append(results, r)
		if asJSON || r.Outcome == verdict.Pass && (!told || r.Run > 1) { // of a race one play is told
			return
		}
		progress.Above(func() {
			story := report.Story{Scenario: byID[r.Scenario], Fixes: catalogue.FixesOf(r.Scenario), Result: r,
				Source: "lab/catalogue/" + r.Scenario + ".go", Rerun: rerun(r, o), Configs: configs(byID[r.Scenario], o)}
			if terr := story.Tell(paper); terr != nil {
				fmt.Fprintln(os.Stderr, "lab:", terr)
			}
		})
	})
	if err != nil {
		return err
	}
	progress.Close()
	if asJSON {
		enc := json.NewEncoder(paper)
		enc.SetIndent("", " ")
		if err := enc.Encode(map[string]any{"results": results}); err != nil {
			return err
		}
	} else if len(o.NginxVersions) > 1 {
		report.Versions(paper, results, fixes, time.Since(began))
	} else if len(results) > 1 {
		report.Table(paper, results, fixes, time.Since(began))
	}
	if o.Keep && !asJSON {
		fmt.Fprintf(paper, "\nthe hosts stand until %s down: docker ps --filter label=rstlab.kept\n", self())
	}
	return judged(results, o.Strict)
}

// next says what to do after the tour.
func next(p report.Paper) {
	fmt.Fprintf(p, `
next   %[1]s show stale-idle                  why, how it is played, what must be seen, its nginx config
       %[1]s run stale-idle --nginx my.conf   what your own config does
       %[1]s up stale-idle                    leave it standing, to poke at with curl and kill
       %[1]s explain prod.pcapng              why the connections of your own capture died
`, self())
}

// judged returns the error that stands for the worst outcome.
func judged(results []verdict.Result, strict bool) error {
	failed := false
	for _, r := range results {
		switch r.Outcome {
		case verdict.SetupFailed, verdict.LabError:
			return fmt.Errorf("%s could not be judged: %s", r.Scenario, r.Outcome)
		case verdict.Fail:
			failed = true
		case verdict.Unsupported:
			failed = failed || strict
		}
	}
	if failed {
		return errNotAsDeclared
	}
	return nil
}

// rerun is the command that plays one result again.
func rerun(r verdict.Result, o matrix.Options) string {
	words := []string{self() + " run", r.Scenario}
	version := "--nginx-version"
	if r.NginxVersion != "" && !slices.Contains(bench.NginxVersions(), r.NginxVersion) {
		version = "--nginx-image"
	}
	idle := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	for _, flag := range [][2]string{{"--server-idle", idle(o.ServerIdle)}, {"--client-idle", idle(o.ClientIdle)}, {"--nginx", o.NginxConf}, {version, r.NginxVersion}, {"--client", o.Client}} {
		if flag[1] != "" {
			words = append(words, flag[0], flag[1])
		}
	}
	return strings.Join(words, " ")
}

// configs says how the user's nginx config differs from the scenario's own.
func configs(s scenario.Scenario, o matrix.Options) string {
	if o.NginxConf == "" {
		return ""
	}
	own, err1 := matrix.ConfigPath(o.Root, s.Filled().Nginx)
	theirs, err2 := matrix.ConfigPath(o.Root, o.NginxConf)
	if err1 != nil || err2 != nil {
		return ""
	}
	text, err := report.ConfigDifference(own, theirs)
	if err != nil {
		return ""
	}
	return text
}

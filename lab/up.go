package main

import (
	"cmp"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rstlab/lab/bench"
	"rstlab/lab/catalogue"
	"rstlab/lab/matrix"
	"rstlab/lab/report"
	"rstlab/lab/scenario"
)

func upCommand() *cobra.Command {
	var nginxConf, nginxVersion string
	var timeout float64
	c := &cobra.Command{
		Use:   "up ID",
		Short: "leave a scenario's hosts standing, to poke at with curl, docker exec and kill",
		Long: `up starts the hosts of a scenario, each running its own program, with nginx published on a
port of 127.0.0.1, leaves them standing until lab down, and tells the commands that do by hand
what the scenario does.`,
		Example:           "  lab up stale-idle",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if timeout <= 0 {
				return fmt.Errorf("--timeout %v: want more than 0", timeout)
			}
			found, err := catalogue.Find(args[0])
			if err != nil {
				return err
			}
			if len(found) != 1 {
				return fmt.Errorf("%q names %d scenarios; up takes one", args[0], len(found))
			}
			s := found[0].Filled()
			if nginxConf != "" {
				s.Nginx = nginxConf
			}
			root, err := checkout()
			if err != nil {
				return err
			}
			conf, err := matrix.ConfigPath(root, s.Nginx)
			if err != nil {
				return err
			}
			topology, err := bench.LoadTopology(ctx, root, bench.Axes{Client: s.Client, Backend: s.Backend, NginxVersion: nginxVersion, NginxConf: conf, Overlay: s.Compose})
			if err != nil {
				return err
			}
			progress := report.NewProgress(report.PaperOf(os.Stderr))
			defer progress.Close()
			engine, err := bench.Ensure(ctx, bench.Options{Timeouts: bench.DefaultTimeouts(timeout), Keep: true}, progress)
			if err != nil {
				return err
			}
			defer engine.Close()
			if _, err := engine.Sweep(ctx); err != nil {
				return err
			}
			images, err := engine.Images(ctx, root, bench.ImagesOf(topology), progress)
			if err != nil {
				return err
			}
			refused, err := engine.CheckConfigs(ctx, images, []string{conf}, topology)
			if err := cmp.Or(err, refused[conf]); err != nil {
				return err
			}
			stands, err := engine.Up(ctx, topology, images)
			if err != nil {
				return err
			}
			progress.Close()
			hosts, err := stands.Standing(ctx)
			if err != nil {
				return err
			}
			p := stdout()
			for _, h := range hosts {
				fmt.Fprintf(p, "%-10s  docker exec -it %s bash\n", h.Name, h.Container)
			}
			fmt.Fprintln(p)
			for _, h := range hosts {
				for _, address := range h.Published {
					fmt.Fprintf(p, "ask nginx              curl -H 'Host: test.foo.com' http://%s/test\n", address)
				}
			}
			name := func(host string) string { return find(hosts, host) }
			fmt.Fprintf(p, "ask from the client    %s\n", report.Shell(scenario.Get("/test"), name))
			fmt.Fprintf(p, "the packets, live      docker logs -f %s\n", name("nginx-tap"))
			fmt.Fprintf(p, "its sockets            docker exec %s ss -tan\n", name("nginx-tap"))
			fmt.Fprintf(p, "kill the back end      %s\n", report.Shell(scenario.Kill(scenario.Backend), name))
			fmt.Fprintf(p, "when you are done      %s down\n", self())
			fmt.Fprintf(p, "\n%s by hand\n", s.ID)
			report.Commands(p, "  ", report.ByHand(s, name))
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&nginxConf, "nginx", "", "nginx config in place of the scenario's own: a variant in nginx/, or a file of yours")
	f.StringVar(&nginxVersion, "nginx-version", "", "nginx of Debian: 1.22, 1.26 (default) or 1.30")
	f.Float64Var(&timeout, "timeout", 1, "multiply every timeout by this: a slow machine needs more than 1")
	return c
}

func find(hosts []bench.Standing, name string) string {
	for _, h := range hosts {
		if h.Name == name {
			return h.Container
		}
	}
	return name
}

func downCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "remove what lab up and --keep left standing, and what labs that died left behind",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			engine, err := bench.Connect(cmd.Context(), bench.Options{Timeouts: bench.DefaultTimeouts(1)})
			if err != nil {
				return err
			}
			defer engine.Close()
			left, err := engine.Down(cmd.Context())
			fmt.Fprintf(stdout(), "removed %d containers, %d networks, %d volumes\n", left.Containers, left.Networks, left.Volumes)
			return err
		},
	}
}

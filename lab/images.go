package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rstlab/lab/bench"
	"rstlab/lab/report"
)

func imagesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "images",
		Short: "build every image whose inputs have changed, so that docker compose up works by itself",
		Long: `images builds the images of docker-compose.yml: nginx, the taps, every client in lab/clients and
every back end in backends. Each is built on one base a Debian suite: the image that
LAB_BASE_TRIXIE (or _BOOKWORM, _SID) names; else debian:trixie-slim, if it is here or a
registry has it; else one made from Debian's packages.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			root, err := checkout()
			if err != nil {
				return err
			}
			axes := []bench.Axes{{}}
			for _, dir := range folders(root, "lab/clients") {
				axes = append(axes, bench.Axes{Client: dir})
			}
			for _, dir := range folders(root, "backends") {
				axes = append(axes, bench.Axes{Backend: dir})
			}
			var topologies []*bench.Topology
			for _, a := range axes {
				t, err := bench.LoadTopology(ctx, root, a)
				if err != nil {
					return err
				}
				topologies = append(topologies, t)
			}
			names := bench.ImagesOf(topologies...)
			progress := report.NewProgress(report.PaperOf(os.Stderr))
			defer progress.Close()
			engine, err := bench.Ensure(ctx, bench.Options{Timeouts: bench.DefaultTimeouts(1)}, progress)
			if err != nil {
				return err
			}
			defer engine.Close()
			ids, err := engine.Images(ctx, root, names, progress)
			if err != nil {
				return err
			}
			progress.Close()
			for _, name := range names {
				fmt.Fprintf(stdout(), "%-28s %.12s\n", name, strings.TrimPrefix(ids[name], "sha256:"))
			}
			return nil
		},
	}
}

// folders returns the folders in dir that hold a Dockerfile.
func folders(root, dir string) []string {
	paths, _ := filepath.Glob(filepath.Join(root, dir, "*", "Dockerfile"))
	for i, p := range paths {
		paths[i] = filepath.Base(filepath.Dir(p))
	}
	return paths
}

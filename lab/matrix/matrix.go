// Package matrix plays scenarios side by side and keeps what was seen: the
// evidence of each play in a folder of its own, the results of all in
// results.json.
package matrix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"rstlab/lab/bench"
	"rstlab/lab/scenario"
	"rstlab/lab/verdict"
)

// Options say what is played and where the evidence goes.
type Options struct {
	Root         string // the checkout
	Out          string // the folder of results.json and of all evidence
	Jobs         int    // benches that stand at the same time; 0 is DefaultJobs
	Runs         int    // how often each scenario is played; 0 is once
	Keep         bool   // leave the benches standing
	Client       string // in place of each scenario's own client
	NginxConf    string // variant, or path of a config file, in place of each scenario's own
	NginxVersion string // 1.22, 1.26 or 1.30
	Trace        bool   // ask the kernel for its reasons
}

// DefaultJobs is how many benches stand at the same time. A bench mostly
// waits; starting one keeps a core busy for about a second, so those are
// started one a core, the longest waits first.
func DefaultJobs() int { return 4 * runtime.NumCPU() }

// Run plays every scenario and calls each with every result, in the order of
// the scenarios. It returns an error when nothing could be played at all: no
// engine, an image that cannot be built, a config that nginx refuses.
func Run(ctx context.Context, e *bench.Engine, scenarios []scenario.Scenario, o Options, progress bench.Progress, each func(verdict.Result)) error {
	if o.Jobs == 0 {
		o.Jobs = DefaultJobs()
	}
	cells, err := plan(ctx, scenarios, o)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Out, 0o777); err != nil {
		return fmt.Errorf("keeping evidence: %w (name another folder with -o)", err)
	}
	for _, c := range cells {
		if c.run == 1 { // runs of before would stand among those of now
			if err := os.RemoveAll(c.runs(o.Out)); err != nil {
				return fmt.Errorf("keeping evidence: %w", err)
			}
		}
	}
	if _, err := e.Sweep(ctx); err != nil {
		return fmt.Errorf("removing what dead labs left: %w", err)
	}
	var names []string
	for _, c := range cells {
		for _, image := range c.topology.Images() {
			if !slices.Contains(names, image) {
				names = append(names, image)
			}
		}
	}
	images, err := e.Images(ctx, o.Root, names, progress)
	if err != nil {
		return err
	}
	var kernel *bench.Kernel
	traced := make(chan struct{})
	go func() {
		defer close(traced)
		if !o.Trace {
			return
		}
		var kerr error
		if kernel, kerr = e.TraceKernel(ctx, images[bench.TapImage]); kerr != nil {
			progress.Done("kernel", "cannot be asked why it sends a RST: "+kerr.Error())
		}
	}()
	err = checkConfigs(ctx, e, cells, images)
	<-traced
	defer kernel.Close()
	if err != nil {
		return err
	}

	results := make([]verdict.Result, len(cells))
	finished := make([]chan struct{}, len(cells))
	for i := range finished {
		finished[i] = make(chan struct{})
	}
	p := player{kernel: kernel, out: o.Out, progress: progress}
	var wg sync.WaitGroup
	slots, standing := make(chan struct{}, o.Jobs), make(chan struct{}, runtime.NumCPU())
	wg.Go(func() {
		for _, i := range longestFirst(cells) {
			for _, free := range []chan struct{}{slots, standing} {
				select {
				case free <- struct{}{}:
				case <-ctx.Done():
					return
				}
			}
			wg.Go(func() {
				defer func() { <-slots }()
				c := cells[i]
				progress.Say(c.scenario.ID, "starting its hosts")
				b, err := e.Stand(ctx, c.topology, images, o.Keep)
				<-standing
				results[i] = p.play(ctx, c, b, err)
				close(finished[i])
				progress.Done(c.scenario.ID, "")
				if b != nil && !o.Keep {
					b.Remove()
				}
			})
		}
	})
	var all []verdict.Result
	for i := range cells {
		select {
		case <-finished[i]:
			all = append(all, results[i])
			each(results[i])
		case <-ctx.Done():
		}
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return Write(filepath.Join(o.Out, "results.json"), all)
}

// results is the content of results.json.
type results struct {
	Results []verdict.Result `json:"results"`
}

// Write writes results.json, whole or not at all.
func Write(path string, all []verdict.Result) error {
	data, err := json.MarshalIndent(results{all}, "", " ")
	if err != nil {
		return err
	}
	return writeFile(path, append(data, '\n'))
}

func writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return fmt.Errorf("keeping evidence: %w", err)
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("keeping evidence: %w", err)
	}
	return nil
}

// cell is one play: a scenario with its axes chosen.
type cell struct {
	scenario scenario.Scenario
	run      int
	conf     string // path of nginx's config
	confName string // as its user named it
	topology *bench.Topology
}

func plan(ctx context.Context, scenarios []scenario.Scenario, o Options) ([]cell, error) {
	var cells []cell
	for _, s := range scenarios {
		s = s.Filled()
		if o.Client != "" {
			s.Client = o.Client
		}
		if o.NginxConf != "" {
			s.Nginx = o.NginxConf
		}
		conf, err := ConfigPath(o.Root, s.Nginx)
		if err != nil {
			return nil, err
		}
		topology, err := bench.LoadTopology(ctx, o.Root, bench.Axes{Client: s.Client, Backend: s.Backend, NginxVersion: o.NginxVersion, NginxConf: conf})
		if err != nil {
			return nil, err
		}
		for run := 1; run <= max(1, o.Runs); run++ {
			cells = append(cells, cell{scenario: s, run: run, conf: conf, confName: s.Nginx, topology: topology})
		}
	}
	return cells, nil
}

// ConfigPath returns the absolute path of a config: a variant's name stands
// for its file in nginx/, anything else is a path.
func ConfigPath(root, name string) (string, error) {
	variant := filepath.Join(root, "nginx", name+".conf")
	if _, err := os.Stat(variant); err == nil && !strings.ContainsRune(name, '/') {
		return variant, nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("nginx config %q is neither a variant (there are %s) nor a file", name, strings.Join(Variants(root), ", "))
	}
	return path, nil
}

// Variants returns the names of the configs in nginx/.
func Variants(root string) []string {
	paths, _ := filepath.Glob(filepath.Join(root, "nginx", "*.conf"))
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(p), ".conf")
	}
	return paths
}

// checkConfigs lets nginx read every config that will be used, before anything
// is started.
func checkConfigs(ctx context.Context, e *bench.Engine, cells []cell, images map[string]string) error {
	var confs []string
	for _, c := range cells {
		if !slices.Contains(confs, c.conf) {
			confs = append(confs, c.conf)
		}
	}
	return e.CheckConfigs(ctx, cells[0].topology, images, confs)
}

// longestFirst orders the cells so that the longest waits begin first.
func longestFirst(cells []cell) []int {
	order := make([]int, len(cells))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return int(cells[b].scenario.Waits() - cells[a].scenario.Waits())
	})
	return order
}

// player plays cells on benches and keeps their evidence.
type player struct {
	kernel   *bench.Kernel
	out      string
	progress bench.Progress
}

// play plays one cell on a bench, or tells why none stands. It never fails:
// what went wrong is the result's outcome.
func (p player) play(ctx context.Context, c cell, b *bench.Bench, err error) verdict.Result {
	s := c.scenario
	var seen bench.Evidence
	if err != nil {
		err = fmt.Errorf("%w: %w", bench.ErrSetup, err)
	} else {
		seen, err = b.Play(ctx, s, p.kernel, func(seen scenario.Observation) bool {
			return len(verdict.Check(s, seen)) == 0
		}, p.progress)
	}
	var r verdict.Result
	switch {
	case errors.Is(err, bench.ErrUnsupported):
		r = verdict.Broken(s, seen.Observation, verdict.Unsupported, err.Error())
	case errors.Is(err, bench.ErrSetup):
		r = verdict.Broken(s, seen.Observation, verdict.SetupFailed, err.Error())
	case err != nil:
		r = verdict.Broken(s, seen.Observation, verdict.LabError, err.Error())
	default:
		r = verdict.Of(s, seen.Observation)
	}
	r.Run = c.run
	if err := c.keep(&r, seen, p.out); err != nil {
		r = verdict.Broken(s, seen.Observation, verdict.LabError, err.Error())
	}
	return r
}

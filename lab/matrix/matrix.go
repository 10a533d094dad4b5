// Package matrix plays scenarios side by side and keeps what was seen: the
// evidence of each play in a folder of its own, the results of all in
// results.json.
package matrix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"rstlab/lab/bench"
	"rstlab/lab/scenario"
	"rstlab/lab/verdict"
)

// Options say what is played and where the evidence goes.
type Options struct {
	Root          string   // the checkout
	Out           string   // the folder of results.json and of all evidence
	Jobs          int      // benches that stand at the same time; 0 is DefaultJobs
	Runs          int      // how often each scenario is played; a race as often as it takes to tell, if that is more
	Keep          bool     // leave the benches standing
	Shuffle       int64    // play in the order of this seed; 0: the longest waits first
	FailFast      bool     // play nothing more after the first that is not as declared
	Strict        bool     // what is unsupported is not as declared
	Client        string   // in place of each scenario's own
	NginxConf     string   // variant, or path of a config file, in place of each scenario's own
	NginxVersions []string // 1.22, 1.26, 1.30, or of bench.NginxImage; none is DefaultNginx
	Trace         bool     // ask the kernel for its reasons

	ServerIdle time.Duration // nginx's keepalive_timeout towards clients; 0: the config's own
	ClientIdle time.Duration // how long the client rests, each time that it does; 0: the scenario's own
}

// DefaultJobs is how many benches stand at the same time. A bench mostly waits;
// an engine has room for about thirty networks (default-address-pools).
func DefaultJobs() int { return min(8*runtime.NumCPU(), 24) }

// Run plays every scenario and calls each with every result, in the order of
// the scenarios. It returns an error when nothing could be played at all: no
// engine, an image that cannot be built, a config that nginx refuses.
func Run(ctx context.Context, e *bench.Engine, scenarios []scenario.Scenario, o Options, progress bench.Progress, each func(verdict.Result)) error {
	if o.Jobs == 0 {
		o.Jobs = DefaultJobs()
	}
	changed := "" // where configs with another keepalive_timeout are
	if o.ServerIdle != 0 {
		err := os.MkdirAll(o.Out, 0o777)
		if err == nil {
			changed, err = os.MkdirTemp(o.Out, ".configs-")
		}
		if err != nil {
			return keeping(err)
		}
		defer os.RemoveAll(changed)
	}
	cells, err := plan(ctx, scenarios, o, changed)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Out, 0o777); err != nil {
		return keeping(err)
	}
	for _, c := range cells {
		if c.run == 1 { // runs of before would stand among those of now
			if err := os.RemoveAll(c.runs(o.Out)); err != nil {
				return keeping(err)
			}
			if o.Runs > 1 && c.scenario.Runs > o.Runs {
				progress.Done(c.scenario.ID, fmt.Sprintf("is played %d times: %d cannot tell the share that it declares", c.scenario.Runs, o.Runs))
			}
		}
	}
	if _, err := e.Sweep(ctx); err != nil { // it is in nobody's way, and the next lab tries again
		progress.Done("sweep", "what a dead lab left is still there: "+err.Error())
	}
	var topologies []*bench.Topology
	for _, c := range cells {
		topologies = append(topologies, c.topology)
	}
	images, err := e.Images(ctx, o.Root, bench.ImagesOf(topologies...), progress)
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
	err = checkConfigs(ctx, e, cells, images, o.NginxConf != "")
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
	playing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	pool := e.NewPool(images, o.Keep, o.Jobs)
	defer pool.Close()
	p := player{pool: pool, keep: o.Keep, kernel: kernel, out: o.Out, numbers: o.numbers(), progress: progress, stop: stop}
	var wg sync.WaitGroup
	agenda := newAgenda(cells, o.order(cells), func(c cell) string { return c.topology.Shape(images) })
	one := func(i int, of *shape) {
		p.play(playing, cells[i], func() { agenda.stands(i) }, func() bool { return agenda.over(of) }, func(r verdict.Result) {
			if playing.Err() != nil {
				return // it broke off; that is no result
			}
			results[i] = r
			close(finished[i])
			progress.Done(cells[i].scenario.ID, "")
			if o.FailFast && r.Outcome != verdict.Pass && (o.Strict || r.Outcome != verdict.Unsupported) {
				stop(nil)
			}
		})
	}
	for range min(o.Jobs, len(cells)) {
		wg.Go(func() {
			for of := (*shape)(nil); playing.Err() == nil; {
				next, i, wait := agenda.next(of, cells)
				of = next
				switch {
				case of != nil:
					one(i, of)
				case wait != nil:
					select {
					case <-wait:
					case <-playing.Done():
					}
				default:
					return
				}
			}
		})
	}
	var all []verdict.Result
	first := 0 // result of a scenario's plays
	for i, c := range cells {
		if i > 0 && !c.sameAs(cells[i-1]) {
			first = len(all)
		}
		select {
		case <-finished[i]:
		case <-playing.Done():
			select { // what had come until then
			case <-finished[i]:
			default:
				continue
			}
		}
		r := results[i]
		all = append(all, r)
		if last := i+1 == len(cells) || !c.sameAs(cells[i+1]); last && len(all)-first == c.run {
			if d := share(c.scenario, all[first:]); d != nil {
				r.Outcome, r.Differences = verdict.Fail, append(r.Differences, *d)
				all[len(all)-1] = r
				if o.FailFast {
					stop(nil)
				}
			}
		}
		each(r)
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := context.Cause(playing); errors.Is(err, bench.ErrSilent) {
		return fmt.Errorf("%d of %d plays were left out or broken off: %w", len(cells)-len(all), len(cells), err)
	}
	if left := len(cells) - len(all); left > 0 {
		progress.Done("--failfast", fmt.Sprintf("%d of %d plays were left out or broken off", left, len(cells)))
	}
	return Write(filepath.Join(o.Out, "results.json"), all)
}

// share holds the share of a scenario's plays that showed what it wants against
// what it declares. Where a play did not pass there is none to speak of.
func share(s scenario.Scenario, plays []verdict.Result) *verdict.Difference {
	if s.Runs == 0 {
		return nil
	}
	shown := 0
	for _, r := range plays {
		if r.Outcome != verdict.Pass {
			return nil
		}
		if r.Shown == 0 {
			shown++
		}
	}
	return verdict.Share(s, shown, len(plays))
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
		return keeping(err)
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return keeping(err)
	}
	return nil
}

// keeping says that evidence could not be kept, and the way out.
func keeping(err error) error {
	return fmt.Errorf("keeping evidence: %w (make room, or name another folder with -o)", err)
}

// cell is one play: a scenario with its axes chosen.
type cell struct {
	scenario scenario.Scenario
	run      int
	version  string // of nginx; "" is DefaultNginx
	conf     string // path of nginx's config
	lacks    error  // why this nginx cannot take it
	confName string // as its user named it
	topology *bench.Topology
}

// numbers are the times that the user has set, by their names in a story.
func (o Options) numbers() map[string]string {
	m := map[string]string{}
	if o.ServerIdle != 0 {
		m["keepalive_timeout"] = o.ServerIdle.String()
	}
	if o.ClientIdle != 0 {
		m["client rests"] = o.ClientIdle.String()
	}
	return m
}

// sameAs says whether two cells differ only in their run.
func (c cell) sameAs(other cell) bool {
	return c.scenario.ID == other.scenario.ID && c.version == other.version
}

func plan(ctx context.Context, scenarios []scenario.Scenario, o Options, changed string) ([]cell, error) {
	var cells []cell
	versions := o.NginxVersions
	if versions == nil {
		versions = []string{""}
	}
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
		if o.ServerIdle != 0 {
			if conf, err = withServerIdle(conf, changed, o.ServerIdle); err != nil {
				return nil, err
			}
		}
		if o.ClientIdle != 0 {
			if s, err = withClientIdle(s, o.ClientIdle); err != nil {
				return nil, err
			}
		}
		for _, version := range versions {
			topology, err := bench.LoadTopology(ctx, o.Root, bench.Axes{Client: s.Client, Backend: s.Backend, NginxVersion: version, NginxConf: conf, Overlay: s.Compose})
			if err != nil {
				return nil, err
			}
			for run := 1; run <= max(1, o.Runs, s.Runs); run++ {
				cells = append(cells, cell{scenario: s, run: run, version: version, conf: conf, confName: s.Nginx, topology: topology})
			}
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
// is played. What one version of nginx refuses in a config of the lab's own, for
// lack of a directive, is noted in the cells; anything else is an error.
func checkConfigs(ctx context.Context, e *bench.Engine, cells []cell, images map[string]string, users bool) error {
	byVersion := map[string][]int{}
	for i, c := range cells {
		byVersion[c.version] = append(byVersion[c.version], i)
	}
	for _, of := range byVersion {
		var confs []string
		var topologies []*bench.Topology
		for _, i := range of {
			topologies = append(topologies, cells[i].topology)
			if !slices.Contains(confs, cells[i].conf) {
				confs = append(confs, cells[i].conf)
			}
		}
		refused, err := e.CheckConfigs(ctx, images, confs, topologies...)
		if err != nil {
			return err
		}
		for _, i := range of {
			why := refused[cells[i].conf]
			if why != nil && (users || !errors.Is(why, bench.ErrLacks)) {
				return why
			}
			cells[i].lacks = why
		}
	}
	return nil
}

// order is the order in which the cells are started: the longest waits first,
// or shuffled.
func (o Options) order(cells []cell) []int {
	order := make([]int, len(cells))
	for i := range order {
		order[i] = i
	}
	if o.Shuffle != 0 {
		r := rand.New(rand.NewPCG(uint64(o.Shuffle), 0))
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		return order
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return int(cells[b].scenario.Waits() - cells[a].scenario.Waits())
	})
	return order
}

// player plays cells on benches and keeps their evidence.
type player struct {
	pool     *bench.Pool
	keep     bool
	kernel   *bench.Kernel
	out      string
	numbers  map[string]string // what the user has set in place of the scenario's own
	progress bench.Progress
	stop     context.CancelCauseFunc // plays nothing more, for this reason
}

// play plays one cell on a bench of the pool and tells its result, then gives
// the bench back, or removes it where nothing will be played on it again: while
// others are waiting, that costs nothing.
func (p player) play(ctx context.Context, c cell, stands func(), last func() bool, tell func(verdict.Result)) {
	if c.lacks != nil {
		stands()
		tell(p.result(c, bench.Evidence{}, fmt.Errorf("%w: %w", bench.ErrUnsupported, c.lacks)))
		return
	}
	p.progress.Say(c.scenario.ID, "starting its hosts")
	b, err := p.pool.Get(ctx, c.topology)
	stands()
	if errors.Is(err, bench.ErrSilent) { // it would be so for each that is left
		p.stop(err)
	}
	if err != nil {
		tell(p.result(c, bench.Evidence{}, fmt.Errorf("%w: %w", bench.ErrSetup, err)))
		return
	}
	seen, err := b.Play(ctx, c.scenario, p.kernel, func(seen scenario.Observation) bool {
		_, differences := verdict.Check(c.scenario, seen)
		return len(differences) == 0
	}, p.progress)
	tell(p.result(c, seen, err))
	switch {
	case p.keep:
		p.pool.Leave()
	case err != nil, last(): // of a play that broke off it is not known what state it is in
		p.pool.Remove(b)
	default:
		p.pool.Put(ctx, b)
	}
}

// result judges a play. What went wrong in the lab itself is the outcome.
func (p player) result(c cell, seen bench.Evidence, err error) verdict.Result {
	s := c.scenario
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
	r.Run, r.NginxVersion, r.Numbers = c.run, bench.NginxOf(c.version), p.numbers
	if err := c.keep(&r, seen, p.out); err != nil { // a verdict whose evidence is lost is none
		r.Outcome, r.Reason, r.Shown, r.Differences = verdict.LabError, strings.TrimSpace(r.Reason+"\n"+err.Error()), 0, nil
		clear(r.Files)
	}
	return r
}

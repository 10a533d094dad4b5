package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rstlab/lab/catalogue"
	"rstlab/lab/report"
	"rstlab/lab/tcp"
)

func explainCommand() *cobra.Command {
	var e explain
	c := &cobra.Command{
		Use:   "explain FILE...|-",
		Short: "why was each connection of a capture closed or reset; needs no Docker and no checkout",
		Long: `explain reads pcap and pcapng (gzip too) and says of every connection who closed it, when, and
why the next request died: one paragraph for the same story however often it happened, a line
for what is healthy. Several captures of one path are put together, their clocks fitted. What
the packets cannot decide is said to be unexplained; no cause is guessed. HTTP/1 is read, and
HTTP/2 in the clear, gRPC too; of TLS and other protocols what their segments and records tell.

Other evidence raises it from what the wire shows to what the kernel knows: the tracepoint
tcp:tcp_send_reset, counters, nginx's logs, ss. With these alone and no capture, the possible
causes of each line are listed, and what would decide between them.

Exit codes: 0 explained, 1 a cause of --fail-on was found, 2 nothing could be read.`,
		Example: `  lab explain prod.pcapng                            who closed what, and why
  tcpdump -i any -U -w - tcp | lab explain -         live, as connections end
  lab explain --cause stale-idle --ladder 18 x.pcap  the connection of frame 18, drawn
  lab explain --json x.pcap | jq -r .cause | sort | uniq -c
  lab explain --log error.log --access access.log    no capture yet: what each line may mean`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("ladder") && e.ladder < 1 {
				return errors.New("--ladder: want the number of a frame, from 1 on")
			}
			for flag, causes := range map[string][]string{"cause": e.causes, "fail-on": e.failOn} {
				if cmd.Flags().Changed(flag) && len(causes) == 0 {
					return fmt.Errorf("--%s: want a cause; there are %s", flag, strings.Join(report.SortedCauses(), ", "))
				}
			}
			e.out = cmd.OutOrStdout()
			context.AfterFunc(cmd.Context(), func() {
				// After Ctrl-C tcpdump ends too, and what was still open is told. When nobody
				// reads any more there is nothing to tell.
				if errors.Is(context.Cause(cmd.Context()), syscall.EPIPE) {
					os.Exit(exitInterrupted)
				}
			})
			return e.run(args)
		},
	}
	f := c.Flags()
	f.BoolVar(&e.json, "json", false, "one JSON object a connection, or a line where there is no capture")
	f.StringVarP(&e.annotate, "output", "o", "", "write a pcapng in which Wireshark shows a comment on each frame that proves something")
	f.StringVar(&e.redact, "redact", "", "write a pcapng without payload and with other addresses, fit to be shared")
	f.IntVar(&e.ladder, "ladder", 0, "draw the connection that this frame belongs to")
	f.BoolVar(&e.how, "how", false, "how to capture: tcpdump for a host, a container, a Kubernetes pod")
	f.StringSliceVar(&e.causes, "cause", nil, "only connections that ended so: "+strings.Join(report.SortedCauses(), ", "))
	f.StringVar(&e.host, "host", "", "only connections of this address or host name")
	f.Uint16Var(&e.port, "port", 0, "only connections of this port")
	f.StringVar(&e.since, "since", "", "only connections that ended at this time or later: 15:04:05, or 2006-01-02 15:04:05")
	f.StringSliceVar(&e.failOn, "fail-on", nil, "exit 1 if a connection ended so")
	f.StringVar(&e.kernel, "kernel", "", "text of a trace with tcp:tcp_send_reset events")
	f.StringVar(&e.counters, "counters", "", "how much counters rose: HOST=FILE, what nstat prints there, or a play's counters.json")
	f.StringVar(&e.errorLog, "log", "", "nginx's error log")
	f.StringVar(&e.accessLog, "access", "", "nginx's access log, in a format that begins like \"combined\"")
	f.StringVar(&e.sockets, "ss", "", "output of ss -tan")
	for _, flag := range []string{"json", "output", "ladder", "fail-on"} { // what writes a capture to share tells nothing
		c.MarkFlagsMutuallyExclusive("redact", flag)
	}
	for _, flag := range []string{"json", "output", "fail-on"} {
		c.MarkFlagsMutuallyExclusive("ladder", flag)
	}
	_ = c.RegisterFlagCompletionFunc("cause", completeCauses)
	_ = c.RegisterFlagCompletionFunc("fail-on", completeCauses)
	return c
}

func completeCauses(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return report.SortedCauses(), cobra.ShellCompDirectiveNoFileComp
}

// explain is one call of the verb.
type explain struct {
	out io.Writer

	json, how        bool
	annotate, redact string
	ladder           int

	causes, failOn []string
	host, since    string
	port           uint16
	first          time.Time // when the connection began that is told first

	kernel, counters, errorLog, accessLog, sockets string
}

func (e *explain) run(args []string) error {
	if e.how {
		_, err := io.WriteString(e.out, how)
		return err
	}
	for _, cause := range slices.Concat(e.causes, e.failOn) {
		if !slices.Contains(report.SortedCauses(), cause) {
			there := catalogue.NearestOf(report.SortedCauses(), cause)
			if there == "" {
				there = "there are " + strings.Join(report.SortedCauses(), ", ")
			}
			return fmt.Errorf("unknown cause %q; %s", cause, there)
		}
	}
	if _, err := report.Instant(e.since, time.Time{}); e.since != "" && err != nil {
		return fmt.Errorf("--since: %w", err)
	}
	evidence, err := e.evidence()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return e.guess(evidence)
	}
	if err := e.keeps(args); err != nil {
		return err
	}
	in, name, err := e.open(args)
	if err != nil {
		return err
	}
	defer in.Close()
	switch {
	case e.redact != "":
		return e.copy(in, name, e.redact, func(w io.Writer) error { _, err := tcp.Redact(w, in); return err })
	case e.ladder > 0:
		return e.draw(in, name, evidence)
	}
	return e.tell(in, name, evidence)
}

// guess tells what the other evidence alone may mean.
func (e *explain) guess(evidence tcp.Evidence) error {
	if e.given() == "" {
		return errors.New("explain what? name a capture, or - for standard input; --how says how to make one")
	}
	if e.annotate+e.redact+e.host+e.since != "" || e.ladder != 0 || e.port != 0 || len(e.causes)+len(e.failOn) > 0 {
		return errors.New("without a capture there is only --json: logs alone name no connection's cause")
	}
	clues := evidence.Clues()
	if e.json {
		enc := json.NewEncoder(e.out)
		for _, c := range clues {
			_ = enc.Encode(c)
		}
		return nil
	}
	if len(clues) == 0 {
		fmt.Fprintln(e.out, "no line speaks of a connection's end")
	}
	report.Clues(stdout(), clues)
	return nil
}

// given is the evidence that is named beside the capture, or in its place.
func (e *explain) given() string {
	return e.kernel + e.counters + e.errorLog + e.accessLog + e.sockets
}

// keeps says whether what is to be written leaves alone what is read, which may
// be all that there is of an incident.
func (e *explain) keeps(args []string) error {
	if e.annotate != "" && slices.Contains(args, "-") {
		return errors.New("-o reads the capture twice: give it a file in place of standard input")
	}
	for _, to := range []string{e.annotate, e.redact} {
		there, err := os.Stat(to)
		if to == "" || err != nil {
			continue
		}
		for _, name := range args {
			if is, err := os.Stat(name); err == nil && os.SameFile(is, there) {
				return fmt.Errorf("%s is the capture itself: name another file to write", to)
			}
		}
	}
	return nil
}

// open opens the capture; several are put together, their clocks fitted, in a
// file that is gone when it is closed.
func (e *explain) open(args []string) (*os.File, string, error) {
	if len(args) == 1 && args[0] == "-" {
		return os.Stdin, "standard input", nil
	}
	var sources []tcp.Source
	for _, name := range args {
		f, err := os.Open(name)
		if err != nil {
			return nil, "", fmt.Errorf("reading capture: %w", err)
		}
		if len(args) == 1 {
			return f, name, nil
		}
		defer f.Close()
		sources = append(sources, tcp.Source{Name: name, ReadSeeker: f})
	}
	merged, err := os.CreateTemp("", "rstlab-merged-")
	if err != nil {
		return nil, "", fmt.Errorf("putting captures together: %w", err)
	}
	_ = os.Remove(merged.Name()) // it lives for as long as it is open
	w := bufio.NewWriter(merged)
	fitted, err := tcp.Merge(w, sources...)
	if err = errors.Join(err, w.Flush()); err != nil {
		merged.Close()
		return nil, "", fmt.Errorf("putting captures together: %w", err)
	}
	others := fitted[1:] // to the first
	if ring := slices.DeleteFunc(slices.Clone(others), func(m tcp.Merged) bool { return m.Of == "" }); len(ring) > 1 {
		fmt.Fprintf(os.Stderr, "lab: %d captures continue others of the same tap, as the files of a ring do; their clocks are taken as they are\n", len(ring))
		others = slices.DeleteFunc(others, func(m tcp.Merged) bool { return m.Of != "" })
	}
	for _, m := range others {
		fmt.Fprintln(os.Stderr, "lab:", report.Printable(m.String()))
	}
	if e.annotate == "" && e.redact == "" {
		fmt.Fprintln(os.Stderr, "lab: frames are numbered as in all captures put together; -o writes that one")
	}
	_, err = merged.Seek(0, io.SeekStart)
	return merged, strings.Join(args, ", "), err
}

// evidence reads what is given beside the capture.
func (e *explain) evidence() (tcp.Evidence, error) {
	var all tcp.Evidence
	countersOf, counters, named := strings.Cut(e.counters, "=")
	if !named {
		countersOf, counters = "", e.counters
	}
	for _, file := range []struct {
		name string
		read func(io.Reader) (int, error)
		none string // what a file lacks that says nothing
	}{
		{e.kernel, func(r io.Reader) (n int, err error) { all.Kernel, err = tcp.ReadKernel(r); return len(all.Kernel), err },
			"no event of tcp:tcp_send_reset"},
		{counters, func(r io.Reader) (n int, err error) {
			all.Counters, err = tcp.ReadCounters(r, countersOf)
			return len(all.Counters), err
		},
			"no counters"},
		{e.errorLog, func(r io.Reader) (n int, err error) {
			all.Errors, err = tcp.ReadErrorLog(r, time.Local)
			return len(all.Errors), err
		},
			"no line as nginx writes its error log"},
		{e.accessLog, func(r io.Reader) (n int, err error) {
			all.Access, err = tcp.ReadAccessLog(r)
			return len(all.Access), err
		},
			`no line that begins as in nginx's format "combined"`},
		{e.sockets, func(r io.Reader) (n int, err error) {
			all.Sockets, err = tcp.ReadSockets(r)
			return len(all.Sockets), err
		},
			"no connection as ss -tan shows it"},
	} {
		if file.name == "" {
			continue
		}
		f, err := os.Open(file.name)
		if err != nil {
			return all, fmt.Errorf("reading evidence: %w", err)
		}
		n, err := file.read(f)
		f.Close()
		if err != nil {
			return all, fmt.Errorf("%s: %w", file.name, err)
		}
		if there, err := os.Stat(file.name); n == 0 && err == nil && there.Size() > 0 {
			fmt.Fprintf(os.Stderr, "lab: %s: %s in it\n", report.Printable(file.name), file.none)
		}
	}
	return all, nil
}

// wanted says whether a connection passes the filters.
func (e *explain) wanted(c tcp.Conversation) (bool, error) {
	if e.first.IsZero() {
		e.first = c.Start
	}
	if len(e.causes) > 0 && !slices.Contains(e.causes, string(c.Cause)) {
		return false, nil
	}
	if e.host != "" {
		addr, _ := netip.ParseAddr(e.host)
		is := func(a netip.AddrPort, name string) bool { return a.Addr() == addr.Unmap() || name == e.host }
		if !is(c.Client, c.ClientName) && !is(c.Server, c.ServerName) {
			return false, nil
		}
	}
	if e.port != 0 && c.Client.Port() != e.port && c.Server.Port() != e.port {
		return false, nil
	}
	if e.since != "" {
		since, err := report.Instant(e.since, e.first)
		if err != nil {
			return false, err
		}
		return !c.End.Before(since), nil
	}
	return true, nil
}

// tell explains a capture whole.
func (e *explain) tell(in *os.File, name string, evidence tcp.Evidence) error {
	var groups tcp.Groups
	var timeouts tcp.Timeouts
	told, early, failed := 0, 0, false
	comments := map[int]string{}
	paper, enc := stdout(), json.NewEncoder(e.out)
	live := in == os.Stdin && !e.json
	var wrong error
	take := func(c tcp.Conversation) {
		ok, err := e.wanted(c)
		if err != nil {
			wrong = err
		}
		if !ok {
			return
		}
		told++
		if c.DecidedEarly {
			early++
		}
		failed = failed || slices.Contains(e.failOn, string(c.Cause))
		if e.annotate != "" {
			for n, text := range tcp.Comments(c) {
				comments[n] = text
			}
		}
		switch {
		case e.json:
			c.Advice = report.Advice(c.Advice, scenarioCommand)
			_ = enc.Encode(c)
			return
		case live && !c.Healthy():
			report.Sick(paper, c)
		}
		groups.Add(c)
		timeouts.Add(c)
	}
	var all []tcp.Conversation // only where other evidence speaks of them
	each := take
	if e.given() != "" {
		each = func(c tcp.Conversation) { all = append(all, c) }
	}
	summary, err := tcp.Explain(in, tcp.Options{Live: pipe(in)}, each)
	if err != nil {
		return fmt.Errorf("reading capture %s: %w", name, err)
	}
	if e.given() != "" {
		if inTime := func(l tcp.LogLine) bool {
			return !l.Time.Before(summary.First.Add(-time.Minute)) && !l.Time.After(summary.Last.Add(time.Minute))
		}; len(evidence.Errors) > 0 && !slices.ContainsFunc(evidence.Errors, inTime) {
			fmt.Fprintf(os.Stderr, "lab: %s: no line is of the capture's time; nginx writes its host's local time, and TZ says which that is\n", report.Printable(e.errorLog))
		}
		evidence.Refine(all)
		for _, c := range all {
			take(c)
		}
	}
	if wrong != nil {
		return wrong
	}
	if !e.json {
		explanation := report.Explanation{Summary: summary, Told: told, Early: early, Groups: groups.List(), Timeouts: timeouts.List(), Scenario: scenarioCommand}
		if live {
			fmt.Fprintln(paper)
		}
		explanation.Tell(paper)
		e.drawTheOne(paper, in, explanation.Groups)
	}
	if summary.Stopped != "" {
		fmt.Fprintf(os.Stderr, "lab: %s: reading stopped %s\n", report.Printable(name), report.Printable(summary.Stopped))
	}
	if e.annotate != "" {
		if err := e.copy(in, name, e.annotate, func(w io.Writer) error {
			_, err := tcp.Annotate(w, in, comments, nil)
			return err
		}); err != nil {
			return err
		}
	}
	if failed {
		return errNotAsDeclared
	}
	return nil
}

// pipe says whether a capture may be one that is being made.
func pipe(in *os.File) bool {
	is, err := in.Stat()
	return err == nil && !is.Mode().IsRegular()
}

// scenarioCommand is the command that shows a scenario, where there is one.
func scenarioCommand(id string) string {
	if _, err := catalogue.Find(id); id == "" || err != nil {
		return ""
	}
	return self() + " show " + id
}

// drawTheOne draws the connection that a small capture is about: the only one
// that is not healthy.
func (e *explain) drawTheOne(p report.Paper, in *os.File, groups []tcp.Group) {
	const small = 60 // segments that fit on a screen or two
	var sick []tcp.Group
	for _, g := range groups {
		if !g.Healthy() {
			sick = append(sick, g)
		}
	}
	if in == os.Stdin || len(sick) != 1 || sick[0].Count != 1 {
		return
	}
	c, err := segments(in, sick[0].Examples[0])
	if err != nil || len(c.Segments) > small {
		return
	}
	fmt.Fprintln(p)
	report.Ladder(p, c)
}

// segments reads the capture again for the segments of one connection.
func segments(in *os.File, c tcp.Conversation) (tcp.Conversation, error) {
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return c, fmt.Errorf("reading the capture a second time: %w", err)
	}
	_, err := tcp.Read(in, func(f tcp.Frame) error {
		ours := f.Src == c.Client && f.Dst == c.Server || f.Src == c.Server && f.Dst == c.Client
		if ours && f.ICMP == nil && within(c, f) {
			f.Payload = slices.Clone(f.Payload)
			c.Segments = append(c.Segments, f)
		}
		return nil
	})
	return c, err
}

// within says whether a segment between the right endpoints is of this
// connection and not of another on the same ports.
func within(c tcp.Conversation, f tcp.Frame) bool {
	return !f.Time.Before(c.Start) && !f.Time.After(c.End)
}

// draw draws the connection of one frame.
func (e *explain) draw(in *os.File, name string, evidence tcp.Evidence) error {
	if in == os.Stdin {
		return errors.New("--ladder reads the capture twice: give it a file in place of standard input")
	}
	var frame *tcp.Frame
	all, err := tcp.Read(in, func(f tcp.Frame) error {
		if f.Number == e.ladder {
			frame = &f
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("reading capture %s: %w", name, err)
	case e.ladder > all.Frames:
		return fmt.Errorf("%s has no frame %d: it has %d", name, e.ladder, all.Frames)
	case frame == nil:
		return fmt.Errorf("%s has no TCP segment in frame %d", name, e.ladder)
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading capture %s a second time: %w", name, err)
	}
	ours := func(c tcp.Conversation) bool {
		same := frame.Src == c.Client && frame.Dst == c.Server || frame.Src == c.Server && frame.Dst == c.Client
		return same && within(c, *frame)
	}
	var found []tcp.Conversation // all of them where other evidence speaks of them
	if _, err := tcp.Explain(in, tcp.Options{}, func(c tcp.Conversation) {
		if e.given() != "" || ours(c) {
			found = append(found, c)
		}
	}); err != nil {
		return fmt.Errorf("reading capture %s: %w", name, err)
	}
	evidence.Refine(found)
	i := slices.IndexFunc(found, ours)
	if i < 0 {
		return fmt.Errorf("%s: frame %d belongs to no connection", name, e.ladder)
	}
	c, err := segments(in, found[i])
	if err != nil {
		return err
	}
	p := stdout()
	report.Ladder(p, c)
	fmt.Fprintf(p, "\n%s: %s\n", c.Cause, report.Printable(c.Text))
	return nil
}

// copy writes a new capture made from this one, whole or not at all.
func (e *explain) copy(in *os.File, name, to string, write func(io.Writer) error) error {
	if in != os.Stdin {
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("reading capture %s a second time: %w", name, err)
		}
	}
	// Beside its place until it is whole: what is there stays there until then.
	f, err := os.CreateTemp(filepath.Dir(to), ".rstlab-")
	if err != nil {
		return fmt.Errorf("writing capture %s: %w", to, err)
	}
	defer os.Remove(f.Name()) // where it did not get its name
	w := bufio.NewWriter(f)
	if err := errors.Join(write(w), w.Flush(), f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("writing capture %s: %w", to, err)
	}
	if err := os.Rename(f.Name(), to); err != nil {
		return fmt.Errorf("writing capture %s: %w", to, err)
	}
	fmt.Fprintln(os.Stderr, "lab: wrote", report.Printable(to))
	return nil
}

// how is what --how prints.
const how = `Capture at both ends where you can: a FIN that was sent is not a FIN that arrived.
-s 0 keeps whole packets, -U writes each at once, -Z root keeps the file ours.

on a host
  tcpdump -i any -n -s 0 -U -Z root -w prod.pcap 'tcp port 80 or icmp'
  tcpdump -i any -n -s 1024 -U -Z root -C 100 -W 10 -w ring.pcap 'tcp port 80'    ten files of 100 MB; HTTP's headers fit

of a Docker container, from its host
  nsenter -t $(docker inspect -f '{{.State.Pid}}' NAME) -n tcpdump -i any -n -s 0 -U -w prod.pcap tcp

of a Kubernetes pod
  kubectl debug -q -i POD --image=nicolaka/netshoot --profile=netadmin -- tcpdump -i any -n -s 0 -U -w - tcp > prod.pcap

what helps beside the capture, on the host that resets
  ss -tan                                       > ss.txt           --ss
  nstat -n; sleep 60; nstat                     > nstat.txt        --counters 10.0.0.2=nstat.txt, what rose meanwhile
  cat /sys/kernel/tracing/trace_pipe            > kernel.txt       --kernel, after
  echo 1 > /sys/kernel/tracing/events/tcp/tcp_send_reset/enable
`
